//! How a silent partner is switched off before its groups are taken.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Programs that switch a router off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Program and arguments that switch the first router off, and the second one; the other router
    /// runs it. `%r` stands for the name of the one that is switched off, `%R` for the other's.
    pub off: [Vec<String>; 2],
    /// Killed after this long, which is a failure.
    pub timeout: Duration,
    /// What comes of a failure.
    pub on_failure: FenceFailure,
    /// Where both may switch each other off, the second one waits for this long.
    pub delay: Duration,
    /// The user that the program runs as; none is `caribe-fence`, or nobody on a host without it.
    pub user: Option<String>,
}

/// What comes of a fencing that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceFailure {
    /// Nothing is taken; it is tried again, until it succeeds or an operator says that the partner
    /// is off.
    #[default]
    Wait,
    /// The groups are taken all the same.
    TakeOver,
}
