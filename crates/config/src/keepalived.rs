//! keepalived.conf: virtual servers, and the pair that its VRRP instances make.
//!
//! One file tells one router. Its partner is known when it speaks by unicast, when lines of the
//! file are for one router by name (`@NAME`), or when both routers' files are given.
//!
//! Different on purpose:
//! - A real server is known before it is asked for the first time, or it waits: `alpha` is always so.
//! - The table outlives an orderly stop, unless `lvs_flush_on_stop` is written.
//! - An unknown keyword is an error.

mod addresses;
mod build;
mod checks;
mod global;
mod hooks;
mod include;
mod instance;
mod known;
mod lines;
mod listen;
mod macros;
mod notify;
mod pair;
mod report;
mod sequence;
mod server;
mod service;
mod text;
mod tree;
mod values;
mod view;
mod way;
mod words;

use std::collections::HashSet;
use std::path::Path;

use crate::Cluster;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::files::Files;
use crate::places::{Part, Places};
use crate::source::Source;
use build::Built;
use include::Store;
use report::Report;
use text::At;
use view::{View, statements};

/// A file that was read, by the path that relative includes start from.
pub(crate) struct Given<'a> {
    /// Its path.
    pub(crate) path: &'a Path,
    /// Its content.
    pub(crate) source: Source,
}

/// Reads one router's file, or the files of both.
pub(crate) fn parse(
    given: &[Given<'_>],
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let mut told = Vec::new();
    let (mut views, mut reports) = (Vec::new(), Vec::new());
    for one in given {
        for (view, report) in views_of(one, files, &mut told) {
            views.push(view);
            reports.push(report);
        }
    }
    let mut reports = reports.into_iter();
    let mut report = reports.next()?;
    if let Some(first) = given.first().filter(|_| views.len() > 2) {
        let help = "give one file for each router, or one with lines for both";
        out.error(&first.source, 0..1, "these are more than two routers", help);
    }
    let cluster = put_together(&mut report, &views, places);
    told.extend(report.finish());
    told.extend(reports.flat_map(Report::finish));
    // What is said of a line that both routers read is said once.
    let mut known = HashSet::new();
    for problem in told.into_iter().filter(|problem| known.insert(problem.one_line())) {
        out.push(problem);
    }
    Some(cluster)
}

/// The routers that a file tells of: one, or two when lines are for one by name.
fn views_of(
    given: &Given<'_>,
    files: &mut Files<'_>,
    told: &mut Vec<Diagnostic>,
) -> Vec<(View, Report)> {
    let mut read = |id: Option<&str>, label: Option<String>| {
        let mut report = Report::default();
        report.sources.push(given.source.clone());
        let mut store = Store::new(files, given.path);
        let (nodes, ids) = statements(given.path, 0, &mut store, &mut report, id);
        (nodes, ids, report, label)
    };
    let (nodes, ids, mut report, _) = read(None, None);
    let routers: Vec<String> = ids.iter().map(|(name, _)| name.clone()).collect();
    let labels = match routers.as_slice() {
        [] => {
            let view = View::read(&mut report, &nodes, None);
            return vec![(view, report)];
        }
        [one] => vec![one.clone(), format!("not-{one}")],
        [one, other] => vec![one.clone(), other.clone()],
        [_, _, ..] => {
            if let (Some((_, third)), Some(source)) =
                (ids.get(2), ids.get(2).and_then(|(_, at)| report.source(at)))
            {
                let mut out = Diagnostics::new();
                let help = format!(
                    "a pair has two: keep the lines of {}",
                    routers.iter().take(2).cloned().collect::<Vec<_>>().join(" and ")
                );
                out.error(source, third.span.clone(), "these lines are for a third router", help);
                told.extend(out.into_vec());
            }
            routers.into_iter().take(2).collect()
        }
    };
    labels
        .into_iter()
        .map(|label| {
            let (nodes, _, mut report, label) = read(Some(&label), Some(label.clone()));
            let view = View::read(&mut report, &nodes, label);
            (view, report)
        })
        .collect()
}

fn put_together(report: &mut Report, views: &[View], places: &mut Places) -> Cluster {
    let mut cluster = crate::foreign::cluster();
    if let Some(first) = report.sources.first() {
        places.record(Part::File, first, 0..0);
    }
    let pair = pair::pair(report, views);
    if let Some((_, found)) = &pair {
        record_pair(report, places, found);
    }
    cluster.pair = pair.map(|(pair, _)| pair);
    let Some(first) = views.first() else { return cluster };
    cluster.kernel = first.global.kernel.clone();
    cluster.on_stop = first.global.on_stop;
    for built in &first.services {
        record(report, places, built, cluster.services.len());
        cluster.services.push(built.service.clone());
    }
    unique_names(&mut cluster);
    differences(report, views);
    cluster
}

/// The virtual servers of both routers are one thing here.
fn differences(report: &mut Report, views: &[View]) {
    let [first, second, ..] = views else { return };
    for built in &first.services {
        let same = second.services.iter().any(|other| other.service == built.service);
        if !same {
            let help = "both routers balance alike here: what this router's file says is taken";
            let message = format!("the other router has no {} like this", built.service.name);
            report.warning(&built.at, message, help);
        }
    }
    let listens =
        |other: &Built| first.services.iter().any(|b| b.service.listen == other.service.listen);
    for other in second.services.iter().filter(|other| !listens(other)) {
        let at = first.services.first().map(|built| built.at.clone()).unwrap_or_default();
        let help = "write it in both files";
        let message =
            format!("the other router alone has {}, which is not carried", other.service.name);
        report.warning(&at, message, help);
    }
}

fn record_pair(report: &Report, places: &mut Places, found: &pair::Places) {
    let mut put = |part: Part, at: &At| {
        if let Some(source) = report.source(at) {
            places.record(part, source, at.span.clone());
        }
    };
    put(Part::Router(0), &found.routers);
    put(Part::Router(1), &found.routers);
    for key in ["interval", "dead_after", "listen_first"] {
        put(Part::Heartbeat(key), &found.interval);
    }
    for (index, (at, addresses, hooks)) in found.groups.iter().enumerate() {
        put(Part::Group(index), at);
        for (number, at) in addresses.iter().enumerate() {
            put(Part::Address(index, number), at);
        }
        for (number, at) in hooks.iter().enumerate() {
            put(Part::Hook(index, number), at);
        }
    }
}

fn record(report: &Report, places: &mut Places, built: &Built, index: usize) {
    let mut put = |part: Part, at: &At| {
        if let Some(source) = report.source(at) {
            places.record(part, source, at.span.clone());
        }
    };
    put(Part::Service(index), &built.at);
    put(Part::Listen(index, 0), &built.at);
    for (number, at) in built.servers.iter().enumerate() {
        put(Part::Server(index, number), at);
    }
    if let Some(at) = &built.sorry {
        put(Part::Sorry(index), at);
    }
}

/// A name means one virtual server: those that share one get a number behind it.
fn unique_names(cluster: &mut Cluster) {
    let mut used: HashSet<String> = HashSet::new();
    for service in &mut cluster.services {
        let name = service.name.clone();
        let mut number = 2_u32;
        while !used.insert(service.name.clone()) {
            service.name = format!("{name} {number}");
            number += 1;
        }
    }
}
