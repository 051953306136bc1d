//! ha.cf: who the routers are, and how they hear of each other.
//!
//! Lines may stand in any order; heartbeat itself wants `udpport` before the media.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::known::{DIRECTIVES, NEEDLESS, NOT_CARRIED};
use super::report::Report;
use super::stonith::{Device, device};
use super::times;
use crate::diagnostic::nearest;
use crate::foreign::host::{host, is_name};
use crate::foreign::hosts::{self, Lookup};
use crate::foreign::ports;
use crate::foreign::report::Reporter;
use crate::foreign::word::{Word, carriage_return, lines};
use crate::model::{Failback, Host, SharedPath};

/// A time, and where it stands.
type Time = Option<(Duration, Range<usize>)>;

/// What ha.cf says.
#[derive(Debug, Default)]
pub(super) struct HaCf {
    /// The routers' names, as they are written.
    pub(super) nodes: Vec<Word>,
    pub(super) interval: Time,
    pub(super) dead_after: Time,
    pub(super) warn_after: Time,
    pub(super) listen_first: Time,
    pub(super) port: Option<u16>,
    pub(super) paths: Vec<SharedPath>,
    pub(super) witness: Vec<IpAddr>,
    pub(super) witness_at: Option<Range<usize>>,
    /// Where ipfail is started, which compares how many witnesses the routers reach.
    pub(super) ipfail_at: Option<Range<usize>>,
    group_of_hosts_at: Option<Range<usize>>,
    pub(super) failback: Option<Failback>,
    /// What switches a router off.
    pub(super) devices: Vec<Device>,
    /// Where the log is to go.
    pub(super) log_file: Option<String>,
}

/// Directives with a comma as a character like others.
const WHOLE_LINES: [&str; 2] = ["stonith", "stonith_host"];

/// Reads the file.
pub(super) fn read(report: &mut Report<'_>, find: &mut Lookup<'_>) -> HaCf {
    let source = report.source.clone();
    if let Some(at) = carriage_return(&source) {
        let help = "they do no harm; `sed -i 's/\\r$//'` mends it";
        report.warning(&at, "the lines end with a carriage return, as on DOS", help);
    }
    let mut found = HaCf::default();
    for line in lines(&source) {
        let end = line.text.find('#').unwrap_or(line.text.len());
        let line = line.word(0..end);
        let mut words = line.split(|character| character == ',');
        if words.first().is_some_and(|directive| WHOLE_LINES.contains(&&*directive.text)) {
            words = line.split(|_| false);
        }
        if let Some((directive, values)) = words.split_first() {
            found.line(report, find, directive, values);
        }
    }
    found.ipfail(report);
    found
}

impl HaCf {
    fn line(
        &mut self,
        report: &mut Report<'_>,
        find: &mut Lookup<'_>,
        directive: &Word,
        values: &[Word],
    ) {
        let name = directive.text.as_str();
        if self.is_ipfail(report, directive, values) {
            return;
        }
        if let Some((known, instead)) = NOT_CARRIED.iter().find(|(known, _)| *known == name) {
            let harmless = name == "autojoin" && values.iter().all(|value| value.text == "none");
            if !harmless {
                report.not_carried(known, &directive.span, instead);
            }
            return;
        }
        if let Some((known, why)) = NEEDLESS.iter().find(|(known, _)| *known == name) {
            report.needless(known, &directive.span, why);
            return;
        }
        if values.is_empty() && DIRECTIVES.contains(&name) {
            let help = format!("write what is wanted behind `{name}`, or remove the line");
            report.error(&directive.span, format!("`{name}` says nothing"), help);
            return;
        }
        if name.starts_with("ping") {
            self.witness_at = Some(directive.span.clone());
        }
        match name {
            "node" => self.nodes(report, values),
            "keepalive" => self.interval = times::last(report, values).or(self.interval.take()),
            "deadtime" => self.dead_after = times::last(report, values).or(self.dead_after.take()),
            "warntime" => self.warn_after = times::last(report, values).or(self.warn_after.take()),
            "initdead" => {
                self.listen_first = times::last(report, values).or(self.listen_first.take());
            }
            "udpport" => self.port = port(report, values).or(self.port),
            "bcast" | "udp" => {
                let path = |value: &Word| SharedPath::Broadcast { interface: value.text.clone() };
                self.paths.extend(values.iter().map(path));
            }
            "ucast" => self.unicast(report, find, directive, values),
            "mcast" | "mcast6" => self.multicast(report, directive, values),
            "ping" => {
                self.witness.extend(values.iter().filter_map(|value| named(report, find, value)))
            }
            "ping_group" => {
                self.group_of_hosts_at = Some(directive.span.clone());
                let members = values.iter().skip(1);
                self.witness.extend(members.filter_map(|value| named(report, find, value)));
            }
            "auto_failback" | "nice_failback" => self.failback(report, directive, values),
            "stonith" | "stonith_host" => self.devices.extend(device(report, directive, values)),
            "logfile" => self.log_file = path(report, values).or(self.log_file.take()),
            "crm" | "pacemaker" => manager(report, directive, values),
            _ => unknown(report, directive),
        }
    }

    /// ipfail is a part of pulse: it is neither started nor let in.
    fn is_ipfail(&mut self, report: &mut Report<'_>, directive: &Word, values: &[Word]) -> bool {
        let is = |word: Option<&Word>| {
            word.is_some_and(|word| word.text.rsplit('/').next() == Some("ipfail"))
        };
        match directive.text.as_str() {
            "respawn" if is(values.get(1)) => self.ipfail_at = Some(directive.span.clone()),
            "apiauth" if is(values.first()) => {
                let why = "pulse itself compares how many witnesses the routers reach";
                report.needless("apiauth ipfail", &directive.span, why);
            }
            _ => return false,
        }
        true
    }

    /// What ipfail would have counted, and would have counted in another way.
    fn ipfail(&self, report: &mut Report<'_>) {
        let Some(at) = &self.ipfail_at else { return };
        if self.witness.is_empty() {
            let help =
                "name hosts that both routers reach, such as the gateway: `ping 192.168.1.254`";
            report.warning(at, "`ipfail` has nothing to compare: no host is pinged", help);
        } else if let Some(at) = &self.group_of_hosts_at {
            let help =
                "name one of its hosts alone, `ping ADDRESS`, if the others are not to count";
            report.warning(at, "each host of a `ping_group` counts by itself", help);
        }
    }

    /// A remark without `#` behind the names is one error, not one for each of its words.
    fn nodes(&mut self, report: &mut Report<'_>, values: &[Word]) {
        for (number, value) in values.iter().enumerate() {
            if !is_name(&value.text) {
                let end = values.last().map_or(value.span.end, |last| last.span.end);
                let names = values.iter().take(number).map(|name| name.text.as_str());
                let names: Vec<&str> = names.collect();
                let help = format!("put `#` before a remark: `node {} # …`", names.join(" "));
                let message = format!("`{}` is no host name", value.text);
                report.error(&(value.span.start..end), message, help);
                return;
            }
            let same = |known: &Word| known.text.eq_ignore_ascii_case(&value.text);
            if !self.nodes.iter().any(same) {
                self.nodes.push(value.clone());
            }
        }
    }

    /// Two lines of one interface name both routers: each sends to the address that is not its own.
    fn unicast(
        &mut self,
        report: &mut Report<'_>,
        find: &mut Lookup<'_>,
        directive: &Word,
        values: &[Word],
    ) {
        let (Some(device), Some(peer)) = (values.first(), values.get(1)) else {
            let help = "write `ucast eth1 192.168.1.3`: an interface and the partner's address";
            report.error(&directive.span, "`ucast` names no address", help);
            return;
        };
        let Some(peer) = named(report, find, peer) else { return };
        for path in &mut self.paths {
            if let SharedPath::Unicast { interface, peers } = path
                && *interface == device.text
            {
                peers.push(peer);
                return;
            }
        }
        self.paths.push(SharedPath::Unicast { interface: device.text.clone(), peers: vec![peer] });
    }

    /// `mcast DEV GROUP PORT TTL LOOP`; we never hear ourselves, so that the last word is not used.
    fn multicast(&mut self, report: &mut Report<'_>, directive: &Word, values: &[Word]) {
        let [interface, group, port_word, ttl, ..] = values else {
            let help =
                "write `mcast eth1 225.0.0.1 694 1 0`: interface, group, port, time to live, loop";
            report.error(&directive.span, "`mcast` needs five words", help);
            return;
        };
        let Some(address) = address(report, group) else { return };
        if !address.is_multicast() || address.is_ipv6() != (directive.text == "mcast6") {
            let help = "IPv4 groups go from 224.0.0.0 to 239.255.255.255, with `mcast`; IPv6 groups begin with ff, with `mcast6`";
            report.error(&group.span, format!("`{}` is no group here", group.text), help);
            return;
        }
        let port = port(report, std::slice::from_ref(port_word));
        let hops = ttl.text.parse::<u8>().ok().filter(|ttl| *ttl > 0);
        if hops.is_none() {
            let message = format!("`{}` is no time to live", ttl.text);
            report.error(&ttl.span, message, "write 1 for the same wire, up to 255");
        }
        if let (Some(port), Some(ttl)) = (port, hops) {
            let interface = interface.text.clone();
            self.paths.push(SharedPath::Multicast { interface, group: address, port, ttl });
        }
    }

    /// `nice_failback` is what `auto_failback` was called when it meant the contrary.
    fn failback(&mut self, report: &mut Report<'_>, directive: &Word, values: &[Word]) {
        let Some(value) = values.last() else { return };
        let nice = directive.text == "nice_failback";
        let automatic = match value.text.to_lowercase().as_str() {
            "on" | "yes" | "y" | "true" | "1" => !nice,
            "off" | "no" | "n" | "false" | "0" => nice,
            "legacy" if !nice => {
                let help =
                    "taken for `on`, which returns addresses as soon as their router is ready";
                report.warning(&value.span, "`legacy` gave addresses back without asking", help);
                true
            }
            other => {
                let help = "write `auto_failback on` or `auto_failback off`";
                report.error(&value.span, format!("`{other}` is neither on nor off"), help);
                self.failback.get_or_insert(Failback::Manual);
                return;
            }
        };
        self.failback = Some(if automatic {
            Failback::Automatic { delay: Duration::ZERO }
        } else {
            Failback::Manual
        });
        if nice {
            let word = if automatic { "on" } else { "off" };
            let help = format!("write `auto_failback {word}`, which says the same");
            report.warning(&directive.span, "`nice_failback` is long out of use", help);
        }
    }
}

fn unknown(report: &mut Report<'_>, directive: &Word) {
    let name = &directive.text;
    let others = NOT_CARRIED.iter().chain(&NEEDLESS).map(|(known, _)| *known);
    let help = match nearest(name, DIRECTIVES.into_iter().chain(others)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "put `#` before a remark".to_string(),
    };
    report.error(&directive.span, format!("`{name}` is no directive of ha.cf"), help);
}

fn manager(report: &mut Report<'_>, directive: &Word, values: &[Word]) {
    let off = |value: &Word| {
        matches!(value.text.to_lowercase().as_str(), "off" | "no" | "n" | "false" | "0")
    };
    if values.iter().all(off) {
        return;
    }
    let help = "with it heartbeat does not read haresources at all; write `crm off` to have haresources used";
    report.error(&directive.span, "a cluster resource manager is not carried", help);
}

fn path(report: &mut Report<'_>, values: &[Word]) -> Option<String> {
    let value = values.first()?;
    let is_full = value.text.starts_with('/');
    if !is_full {
        let message = format!("`{}` is no file that could be found from everywhere", value.text);
        report.error(&value.span, message, "write its full path: `logfile /var/log/ha-log`");
    }
    is_full.then(|| value.text.clone())
}

fn port(report: &mut Report<'_>, values: &[Word]) -> Option<u16> {
    let value = values.last()?;
    match ports::port(&value.text) {
        Ok(port) if port > 0 => Some(port),
        Ok(_) => {
            report.error(&value.span, "heartbeats need a port", "write `udpport 694`");
            None
        }
        Err(bad) => {
            let (message, help) = bad.words(&value.text);
            report.error(&value.span, message, help);
            None
        }
    }
}

/// An address, or a name of /etc/hosts: its first address, as heartbeat takes it.
fn named(report: &mut Report<'_>, find: &mut Lookup<'_>, value: &Word) -> Option<IpAddr> {
    if !is_name(&value.text) || matches!(host(&value.text), Some(Host::Address(_))) {
        return address(report, value);
    }
    let found = find(&value.text).first().copied();
    if found.is_none() {
        let message = format!("`{}` is neither an address nor a name of /etc/hosts", value.text);
        report.error(&value.span, message, hosts::HELP);
    }
    found
}

fn address(report: &mut Report<'_>, value: &Word) -> Option<IpAddr> {
    if let Some(Host::Address(address)) = host(&value.text) {
        return Some(address);
    }
    let help = "write the address itself: nothing is looked up while a router starts";
    report.error(&value.span, format!("`{}` is no address", value.text), help);
    None
}
