//! Between the lvsd of one router and that of the other, carried by pulse in its own packets: the
//! operator's decisions.
//!
//! Times are spans, counted back from the moment of writing: the clocks of the two need not agree.
//! Fields are added, never renamed or removed; unknown ones are ignored.

use health::ledger::Aspect;
use serde::{Deserialize, Serialize};

/// Longest letter in bytes, as JSON.
pub const MAX_LETTER: usize = 1100;

/// One letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Digest of all decisions of the sender: when it is the receiver's own, nothing is missing.
    pub digest: u64,
    /// Some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
}

/// One decision, or the end of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The virtual server.
    pub service: String,
    /// The real server.
    pub server: String,
    /// What about it.
    pub aspect: Aspect,
    /// Stamp: a number that grows.
    pub at: u64,
    /// Stamp: the router that wrote it.
    pub router: String,
    /// So long ago.
    pub age_ms: u64,
    /// What holds; none when it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Told>,
}

/// What holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// On which router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// So long ago.
    pub since_ms: u64,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// A drain.
    Drain {
        /// It ends after this long; none: when the last connection ends.
        left_ms: Option<u64>,
        /// It is out of the table.
        done: bool,
    },
    /// Out of the table.
    Disabled,
    /// Another weight.
    Weight {
        /// The weight.
        weight: u32,
    },
}
