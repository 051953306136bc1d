//! What happened: the same lines that are logged, kept for `lvsctl history`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many events a daemon keeps; older ones are dropped, the log has them.
pub const KEPT_EVENTS: usize = 1000;

/// What kind of event it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A group changed its router.
    Role,
    /// A path, the partner or the witness came or went.
    Partner,
    /// A real server was found up or down.
    Verdict,
    /// The kernel's table or addresses were changed, or refused to be.
    Kernel,
    /// A configuration was applied or refused.
    Configuration,
    /// An operator acted.
    Operator,
    /// A daemon started, ended or was restarted.
    Daemon,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since the Unix epoch, for people; no decision reads it.
    pub at_unix_ms: u64,
    /// Its kind.
    pub kind: EventKind,
    /// `info`, `warn` or `error`, as in the log.
    pub level: String,
    /// The constant sentence, as in the log.
    pub message: String,
    /// The values, as in the log.
    pub fields: BTreeMap<String, String>,
}

/// Answer to `GET /v1/history`, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The events.
    pub events: Vec<Event>,
    /// How many older ones were dropped.
    pub dropped: u64,
}
