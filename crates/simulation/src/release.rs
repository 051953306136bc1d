//! Routers of different releases: a pair is upgraded one router after the other.

use std::ops::RangeInclusive;

use heartbeat::packet::{DecodeError, VERSIONS};
use heartbeat::{Beat, Received, Rejected, Session};

use crate::random::Random;

/// What a router's program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// It knows no feature at all, as the first one did.
    Previous,
    /// The present one.
    This,
    /// It reads one more version of the wire format, about which no more than that is known.
    Next,
}

impl Release {
    /// The one that a router of a mixed pair is started with: mostly the present one.
    pub(crate) fn draw(random: &mut Random) -> Self {
        match random.below(6) {
            0 => Self::Previous,
            1 => Self::Next,
            _ => Self::This,
        }
    }

    /// For the table of what was met.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Previous => "started as the release before",
            Self::This => "started as this release",
            Self::Next => "started as the next release",
        }
    }

    /// A session that reads what this release reads.
    pub(crate) fn session(self, session: Session) -> Session {
        let next: RangeInclusive<u8> = *VERSIONS.start()..=*VERSIONS.end() + 1;
        if self == Self::Next { session.of_versions(next) } else { session }
    }

    /// What this release says of what the present one would.
    pub(crate) fn says(self, beat: &Beat) -> Beat {
        let mut beat = beat.clone();
        if self == Self::Previous {
            beat.features = 0;
            beat.groups.iter_mut().for_each(|(_, claim)| claim.pinned = false);
        }
        beat
    }

    /// What this release makes of what it received: one that does not know a bit drops the packet.
    pub(crate) fn reads(self, mut received: Received) -> Result<Received, Rejected> {
        let unknown = received.beat.groups.iter().any(|(_, claim)| claim.pinned);
        if self == Self::Previous && unknown {
            return Err(DecodeError::Value.into());
        }
        if self == Self::Previous {
            received.beat.features = 0;
        }
        Ok(received)
    }
}
