//! Between pulse and lvsd.

use serde::{Deserialize, Serialize};

/// From pulse to lvsd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToLvsd {
    /// First message.
    Hello {
        /// [`crate::PROTOCOL_VERSION`].
        version: u32,
        /// This router's name, from a pulse that carries letters to the partner.
        #[serde(default)]
        router: Option<String>,
    },
    /// The partner's lvsd has written this.
    Letter {
        /// As [`crate::letter::Letter`].
        text: String,
    },
    /// The roles changed; lvsd keeps its table warm in either role.
    Roles {
        /// Names of the groups that this router holds.
        active: Vec<String>,
    },
    /// Reload the configuration now.
    Reload,
    /// End in order.
    Stop,
}

/// From lvsd to pulse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromLvsd {
    /// First message.
    Hello {
        /// [`crate::PROTOCOL_VERSION`].
        version: u32,
        /// It reads letters.
        #[serde(default)]
        letters: bool,
    },
    /// For the partner's lvsd; only to a pulse that has told the router's name.
    Letter {
        /// As [`crate::letter::Letter`], of [`crate::letter::MAX_LETTER`] bytes at most.
        text: String,
    },
    /// Sent at each change, and every second: silence is not readiness.
    Readiness(Readiness),
}

/// May this router take over?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The kernel's table equals the wanted one.
    pub table_in_place: bool,
    /// Every real server has been checked at least once.
    pub checks_warm: bool,
    /// First eight bytes of the SHA-256 of the configuration in force.
    pub config_hash: u64,
}
