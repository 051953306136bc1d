//! Where problems are reported, and what is not carried is collected.

use std::collections::{BTreeMap, HashSet};

use super::text::At;
use crate::diagnostic::{Diagnostic, Diagnostics, Help, Severity};
use crate::source::Source;

/// All files that were read, and their problems.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The files, in the order of reading.
    pub(super) sources: Vec<Source>,
    out: Diagnostics,
    /// Places of words that are not known, with the block that does not know them.
    unknown: HashSet<(At, &'static str)>,
    /// Every place of what is not carried as it is, by the message.
    dropped: BTreeMap<String, (Vec<At>, &'static str)>,
}

impl Report {
    pub(super) fn source(&self, at: &At) -> Option<&Source> {
        self.sources.get(at.source)
    }

    /// An error at a place.
    pub(super) fn error(&mut self, at: &At, message: impl Into<String>, help: impl Into<Help>) {
        if let Some(source) = self.sources.get(at.source) {
            self.out.error(source, at.span.clone(), line(message.into()), help);
        }
    }

    /// Whether a word at this place is the first that this block does not know: a file that is
    /// included a thousand times is told once, and nobody looks a thousand times for what was meant.
    pub(super) fn is_news(&mut self, at: &At, block: &'static str) -> bool {
        self.unknown.insert((at.clone(), block))
    }

    /// A warning at a place.
    pub(super) fn warning(&mut self, at: &At, message: impl Into<String>, help: impl Into<Help>) {
        if let Some(source) = self.sources.get(at.source) {
            self.out.warning(source, at.span.clone(), line(message.into()), help);
        }
    }

    /// A warning at a place whose line holds a secret: the line is not shown.
    pub(super) fn secret(&mut self, at: &At, message: &str, help: &str) {
        let Some(source) = self.sources.get(at.source) else { return };
        let place = source.place(at.span.clone());
        self.out.push(Diagnostic {
            severity: Severity::Warning,
            file: source.file().into(),
            line: place.line,
            column: 1,
            length: 1,
            source_line: String::new(),
            message: message.into(),
            help: Some(help.into()),
        });
    }

    /// Notes something that is not carried. All places of one name are told together.
    pub(super) fn dropped(&mut self, name: &str, at: &At, instead: &'static str) {
        self.noted(&format!("`{name}` is not carried"), at, instead);
    }

    /// Notes something that is carried in another way. All places of one message are told together.
    pub(super) fn noted(&mut self, message: &str, at: &At, help: &'static str) {
        let (places, _) = self.dropped.entry(message.to_string()).or_insert((Vec::new(), help));
        if !places.contains(at) {
            places.push(at.clone());
        }
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        self.out.errors()
    }

    /// Everything found.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        for (message, (places, instead)) in std::mem::take(&mut self.dropped) {
            let Some((first, more)) = places.split_first() else { continue };
            let mut help = instead.to_string();
            if !more.is_empty() {
                help.push_str(&format!("\nalso in {}", self.lines(first, more)));
            }
            self.warning(first, message, help);
        }
        self.out.into_vec()
    }

    /// `line 12`, `lines 12, 15, other.conf:3`.
    fn lines(&self, first: &At, more: &[At]) -> String {
        let shown: Vec<String> = more
            .iter()
            .filter_map(|at| {
                let source = self.sources.get(at.source)?;
                let line = source.place(at.span.clone()).line;
                let same = at.source == first.source;
                Some(if same { line.to_string() } else { format!("{}:{line}", source.file()) })
            })
            .collect();
        let noun = if shown.len() == 1 { "line" } else { "lines" };
        format!("{noun} {}", shown.join(", "))
    }
}

/// A message is one line, whatever the words in it hold.
fn line(message: String) -> String {
    if !message.contains(char::is_control) {
        return message;
    }
    message.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
