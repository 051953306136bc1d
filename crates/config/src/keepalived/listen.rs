//! What a virtual server takes: an address, a mark, or a group of both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::report::Report;
use super::text::At;
use super::tree::Node;
use super::words::Word;

/// Most addresses of one range.
const MOST: u128 = 65_536;

/// Something that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Packets to an address and port; 0 is every port.
    Address(SocketAddr, At),
    /// Marked packets, and their family if it is said.
    Mark(u32, Option<bool>, At),
}

/// A `virtual_server_group`.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) taken: Vec<Taken>,
}

/// What the line of a `virtual_server` names, and the group's name if it names one.
pub(super) fn of(
    report: &mut Report,
    node: &Node,
    groups: &[Group],
) -> Option<(Vec<Taken>, Option<String>)> {
    let first = report.value(node, "192.168.1.1 80")?;
    match first.text.as_str() {
        "fwmark" => Some((vec![mark(report, first, node.word(1), node.word(2))?], None)),
        "group" => {
            let Some(name) = node.word(1) else {
                let help = "write the name of a `virtual_server_group`";
                report.error(&first.at, "this group has no name", help);
                return None;
            };
            let found = groups.iter().find(|group| group.name == name.text);
            if found.is_none() {
                let near = crate::nearest(&name.text, groups.iter().map(|g| g.name.as_str()));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write `virtual_server_group {} {{ … }}`", name.text),
                };
                let message = format!("no virtual_server_group is called `{}`", name.text);
                report.error(&name.at, message, help);
            }
            found.map(|group| (group.taken.clone(), Some(group.name.clone())))
        }
        _ => {
            let ip = report.address(first)?;
            let port = node.word(1).map(|word| report.number_in(word, 0, 65_535));
            Some((vec![address(ip, port.unwrap_or(Some(0))?, &first.at)], None))
        }
    }
}

fn address(ip: IpAddr, port: u32, at: &At) -> Taken {
    let port = u16::try_from(port).unwrap_or_default();
    Taken::Address(SocketAddr::new(ip, port), at.clone())
}

fn mark(
    report: &mut Report,
    key: &Word,
    value: Option<&Word>,
    family: Option<&Word>,
) -> Option<Taken> {
    let Some(value) = value else {
        report.error(&key.at, "`fwmark` has no value", "write `fwmark 7`");
        return None;
    };
    let number = report.number_in(value, 1, u32::MAX)?;
    let family = match family.map(|word| (word, word.text.as_str())) {
        Some((_, "inet")) => Some(false),
        Some((_, "inet6")) => Some(true),
        Some((word, other)) => {
            let message = format!("`{other}` is no family");
            report.error(&word.at, message, "write inet or inet6, or nothing");
            None
        }
        None => None,
    };
    Some(Taken::Mark(number, family, value.at.clone()))
}

/// Reads a `virtual_server_group`.
pub(super) fn group(report: &mut Report, node: &Node) -> Option<Group> {
    let name = report.value(node, "NAME")?.text.clone();
    let mut taken = Vec::new();
    for line in &node.block {
        if line.name.text == "fwmark" {
            taken.extend(mark(report, &line.name, line.word(0), line.word(1)));
            continue;
        }
        let port = match line.word(0) {
            Some(word) => report.number_in(word, 0, 65_535),
            None => Some(0),
        };
        let (Some(range), Some(port)) = (range(report, &line.name), port) else { continue };
        taken.extend(range.into_iter().map(|ip| address(ip, port, &line.name.at)));
    }
    if taken.is_empty() && node.block.is_empty() {
        let help = "write addresses, ranges or marks between its braces";
        report.error(&node.name.at, format!("the group {name} is empty"), help);
    }
    Some(Group { name, taken })
}

/// One address, `10.0.0.1-9`, `10.0.0.250-10.0.1.9` or `10.0.0.0/29`.
fn range(report: &mut Report, word: &Word) -> Option<Vec<IpAddr>> {
    let text = word.text.as_str();
    if !text.contains(['-', '/']) {
        return report.address(word).map(|ip| vec![ip]);
    }
    let found = match text.split_once('-') {
        Some((first, last)) => between(first, last),
        None => network(text),
    };
    let Some((first, last, is_v4)) = found.filter(|(first, last, _)| first <= last) else {
        let help = "write 10.0.0.1-9, 10.0.0.250-10.0.1.9 or 10.0.0.0/29";
        report.error(&word.at, format!("`{text}` is no range of addresses"), help);
        return None;
    };
    if last - first >= MOST {
        let help = "take a firewall mark for so many: `fwmark 7`";
        report.error(&word.at, format!("`{text}` holds more than {MOST} addresses"), help);
        return None;
    }
    Some((first..=last).map(|number| ip(number, is_v4)).collect())
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

fn ip(number: u128, is_v4: bool) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if is_v4 => Ipv4Addr::from(number).into(),
        _ => Ipv6Addr::from(number).into(),
    }
}

/// The end is an address of its own, or what the last part of the first one becomes.
fn between(first: &str, last: &str) -> Option<(u128, u128, bool)> {
    let start: IpAddr = first.parse().ok()?;
    let end = match last.parse::<IpAddr>() {
        Ok(end) => end,
        Err(_) => {
            let cut = first.rfind(['.', ':'])?;
            format!("{}{last}", first.get(..=cut)?).parse().ok()?
        }
    };
    (start.is_ipv4() == end.is_ipv4()).then(|| (number(start), number(end), start.is_ipv4()))
}

/// All addresses of a network from the written one on, as keepalived takes them.
fn network(text: &str) -> Option<(u128, u128, bool)> {
    let network: ipnet::IpNet = text.parse().ok()?;
    let last = match network {
        ipnet::IpNet::V4(network) => number(network.broadcast().into()),
        ipnet::IpNet::V6(network) => number(network.broadcast().into()),
    };
    Some((number(network.addr()), last, network.addr().is_ipv4()))
}
