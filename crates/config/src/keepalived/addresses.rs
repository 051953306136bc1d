//! Floating addresses: `ADDRESS[/MASK] [brd …] [dev …] [label …] …`.

use std::net::{IpAddr, Ipv4Addr};

use super::report::Report;
use super::text::At;
use super::tree::Node;
use crate::foreign::host;
use crate::foreign::mask::prefix_length;
use crate::model::FloatingAddress;

/// Words with a value behind them that are not carried.
const WITH_VALUE: [&str; 4] = ["scope", "peer", "preferred_lft", "track_group"];
/// Words without one.
const ALONE: [&str; 8] =
    ["home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac", "nodad"];

/// Reads the addresses of a block; those without a `dev` are on `interface`.
pub(super) fn addresses(
    report: &mut Report,
    block: &[Node],
    interface: Option<&str>,
) -> Vec<(FloatingAddress, At)> {
    let read = |node| one(report, node, interface).map(|found| (found, node.name.at.clone()));
    block.iter().filter_map(read).collect()
}

fn one(report: &mut Report, node: &Node, interface: Option<&str>) -> Option<FloatingAddress> {
    let word = &node.name;
    let (text, mask) =
        word.text.split_once('/').map_or((word.text.as_str(), None), |(ip, mask)| (ip, Some(mask)));
    let Ok(ip) = text.parse::<IpAddr>() else {
        let message = format!("`{}` is no address", word.text);
        report.error(&word.at, message, host::help_for_address(text));
        return None;
    };
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let length = match mask.map(|mask| (mask, prefix_length(mask, bits))) {
        None => bits,
        Some((_, Ok(length))) if length > 0 => length,
        Some((mask, Ok(_))) => {
            report.error(
                &word.at,
                format!("/{mask} is no network"),
                format!("write /1 to /{bits}"),
            );
            return None;
        }
        Some((mask, Err(bad))) => {
            report.error(&word.at, bad.message(mask), format!("write /1 to /{bits}"));
            return None;
        }
    };
    let mut found = FloatingAddress {
        ip,
        prefix_length: Some(length),
        interface: interface.map(str::to_string),
        label: None,
        broadcast: None,
    };
    options(report, node, &mut found);
    Some(found)
}

fn options(report: &mut Report, node: &Node, found: &mut FloatingAddress) {
    let mut words = node.words.iter();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        if ALONE.contains(&text) {
            let instead = "a floating address has its interface, its network, a label and a broadcast address, nothing more";
            report.dropped(text, &word.at, instead);
            continue;
        }
        let Some(value) = words.next() else {
            let help = "write `dev eth0`, `label eth0:1` or `brd 192.168.1.255`";
            report.error(&word.at, format!("`{text}` has no value"), help);
            return;
        };
        match text {
            "dev" => found.interface = Some(value.text.clone()),
            "label" => found.label = Some(value.text.clone()),
            "brd" | "broadcast" => match (value.text.as_str(), value.text.parse::<Ipv4Addr>()) {
                // The host bits set: what a network's broadcast address is anyway. Or cleared.
                ("+" | "-", _) => {}
                (_, Ok(address)) => found.broadcast = Some(address),
                (other, Err(_)) => {
                    let message = format!("`{other}` is no broadcast address");
                    report.error(&value.at, message, "write the last address of the network");
                }
            },
            _ if WITH_VALUE.contains(&text) => {
                // What the kernel does without a word.
                if text != "scope" || value.text != "global" {
                    let instead = "a floating address has its interface, its network, a label and a broadcast address, nothing more";
                    report.dropped(text, &word.at, instead);
                }
            }
            _ => {
                let help = "write `dev eth0`, `label eth0:1` or `brd 192.168.1.255`";
                report.error(&word.at, format!("`{text}` is no part of an address"), help);
                return;
            }
        }
    }
}
