//! When checks start.
//!
//! Thousands of checks must not start together: neither the router nor a server that hosts many
//! services should feel a beat. Where a watch stands within its interval follows from its number,
//! so that it is the same after a restart.

use std::time::{Duration, Instant};

/// The first checks of all watches start within this time: a fresh director soon knows, and a
/// server that an edit adds is in the kernel within a second of the save.
pub const FIRST_SPREAD: Duration = Duration::from_millis(500);

/// Shortest interval that is kept to; a shorter one would be a busy loop.
pub const SHORTEST: Duration = Duration::from_millis(10);

/// Starts are moved to the next multiple of this, or of a sixteenth of a shorter interval: one
/// wake-up of the process then serves several watches.
pub const GRID: Duration = Duration::from_millis(8);

/// The starts of one watch.
#[derive(Clone, Debug)]
pub struct Schedule {
    share: u32,
    interval: Duration,
    next: Instant,
    phase: Option<Instant>,
}

/// What is told when a check starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// It starts later than planned by more than half the interval.
    pub late: bool,
}

impl Schedule {
    /// The first start is within [`FIRST_SPREAD`] or one interval, whichever is shorter. The
    /// second one finds the watch's place in the whole interval: it comes after half an interval
    /// at least and one and a half at most. After that starts are one interval apart.
    pub fn new(id: u64, interval: Duration, now: Instant) -> Self {
        let interval = interval.max(SHORTEST);
        let share = share(id);
        let next = now + part(interval.min(FIRST_SPREAD), share);
        let mut phase = now + part(interval, share);
        if phase.saturating_duration_since(next) < interval / 2 {
            phase += interval;
        }
        Self { share, interval, next, phase: Some(phase) }
    }

    /// When the next check is to start.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// The same on a grid that all watches of a process share, counted from `origin`.
    pub fn next_on_grid(&self, origin: Instant) -> Instant {
        let grid = GRID.min(self.interval / 16).as_nanos().max(1);
        let steps = self.next.saturating_duration_since(origin).as_nanos().div_ceil(grid);
        origin + Duration::from_nanos(u64::try_from(steps * grid).unwrap_or(u64::MAX))
    }

    /// A check starts; plans the one after it, without drift. Starts that were missed are left out.
    pub fn started(&mut self, now: Instant) -> Start {
        let late = now.saturating_duration_since(self.next) > self.interval / 2;
        self.next = self.phase.take().unwrap_or(self.next + self.interval);
        if self.next <= now {
            let behind = now.duration_since(self.next).as_nanos();
            let missed = behind / self.interval.as_nanos().max(1) + 1;
            self.next += self.interval.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX));
        }
        Start { late }
    }

    /// The next start is after this, when that is sooner; the ones behind it stay where they were.
    pub fn retry(&mut self, after: Duration, now: Instant) {
        let at = now + after.max(SHORTEST);
        if at < self.next {
            self.phase = Some(self.next);
            self.next = at;
        }
    }

    /// Goes on with another interval; the next start is within one of the new ones.
    pub fn change_interval(&mut self, interval: Duration, now: Instant) {
        let interval = interval.max(SHORTEST);
        if interval == self.interval {
            return;
        }
        self.interval = interval;
        self.phase = None;
        self.next = self.next.min(now + part(interval, self.share));
    }
}

/// Where a watch stands in its interval, as a fraction of 2^32. Consecutive numbers end up far
/// apart: the multiplier is 2^32 divided by the golden ratio.
fn share(id: u64) -> u32 {
    let folded = u32::try_from((id ^ (id >> 32)) & u64::from(u32::MAX)).unwrap_or(0);
    folded.wrapping_mul(0x9E37_79B9)
}

fn part(whole: Duration, share: u32) -> Duration {
    let nanos = (whole.as_nanos() * u128::from(share)) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::clock::origin;
    use proptest::prelude::*;

    /// Starts of a watch whose checks begin exactly when they should, from the first one.
    fn starts(id: u64, interval: Duration, count: usize) -> Vec<Duration> {
        let origin = origin();
        let mut schedule = Schedule::new(id, interval, origin);
        (0..count)
            .map(|_| {
                let at = schedule.next();
                assert!(!schedule.started(at).late);
                at - origin
            })
            .collect()
    }

    #[test]
    fn first_starts_of_many_watches_fill_half_a_second_evenly() {
        let mut per_tenth = [0; 10];
        for id in 1..=1000 {
            let first = starts(id, Duration::from_secs(5), 1)[0];
            per_tenth[usize::try_from(first.as_millis() / 50).unwrap()] += 1;
        }
        assert!(per_tenth.iter().all(|count| (95..=105).contains(count)), "{per_tenth:?}");
    }

    #[test]
    fn later_starts_of_many_watches_fill_the_whole_interval_evenly() {
        let interval = Duration::from_secs(5);
        let mut per_tenth = [0; 10];
        for id in 1..=1000 {
            let third = starts(id, interval, 3)[2];
            let place = third.as_millis() % interval.as_millis();
            per_tenth[usize::try_from(place / 500).unwrap()] += 1;
        }
        assert!(per_tenth.iter().all(|count| (95..=105).contains(count)), "{per_tenth:?}");
    }

    #[test]
    fn on_the_grid_starts_meet_without_moving_by_more_than_its_step() {
        let origin = origin();
        let mut seen = std::collections::BTreeSet::new();
        for id in 1..=1000 {
            let schedule = Schedule::new(id, Duration::from_secs(1), origin);
            let moved = schedule.next_on_grid(origin) - schedule.next();
            assert!(moved < GRID);
            seen.insert(schedule.next_on_grid(origin));
        }
        assert!(seen.len() <= 126, "{}", seen.len());
        let short = Schedule::new(1, Duration::from_millis(16), origin);
        assert!(short.next_on_grid(origin) - short.next() < Duration::from_millis(1));
    }

    #[test]
    fn a_late_start_is_told_and_does_not_move_the_later_ones() {
        let interval = Duration::from_secs(1);
        let mut schedule = Schedule::new(3, interval, origin());
        let first = schedule.next();
        schedule.started(first);
        let second = schedule.next();
        assert!(!schedule.started(second + interval / 3).late);
        assert_eq!(schedule.next(), second + interval);
        assert!(schedule.started(second + interval + interval / 3 * 2).late);
        assert_eq!(schedule.next(), second + interval * 2);
    }

    #[test]
    fn missed_starts_are_left_out() {
        let interval = Duration::from_secs(1);
        let mut schedule = Schedule::new(3, interval, origin());
        schedule.started(schedule.next());
        let second = schedule.next();
        assert!(schedule.started(second + interval * 10 + interval / 4).late);
        assert_eq!(schedule.next(), second + interval * 11);
    }

    #[test]
    fn a_start_that_is_put_in_between_does_not_move_the_later_ones() {
        let interval = Duration::from_secs(10);
        let mut schedule = Schedule::new(3, interval, origin());
        schedule.started(schedule.next());
        schedule.started(schedule.next());
        let (planned, retry) = (schedule.next(), Duration::from_secs(4));
        let failed = planned - interval + Duration::from_secs(1);
        for attempt in 1..=2 {
            schedule.retry(retry, failed + retry * (attempt - 1));
            assert_eq!(schedule.next(), failed + retry * attempt);
            assert!(!schedule.started(schedule.next()).late);
            assert_eq!(schedule.next(), planned);
        }
        schedule.retry(retry, failed + retry * 2);
        assert_eq!(schedule.next(), planned);
        schedule.started(planned);
        assert_eq!(schedule.next(), planned + interval);
    }

    #[test]
    fn a_shorter_interval_takes_hold_at_once() {
        let now = origin();
        let mut schedule = Schedule::new(7, Duration::from_secs(3600), now);
        schedule.started(schedule.next());
        schedule.change_interval(Duration::from_secs(2), now);
        assert!(schedule.next() <= now + Duration::from_secs(2));
        let next = schedule.next();
        schedule.started(next);
        assert_eq!(schedule.next(), next + Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn starts_are_one_interval_apart_after_the_second(
            id: u64, milliseconds in 10_u64..1_000_000
        ) {
            let interval = Duration::from_millis(milliseconds);
            let starts = starts(id, interval, 4);
            prop_assert!(starts[0] < interval.min(FIRST_SPREAD));
            let gap = starts[1] - starts[0];
            prop_assert!(gap >= interval / 2 && gap <= interval * 3 / 2, "{:?}", gap);
            prop_assert_eq!(starts[2] - starts[1], interval);
            prop_assert_eq!(starts[3] - starts[2], interval);
        }
    }
}
