//! What a virtual server takes.

use std::net::SocketAddr;

use ipvs::{Family, MarkRule, Ports, Protocol};
use serde::{Deserialize, Serialize};

use super::Cluster;

/// What a virtual server takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listen {
    /// One or more addresses, ports and protocols; each becomes a service in the kernel.
    Addresses(Vec<Endpoint>),
    /// Marked traffic.
    Mark {
        /// The mark; never 0.
        mark: u32,
        /// Family of the packets.
        family: Family,
        /// What lvsd marks so; empty where somebody else's rules of netfilter do.
        #[serde(default)]
        marked: Vec<Ports>,
    },
}

impl Listen {
    /// Family of the packets; IPv4 when it listens nowhere.
    pub fn family(&self) -> Family {
        match self {
            Self::Mark { family, .. } => *family,
            Self::Addresses(endpoints) => {
                endpoints.first().map_or(Family::Inet, |at| Family::of(at.address.ip()))
            }
        }
    }

    /// Whether it takes nothing, as when all that is written is wrong.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Addresses(endpoints) if endpoints.is_empty())
    }

    /// The addresses and ports, as far as they are known: nothing where somebody else marks.
    pub fn ports(&self) -> Vec<Ports> {
        match self {
            Self::Addresses(endpoints) => endpoints.iter().copied().map(Ports::from).collect(),
            Self::Mark { marked, .. } => marked.clone(),
        }
    }
}

/// An address, port and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address and port; port 0 is every port and wants persistence.
    pub address: SocketAddr,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
}

impl Cluster {
    /// What lvsd marks itself, in the order of the virtual servers.
    pub fn mark_rules(&self) -> Vec<MarkRule> {
        let rules = self.services.iter().filter_map(|service| match &service.listen {
            Listen::Mark { mark, marked, .. } => Some((*mark, marked)),
            Listen::Addresses(_) => None,
        });
        rules
            .flat_map(|(mark, marked)| {
                marked.iter().map(move |ports| MarkRule { ports: *ports, mark })
            })
            .collect()
    }
}

impl From<Endpoint> for Ports {
    fn from(Endpoint { address, protocol }: Endpoint) -> Self {
        Self::one(address, protocol)
    }
}
