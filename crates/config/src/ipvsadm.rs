//! What `ipvsadm -S` prints: a single director, each line a command that makes a part of the table.
//!
//! Carried: `-A` and `-E`, `-a` and `-e` with all their options, `--set` and `--start-daemon`, because
//! people put these into the same file. A `-C` before the first service says nothing. Names are
//! looked for in /etc/hosts alone, ports in a built-in table. ipvsadm checks no real server, so none
//! is checked.

mod daemon;
mod options;
mod real;
mod service;

use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts;
use crate::foreign::report::Reporter;
use crate::foreign::table::{Report, tell_unchecked};
use crate::foreign::word::{Line, Word, lines};
use crate::model::VirtualServer;
use crate::places::{Part, Places};
use crate::source::Source;
use options::{Options, split};

/// How a table begins that was printed for a person.
const LISTING: &str = "IP Virtual Server version";

/// Whether a line is one of this format: every other has a key or a block there.
pub(crate) fn is_line(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let word = if first.ends_with("ipvsadm") { words.next().unwrap_or_default() } else { first };
    let long = ["--add-service", "--add-server", "--edit-service", "--edit-server"];
    let is_word = |letters: &&str| letters.chars().all(|c| c.is_ascii_alphanumeric());
    let letters = word.strip_prefix('-').filter(is_word).unwrap_or_default();
    let is_command = letters.starts_with(['A', 'E', 'a', 'e']);
    let is_rule = match words.next() {
        None => letters == "C",
        Some(next) => is_command && (next.starts_with('-') || letters.len() > 1),
    };
    is_rule || long.contains(&word) || line.starts_with(LISTING)
}

/// Reads the file.
pub(crate) fn parse(
    source: &Source,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let mut lookup = hosts::lookup(files);
    let mut report = Report { source, out, lookup: &mut lookup };
    let mut cluster = crate::foreign::cluster();
    for line in lines(source) {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if text.starts_with(LISTING) {
            let help = "print the rules instead of a table: ipvsadm -Sn";
            report.error(&line.trimmed().span, "this is a listing of the table", help);
            return None;
        }
        command(&mut report, &line, &mut cluster, places);
    }
    let message = "ipvsadm checks no real server, so none is checked";
    tell_unchecked(&mut report, &cluster, places, message);
    Some(cluster)
}

/// One line.
fn command(report: &mut Report<'_>, line: &Line, cluster: &mut Cluster, places: &mut Places) {
    let mut words = line.trimmed().split(|_| false);
    if words.first().is_some_and(|word| word.text.ends_with("ipvsadm")) {
        words.remove(0);
    }
    let Some((what, options)) = split(report, &words) else { return };
    match what.name {
        "add-service" | "edit-service" => {
            let Some(service) = service::service(report, &what, &options) else { return };
            add_service(report, &what.word, service, cluster, places);
        }
        "add-server" | "edit-server" => add_server(report, &what.word, &options, cluster, places),
        "set" => daemon::timeouts(report, &what, &mut cluster.kernel),
        "start-daemon" => {
            places.record(Part::Kernel("sync"), report.source, what.word.span.clone());
            daemon::sync(report, &what, &options, &mut cluster.kernel);
        }
        "clear" if cluster.services.is_empty() => {}
        other => {
            let help = "keep the lines that add services and servers, as `ipvsadm -Sn` prints them";
            report.error(&what.word.span, format!("--{other} makes no part of a table"), help);
        }
    }
}

fn add_service(
    report: &mut Report<'_>,
    at: &Word,
    service: VirtualServer,
    cluster: &mut Cluster,
    places: &mut Places,
) {
    let known = cluster.services.iter_mut().enumerate().find(|(_, s)| s.listen == service.listen);
    if let Some((index, known)) = known {
        if matches!(at.text.as_str(), "-E" | "--edit-service") {
            let servers = std::mem::take(&mut known.servers);
            *known = VirtualServer { servers, ..service };
            return;
        }
        let place = places.find(Part::Service(index));
        let line = place.map_or(0, |(source, span)| source.place(span).line);
        let help = format!("line {line} adds it already: remove one of the two");
        report.error(&at.span, format!("{} is added twice", service.name), help);
        return;
    }
    places.record(Part::Service(cluster.services.len()), report.source, at.span.clone());
    cluster.services.push(service);
}

fn add_server(
    report: &mut Report<'_>,
    at: &Word,
    options: &Options,
    cluster: &mut Cluster,
    places: &mut Places,
) {
    let Some((listen, selector)) = service::listen(report, at, options) else { return };
    let Some(index) = cluster.services.iter().position(|service| service.listen == listen) else {
        let name = crate::foreign::default_name(&listen);
        let near = crate::nearest(&name, cluster.services.iter().map(|s| s.name.as_str()));
        let help = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "add it with `-A` on a line before".to_owned(),
        };
        report.error(&selector.span, format!("no line adds the service {name}"), help);
        return;
    };
    let Some(service) = cluster.services.get_mut(index) else { return };
    let Some((server, place)) = real::server(report, at, options, service) else { return };
    let same =
        |known: &crate::model::RealServer| (&known.host, known.port) == (&server.host, server.port);
    if let Some(known) = service.servers.iter_mut().find(|known| same(known)) {
        if matches!(at.text.as_str(), "-e" | "--edit-server") {
            *known = server;
        } else {
            let message = format!("{} has this real server already", service.name);
            report.error(&place.span, message, "remove one of the two lines");
        }
        return;
    }
    places.record(Part::Server(index, service.servers.len()), report.source, place.span);
    service.servers.push(server);
}
