//! Between lvsd and nanny.
//!
//! lvsd says what to watch; nanny answers with verdicts. After a restart of either side lvsd says
//! it again, with the last verdict it knows, so that nothing starts from nothing.

use std::net::SocketAddr;

use config::model::Check;
pub use health::Verdict;
pub use health::results::ProbeResult;
use serde::{Deserialize, Serialize};

/// Number of a watch, chosen by lvsd and never used twice by one lvsd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WatchId(pub u64);

/// One probe that is kept going. Services that need the same one share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// Number.
    pub id: WatchId,
    /// The real server's address and port (the check may ask another port of it).
    pub server: SocketAddr,
    /// The virtual server's address and port, for external programs; the first one when shared.
    pub virtual_server: Option<SocketAddr>,
    /// The check.
    pub check: Check,
    /// What was last known.
    pub verdict: Verdict,
    /// What is told beside verdicts.
    #[serde(default)]
    pub follow: Follow,
}

/// What nanny tells of a watch, beside its verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// Nothing.
    #[default]
    No,
    /// Each result.
    Results,
    /// Each result, and for one that is good what the program printed.
    Output,
}

/// From lvsd to nanny.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToNanny {
    /// First message.
    Hello {
        /// [`crate::PROTOCOL_VERSION`].
        version: u32,
    },
    /// Begin a watch, or change one: its results and verdict are kept.
    Watch(Box<Watch>),
    /// End a watch.
    Unwatch {
        /// Which.
        id: WatchId,
    },
    /// Tell the last results.
    Recall {
        /// Which.
        id: WatchId,
    },
}

/// From nanny to lvsd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromNanny {
    /// First message.
    Hello {
        /// [`crate::PROTOCOL_VERSION`].
        version: u32,
    },
    /// A verdict, each time it or the weight changes and once after the first result.
    Verdict {
        /// Which watch.
        id: WatchId,
        /// The new verdict.
        verdict: Verdict,
        /// Why, in a few words: `connection refused`.
        reason: String,
        /// How many results in a row led to it.
        after: u32,
        /// The weight that the last good result asked for; none for the configured one.
        #[serde(default)]
        weight: Option<u32>,
    },
    /// Answer to [`ToNanny::Recall`]: the newest last, at most 100.
    Results {
        /// Which watch.
        id: WatchId,
        /// The results.
        results: Vec<ProbeResult>,
    },
    /// One result of a watch that is followed. When lvsd reads too slowly, the oldest are lost.
    Checked {
        /// Which watch.
        id: WatchId,
        /// When it ended, milliseconds since the Unix epoch.
        unix_ms: u64,
        /// It was good.
        passed: bool,
        /// Why, or what the program printed.
        reason: String,
    },
    /// Counters since start, about once a second: a nanny that says nothing for long hangs.
    Counters {
        /// Checks that ended well.
        passed: u64,
        /// Checks that failed.
        failed: u64,
        /// Checks whose start was late by more than half their interval.
        late: u64,
        /// Results of followed watches that were lost.
        #[serde(default)]
        lost: u64,
    },
}
