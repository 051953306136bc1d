//! What an operator can ask for: the bodies of `POST /v1/…`.

use serde::{Deserialize, Serialize};

/// The longest deadline of a drain, and the longest trial: a year. What is longer is a slip of the
/// pen, and no clock takes all of it.
pub const LONGEST_SECONDS: u64 = 366 * 24 * 3600;

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

impl Decision {
    /// Whether it can be asked for.
    ///
    /// # Errors
    /// Why not, for whoever asked.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Drain { deadline_seconds: Some(seconds) } => {
                check_span(*seconds, "cannot drain within", "or drain without a deadline")
            }
            _ => Ok(()),
        }
    }
}

impl Apply {
    /// Whether it can be asked for.
    ///
    /// # Errors
    /// Why not, for whoever asked.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Confirmed { trial_seconds: Some(seconds) } => {
                check_span(*seconds, "cannot put on trial for", "or apply it for good")
            }
            _ => Ok(()),
        }
    }
}

fn check_span(seconds: u64, tried: &str, or: &str) -> Result<(), Failure> {
    if seconds <= LONGEST_SECONDS {
        return Ok(());
    }
    let error = format!(
        "{tried} {seconds} s, which is more than a year: say at most {LONGEST_SECONDS} s, {or}"
    );
    Err(Failure { error })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_drains_or_tries_for_more_than_a_year() {
        let drain = |seconds| Decision::Drain { deadline_seconds: Some(seconds) }.check();
        let apply = |seconds| Apply::Confirmed { trial_seconds: Some(seconds) }.check();
        assert_eq!(drain(LONGEST_SECONDS), Ok(()));
        assert_eq!(apply(LONGEST_SECONDS), Ok(()));
        for seconds in [LONGEST_SECONDS + 1, u64::MAX] {
            let said = drain(seconds).unwrap_err().error;
            assert!(said.starts_with(&format!("cannot drain within {seconds} s")), "{said}");
            let said = apply(seconds).unwrap_err().error;
            assert!(said.starts_with(&format!("cannot put on trial for {seconds} s")), "{said}");
        }
        assert_eq!(Decision::Drain { deadline_seconds: None }.check(), Ok(()));
        assert_eq!(Apply::Keep.check(), Ok(()));
    }
}
