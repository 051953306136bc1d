//! A router's clock, which may run at its own pace.

use std::time::Duration;

use heartbeat::Moment;

use crate::fault::Micros;

const MILLION: i128 = 1_000_000;

/// From the world's time to a router's and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// World time from which the pace holds.
    since: Micros,
    /// What the clock showed then, in microseconds.
    shown: u64,
    /// Parts in a million that it runs too fast.
    drift: i64,
}

impl Clock {
    /// A clock that shows `shown` at `since`.
    pub(crate) fn new(since: Micros, shown: u64, drift: i64) -> Self {
        Self { since, shown, drift }
    }

    /// What it shows at a time of the world.
    pub(crate) fn at(&self, world: Micros) -> Moment {
        Moment(Duration::from_micros(self.micros(world)))
    }

    fn micros(&self, world: Micros) -> u64 {
        let passed = i128::from(world.saturating_sub(self.since));
        let passed = passed * (MILLION + i128::from(self.drift)) / MILLION;
        self.shown + u64::try_from(passed).unwrap_or(0)
    }

    /// The world's time at which it shows a moment, or just more.
    pub(crate) fn when(&self, moment: Moment) -> Micros {
        let ahead = i128::try_from(moment.0.as_micros()).unwrap_or(0) - i128::from(self.shown);
        let world = ahead.max(0) * MILLION / (MILLION + i128::from(self.drift));
        let mut world = self.since + u64::try_from(world).unwrap_or(0);
        while self.at(world) < moment {
            world += 1;
        }
        world
    }

    /// Shows so much more at once.
    #[cfg(test)]
    pub(crate) fn leap(&mut self, micros: u64) {
        self.shown += micros;
    }

    /// Runs at another pace from now on.
    pub(crate) fn change_pace(&mut self, world: Micros, drift: i64) {
        *self = Self::new(world, self.micros(world), drift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_a_moment_when_it_says_it_does() {
        for drift in [-40_000, -3, 0, 7, 60_000] {
            let mut clock = Clock::new(1000, 77, drift);
            clock.change_pace(5_000_000, drift / 2);
            let moment = Moment::from_millis(123_456);
            let at = clock.when(moment);
            assert!(clock.at(at) >= moment && clock.at(at - 2) < moment);
        }
    }
}
