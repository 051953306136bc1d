//! `-A`: a virtual server.

use std::net::{IpAddr, SocketAddr};

use ipvs::{Family, Persistence, Protocol, Scheduler, SchedulerFlags};

use super::options::{Given, Options};
use crate::foreign::mask::prefix_length;
use crate::foreign::ports::port;
use crate::foreign::report::Reporter;
use crate::foreign::table::{Report, did_you_mean, scheduler, unchecked_service};
use crate::foreign::word::Word;
use crate::foreign::{flags, hosts};
use crate::model::{Endpoint, Listen, VirtualServer};

/// What names a virtual server.
const SELECTORS: [&str; 4] = ["tcp-service", "udp-service", "sctp-service", "fwmark-service"];
/// ipvsadm's own, when `-p` has no number.
const PERSISTENCE: u32 = 360;
/// The kernel's limit, a month.
const MOST_PERSISTENCE: u32 = 2_678_400;

/// The virtual server of a line.
pub(super) fn service(
    report: &mut Report<'_>,
    at: &Given,
    options: &Options,
) -> Option<VirtualServer> {
    let (listen, _) = listen(report, &at.word, options)?;
    let family = family(&listen);
    let scheduler = match options.get("scheduler") {
        Some(given) => scheduler(report, given.value()),
        None => Scheduler::wlc(),
    };
    Some(VirtualServer {
        scheduler_flags: scheduler_flags(report, options),
        persistence: persistence(report, options, family),
        one_packet: options.get("ops").is_some(),
        ..unchecked_service(listen, scheduler)
    })
}

/// The family of a virtual server's packets.
pub(super) fn family(listen: &Listen) -> Family {
    match listen {
        Listen::Mark { family, .. } => *family,
        Listen::Addresses(endpoints) => {
            endpoints.first().map_or(Family::Inet, |endpoint| Family::of(endpoint.address.ip()))
        }
    }
}

/// What the selector of a line names, and where that stands.
pub(super) fn listen<'o>(
    report: &mut Report<'_>,
    at: &Word,
    options: &'o Options,
) -> Option<(Listen, &'o Word)> {
    let Some(given) = options.any(&SELECTORS) else {
        let help = "add -t ADDRESS:PORT, -u ADDRESS:PORT, --sctp-service ADDRESS:PORT or -f MARK";
        report.error(&at.span, "no service is named", help);
        return None;
    };
    let value = given.value();
    let protocol = match given.name {
        "tcp-service" => Protocol::Tcp,
        "udp-service" => Protocol::Udp,
        "sctp-service" => Protocol::Sctp,
        _ => {
            let family = options.get("ipv6").map_or(Family::Inet, |_| Family::Inet6);
            let mark = number(report, value, 1, u32::MAX)?;
            return Some((Listen::Mark { mark, family, marked: Vec::new() }, value));
        }
    };
    let (host, port) = host_and_port(report, value)?;
    let address = SocketAddr::new(address(report, &host)?, port.unwrap_or(0));
    Some((Listen::Addresses(vec![Endpoint { address, protocol }]), value))
}

/// The address of a host that must not depend on a name server.
fn address(report: &mut Report<'_>, host: &Word) -> Option<IpAddr> {
    if let Ok(address) = host.text.parse() {
        return Some(address);
    }
    match (report.lookup)(&host.text).first() {
        Some(address) => Some(*address),
        None => {
            let message = format!("`{}` is no address, and /etc/hosts has none for it", host.text);
            report.error(
                &host.span,
                message,
                format!("{}; `ipvsadm -Sn` prints addresses", hosts::HELP),
            );
            None
        }
    }
}

/// `HOST:PORT`, `[ADDRESS]:PORT`, or a host alone; the port by number or name.
pub(super) fn host_and_port(report: &mut Report<'_>, word: &Word) -> Option<(Word, Option<u16>)> {
    let text = &word.text;
    if text.parse::<IpAddr>().is_ok() {
        return Some((word.clone(), None));
    }
    let (host, rest) = match text.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => (word.part(1..end + 1), end + 2),
        None => {
            let end = text.rfind(':').unwrap_or(text.len());
            (word.part(0..end), end)
        }
    };
    let rest = word.part(rest.min(text.len())..text.len());
    let Some(named) = rest.text.strip_prefix(':') else {
        return Some((host, None));
    };
    match port(named) {
        Ok(number) => Some((host, Some(number))),
        Err(bad) => {
            let (message, help) = bad.words(named);
            report.error(&rest.part(1..rest.text.len()).span, message, help);
            None
        }
    }
}

/// A number within a range.
pub(super) fn number<T>(report: &mut Report<'_>, word: &Word, least: T, most: T) -> Option<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let number = word.text.parse::<T>().ok().filter(|n| *n >= least && *n <= most);
    if number.is_none() {
        let message = format!("`{}` is no number from {least} to {most}", word.text);
        report.error(&word.span, message, "write a whole number within these limits");
    }
    number
}

fn scheduler_flags(report: &mut Report<'_>, options: &Options) -> SchedulerFlags {
    let mut flags = SchedulerFlags::default();
    let Some(given) = options.get("sched-flags") else { return flags };
    for word in given.value().split(|c| c == ',') {
        if !flags::set(&mut flags, &word.text) {
            let message = format!("`{}` is no flag of a scheduler", word.text);
            report.error(&word.span, message, did_you_mean(&word.text, &flags::KNOWN));
        }
    }
    flags
}

fn persistence(report: &mut Report<'_>, options: &Options, family: Family) -> Option<Persistence> {
    let Some(given) = options.get("persistent") else {
        if let Some(lonely) = options.any(&["netmask", "pe"]) {
            let message = format!("--{} is for persistence, and there is none", lonely.name);
            report.error(&lonely.word.span, message, "add -p, or remove it");
        }
        return None;
    };
    let timeout_seconds = match given.values.first() {
        Some(word) => number(report, word, 1, MOST_PERSISTENCE)?,
        None => PERSISTENCE,
    };
    let bits = if family == Family::Inet { 32 } else { 128 };
    let mask = options.get("netmask").map(Given::value);
    let length = match mask.map(|mask| (mask, prefix_length(&mask.text, bits))) {
        None => bits,
        Some((_, Ok(length))) => length,
        Some((mask, Err(bad))) => {
            let help = "write 255.255.255.0 for IPv4, or 1 to 128 for IPv6";
            report.error(&mask.span, bad.message(&mask.text), help);
            bits
        }
    };
    let engine = options.get("pe").map(|pe| pe.value().text.clone());
    Some(Persistence { timeout_seconds, prefix_length: length, engine })
}
