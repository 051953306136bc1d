//! From an event to its line.

use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::escape::{sentence, value};
use super::output::LogOutput;
use crate::timestamp;

/// The field by which the journal hands over fields that are already escaped. No other code
/// names a field so, and a value cannot name one.
pub(crate) const ESCAPED_FIELDS: &str = "escaped_fields";

/// Writes each event as one line.
pub(crate) struct LogLayer {
    name: &'static str,
    output: LogOutput,
}

impl LogLayer {
    pub(crate) fn new(name: &'static str, output: LogOutput) -> Self {
        Self { name, output }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let time = timestamp::utc(timestamp::unix_ms());
        let level = event.metadata().level();
        self.output.write_line(format!(
            "{time} {level} {}: {}{}\n",
            self.name, parts.message, parts.fields
        ));
    }
}

#[derive(Default)]
struct Parts {
    message: String,
    fields: String,
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => self.message = sentence(text),
            ESCAPED_FIELDS => self.fields.push_str(text),
            // Writing to a String cannot fail.
            name => drop(write!(self.fields, " {name}={}", value(text))),
        }
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &error.to_string());
    }

    fn record_debug(&mut self, field: &Field, shown: &dyn Debug) {
        self.record_str(field, &format!("{shown:?}"));
    }
}
