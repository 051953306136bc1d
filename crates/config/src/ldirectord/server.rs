//! `real=` and `fallback=`: where packets go, and how.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use ipvs::{Family, Forwarding};

use super::lexer::Directive;
use super::values::{Report, digits};
use crate::diagnostic::nearest;
use crate::foreign::host::{help, host};
use crate::foreign::ports;
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::model::Host;

/// The real servers of one line, which may be a range.
#[derive(Clone, Debug)]
pub(super) struct Reals {
    /// The hosts; at least one.
    pub(super) hosts: Vec<Host>,
    /// The port; none when the line has none, or 0.
    pub(super) port: Option<u16>,
    /// How packets reach them.
    pub(super) forwarding: Forwarding,
    /// Their share.
    pub(super) weight: u32,
    /// Request and expected answer of their own.
    pub(super) exchange: Option<(String, Word)>,
    /// Thresholds.
    pub(super) lower: u32,
    pub(super) upper: u32,
    /// The whole value.
    pub(super) span: Range<usize>,
    /// The part that names hosts and port.
    pub(super) target: Word,
}

/// A sorry server.
#[derive(Clone, Debug)]
pub(super) struct Fallback {
    /// Where it is.
    pub(super) host: Host,
    /// The port; none takes the virtual server's.
    pub(super) port: Option<u16>,
    /// How packets reach it.
    pub(super) forwarding: Forwarding,
    /// The whole value.
    pub(super) span: Range<usize>,
}

/// Most real servers that one range may name: a slip in an address would name millions.
const MAX_RANGE: u32 = 1024;

/// Largest weight that the kernel takes (a signed 32-bit number).
const MAX_WEIGHT: u32 = i32::MAX as u32;

const METHODS: [&str; 3] = ["gate", "masq", "ipip"];

/// Reads a `real=` line.
pub(super) fn real(
    report: &mut Report<'_>,
    directive: &Directive,
    family: Family,
) -> Option<Reals> {
    let value = &directive.value;
    let Some((target, rest)) = first(value) else {
        let help = "write `real = ADDRESS:PORT gate`, or masq or ipip";
        report.error(&directive.name.span, "`real` names no server", help);
        return None;
    };
    let Some((method, rest)) = first(&rest) else {
        let help =
            format!("write `{} = {} gate`, or masq or ipip", directive.name.text, target.text);
        report.error(&target.span, "it is not said how packets reach the server", help);
        return None;
    };
    let (name, port) = target_port(report, &target)?;
    let hosts = hosts(report, &name, family)?;
    let forwarding = method_of(report, &method)?;
    let mut reals = Reals {
        hosts,
        port: port.filter(|port| *port > 0),
        forwarding,
        weight: 1,
        exchange: None,
        lower: 0,
        upper: 0,
        span: value.span.clone(),
        target,
    };
    let (before, after) = match rest.text.find('"') {
        Some(quote) => {
            let quoted = rest.part(quote..rest.text.len());
            let (exchange, after) = exchange(report, &quoted)?;
            reals.exchange = Some(exchange);
            (rest.part(0..quote), after)
        }
        None => (rest.clone(), rest.part(rest.text.len()..rest.text.len())),
    };
    reals.weight = options(report, &before, &mut reals.lower, &mut reals.upper, true)?.unwrap_or(1);
    options(report, &after, &mut reals.lower, &mut reals.upper, false)?;
    Some(reals)
}

/// Reads a `fallback=` line.
pub(super) fn fallback(
    report: &mut Report<'_>,
    directive: &Directive,
    family: Family,
) -> Option<Fallback> {
    let value = &directive.value;
    let Some((target, rest)) = first(value) else {
        let help = "write `fallback = ADDRESS:PORT gate`, or masq or ipip";
        report.error(&directive.name.span, "`fallback` names no server", help);
        return None;
    };
    let (name, port) = target_port(report, &target)?;
    let mut hosts = hosts(report, &name, family)?;
    let forwarding = match first(&rest) {
        Some((method, _)) => method_of(report, &method)?,
        None => Forwarding::Direct,
    };
    let port = port.filter(|port| *port > 0);
    let host = if hosts.len() == 1 { hosts.pop() } else { None };
    if host.is_none() {
        report.error(&target.span, "a sorry server is one server", "write one address");
    }
    Some(Fallback { host: host?, port, forwarding, span: value.span.clone() })
}

/// The first word, and what is behind it.
fn first(value: &Word) -> Option<(Word, Word)> {
    let value = value.trimmed();
    if value.text.is_empty() {
        return None;
    }
    let end = value.text.find(char::is_whitespace).unwrap_or(value.text.len());
    Some((value.part(0..end), value.part(end..value.text.len()).trimmed()))
}

/// Cuts `HOST:PORT`, `[IPV6]:PORT`, `A->B:PORT`, with or without the port.
pub(super) fn target_port(report: &mut Report<'_>, target: &Word) -> Option<(Word, Option<u16>)> {
    let text = &target.text;
    let bracket = text.rfind(']').map_or(0, |at| at + 1);
    let behind = text.get(bracket..).unwrap_or_default();
    let Some(colon) = behind.find(':').map(|at| at + bracket) else {
        return Some((target.clone(), None));
    };
    let port = target.part(colon + 1..text.len());
    let name = target.part(0..colon);
    if port.text.contains(':') {
        let plain = port.text.trim_start_matches(':');
        let help = if plain.contains(':') || plain.is_empty() {
            format!("an IPv6 address stands in brackets, under virtual6 and real6: `[{text}]:80`")
        } else {
            format!("write `{}:{plain}`", name.text)
        };
        report.error(&target.span, format!("`{text}` has too many colons"), help);
        return None;
    }
    match ports::port(&port.text) {
        Ok(number) => Some((name, Some(number))),
        Err(bad) => {
            let (message, help) = bad.words(&port.text);
            let span = if port.text.is_empty() { &target.span } else { &port.span };
            report.error(span, message, help);
            None
        }
    }
}

fn hosts(report: &mut Report<'_>, name: &Word, family: Family) -> Option<Vec<Host>> {
    match name.text.find("->") {
        Some(arrow) => {
            let last = name.part(arrow + 2..name.text.len());
            range(report, name, [&name.part(0..arrow), &last], family)
        }
        None => one_host(report, name, family).map(|host| vec![host]),
    }
}

fn one_host(report: &mut Report<'_>, name: &Word, family: Family) -> Option<Host> {
    let inner = name.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let found = host(inner.unwrap_or(&name.text));
    match (&found, family) {
        (Some(Host::Address(address)), _) if Family::of(*address) != family => {
            let (is, wanted) = match family {
                Family::Inet => {
                    ("IPv6", "an IPv4 address here, or `virtual6`, `real6` and `fallback6`")
                }
                Family::Inet6 => (
                    "IPv4",
                    "an IPv6 address in brackets here, or `virtual`, `real` and `fallback`",
                ),
            };
            let message = format!("`{}` is {is}, the virtual server is not", name.text);
            report.error(&name.span, message, format!("write {wanted}"));
            None
        }
        (Some(_), _) => found,
        (None, _) => {
            report.error(&name.span, format!("`{}` is no host", name.text), help(&name.text));
            None
        }
    }
}

/// An end of a range: an IPv4 address, or a name of one.
fn end(report: &mut Report<'_>, word: &Word, family: Family) -> Option<Ipv4Addr> {
    let found = match host(&word.text) {
        Some(Host::Address(address)) => Some(address),
        Some(Host::Name(_)) if family == Family::Inet => Some(report.looked_up(word, family)?),
        _ => None,
    };
    let Some(IpAddr::V4(address)) = found else {
        let help = "write both ends as IPv4 addresses: `192.168.1.4->192.168.1.6`";
        report.error(&word.span, format!("`{}` is no end of a range", word.text), help);
        return None;
    };
    Some(address)
}

fn range(
    report: &mut Report<'_>,
    whole: &Word,
    [from, to]: [&Word; 2],
    family: Family,
) -> Option<Vec<Host>> {
    let (low, high) = (end(report, from, family)?, end(report, to, family)?);
    let (first, last) = (u32::from(low), u32::from(high));
    if first > last {
        let help = format!("write `{}->{}`", to.text, from.text);
        report.error(&whole.span, format!("`{}` goes backwards", whole.text), help);
        return None;
    }
    if last - first >= MAX_RANGE {
        let message = format!("`{}` names {} servers", whole.text, u64::from(last - first) + 1);
        report.error(&whole.span, message, format!("one line may name {MAX_RANGE}"));
        return None;
    }
    Some((first..=last).map(|number| Host::Address(Ipv4Addr::from(number).into())).collect())
}

fn method_of(report: &mut Report<'_>, method: &Word) -> Option<Forwarding> {
    match method.text.as_str() {
        "gate" => Some(Forwarding::Direct),
        "masq" => Some(Forwarding::Nat),
        "ipip" => Some(Forwarding::Tunnel),
        other => {
            let start: String = other.chars().take(4).collect();
            let rest = other.get(start.len()..).unwrap_or_default();
            let help = match nearest(other, METHODS) {
                _ if METHODS.contains(&start.as_str()) => format!("write `{start} {rest}`"),
                Some(known) => format!("did you mean `{known}`?"),
                None => "one of gate (direct routing), masq (NAT) and ipip (tunnel)".into(),
            };
            report.error(&method.span, format!("`{other}` is no way to reach a server"), help);
            None
        }
    }
}

/// `"request" "receive"`, and what is behind.
fn exchange(report: &mut Report<'_>, quoted: &Word) -> Option<((String, Word), Word)> {
    let quotes: Vec<usize> = quoted.text.match_indices('"').map(|(at, _)| at).collect();
    let (Some([a, b]), Some([c, d])) = (quotes.get(0..2), quotes.get(2..4)) else {
        let help = "write both, each between plain quotes: `\"/path\", \"what must come back\"`";
        report.error(&quoted.span, "a request and what must come back go together", help);
        return None;
    };
    let between = quoted.text.get(b + 1..*c).unwrap_or_default();
    let request = quoted.text.get(a + 1..*b).unwrap_or_default();
    let receive = quoted.part(c + 1..*d);
    if !between.chars().all(|c| c == ',' || c.is_whitespace()) || between.is_empty() {
        let help = "write `\"/path\", \"what must come back\"`";
        report.error(&quoted.part(b + 1..*c).span, "a comma or a blank is wanted here", help);
        return None;
    }
    let after = quoted.part(d + 1..quoted.text.len());
    Some(((request.to_string(), receive), after))
}

/// Weight and thresholds. The weight is the first word that begins with a digit.
fn options(
    report: &mut Report<'_>,
    rest: &Word,
    lower: &mut u32,
    upper: &mut u32,
    weight_allowed: bool,
) -> Option<Option<u32>> {
    let mut weight = None;
    for word in rest.split(|_| false) {
        let text = word.text.as_str();
        if let Some(number) = text.strip_prefix("l:") {
            *lower = threshold(report, &word, number)?;
        } else if let Some(number) = text.strip_prefix("u:") {
            *upper = threshold(report, &word, number)?;
        } else if text.starts_with('-') && digits(text).is_some() {
            let help = "0 takes no new connections, more is a larger share";
            report.error(&word.span, format!("the weight `{text}` is negative"), help);
            return None;
        } else if weight_allowed
            && weight.is_none()
            && text.starts_with(|c: char| c.is_ascii_digit())
        {
            weight = Some(weight_of(report, &word)?);
        } else if weight_allowed {
            let help =
                "remove it; a weight and then `\"request\", \"receive\"` may follow the method";
            report.warning(&word.span, format!("`{text}` says nothing"), help);
        } else {
            let help = "only thresholds may follow here: `l:10 u:20`; the weight stands before the request";
            report.error(&word.span, format!("`{text}` does not belong here"), help);
            return None;
        }
    }
    Some(weight)
}

fn weight_of(report: &mut Report<'_>, word: &Word) -> Option<u32> {
    let number = digits(&word.text).and_then(|range| word.text.get(range)).unwrap_or_default();
    let weight = number.parse::<u32>().ok().filter(|weight| *weight <= MAX_WEIGHT);
    if weight.is_none() {
        let help = format!("weights go from 0 to {MAX_WEIGHT}");
        report.error(&word.span, format!("the weight `{number}` is too large"), help);
    } else if number != word.text {
        let message = format!("only the number of `{}` counts", word.text);
        report.warning(&word.span, message, format!("write `{number}`"));
    }
    weight
}

fn threshold(report: &mut Report<'_>, word: &Word, number: &str) -> Option<u32> {
    let parsed = number.parse().ok();
    if parsed.is_none() {
        let help = "write `l:` and `u:` with a number of connections: `l:10 u:20`";
        report.error(&word.span, format!("`{}` is no threshold", word.text), help);
    }
    parsed
}
