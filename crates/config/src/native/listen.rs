//! `listen`, `mark` and `family`: what a virtual server takes.

use std::collections::BTreeSet;

use ipvs::{Family, Ports, Protocol};

use super::scalar::{self, Parsed, Problem};
use super::section::{Reading, Section};
use super::tree::Span;
use crate::model::{Endpoint, Listen, VirtualServer};
use crate::places::Part;

/// Marks that are chosen by lvsd are from here on, so that people's own, which are small, and the
/// single bits that other programs set are other ones.
const FIRST_CHOSEN: u32 = 0x4c00_0000;
/// So many there are.
const CHOSEN: u32 = 0x0100_0000;
/// Stands for a mark that is chosen once all virtual servers are read; never in the model.
const TO_BE_CHOSEN: u32 = 0;

/// What a virtual server takes.
pub(super) fn listen<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    index: usize,
) -> Listen {
    let mark_at = section.span_of("mark");
    let family_at = section.span_of("family");
    let listens = section.has("listen");
    let listed = listed(reading, section, index);
    let mark = reading.parsed(section, "mark", mark).map(|given| given.value);
    let family = reading.choice(section, "family", |word| match word {
        "inet" => Some(Family::Inet),
        "inet6" => Some(Family::Inet6),
        _ => None,
    });
    missing(reading, section, mark_at, mark, listens, index);
    if let Some(at) = family_at.filter(|_| mark.is_none() || listens) {
        let help = "remove it: an address has its family";
        reading.error(at, "family goes with a mark that netfilter sets", help);
    }
    let ranges = listed.iter().any(|ports| ports.first != ports.last);
    match mark.or(ranges.then_some(TO_BE_CHOSEN)) {
        None => Listen::Addresses(listed.into_iter().map(endpoint).collect()),
        Some(mark) => {
            let first = listed.first().map(Ports::family);
            let family = first.or(family).unwrap_or(Family::Inet);
            Listen::Mark { mark, family, marked: listed }
        }
    }
}

fn listed<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    index: usize,
) -> Vec<Ports> {
    let mut listed = Vec::new();
    for node in reading.list(section, "listen") {
        if let Some(ports) = reading.parse_node("listen", &node, scalar::ports) {
            reading.record(Part::Listen(index, listed.len()), node.span);
            listed.push(ports);
        }
    }
    listed
}

fn endpoint(ports: Ports) -> Endpoint {
    let address = std::net::SocketAddr::new(ports.ip, ports.first);
    Endpoint { address, protocol: ports.protocol }
}

/// A number, or `auto`.
fn mark(text: &str) -> Parsed<u32> {
    match text.trim() {
        "auto" => Ok(TO_BE_CHOSEN),
        text => text.parse().ok().filter(|mark| *mark != TO_BE_CHOSEN).ok_or_else(|| {
            let help = "write a number of 1 or more, or auto to have one chosen";
            Problem::new(format!("{text} is not a mark"), help)
        }),
    }
}

/// Says what is not there.
fn missing(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
    mark_at: Option<Span>,
    mark: Option<u32>,
    listens: bool,
    index: usize,
) {
    match (mark_at, listens) {
        (_, true) => {}
        (Some(at), false) => {
            reading.record(Part::Listen(index, 0), at.clone());
            if mark == Some(TO_BE_CHOSEN) {
                let help = "add `listen` with the addresses and ports that are marked";
                reading.error(at, "auto marks nothing without listen", help);
            }
        }
        (None, false) => {
            let help =
                "add `listen: 192.168.1.1:80/tcp`, or `mark: 7` for traffic that netfilter marked";
            reading.error(section.at.clone(), "listen is missing", help);
        }
    }
}

/// Gives marks to those who leave the choice: the same ones on every router with this file, and
/// after each edit of other virtual servers.
pub(super) fn assign_marks(services: &mut [VirtualServer]) {
    let mut taken: BTreeSet<u32> = services
        .iter()
        .filter_map(|service| match service.listen {
            Listen::Mark { mark, .. } => Some(mark),
            Listen::Addresses(_) => None,
        })
        .collect();
    for service in services {
        let Listen::Mark { mark, .. } = &mut service.listen else { continue };
        if *mark == TO_BE_CHOSEN {
            *mark = chosen(&service.name);
            while !taken.insert(*mark) {
                *mark = FIRST_CHOSEN | (mark.wrapping_add(1) % CHOSEN);
            }
        }
    }
}

/// The mark that a name gets unless another virtual server has it: the name's FNV-1a hash.
pub(super) fn chosen(name: &str) -> u32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Both ends of the hash count, as it is cut.
    FIRST_CHOSEN | ((hash ^ (hash >> 24)) % CHOSEN)
}

/// Whether checks over TCP make sense by default.
pub(super) fn speaks_tcp(listen: &Listen) -> bool {
    let ports = listen.ports();
    match listen {
        Listen::Mark { .. } => ports.first().is_some_and(has_tcp_port),
        Listen::Addresses(_) => ports.iter().all(has_tcp_port),
    }
}

fn has_tcp_port(ports: &Ports) -> bool {
    ports.protocol == Protocol::Tcp && ports.first != 0
}

#[cfg(test)]
mod tests;
