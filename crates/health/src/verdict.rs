//! Is a real server fit to serve?

use serde::{Deserialize, Serialize};

/// Is a real server fit to serve?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No check has answered yet.
    #[default]
    Unknown,
    /// It serves.
    Up,
    /// It does not.
    Down,
}
