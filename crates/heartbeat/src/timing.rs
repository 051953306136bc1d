//! The times of a pair.

use std::time::Duration;

/// lvsd must be away for this long before a group is given to a ready partner: its table outlives
/// it, and its parent restarts it within seconds.
pub const WORKER_LIMIT: Duration = Duration::from_secs(10);
/// A wish for a group that is not granted within this time is dropped.
pub const WISH_LIMIT: Duration = Duration::from_secs(10);
/// Least time between two questions to the witness.
pub const WITNESS_PAUSE: Duration = Duration::from_secs(1);

/// A group that has come here stays for so long at least, however few witnesses are reached.
pub const LEAST_WITNESS_REST: Duration = Duration::from_secs(10);

/// However short the times are, heartbeats of this age still count.
pub const LEAST_MAX_AGE: Duration = Duration::from_secs(2);

/// The times of a pair, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    interval: Duration,
    dead_after: Duration,
    warn_after: Option<Duration>,
    listen_first: Duration,
}

/// Why times make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// No time between heartbeats.
    #[error("the heartbeat interval is zero")]
    Zero,
    /// One late heartbeat would be a failover.
    #[error(
        "a router would be lost after {dead_after:?} of silence, but speaks only each {interval:?}"
    )]
    DeadBeforeHeard {
        /// Time between heartbeats.
        interval: Duration,
        /// Silence after which the partner is lost.
        dead_after: Duration,
    },
}

impl Timing {
    /// Checks the times. Listening first lasts at least as long as it takes to lose a partner.
    ///
    /// # Errors
    /// [`TimingError`] when heartbeats could not keep a partner alive.
    pub fn try_new(
        interval: Duration,
        dead_after: Duration,
        warn_after: Option<Duration>,
        listen_first: Duration,
    ) -> Result<Self, TimingError> {
        if interval.is_zero() {
            return Err(TimingError::Zero);
        }
        if dead_after <= interval {
            return Err(TimingError::DeadBeforeHeard { interval, dead_after });
        }
        Ok(Self { interval, dead_after, warn_after, listen_first: listen_first.max(dead_after) })
    }

    /// Times that keep a partner alive whichever of two it goes by.
    pub(crate) fn beside(self, other: Self) -> Self {
        Self {
            interval: self.interval.min(other.interval),
            dead_after: self.dead_after.max(other.dead_after),
            warn_after: self.warn_after.zip(other.warn_after).map(|(one, two)| one.max(two)),
            listen_first: self.listen_first.max(other.listen_first),
        }
    }

    /// The partner is lost after `least` at the earliest, and late as long before that as else.
    pub(crate) fn patient(self, least: Duration) -> Self {
        let more = least.saturating_sub(self.dead_after);
        Self {
            interval: self.interval,
            dead_after: self.dead_after + more,
            warn_after: self.warn_after.map(|warn| warn + more),
            listen_first: self.listen_first.max(self.dead_after + more),
        }
    }

    /// Time between heartbeats.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Silence on every path after which the partner is lost.
    pub fn dead_after(&self) -> Duration {
        self.dead_after
    }

    /// Silence that is worth a warning.
    pub fn warn_after(&self) -> Option<Duration> {
        self.warn_after
    }

    /// How old a heartbeat may be that counts. Whatever is held back for longer on its way cannot keep
    /// a dead partner alive.
    pub fn max_age(&self) -> Duration {
        (self.dead_after * 3).max(LEAST_MAX_AGE)
    }

    /// How long one round of pings to the witnesses lasts, and until the next one.
    pub fn witness_round(&self) -> Duration {
        self.dead_after
    }

    /// How long the partner must have reached more witnesses before a group is given to it. The two
    /// routers notice one and the same change up to a round and a heartbeat apart.
    pub fn witness_patience(&self) -> Duration {
        self.witness_round() * 2 + self.interval * 2
    }

    /// How long a group that has come here stays at least, however few witnesses are reached:
    /// witnesses that come and go move it no more often.
    pub fn witness_rest(&self) -> Duration {
        (self.dead_after * 3).max(LEAST_WITNESS_REST)
    }

    /// How long an answer to [`crate::Action::Probe`] is to be waited for, at most.
    pub fn probe_patience(&self) -> Duration {
        self.interval * 3 / 4
    }

    /// How long a starting router listens.
    pub fn listen_first(&self) -> Duration {
        self.listen_first
    }
}
