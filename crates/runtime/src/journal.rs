//! What happened: each event is one line of the log, and is kept for `lvsctl history`.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use control::history::EventKind;
use control::history::{Event, History, KEPT_EVENTS};

use crate::logging::LogOutput;
use crate::{logging, timestamp};

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as wanted.
    Info,
    /// Somebody should look at it by day.
    Warn,
    /// Somebody should look at it now.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The events of this process. Clones share them.
#[derive(Clone, Default)]
pub struct Journal {
    kept: Arc<Mutex<Kept>>,
    /// Where the lines go, unless nobody is to say so.
    output: Option<LogOutput>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<Event>,
    dropped: u64,
}

impl Journal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty journal of a process whose log goes there.
    pub(crate) fn of(output: LogOutput) -> Self {
        Self { output: Some(output), ..Self::default() }
    }

    /// The file that the configuration wants the log in, beside where it goes: from now on, or no
    /// more. What cannot be opened is told, and the log goes where it went before.
    pub fn also_to(&self, path: Option<&str>) {
        let Some(output) = &self.output else { return };
        let (journal, file) = (self.clone(), path.unwrap_or_default().to_owned());
        let on_error = move |error: std::io::Error| {
            let fields = [("file", file), ("reason", error.to_string())];
            let sentence = "log_file cannot be opened, the log goes where it went before";
            journal.record(EventKind::Daemon, Level::Error, sentence, &fields);
        };
        output.also(path.map(Path::new), Box::new(on_error));
    }

    /// Writes one line to the log and keeps the event. `message` is a constant sentence; what
    /// varies is a field. Fields are logged in the order given.
    pub fn record(
        &self,
        kind: EventKind,
        level: Level,
        message: &'static str,
        fields: &[(&'static str, String)],
    ) {
        write_line(level, message, fields);
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.keep(Event {
            at_unix_ms: timestamp::unix_ms(),
            kind,
            level: level.name().to_owned(),
            message: message.to_owned(),
            fields,
        });
    }

    /// The events that are kept, the newest last.
    pub fn history(&self) -> History {
        let kept = self.lock();
        History { events: kept.events.iter().cloned().collect(), dropped: kept.dropped }
    }

    fn keep(&self, event: Event) {
        let mut kept = self.lock();
        if kept.events.len() == KEPT_EVENTS {
            kept.events.pop_front();
            kept.dropped += 1;
        }
        kept.events.push_back(event);
    }

    /// A panic elsewhere leaves the events whole, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_line(level: Level, message: &'static str, fields: &[(&'static str, String)]) {
    let escaped: String =
        fields.iter().map(|(name, value)| format!(" {name}={}", logging::value(value))).collect();
    let escaped_fields = escaped.as_str();
    match level {
        Level::Info => tracing::info!(escaped_fields, "{message}"),
        Level::Warn => tracing::warn!(escaped_fields, "{message}"),
        Level::Error => tracing::error!(escaped_fields, "{message}"),
    }
}

#[cfg(test)]
mod tests;
