//! `lvsctl explain-key`: what a key of the native configuration means.

use config::native::{Key, key, keys};
use runtime::ExitError;
use runtime::logging::sentence;

use crate::output::{self, BOLD, DIM, styled};
use crate::table::{Cell, Table, wrap};

/// Width of an explanation where there is no terminal.
const WIDTH: usize = 80;

pub(crate) fn run(asked: Option<&str>) -> Result<(), ExitError> {
    let width = output::terminal_size().map(|(width, _)| width);
    match asked {
        None => output::print(&list(width)),
        Some(asked) => output::print(&explain(asked, width.unwrap_or(WIDTH))?),
    }
}

/// Every key with its default and its meaning.
fn list(width: Option<usize>) -> String {
    let mut table = Table::new(0, &["Key", "Meaning"], &[]);
    for key in keys() {
        table.row(vec![Cell::new(key.path), Cell::new(key.doc)]);
    }
    let mut text = String::new();
    table.render(width, &mut text);
    text
}

/// The key at that path, else every key whose path holds the words.
fn explain(asked: &str, width: usize) -> Result<String, ExitError> {
    let found: Vec<&Key> = match key(asked) {
        Some(key) => vec![key],
        None => keys().iter().filter(|key| key.path.contains(asked)).collect(),
    };
    if found.is_empty() {
        let help = config::nearest(asked, keys().iter().flat_map(|key| [key.path, key.name()]));
        let help = help.map_or_else(
            || "lvsctl explain-key lists them".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        return Err(ExitError::usage(format!("no key is called {}: {help}", sentence(asked))));
    }
    let texts: Vec<String> = found.into_iter().map(|key| explanation(key, width)).collect();
    Ok(texts.join("\n"))
}

fn explanation(key: &Key, width: usize) -> String {
    let mut text = format!("{}\n", styled(key.path, BOLD));
    for line in wrap(key.doc, width.saturating_sub(2)) {
        text.push_str(&format!("  {line}\n"));
    }
    for (name, value) in [("takes", key.kind_text()), ("default", key.default_text().to_owned())] {
        text.push_str(&format!("  {} {}\n", styled(name, DIM), sentence(&value)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::without_colour;

    #[test]
    fn a_key_is_explained_with_its_range_and_its_default() {
        let text = without_colour(&explain("heartbeat.interval", 80).unwrap());
        assert_eq!(
            text,
            "heartbeat.interval\n  Time between heartbeats.\n  takes a time, 10ms to 1m\n  \
             default 200ms\n"
        );
    }

    #[test]
    fn a_part_of_a_path_explains_every_key_that_holds_it() {
        let text = without_colour(&explain("multicast[]", 80).unwrap());
        assert!(text.lines().filter(|line| line.starts_with("heartbeat.multicast[].")).count() > 2);
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        let error = explain("heartbeat.intervall", 80).unwrap_err();
        assert!(error.message.ends_with("did you mean heartbeat.interval?"), "{error}");
        let error = explain("no such thing at all", 80).unwrap_err();
        assert!(error.message.ends_with("lvsctl explain-key lists them"), "{error}");
    }

    #[test]
    fn every_key_is_listed() {
        assert_eq!(list(None).lines().count(), keys().len() + 1);
    }
}
