//! What the state machine must know of the configuration.

use std::time::Duration;

use crate::fence::FenceSetup;
use crate::packet::{GroupId, MAX_GROUPS, RouterId};
use crate::timing::Timing;

/// Most heartbeat paths: as many as the packet has bits for.
pub const MAX_PATHS: usize = 16;

/// One of the two routers, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one named first; it wins ties.
    First,
    /// The one named second.
    Second,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// A heartbeat path, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub usize);

/// A path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSetup {
    /// Its interface has a carrier.
    pub carrier: bool,
    /// Its place in the setup before, when it is an old one.
    pub was: Option<PathId>,
}

/// A group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSetup {
    /// Which.
    pub id: GroupId,
    /// Who should hold it when both are well.
    pub preferred: Option<Side>,
    /// It returns by itself once the preferred router was well for this long; none: by hand only.
    pub failback: Option<Duration>,
    /// The interfaces of its addresses can carry them.
    pub fit: bool,
    /// At the start only: its addresses are still on this router, from before a restart.
    pub holding: bool,
}

/// What the state machine must know of the configuration and of this router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Which router this is.
    pub me: Side,
    /// This router.
    pub router: RouterId,
    /// The other one.
    pub partner: RouterId,
    /// Times.
    pub timing: Timing,
    /// Paths.
    pub paths: Vec<PathSetup>,
    /// Groups, in the order of taking over.
    pub groups: Vec<GroupSetup>,
    /// A witness is configured.
    pub witness: bool,
    /// Whoever reaches fewer witnesses than its partner gives its groups away.
    pub yields: bool,
    /// The partner is switched off before its groups are taken while it is not heard.
    pub fence: Option<FenceSetup>,
    /// Hash of the configuration.
    pub config_hash: u64,
}

/// Why a setup cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// More than [`MAX_GROUPS`].
    #[error("{0} groups are more than a heartbeat can carry ({MAX_GROUPS})")]
    TooManyGroups(usize),
    /// None, or more than [`MAX_PATHS`].
    #[error("{0} heartbeat paths; there must be 1 to {MAX_PATHS}")]
    Paths(usize),
    /// Two groups look the same on the wire.
    #[error(
        "the names of groups {0} and {1} (counted from 1) look the same on the wire: rename one"
    )]
    SameHash(usize, usize),
}

impl Setup {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`SetupError`]; the setup must not be used then.
    pub fn check(&self) -> Result<(), SetupError> {
        if self.groups.len() > MAX_GROUPS {
            return Err(SetupError::TooManyGroups(self.groups.len()));
        }
        if self.paths.is_empty() || self.paths.len() > MAX_PATHS {
            return Err(SetupError::Paths(self.paths.len()));
        }
        for (index, group) in self.groups.iter().enumerate() {
            let twin = self.groups.iter().take(index).position(|other| other.id == group.id);
            if let Some(twin) = twin {
                return Err(SetupError::SameHash(twin + 1, index + 1));
            }
        }
        Ok(())
    }
}
