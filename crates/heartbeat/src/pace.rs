//! The times that count while the two routers may go by different ones.
//!
//! An edit reaches one router first, and the partner goes by the earlier times until it has the same
//! configuration. So this router speaks as often as either of the two wants, believes itself forgotten
//! as early as either would forget it, and loses the partner as late as either would. Of a partner whose
//! configuration this router never had, the interval is known, since its heartbeats tell it, or seen,
//! where its release does not: each of the two waits for [`MISSED`] heartbeats of the other one at least.

use std::time::Duration;

use crate::timing::Timing;

/// So many heartbeats of a partner that goes by unknown times must be missing before it is lost.
const MISSED: u32 = 3;

/// The times that count now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    timing: Timing,
    forgotten_after: Duration,
}

impl Pace {
    /// Both go by these, as far as is known.
    pub(crate) fn agreed(timing: Timing) -> Self {
        Self { timing, forgotten_after: timing.dead_after() }
    }

    /// One of the two goes by these, or by other ones.
    pub(crate) fn beside(self, other: Timing) -> Self {
        Self {
            timing: self.timing.beside(other),
            forgotten_after: self.forgotten_after.min(other.dead_after()),
        }
    }

    /// The partner goes by unknown times, and speaks at least once in each `interval`.
    pub(crate) fn beside_stranger(self, interval: Duration) -> Self {
        let own = self.timing.interval().saturating_mul(MISSED);
        Self {
            timing: self.timing.patient(interval.saturating_mul(MISSED)),
            forgotten_after: self.forgotten_after.min(own),
        }
    }

    /// How often this router speaks, and when it loses the partner.
    pub(crate) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Whoever has not spoken for so long may have been lost by the partner.
    pub(crate) fn forgotten_after(&self) -> Duration {
        self.forgotten_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(interval: u64, dead_after: u64, warn_after: Option<u64>) -> Timing {
        let seconds = Duration::from_secs;
        let listen = seconds(dead_after);
        Timing::try_new(seconds(interval), listen, warn_after.map(seconds), listen).unwrap()
    }

    #[test]
    fn of_two_times_the_one_counts_that_is_safe_with_both() {
        let (slow, fast) = (timing(6, 18, Some(9)), timing(1, 3, Some(2)));
        for (old, new) in [(slow, fast), (fast, slow)] {
            let pace = Pace::agreed(old).beside(new);
            assert_eq!(*pace.timing(), timing(1, 18, Some(9)));
            assert_eq!(pace.forgotten_after(), fast.dead_after());
        }
    }

    #[test]
    fn a_stranger_is_lost_after_three_of_its_heartbeats_at_the_earliest() {
        let (slow, fast) = (timing(6, 30, Some(9)), timing(1, 5, Some(2)));
        let pace = Pace::agreed(fast).beside_stranger(Duration::from_secs(8));
        assert_eq!(*pace.timing(), timing(1, 24, Some(21)));
        assert_eq!(pace.forgotten_after(), Duration::from_secs(3));
        let pace = Pace::agreed(slow).beside_stranger(Duration::from_secs(2));
        assert_eq!(*pace.timing(), slow);
        assert_eq!(pace.forgotten_after(), Duration::from_secs(18));
        let pace = Pace::agreed(timing(6, 7, None)).beside_stranger(Duration::from_secs(2));
        assert_eq!(pace.forgotten_after(), Duration::from_secs(7));
    }

    #[test]
    fn several_edits_count_until_the_partner_agrees() {
        let pace = Pace::agreed(timing(2, 6, None)).beside(timing(1, 3, Some(2)));
        let pace = pace.beside(timing(5, 20, Some(9)));
        assert_eq!(*pace.timing(), timing(1, 20, None));
        assert_eq!(pace.forgotten_after(), Duration::from_secs(3));
        let pace = Pace::agreed(timing(5, 20, None));
        assert_eq!(pace.forgotten_after(), Duration::from_secs(20));
    }
}
