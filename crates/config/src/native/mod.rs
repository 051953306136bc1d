//! The native format: YAML.
//!
//! [`tree`] turns text into nodes with places, [`section`] reads them against the table of
//! [`keys`], and `pair`, `services` and `check` build the model.

mod check;
mod dialogue;
mod fence;
mod form;
mod include;
mod kernel;
mod key;
mod layout;
mod listen;
pub(crate) mod load;
mod login;
mod notify;
mod pair;
mod persistence;
pub(crate) mod scalar;
mod schema;
mod section;
mod services;
mod table;
mod tree;
mod words;
mod write;
mod yaml;

pub(crate) use check::standard as standard_check;
pub use form::Form;
pub use key::{Default, Key, Kind, key, keys};
pub use layout::format;
pub use schema::schema;
pub(crate) use write::host_and_port;
pub use write::write;

use std::path::Path;

use crate::Cluster;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::model::OnStop;
use crate::places::{Part, Places};
use crate::source::Source;
use include::Texts;
use section::Reading;
use tree::Value;

/// A time as people write it: `500ms`, `2s`, `1.5s`, `5m`. The error says what to write instead.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    scalar::duration(text).map_err(|problem| format!("{}: {}", problem.message, problem.help))
}

/// Reads a file and those that it includes; `None` when it is no YAML map, with the reason in `out`.
pub(crate) fn parse(
    path: &Path,
    source: &Source,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &mut Places,
) -> Option<Cluster> {
    let mut node = read_tree(source, out)?;
    if matches!(node.value, Value::Null) {
        out.error(source, 0..0, "the file is empty", "begin with routers, groups and services");
        return None;
    }
    let before = out.errors();
    let mut texts = Texts::new(source);
    include::read(path.parent().unwrap_or(Path::new("")), &node, files, &mut texts, out);
    for (begin, included) in texts.iter().skip(1) {
        let Some(mut more) = read_tree(included, out) else { continue };
        if let Some((span, message, help)) = include::refusal(&more) {
            out.error(included, span, message, help);
            continue;
        }
        more.shift(*begin);
        include::merge(&mut node, more);
    }
    let mut reading = Reading { texts: &texts, out, places, has_number_key: false };
    let cluster = cluster(&mut reading, node);
    if reading.has_number_key && out.errors() == before {
        texts.iter().for_each(|(_, source)| duplicate_number(source, out));
    }
    cluster
}

/// The tree of one file; `None` when it is no YAML.
fn read_tree<'s>(source: &'s Source, out: &mut Diagnostics) -> Option<tree::Node<'s>> {
    let text = match std::str::from_utf8(source.bytes()) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            out.error(source, at..at + 1, "this byte is not UTF-8", "save the file as UTF-8");
            return None;
        }
    };
    match tree::parse(text) {
        Ok(node) => Some(node),
        Err(error) => {
            let span = place_of(source, &error);
            let help = syntax_help(source, &span);
            out.error(source, span, error.message, help);
            None
        }
    }
}

/// A key that is a number and given twice, which the tree does not keep.
fn duplicate_number(source: &Source, out: &mut Diagnostics) {
    let text = std::str::from_utf8(source.bytes()).unwrap_or_default();
    if let Some(error) = tree::duplicate_key(text) {
        let span = place_of(source, &error);
        out.error(source, span, error.message, "remove one of the two");
    }
}

fn cluster<'n, 'a: 'n>(reading: &mut Reading<'a>, node: tree::Node<'n>) -> Option<Cluster> {
    let at = node.span.clone();
    let mut top = reading.section("", node, at)?;
    // Its files are read by now; here only its form is looked at.
    for node in reading.list(&mut top, include::KEY) {
        let _told = reading.parse_node(include::KEY, &node, section::not_empty);
    }
    let pair = pair::pair(reading, &mut top);
    let services = services::services(reading, &mut top);
    let kernel = kernel::kernel(reading, &mut top);
    let max_removed = reading.percent(&mut top, "max_removed").unwrap_or_default();
    let autoreload = reading.boolean(&mut top, "autoreload");
    let on_stop = reading.choice(&mut top, "on_stop", OnStop::of);
    let maintenance = reading.parsed(&mut top, "maintenance", notify::full_path);
    let maintenance = maintenance.map(|given| given.value);
    let log_file = reading.parsed(&mut top, "log_file", notify::full_path).map(|given| given.value);
    let on_edit = pair::argv(reading, &mut top, "on_edit");
    reading.finish(top);
    reading.record(Part::File, 0..0);
    let on_stop = on_stop.unwrap_or_default();
    Some(Cluster {
        pair,
        services,
        kernel,
        autoreload,
        on_stop,
        max_removed,
        maintenance,
        log_file,
        on_edit,
    })
}

fn place_of(source: &Source, error: &tree::SyntaxError) -> tree::Span {
    error.at.map_or(0..0, |(line, column)| source.span(line, column, 1))
}

/// What people most often did when YAML itself does not hold.
fn syntax_help(source: &Source, span: &tree::Span) -> &'static str {
    let line = source.place(span.clone()).text;
    let value = line.split_once(": ").map_or(line.as_str(), |(_, value)| value).trim_start();
    if line.contains('\t') {
        "indent with blanks; YAML takes no tabs"
    } else if line.contains(['“', '”', '‘', '’', '„']) {
        "write the plain quotes \" or '"
    } else if value.starts_with('[') && value.contains("]:") || value.contains("[::") {
        "put quotes around an IPv6 address: \"[2001:db8::1]:80\""
    } else if value.contains(": ") {
        "put quotes around a text that holds a colon and a blank"
    } else {
        "look at the brackets, quotes and indentation here and on the line above"
    }
}

#[cfg(test)]
mod tests;
