//! Piranha's lvs.cf, with the defaults of its daemons.
//!
//! The file knows its routers by address; they are called `primary` and `backup` here. Everything
//! that moves is one group, which no router gives back by itself. A file for one router alone
//! (`backup_active = 0`) makes a single director: its addresses are set by whoever set up the
//! router, because nobody is there to move them to.
//!
//! Some keys say nothing here, and `needless` tells why of each: what no daemon of Piranha ever
//! read, what is always so here, and disks that failover services shared.
//!
//! With `service = fos` the failover services move with their addresses: `start_cmd` and
//! `stop_cmd` are run at each change of roles.

mod blocks;
mod checks;
mod failover;
mod floating;
mod keys;
mod lexer;
mod needless;
mod pair;
mod service;
mod values;

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use ipvs::Forwarding;

use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::foreign::hosts::lookup;
use crate::foreign::report::Reporter;
use crate::model::{FloatingAddress, Listen};
use crate::places::{Part, Places};
use crate::source::Source;
use blocks::{File, sort};
use lexer::lex;
use service::{Built, span_of};
use values::{Report, Settings};

/// Reads the file; `None` when nothing of use came of it, with the reason in `out`.
pub(crate) fn parse(
    source: &Source,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let statements = lex(source, out);
    let file = sort(source, statements, out);
    let settings = Settings(&file.settings);
    let mut lookup = lookup(files);
    let mut report = Report::new(source, out, &mut lookup);
    name_what_is_not_carried(&mut report, &file);
    let forwarding = match report.word(settings, "network", &["nat", "direct", "tunnel"]) {
        Some("direct") => Forwarding::Direct,
        Some("tunnel") => Forwarding::Tunnel,
        _ => Forwarding::Nat,
    };
    let pair = pair::pair(&mut report, settings);
    let kernel = pair::kernel(&mut report, settings);
    let mut reading = Reading {
        report,
        places,
        cluster: Cluster { pair, kernel, autoreload: true, ..crate::foreign::cluster() },
        addresses: Vec::new(),
        marks: HashMap::new(),
    };
    // pulse sets nat_router up only where it is needed.
    if forwarding == Forwarding::Nat
        && let Some((address, span)) = pair::nat_router(&mut reading.report, settings)
    {
        reading.add_address(address, span);
    }
    let fos = reading.report.word(settings, "service", &["lvs", "fos"]) == Some("fos");
    needless::name(&mut reading.report, &file, fos);
    let hooks = failover::read(&mut reading, &file, fos);
    // Piranha does one or the other.
    let remote_shell = reading.report.word(settings, "rsh_command", &["rsh", "ssh"]);
    let remote_shell = remote_shell.unwrap_or("rsh");
    for block in file.virtuals.iter().filter(|_| !fos) {
        if let Some(built) = service::build(&mut reading.report, block, forwarding, remote_shell) {
            reading.add(built);
        }
    }
    let first = file.virtuals.first().map_or(0..0, |block| block.name.span.clone());
    if !fos {
        reading.want_service(first);
    }
    let mut cluster = reading.finish(source, settings)?;
    if let Some(group) = cluster.pair.as_mut().and_then(|pair| pair.groups.first_mut()) {
        group.hooks.extend(hooks);
    }
    Some(cluster)
}

/// What is done otherwise here.
fn name_what_is_not_carried(report: &mut Report<'_>, file: &File) {
    let settings = Settings(&file.settings);
    if let Some(setting) = settings.get("monitor_links")
        && report.number(settings, "monitor_links", 1) == 0
    {
        let help =
            "a path whose interface has no carrier is down at once; that alone moves nothing";
        report.warning(&span_of(setting), "carriers are always watched here", help);
    }
}

struct Reading<'a> {
    report: Report<'a>,
    places: &'a mut Places,
    cluster: Cluster,
    addresses: Vec<(FloatingAddress, Range<usize>)>,
    /// Marks, with the virtual server that has each.
    marks: HashMap<u32, usize>,
}

impl Reading<'_> {
    fn add(&mut self, mut built: Built) {
        self.add_address(built.floating.clone(), built.address.clone());
        if !self.is_new_mark(&built) {
            return;
        }
        let names = self.cluster.services.iter().map(|service| &service.name);
        let same = names.filter(|name| **name == built.service.name).count();
        if same > 0 {
            let name = format!("{}-{}", built.service.name, self.cluster.services.len() + 1);
            let message = format!("another virtual server is called {}, too", built.service.name);
            let help = format!("it is called {name} here; give each its own name");
            self.report.warning(&built.name, message, help);
            built.service.name = name;
        }
        let index = self.cluster.services.len();
        let source = self.report.source;
        self.places.record(Part::Service(index), source, built.name);
        self.places.record(Part::Listen(index, 0), source, built.listen);
        for (number, span) in built.servers.into_iter().enumerate() {
            self.places.record(Part::Server(index, number), source, span);
        }
        if let Some(span) = built.sorry {
            self.places.record(Part::Sorry(index), source, span);
        }
        self.cluster.services.push(built.service);
    }

    /// The kernel has one service for a mark. Piranha, too, used only the first block of several,
    /// and said so in its log alone.
    fn is_new_mark(&mut self, built: &Built) -> bool {
        let Listen::Mark { mark, .. } = built.service.listen else { return true };
        let Some(first) = self.marks.get(&mark).and_then(|index| self.cluster.services.get(*index))
        else {
            self.marks.insert(mark, self.cluster.services.len());
            return true;
        };
        let differs = if first.persistence == built.service.persistence {
            ""
        } else {
            ", with another persistence"
        };
        let message =
            format!("mark {mark} belongs to virtual server {} already{differs}", first.name);
        let help = "its servers and its check are used for all traffic with the mark, and of this block only the address; remove it, or give it a mark of its own";
        self.report.warning(&built.listen, message, help);
        false
    }

    fn add_address(&mut self, address: FloatingAddress, span: Range<usize>) {
        let Some((known, _)) = self.addresses.iter().find(|(known, _)| known.ip == address.ip)
        else {
            self.addresses.push((address, span));
            return;
        };
        let differs = known.prefix_length != address.prefix_length
            || known.interface != address.interface
            || known.label != address.label;
        if differs {
            let message = format!("{} stood above with another device or netmask", address.ip);
            let help = "the first one is used; write the same everywhere";
            self.report.warning(&span, message, help);
        }
    }

    /// Piranha, too, refuses a file without one. `first` is the name of the first, on or off.
    fn want_service(&mut self, first: Range<usize>) {
        if self.cluster.services.is_empty() && !self.report.is_refused() {
            let help = "write `active = 1` in a virtual server that has an address";
            self.report.error(&first, "no virtual server is on", help);
        }
    }

    fn finish(mut self, source: &Source, settings: Settings<'_>) -> Option<Cluster> {
        let Some(pair) = &mut self.cluster.pair else {
            self.name_addresses_that_stay(settings);
            return Some(self.cluster);
        };
        for (number, key) in pair::NAMES.iter().enumerate() {
            let private = format!("{key}_private");
            for (path, key) in [*key, private.as_str()].into_iter().enumerate() {
                if let Some(setting) = settings.get(key) {
                    self.places.record(Part::Path(number, path), source, span_of(setting));
                }
            }
            if let Some(setting) = settings.get(key) {
                self.places.record(Part::Router(number), source, span_of(setting));
            }
        }
        for (part, key) in
            [("interval", "keepalive"), ("dead_after", "deadtime"), ("port", "heartbeat_port")]
        {
            if let Some(setting) = settings.get(key) {
                self.places.record(Part::Heartbeat(part), source, span_of(setting));
            }
        }
        if let Some(group) = pair.groups.first_mut() {
            for (number, (address, span)) in self.addresses.into_iter().enumerate() {
                self.places.record(Part::Address(0, number), source, span);
                group.addresses.push(address);
            }
        }
        Some(self.cluster)
    }

    /// One router alone: nobody takes the addresses over, so they are set once and for all.
    fn name_addresses_that_stay(&mut self, settings: Settings<'_>) {
        if self.addresses.is_empty() || self.report.is_refused() {
            return;
        }
        let all: Vec<IpAddr> = self.addresses.iter().map(|(address, _)| address.ip).collect();
        let all: Vec<String> = all.iter().map(IpAddr::to_string).collect();
        let span = settings.get("backup_active").map(span_of);
        let first = self.addresses.first().map(|(_, span)| span.clone());
        let help = format!(
            "give {} to this router's interfaces yourself; or write `backup_active = 1` and `backup = ADDRESS` for a pair",
            all.join(" and ")
        );
        let span = span.or(first).unwrap_or_default();
        self.report.warning(&span, "one router alone: no address is moved", help);
    }
}

#[cfg(test)]
mod tests;
