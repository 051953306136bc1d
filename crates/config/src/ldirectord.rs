//! ldirectord's configuration: a single director, which is a cluster without a pair.
//!
//! Accepted as it is, with the defaults of ldirectord itself. Different on purpose:
//! - `cleanstop` counts only when it is written: without it, the table outlives an orderly stop, so
//!   that a restart loses no request.
//! - A real server's port that direct routing or a tunnel cannot reach is not checked; the one where
//!   packets arrive is.
//! - The programs that it runs (`fallbackcommand`, `callback`) are run without a shell.
//! - Passwords are never shown: a converted file names files that hold them.
//! - The files that `execute` names are read as parts of this one.
//! - Blank lines do not end a virtual server, and blanks or comments behind a value do no harm.

mod build;
mod checks;
mod execute;
mod known;
mod lexer;
mod logins;
mod notices;
mod sections;
mod server;
mod service;
mod services;
mod values;

use std::collections::HashMap;

use ipvs::Family;

use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::foreign::hosts::Lookup;
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::places::{Part, Places};
use crate::source::Source;
use build::{Built, build, is_always_up};
use lexer::{Directive, lex};
use sections::{File, Section, sort};
use service::{Raw, Shared, shared, target};
use values::Report;

pub(crate) use execute::{add, read, unique_names};

/// What one file says.
struct Parsed {
    cluster: Cluster,
    /// The files that it wants to be read beside it.
    executes: Vec<Word>,
}

/// A file's name: a shell took the quotes off.
fn unquoted(word: &Word) -> Word {
    let inner = word.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Word { text: inner.unwrap_or(&word.text).to_owned(), ..word.clone() }
}

/// Reads one file.
fn parse<'a>(
    source: &'a Source,
    out: &'a mut Diagnostics,
    places: &mut Places,
    lookup: &'a mut Lookup<'a>,
) -> Parsed {
    let items = lex(source, out);
    let File { globals, sections } = sort(source, items, out);
    let mut report = Report::new(source, out, lookup);
    let mut cluster = crate::foreign::cluster();
    let mut whole = Shared::default();
    for directive in &globals {
        global(&mut report, directive, &mut whole, &mut cluster);
    }
    let executes = globals.iter().filter(|directive| directive.name.text == "execute");
    let executes = executes.map(|directive| unquoted(&directive.value)).collect();
    cluster.on_stop = build::on_stop(&whole).unwrap_or_default();
    let mut seen = HashMap::new();
    for section in &sections {
        let Some(built) = section_of(&mut report, section, &whole) else {
            continue;
        };
        if is_new(&mut report, section, &built, &mut seen) {
            record(source, places, &built, cluster.services.len());
            cluster.services.push(built.service);
        }
    }
    Parsed { cluster, executes }
}

fn global(
    report: &mut Report<'_>,
    directive: &Directive,
    whole: &mut Shared,
    cluster: &mut Cluster,
) {
    match directive.name.text.as_str() {
        "autoreload" => cluster.autoreload = report.yes_no(directive).unwrap_or(cluster.autoreload),
        "fork" | "supervised" => {
            report.yes_no(directive);
            known::name_needless(report, directive);
        }
        "readdquiescent" => whole.put_back = report.yes_no(directive).or(whole.put_back),
        "execute" => {}
        "maintenancedir" => {
            let folder = report.full_path(directive, "folder", "/etc/ha.d/maintenance");
            cluster.maintenance = folder.or(cluster.maintenance.take());
        }
        "callback" => {
            if let Some(text) = report.quoted(directive) {
                cluster.on_edit = notices::program(report, directive, &text).unwrap_or_default();
            }
        }
        "logfile" => match report.quoted(directive) {
            Some(path) if path.starts_with('/') => cluster.log_file = Some(path),
            Some(_facility) => {
                let help = "the log goes to standard error, which journald keeps; a full path names a file that gets it, too";
                report.not_carried("logfile", &directive.name.span, help);
            }
            None => {}
        },
        _ => shared(report, directive, whole),
    }
}

fn section_of(report: &mut Report<'_>, section: &Section, whole: &Shared) -> Option<Built> {
    let head = &section.head;
    let family = if head.name.text == "virtual6" { Family::Inet6 } else { Family::Inet };
    let found = target(report, head, family);
    let mut raw = Raw::default();
    for directive in &section.body {
        raw.read(report, directive, family);
    }
    let built = build(report, head, &found?, family, &raw, whole);
    raw.name_comment(report, built.service.notify.mail.is_some());
    if is_always_up(&built.service.check, raw.kind) && raw.service.is_none() {
        let message = "nothing says how the real servers are checked: they are always up";
        let help =
            "write `service = http`, `checktype = connect`, or `checktype = on` if that is wanted";
        report.warning(&head.value.span, message, help);
    }
    Some(built)
}

/// Reports a virtual server that is there already.
fn is_new(
    report: &mut Report<'_>,
    section: &Section,
    built: &Built,
    seen: &mut HashMap<String, usize>,
) -> bool {
    let key = build::default_name(&built.service.listen);
    if let Some(line) = seen.get(&key) {
        let message = format!("the virtual server {key} is there already, in line {line}");
        let help = "write all its real servers below one `virtual=`";
        report.error(&section.head.value.span, message, help);
        return false;
    }
    seen.insert(key, section.head.line);
    true
}

fn record(source: &Source, places: &mut Places, built: &Built, index: usize) {
    places.record(Part::Service(index), source, built.listen.clone());
    places.record(Part::Listen(index, 0), source, built.listen.clone());
    for (number, span) in built.servers.iter().enumerate() {
        places.record(Part::Server(index, number), source, span.clone());
    }
    if let Some(span) = &built.sorry {
        places.record(Part::Sorry(index), source, span.clone());
    }
}

#[cfg(test)]
mod tests;
