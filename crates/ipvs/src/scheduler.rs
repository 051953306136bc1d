//! Schedulers and their flags.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the kernel chooses a real server; each is a kernel module `ip_vs_NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scheduler(String);

/// Longest name the kernel takes, without the closing NUL (`IP_VS_SCHEDNAME_MAXLEN` is 16).
const MAX_NAME: usize = 15;

impl Scheduler {
    /// The schedulers of current kernels; others are passed on, and the kernel decides.
    pub const KNOWN: [&str; 14] = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh",
        "twos",
    ];

    /// Weighted least connections: ipvsadm's default, and ours.
    pub fn wlc() -> Self {
        Self("wlc".into())
    }

    /// The name as the kernel writes it.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A scheduler name that the kernel could not even look up.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a scheduler is named by 1 to 15 lower-case letters, digits or _, as in wlc")]
pub struct InvalidScheduler;

impl FromStr for Scheduler {
    type Err = InvalidScheduler;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(legal) {
            return Err(InvalidScheduler);
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for Scheduler {
    type Error = InvalidScheduler;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Scheduler> for String {
    fn from(scheduler: Scheduler) -> Self {
        scheduler.0
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The three bits that a scheduler may read (`IP_VS_SVC_F_SCHED1` to `SCHED3`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchedulerFlags {
    /// `sh-fallback`, `mh-fallback`: go to the next server when the chosen one is full or out.
    pub fallback: bool,
    /// `sh-port`, `mh-port`: the source port counts in the hash.
    pub port: bool,
    /// The third bit, which no current scheduler reads.
    pub third: bool,
}
