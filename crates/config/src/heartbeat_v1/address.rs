//! Addresses of haresources: `192.168.1.1/24/eth0:1/192.168.1.255`.

use std::net::{IpAddr, Ipv4Addr};

use super::haresources::Resource;
use super::report::Report;
use crate::foreign::mask::prefix_length;
use crate::foreign::report::Reporter;
use crate::model::FloatingAddress;

/// Longest name of an interface or a label (`IFNAMSIZ` is 16, with the closing NUL).
const MAX_DEVICE: usize = 15;

/// Reads `IP[/MASK[/DEVICE[:LABEL]][/BROADCAST]]`.
pub(super) fn address(report: &mut Report<'_>, resource: &Resource) -> Option<FloatingAddress> {
    let span = &resource.word.span;
    let Some(argument) = resource.arguments.first().filter(|argument| !argument.is_empty()) else {
        let help = format!("write `{}::192.168.1.1/24/eth0`", resource.script);
        report.error(span, format!("`{}` names no address", resource.script), help);
        return None;
    };
    let mut parts = argument.split('/');
    let first = parts.next().unwrap_or_default();
    let wants_six = resource.script == "IPv6addr";
    let parsed = first.parse::<IpAddr>();
    let Some(ip) = parsed.clone().ok().filter(|ip| ip.is_ipv6() == wants_six) else {
        let help = match parsed {
            Ok(_) if wants_six => "write `IPaddr2::` for an IPv4 address",
            Ok(_) => "write `IPv6addr::` for an IPv6 address",
            Err(_) => "write an address like 192.168.1.1",
        };
        report.error(span, format!("`{first}` is no address here"), help);
        return None;
    };
    let mut found =
        FloatingAddress { ip, prefix_length: None, interface: None, label: None, broadcast: None };
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    if let Some(mask) = parts.next().filter(|mask| !mask.is_empty()) {
        match prefix_length(mask, bits) {
            Ok(length) => found.prefix_length = Some(length),
            Err(bad) => {
                let help = format!("write `{ip}/24`, or `{ip}/24/eth0`");
                report.error(span, bad.message(mask), help);
                return None;
            }
        }
    }
    for part in parts.filter(|part| !part.is_empty()) {
        if let Ok(broadcast) = part.parse::<Ipv4Addr>() {
            found.broadcast = Some(broadcast);
        } else if part.len() <= MAX_DEVICE && found.interface.is_none() {
            found.interface = part.split(':').next().map(str::to_string);
            found.label = part.contains(':').then(|| part.to_string());
        } else {
            let help =
                format!("write `{ip}/24/eth0/BROADCAST`, of which the last two may be left out");
            report.error(span, format!("`{part}` does not belong here"), help);
            return None;
        }
    }
    Some(found)
}
