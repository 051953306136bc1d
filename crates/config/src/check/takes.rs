//! Rules over what virtual servers take: nothing belongs to two of them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipvs::{Family, Ports, Protocol};

use super::Rules;
use crate::model::{Listen, VirtualServer};
use crate::places::Part;

/// What the virtual servers so far have taken.
#[derive(Default)]
pub(super) struct Takes<'a> {
    ports: HashMap<(IpAddr, Protocol), Vec<(Ports, Kind<'a>)>>,
    marks: HashMap<(u32, Family), &'a str>,
}

/// Who has taken something, and whether by a mark.
#[derive(Clone, Copy)]
struct Kind<'a> {
    name: &'a str,
    marked: bool,
}

impl<'a> Takes<'a> {
    /// Takes what one more virtual server takes.
    pub(super) fn check(
        &mut self,
        service: &'a VirtualServer,
        index: usize,
        floating: Option<&HashSet<IpAddr>>,
        rules: &mut Rules<'_>,
    ) {
        let marked = matches!(service.listen, Listen::Mark { .. });
        let ports = service.listen.ports();
        for (number, one) in ports.iter().enumerate() {
            let part = Part::Listen(index, number);
            let others = self.ports.entry((one.ip, one.protocol)).or_default();
            if let Some((other, kind)) = others.iter().find(|(other, kind)| {
                // Beside each other, the kernel takes a port before every port.
                if marked || kind.marked { other.overlaps(one) } else { other == one }
            }) {
                taken(&other.to_string(), kind.name, part, rules);
            }
            others.push((*one, Kind { name: &service.name, marked }));
            address(service, *one, floating, part, rules);
        }
        families(&ports, index, rules);
        let Listen::Mark { mark, family, .. } = service.listen else { return };
        if let Some(other) = self.marks.insert((mark, family), &service.name) {
            taken(&format!("mark {mark}"), other, Part::Listen(index, 0), rules);
        }
        if mark == 0 {
            let help = "write the mark that netfilter sets, 1 or more";
            rules.error(Part::Listen(index, 0), "mark 0 is no mark", help);
        }
    }
}

fn taken(what: &str, other: &str, part: Part, rules: &mut Rules<'_>) {
    let message = format!("{what} belongs to {other} already");
    rules.error(part, message, "one virtual server takes it: remove it here or there");
}

fn address(
    service: &VirtualServer,
    ports: Ports,
    floating: Option<&HashSet<IpAddr>>,
    part: Part,
    rules: &mut Rules<'_>,
) {
    let ip = ports.ip;
    if ip.is_unspecified() || ip.is_multicast() {
        let help = "write the floating address that clients use";
        rules.error(part, format!("{ip} is no address to listen on"), help);
    } else if let Some(floating) = floating
        && rules.whole
        && !floating.contains(&ip)
    {
        let message = format!("{ip} is in no group, so it does not move with a takeover");
        rules.warning(part, message, "add it to the addresses of a group");
    }
    let marked = matches!(service.listen, Listen::Mark { .. });
    if ports.first == 0 && !marked && service.persistence.is_none() {
        let message = "port 0 takes every port, which the kernel only does with persistence";
        rules.error(part, message, "add `persistence: 5m`, or write a port");
    }
}

fn families(ports: &[Ports], index: usize, rules: &mut Rules<'_>) {
    let first = ports.first().map(Ports::family);
    let other = ports.iter().position(|one| Some(one.family()) != first);
    if let Some(number) = other {
        let message = "a virtual server listens on IPv4 and IPv6";
        let help = "make two virtual servers of it: the kernel balances each family by itself";
        rules.error(Part::Listen(index, number), message, help);
    }
}
