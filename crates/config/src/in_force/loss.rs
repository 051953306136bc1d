//! What a new configuration would take away.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

use ipvs::Ports;

use crate::Cluster;
use crate::model::{Listen, VirtualServer};

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
        let parts = [
            self.services.too_much(limit, "services"),
            self.addresses.too_much(limit, "floating addresses"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("it removes {}", parts.join(", and ")))
    }
}

impl<T: Copy + Ord + Display> Part<T> {
    fn between(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Self {
        Self {
            lost: before.difference(after).copied().collect(),
            before: before.len(),
            none_left: after.is_empty(),
        }
    }

    fn too_much(&self, limit: crate::Percent, what: &str) -> Option<String> {
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
