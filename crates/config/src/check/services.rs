//! Rules over virtual servers, their real servers and their sorry server.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipvs::{Family, Forwarding, Protocol};

use super::takes::Takes;
use super::{Rules, data_path, probes};
use crate::Cluster;
use crate::model::{Host, Listen, RealServer, VirtualServer};
use crate::places::Part;

/// A smaller weight has no room for a quarter of itself.
const LEAST_TO_FOLLOW: u32 = 4;

/// Largest weight and threshold that the kernel takes.
const MAX_WEIGHT: u32 = i32::MAX.unsigned_abs();

pub(super) fn check(cluster: &Cluster, rules: &mut Rules<'_>) {
    let floating: Option<HashSet<IpAddr>> = cluster.pair.as_ref().map(|pair| {
        pair.groups.iter().flat_map(|group| &group.addresses).map(|address| address.ip).collect()
    });
    let mut names: HashSet<&str> = HashSet::new();
    let mut takes = Takes::default();
    for (index, service) in cluster.services.iter().enumerate() {
        if !names.insert(&service.name) {
            let message = format!("two virtual servers are called {}", service.name);
            rules.error(Part::Service(index), message, "give each its own name");
        }
        takes.check(service, index, floating.as_ref(), rules);
        balancing(service, index, rules);
        pool(service, index, rules);
        load(service, index, rules);
        sorry(service, index, rules);
        probes::check(service, index, rules);
        data_path::check(service, index, rules);
    }
}

/// Weights are whole numbers, so small ones can hardly change.
fn load(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    let smallest = service.servers.iter().map(|server| server.weight).filter(|weight| *weight > 0);
    if service.load.is_some()
        && let Some(weight) = smallest.min().filter(|weight| *weight < LEAST_TO_FOLLOW)
    {
        let message = format!("a weight of {weight} cannot follow the load");
        let help = "give every real server of it a larger weight, as 100";
        rules.warning(Part::Service(index), message, help);
    }
}

fn balancing(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    let protocols = |wanted: Protocol| match &service.listen {
        Listen::Mark { .. } => true,
        Listen::Addresses(list) => list.is_empty() || list.iter().any(|e| e.protocol == wanted),
    };
    let flags = service.scheduler_flags;
    let scheduler = service.scheduler.name();
    if (flags.fallback || flags.port || flags.third) && !matches!(scheduler, "sh" | "mh") {
        let message = format!("{scheduler} has no flags");
        let part = Part::ServiceKey(index, "scheduler_flags");
        rules.warning(part, message, "remove them, or choose the scheduler sh or mh");
    }
    if service.one_packet && !protocols(Protocol::Udp) {
        let part = Part::ServiceKey(index, "one_packet");
        rules.warning(part, "one_packet is for UDP, and nothing else reads it", "remove it");
    }
    let quorum = service.quorum;
    if quorum.hysteresis >= quorum.weight {
        let part = Part::ServiceKey(index, "hysteresis");
        let message = "the pool never falls below a quorum with such a hysteresis";
        rules.warning(part, message, "write one that is smaller than the quorum");
    }
    let Some(persistence) = &service.persistence else { return };
    let part = Part::ServiceKey(index, "persistence");
    if persistence.timeout_seconds == 0 {
        rules.error(part, "persistence is less than a second", "write 5m, or remove it");
    }
    let most = if service.listen.family() == Family::Inet6 { 128 } else { 32 };
    if persistence.prefix_length == 0 || persistence.prefix_length > most {
        let message = format!("persistence over {} bits", persistence.prefix_length);
        let help = format!("write a prefix of 1 to {most}; {most} is each client by itself");
        rules.error(Part::ServiceKey(index, "persistence.prefix"), message, help);
    }
    match persistence.engine.as_deref() {
        Some("sip") if !protocols(Protocol::Udp) => {
            rules.warning(part, "the engine sip only reads UDP", "remove it, or listen on /udp");
        }
        Some("sip") | None => {}
        Some(engine) => {
            let message = format!("{engine} is no persistence engine of current kernels");
            rules.warning(part, message, "known: sip");
        }
    }
}

/// The only port of a virtual server: none with a mark, or with several ports.
fn only_port(service: &VirtualServer) -> Option<u16> {
    let Listen::Addresses(list) = &service.listen else { return None };
    let port = list.first()?.address.port();
    list.iter().all(|endpoint| endpoint.address.port() == port).then_some(port)
}

/// Whether each real server without a port of its own still has one, from the virtual server.
pub(super) fn every_port_known(service: &VirtualServer) -> bool {
    match &service.listen {
        Listen::Mark { marked, .. } => marked.first().is_some_and(|ports| ports.first != 0),
        Listen::Addresses(list) => list.iter().all(|endpoint| endpoint.address.port() != 0),
    }
}

fn pool(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    if rules.whole && service.servers.is_empty() && service.sorry.is_none() {
        let message = format!("{} has no real server", service.name);
        rules.warning(Part::Service(index), message, "add servers");
    }
    if !service.servers.is_empty() && service.servers.iter().all(|server| server.weight == 0) {
        let message =
            format!("every real server of {} has weight 0: nobody is served", service.name);
        rules.warning(Part::Service(index), message, "give one of them a weight of 1 or more");
    }
    let port = only_port(service);
    let mut seen: HashMap<(&Host, Option<u16>), usize> = HashMap::new();
    for (number, server) in service.servers.iter().enumerate() {
        let part = Part::Server(index, number);
        if seen.insert((&server.host, server.port.or(port)), number).is_some() {
            let message =
                format!("{} is in {} twice", shown(&server.host, server.port), service.name);
            rules.error(part, message, "remove one of the two");
        }
        real_server(service, server, part, rules);
    }
}

fn real_server(service: &VirtualServer, server: &RealServer, part: Part, rules: &mut Rules<'_>) {
    if server.weight > MAX_WEIGHT {
        let message = format!("weight {} is more than the kernel takes", server.weight);
        rules.error(part, message, format!("write 0 to {MAX_WEIGHT}"));
    }
    if server.lower_threshold > server.upper_threshold {
        let message = format!(
            "lower_threshold {} is above upper_threshold {}",
            server.lower_threshold, server.upper_threshold
        );
        rules.error(part, message, "the kernel wants the lower one below the upper one");
    }
    placing(service, &server.host, server.port, server.forwarding, part, rules);
}

/// Whether a packet for the virtual server can reach a server there.
fn placing(
    service: &VirtualServer,
    host: &Host,
    port: Option<u16>,
    forwarding: Forwarding,
    part: Part,
    rules: &mut Rules<'_>,
) {
    let family = service.listen.family();
    if let Host::Address(ip) = host
        && !service.listen.is_empty()
        && Family::of(*ip) != family
        && forwarding != Forwarding::Tunnel
    {
        let names = |family| if family == Family::Inet { "IPv4" } else { "IPv6" };
        let message = format!(
            "{ip} is {}, but {} takes {}",
            names(Family::of(*ip)),
            service.name,
            names(family)
        );
        rules.error(part, message, "only tunnelling crosses families: write `forward: tunnel`");
    }
    let Listen::Addresses(list) = &service.listen else { return };
    let other = list.iter().map(|e| e.address.port()).find(|own| port.is_some_and(|p| p != *own));
    if let (Some(port), Some(own), true) = (port, other, forwarding != Forwarding::Nat)
        && rules.native
    {
        let how = if forwarding == Forwarding::Direct { "direct routing" } else { "tunnelling" };
        let message = format!("port {port} under port {own}: {how} cannot change the port");
        let help = if own == 0 {
            "leave the port out, or use `forward: nat`".to_string()
        } else {
            format!("write port {own}, or use `forward: nat`")
        };
        rules.error(part, message, help);
    }
}

fn sorry(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    let Some(sorry) = &service.sorry else { return };
    let part = Part::Sorry(index);
    let port = only_port(service);
    let place = (&sorry.host, sorry.port.or(port));
    if service.servers.iter().any(|server| (&server.host, server.port.or(port)) == place) {
        let message = format!(
            "the sorry server {} is a real server of {} too",
            shown(place.0, place.1),
            service.name
        );
        rules.error_if_native(part, message, "choose another host or port for it");
    }
    placing(service, &sorry.host, sorry.port, sorry.forwarding, part, rules);
}

fn shown(host: &Host, port: Option<u16>) -> String {
    crate::native::host_and_port(host, port)
}
