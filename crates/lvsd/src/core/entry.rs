//! What is worth one line of the log.

use runtime::journal::{EventKind, Level};

/// One line: a constant sentence and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What kind of event it is.
    pub kind: EventKind,
    /// How much it matters.
    pub level: Level,
    /// The sentence.
    pub message: &'static str,
    /// The values.
    pub fields: Vec<(&'static str, String)>,
}

impl Entry {
    /// A line without values.
    pub fn new(kind: EventKind, level: Level, message: &'static str) -> Self {
        Self { kind, level, message, fields: Vec::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// Adds a value that may be missing.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}
