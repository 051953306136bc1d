//! Virtual servers, as the kernel knows them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{Scheduler, SchedulerFlags};

/// Address family of a firewall-mark service (`AF_INET`, `AF_INET6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

impl Family {
    /// The family an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Inet } else { Self::Inet6 }
    }
}

/// Transport protocols that IPVS balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// `IPPROTO_TCP`, 6.
    Tcp,
    /// `IPPROTO_UDP`, 17.
    Udp,
    /// `IPPROTO_SCTP`, 132.
    Sctp,
}

impl Protocol {
    /// The name as ipvsadm and our files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What identifies a virtual server in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKey {
    /// Traffic to one address, port and protocol. Port 0 means every port, with persistence.
    Address {
        /// The floating address and port.
        address: SocketAddr,
        /// TCP, UDP or SCTP.
        protocol: Protocol,
    },
    /// Traffic that netfilter marked.
    Mark {
        /// The mark; never 0.
        mark: u32,
        /// Family, because one mark may serve both.
        family: Family,
    },
}

impl ServiceKey {
    /// The family of the packets that this virtual server takes.
    pub fn family(&self) -> Family {
        match self {
            Self::Address { address, .. } => Family::of(address.ip()),
            Self::Mark { family, .. } => *family,
        }
    }
}

/// `192.168.1.1:80/tcp`, `[2001:db8::1]:80/tcp`, `mark 7`, `mark 7/inet6`.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, protocol } => write!(f, "{address}/{protocol}"),
            Self::Mark { mark, family: Family::Inet } => write!(f, "mark {mark}"),
            Self::Mark { mark, family: Family::Inet6 } => write!(f, "mark {mark}/inet6"),
        }
    }
}

/// Keeping a client with its real server (`IP_VS_SVC_F_PERSISTENT`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persistence {
    /// Seconds until a template without connections is forgotten; 1 or more.
    pub timeout_seconds: u32,
    /// Clients that share this many leading bits count as one; 32 or 128 is one address each.
    pub prefix_length: u8,
    /// Persistence engine (`sip`), if not by address.
    pub engine: Option<String>,
}

/// The attributes of a virtual server, without its real servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// How a real server is chosen.
    pub scheduler: Scheduler,
    /// Options of the scheduler.
    pub flags: SchedulerFlags,
    /// Keeping a client with its real server.
    pub persistence: Option<Persistence>,
    /// Every UDP packet is scheduled anew (`IP_VS_SVC_F_ONEPACKET`).
    pub one_packet: bool,
}
