//! A folder like /etc/ha.d: ha.cf, haresources, authkeys and the ldirectord.cf that they name.
//!
//! Each line of haresources is a group that prefers its router, so that each router can be active
//! for one. `initdead` is how long a starting router listens at most: it ends once the partner is
//! heard. Heartbeats are signed with the secrets of authkeys, but the wire format is our own.

mod address;
mod groups;
mod ha_cf;
mod haresources;
mod known;
mod report;
mod secrets;
mod stonith;
mod times;

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts::lookup;
use crate::foreign::report::Reporter;
use crate::model::{Failback, Heartbeat, KeySource, Pair, Router};
use crate::places::{Part, Places};
use crate::source::Source;
use crate::{Cluster, Severity, ldirectord};
use groups::Reading;
use ha_cf::HaCf;
use report::Report;

/// Time between heartbeats, when `keepalive` is absent.
const KEEPALIVE: Duration = Duration::from_secs(1);
/// The port when `udpport` is absent (IANA: ha-cluster).
const PORT: u16 = 694;
/// Silence after which the partner is lost, when `deadtime` is absent.
const DEADTIME: Duration = Duration::from_secs(30);

/// Reads the folder; `None` when nothing of use came of it, with the reason in `out`.
pub(crate) fn parse(
    folder: &Path,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let ha_cf = open(folder, "ha.cf", "it names the two routers: `node master backup`", files, out);
    let found = ha_cf.as_ref().map(|source| {
        let mut report = Report::new(source.clone(), out);
        let found = ha_cf::read(&mut report, &mut lookup(files));
        complain(&mut report, &found);
        let fence = stonith::fence(&mut report, &found.devices, &found.nodes);
        (found, fence)
    });
    secrets::check(folder, files, out);
    let help =
        "it says what belongs to which router: `master 192.168.1.1 ldirectord::ldirectord.cf`";
    let haresources = open(folder, "haresources", help, files, out)?;
    places.record(Part::File, &haresources, 0..0);
    let mut report = Report::new(haresources, out);
    let entries = haresources::read(&mut report);
    let mut reading = Reading {
        folder,
        files,
        places,
        nodes: found.as_ref().map_or(&[], |(found, _)| &found.nodes),
        wanted: names(&entries),
        failback: found.as_ref().map_or(Failback::Manual, |(found, _)| failback(found)),
        cluster: crate::foreign::cluster(),
        groups: Vec::new(),
        read: HashSet::new(),
    };
    for entry in &entries {
        reading.add(&mut report, entry);
    }
    let Reading { mut cluster, groups, .. } = reading;
    ldirectord::unique_names(&mut cluster, places, report.out);
    if groups.is_empty() && !report.out.has_errors() {
        let help = "write `master 192.168.1.1`: a router and an address";
        report.whole_file(Severity::Error, "nothing belongs to a router", help);
    }
    let (source, (found, fence)) = (ha_cf?, found?);
    cluster.pair = pair(&found, groups, &source, places).map(|pair| Pair { fence, ..pair });
    cluster.log_file = found.log_file.or(cluster.log_file);
    cluster.pair.is_some().then_some(cluster)
}

/// The names of the routers in haresources, each once.
fn names(entries: &[haresources::Entry]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for node in entries.iter().filter_map(|entry| entry.node.as_ref()) {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&node.text)) {
            names.push(node.text.clone());
        }
    }
    names
}

fn open(
    folder: &Path,
    name: &str,
    what: &str,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
) -> Option<Source> {
    let path = folder.join(name);
    let shown = path.display().to_string();
    match files.read(&path) {
        Ok(bytes) => Some(Source::new(shown, &bytes)),
        Err(error) => {
            out.whole_file(Severity::Error, &shown, format!("cannot be read: {error}"), what);
            None
        }
    }
}

/// What does not fit together in ha.cf.
fn complain(report: &mut Report<'_>, found: &HaCf) {
    match found.nodes.as_slice() {
        [_, _] => {}
        [only] => {
            let help = format!("write `node {} PARTNER`, each as `uname -n` prints it", only.text);
            report.error(&only.span, "a pair has two routers, one is named", help);
        }
        [_, _, third, ..] => {
            let help = "`node` names the two routers, not the real servers";
            report.error(&third.span, "a pair has two routers, more are named", help);
        }
        [] => {
            let help = "write `node master backup`, each as `uname -n` prints it";
            report.whole_file(Severity::Error, "no router is named", help);
        }
    }
    if found.paths.is_empty() {
        let help = "write `bcast eth1`, or `ucast eth1 ADDRESS` for each router";
        report.whole_file(Severity::Error, "there is no path for heartbeats", help);
    }
    if found.failback.is_none() {
        let help = "addresses return to their router once it is back; write `auto_failback on`, or `auto_failback off`";
        report.whole_file(Severity::Warning, "`auto_failback` is not said", help);
    }
    let (interval, dead_after) = (interval(found), dead_after(found));
    if dead_after <= interval * 2 {
        let span = found.dead_after.as_ref().or(found.interval.as_ref());
        let message =
            format!("a router is dead after {dead_after:?}, but speaks only each {interval:?}");
        let help = "`deadtime` has to be more than twice `keepalive`";
        report.error(&span.map_or(0..0, |(_, span)| span.clone()), message, help);
    }
    if let Some((time, span)) = found.listen_first.as_ref().filter(|(time, _)| *time < dead_after) {
        let message = format!("`initdead` {time:?} is less than `deadtime` {dead_after:?}");
        report.error(span, message, "write the same or more");
    }
    if let Some((time, span)) = found.warn_after.as_ref().filter(|(time, _)| *time >= dead_after) {
        let message = format!("`warntime` {time:?} is no less than `deadtime` {dead_after:?}");
        report.warning(span, message, "no warning can come before the partner is lost");
    }
}

fn interval(found: &HaCf) -> Duration {
    found.interval.as_ref().map_or(KEEPALIVE, |(time, _)| *time)
}

fn dead_after(found: &HaCf) -> Duration {
    found.dead_after.as_ref().map_or(DEADTIME, |(time, _)| *time)
}

/// Without a word about it heartbeat goes by `legacy`: a returning router fetches its own.
fn failback(found: &HaCf) -> Failback {
    found.failback.unwrap_or(Failback::Automatic { delay: Duration::ZERO })
}

/// `initdead` without a word about it: heartbeat's own rule.
fn listen_first(dead_after: Duration) -> Duration {
    if dead_after > Duration::from_secs(10) {
        dead_after
    } else if dead_after < Duration::from_secs(6) {
        Duration::from_secs(12)
    } else {
        dead_after * 2
    }
}

fn pair(
    found: &HaCf,
    groups: Vec<crate::model::Group>,
    source: &Source,
    places: &mut Places,
) -> Option<Pair> {
    let [first, second] = found.nodes.as_slice() else { return None };
    let mut record = |part: Part, span: &Range<usize>| places.record(part, source, span.clone());
    record(Part::Router(0), &first.span);
    record(Part::Router(1), &second.span);
    let times = [
        ("interval", &found.interval),
        ("dead_after", &found.dead_after),
        ("warn_after", &found.warn_after),
        ("listen_first", &found.listen_first),
    ];
    for (name, time) in times {
        if let Some((_, span)) = time {
            record(Part::Heartbeat(name), span);
        }
    }
    if let Some(span) = &found.witness_at {
        record(Part::Heartbeat("witness"), span);
    }
    if let Some(span) = &found.ipfail_at {
        record(Part::Heartbeat("yield_on_fewer_witnesses"), span);
    }
    let dead_after = dead_after(found);
    // What was reported already is not reported again, in our words.
    let least = interval(found) * 2;
    let dead_after = if dead_after <= least { least + interval(found) } else { dead_after };
    let warn_after = match &found.warn_after {
        Some((time, _)) => Some(*time).filter(|time| *time < dead_after),
        None => Some(dead_after / 2),
    };
    let router = |name: &str| Router { name: name.to_string(), paths: Vec::new() };
    let heartbeat = Heartbeat {
        interval: interval(found),
        dead_after,
        warn_after,
        listen_first: found
            .listen_first
            .as_ref()
            .map_or_else(|| listen_first(dead_after), |(time, _)| (*time).max(dead_after)),
        port: found.port.unwrap_or(PORT),
        shared_paths: found.paths.clone(),
        keys: KeySource::Authkeys("authkeys".to_string()),
        witness: found.witness.clone(),
        yield_on_fewer_witnesses: found.ipfail_at.is_some() && !found.witness.is_empty(),
    };
    let routers = [router(&first.text), router(&second.text)];
    Some(Pair { routers, heartbeat, groups, fence: None })
}

#[cfg(test)]
mod tests;
