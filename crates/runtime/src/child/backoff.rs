//! Delays between restarts.

use std::time::Duration;

/// First delay.
const FIRST: Duration = Duration::from_millis(100);

/// Longest delay.
const LONGEST: Duration = Duration::from_secs(5);

/// A child that ran this long is taken to have been well: the delays begin anew.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Delays between restarts: 100 ms, doubled each time, up to 5 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// The delay after a child that ran for so long; zero for one that did not start.
    pub fn after(&mut self, ran_for: Duration) -> Duration {
        let delay = match self.last {
            Some(last) if ran_for < WELL_AFTER => (last * 2).min(LONGEST),
            _ => FIRST,
        };
        self.last = Some(delay);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_five_seconds() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..8).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn a_child_that_was_well_begins_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..4 {
            backoff.after(Duration::from_secs(1));
        }
        assert_eq!(backoff.after(WELL_AFTER), FIRST);
        assert_eq!(backoff.after(Duration::ZERO), FIRST * 2);
    }
}
