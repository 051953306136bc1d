//! What an operator can ask for: the bodies of `POST /v1/…`.

use serde::{Deserialize, Serialize};

/// `POST /v1/failover` and `POST /v1/takeover` of pulse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveGroups {
    /// Which groups: names, or `all`, `local` (that prefer this router), `foreign` (that do not);
    /// empty means all.
    #[serde(default)]
    pub groups: Vec<String>,
    /// A take-over only: the partner is off, whoever says so has seen to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// `POST /v1/server` of lvsd: what an operator decides about real servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerAction {
    /// `ADDRESS`, `ADDRESS:PORT` or a server's name: every real server that matches.
    pub server: String,
    /// Only in this virtual server.
    #[serde(default)]
    pub service: Option<String>,
    /// What to do.
    pub decision: Decision,
    /// Why, for whoever reads the status later.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who; filled in by lvsctl.
    #[serde(default)]
    pub who: Option<String>,
}

/// What an operator decides about a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Decision {
    /// No new connections; out of the table at the deadline, or when the last connection ends.
    Drain {
        /// Seconds from now; none drains without end.
        deadline_seconds: Option<u64>,
    },
    /// Take a drain back.
    Undrain,
    /// Out of the table at once.
    Disable,
    /// Take a disable back.
    Enable,
    /// Another weight than the configuration's.
    Weight {
        /// The weight; none takes the decision back.
        weight: Option<u32>,
    },
}

/// `POST /v1/apply` of pulse and lvsd: what an operator wants with the configuration on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Apply {
    /// Read it and apply it, unless it removes too much.
    #[default]
    Unconfirmed,
    /// Read it and apply it, whatever it removes.
    Confirmed {
        /// Go back after so many seconds unless it is kept; none applies it for good.
        trial_seconds: Option<u64>,
    },
    /// Keep what is on trial.
    Keep,
}

/// Answer to every action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionResult {
    /// What was done, one sentence for each thing that was touched.
    pub done: Vec<String>,
}

/// Answer to every request that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was tried, why it failed, what to do next.
    pub error: String,
}
