//! The clock of the state machine: time since boot, with the time that the machine slept.

use std::time::Duration;

use heartbeat::Moment;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Now. A suspended machine wakes up late on this clock, which `Instant` would not notice.
pub(crate) fn now() -> Moment {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Moment(Duration::new(seconds, nanos))
}

/// When a timer must ring for a moment to come.
pub(crate) fn timer(at: Moment) -> Instant {
    Instant::now() + at.since(now())
}

/// Milliseconds since the Unix epoch at which a moment was, for people.
pub(crate) fn unix_ms(at: Moment) -> u64 {
    let ago = u64::try_from(now().since(at).as_millis()).unwrap_or(u64::MAX);
    runtime::timestamp::unix_ms().saturating_sub(ago)
}
