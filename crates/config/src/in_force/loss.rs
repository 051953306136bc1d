//! What a new configuration would take away.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

use ipvs::Ports;
use serde::{Deserialize, Serialize};

use crate::model::{Listen, VirtualServer};
use crate::{Cluster, Percent};

/// So many of the lost ones are named.
const NAMED: usize = 3;

/// What clients reach now and would reach no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    services: Part<Reached>,
    addresses: Part<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part<T> {
    lost: Vec<T>,
    before: usize,
    none_left: bool,
}

/// One service as clients know it: who renames a virtual server takes nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Ports(Ports),
    Mark(u32, ipvs::Family),
}

/// What clients reach by a configuration, in words that every release writes and reads alike:
/// whatever becomes of the model, this says what an edit takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outline {
    services: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
    max_removed: Percent,
}

impl Outline {
    pub(super) fn of(cluster: &Cluster) -> Self {
        Self {
            services: services(cluster).iter().map(Reached::to_string).collect(),
            addresses: addresses(cluster),
            max_removed: cluster.max_removed,
        }
    }

    /// Why the next configuration wants an operator's word; none when it takes little enough away.
    pub(super) fn too_much(&self, after: &Cluster) -> Option<String> {
        let after = Self::of(after);
        let services = Part::between(&self.services, &after.services);
        let addresses = Part::between(&self.addresses, &after.addresses);
        told(
            services.too_much(self.max_removed, SERVICES),
            addresses.too_much(self.max_removed, ADDRESSES),
        )
    }
}

const SERVICES: &str = "services";
const ADDRESSES: &str = "floating addresses";

fn told(services: Option<String>, addresses: Option<String>) -> Option<String> {
    let parts: Vec<String> = [services, addresses].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("it removes {}", parts.join(", and ")))
}

impl Loss {
    /// From the configuration in force to the next one.
    pub fn between(before: &Cluster, after: &Cluster) -> Self {
        Self {
            services: Part::between(&services(before), &services(after)),
            addresses: Part::between(&addresses(before), &addresses(after)),
        }
    }

    /// Why it wants an operator's confirmation, by the limit of the configuration in force; none
    /// when it is small enough.
    pub fn too_much(&self, before: &Cluster) -> Option<String> {
        let limit = before.max_removed;
        told(self.services.too_much(limit, SERVICES), self.addresses.too_much(limit, ADDRESSES))
    }
}

impl<T: Clone + Ord + Display> Part<T> {
    fn between(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Self {
        Self {
            lost: before.difference(after).cloned().collect(),
            before: before.len(),
            none_left: after.is_empty(),
        }
    }

    fn too_much(&self, limit: Percent, what: &str) -> Option<String> {
        let lost = self.lost.len();
        if lost == 0 || (lost <= limit.of(self.before) && !self.none_left) {
            return None;
        }
        let mut named: Vec<String> = self.lost.iter().take(NAMED).map(T::to_string).collect();
        if lost > NAMED {
            named.push(format!("and {} more", lost - NAMED));
        }
        Some(format!("{lost} of {} {what} ({})", self.before, named.join(", ")))
    }
}

impl Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ports(ports) => ports.fmt(f),
            Self::Mark(mark, ipvs::Family::Inet) => write!(f, "mark {mark}"),
            Self::Mark(mark, ipvs::Family::Inet6) => write!(f, "mark {mark} of IPv6"),
        }
    }
}

fn services(cluster: &Cluster) -> BTreeSet<Reached> {
    let reached = |service: &VirtualServer| match &service.listen {
        Listen::Mark { mark, family, marked } if marked.is_empty() => {
            vec![Reached::Mark(*mark, *family)]
        }
        listen => listen.ports().into_iter().map(Reached::Ports).collect(),
    };
    cluster.services.iter().flat_map(reached).collect()
}

fn addresses(cluster: &Cluster) -> BTreeSet<IpAddr> {
    let groups = cluster.pair.iter().flat_map(|pair| &pair.groups);
    groups.flat_map(|group| &group.addresses).map(|address| address.ip).collect()
}
