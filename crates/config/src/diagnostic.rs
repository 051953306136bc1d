//! What is wrong with a configuration, where, and what to write instead.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::{Deserialize, Serialize};

use crate::source::Source;

mod hidden;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something that is not needed here, and why: nothing is lost.
    Note,
    /// Worth knowing; the configuration is used.
    Warning,
    /// The configuration is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One problem at one place of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file as the person named it.
    pub file: String,
    /// Line, from 1; 0 when the problem is the file as a whole.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters the caret underlines; at least 1.
    pub length: usize,
    /// The line itself, without its end.
    pub source_line: String,
    /// What is wrong, one short lower-case sentence without a full stop.
    pub message: String,
    /// What to write or do instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem of a file as a whole, such as one that cannot be read.
    pub fn whole_file(
        severity: Severity,
        file: &str,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) -> Self {
        Self {
            severity,
            file: file.into(),
            line: 0,
            column: 1,
            length: 1,
            source_line: String::new(),
            message: message.into(),
            help: help.into().0,
        }
    }

    /// `file:line:column: error: message (help)`, for logs; without line and column when the
    /// problem is the file as a whole.
    pub fn one_line(&self) -> String {
        let mut text = self.file.clone();
        if self.line > 0 {
            text.push_str(&format!(":{}:{}", self.line, self.column));
        }
        text.push_str(&format!(": {}: {}", self.severity, self.message));
        if let Some(help) = &self.help {
            text.push_str(&format!(" ({})", help.replace('\n', "; ")));
        }
        text
    }

    /// The bytes of `source_line` that the caret underlines.
    fn underlined(&self) -> Range<usize> {
        let offset = |characters: usize| {
            self.source_line.char_indices().nth(characters).map_or(self.source_line.len(), |c| c.0)
        };
        let start = self.column.saturating_sub(1);
        offset(start)..offset(start.saturating_add(self.length))
    }
}

/// What to write or do instead: a `&str`, a `String`, or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help(Option<String>);

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        Self(Some(text.into()))
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<Option<String>> for Help {
    fn from(text: Option<String>) -> Self {
        Self(text)
    }
}

/// Collects the problems of one run, in the order in which they are found.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An error at a range of bytes; of several lines, the first is shown.
    pub fn error(
        &mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) {
        self.at_span(Severity::Error, source, span, message.into(), help.into());
    }

    /// A warning at a range of bytes; of several lines, the first is shown.
    pub fn warning(
        &mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) {
        self.at_span(Severity::Warning, source, span, message.into(), help.into());
    }

    /// A note at a range of bytes.
    pub fn note(
        &mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) {
        self.at_span(Severity::Note, source, span, message.into(), help.into());
    }

    /// A problem of a file as a whole, such as one that cannot be read.
    pub fn whole_file(
        &mut self,
        severity: Severity,
        file: &str,
        message: impl Into<String>,
        help: impl Into<Help>,
    ) {
        self.push(Diagnostic::whole_file(severity, file, message, help));
    }

    /// A problem that is whole already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Whether the configuration has to be refused.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many errors there are: a parser compares it before and after a part.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// What was found so far.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.found
    }

    /// Everything found, file by file in the order of reading, from the top of each file down.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        let mut files: HashMap<String, usize> = HashMap::new();
        let mut found: Vec<(usize, Diagnostic)> = Vec::with_capacity(self.found.len());
        for diagnostic in self.found {
            let next = files.len();
            let order = *files.entry(diagnostic.file.clone()).or_insert(next);
            found.push((order, diagnostic));
        }
        found.sort_by_key(|(order, told)| (*order, told.line, told.column));
        found.into_iter().map(|(_, told)| told).collect()
    }

    fn at_span(
        &mut self,
        severity: Severity,
        source: &Source,
        span: Range<usize>,
        message: String,
        help: Help,
    ) {
        let place = source.place(span);
        self.push(Diagnostic {
            severity,
            file: source.file().into(),
            line: place.line,
            column: place.column,
            length: place.length,
            source_line: place.text,
            message,
            help: help.0,
        });
    }
}

/// The problems as a person reads them: the message, the line with a caret below, and the help.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[report(diagnostic)]));
        text.push_str("\n\n");
    }
    text
}

/// Notes as a person reads them: a line each, because nothing has to be done about them.
pub fn render_notes(notes: &[Diagnostic]) -> String {
    let lines: String = notes.iter().map(|note| note.one_line() + "\n").collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

fn report(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let group = level.primary_title(diagnostic.message.as_str());
    let group = if diagnostic.line == 0 {
        group.element(Origin::path(diagnostic.file.as_str()))
    } else {
        group.element(
            Snippet::source(diagnostic.source_line.as_str())
                .line_start(diagnostic.line)
                .path(diagnostic.file.as_str())
                .annotation(AnnotationKind::Primary.span(diagnostic.underlined())),
        )
    };
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The candidate that somebody who wrote `word` most likely meant, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words: insert, remove, replace, or swap two neighbours.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, a) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replace = at(&last, column) + usize::from(a != *b);
            let insert_or_remove = at(&last, column + 1).min(at(&current, column)) + 1;
            let mut best = replace.min(insert_or_remove);
            let left = column.checked_sub(1);
            if let Some(left) = left
                && previous == Some(*b)
                && to.get(left) == Some(&a)
            {
                best = best.min(at(&before_last, left) + 1);
            }
            current.push(best);
        }
        previous = Some(a);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
