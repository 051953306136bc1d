//! Weights that programs ask for, beside saying that a server is well.

use serde::{Deserialize, Serialize};

/// Statuses that ask for a weight begin here: this one asks for 0.
const FIRST_STATUS: u32 = 2;

/// The weight that the exit status of a program asks for; none for 0, which is well and nothing
/// more, and for 1, which is a failure.
pub fn by_status(status: i32) -> Option<u32> {
    u32::try_from(status).ok()?.checked_sub(FIRST_STATUS)
}

/// What all checks of a real server ask for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Checks that ask for a weight.
    checks: u32,
    /// The sum of what they ask for.
    sum: u64,
}

impl Asked {
    /// Nothing is asked for.
    pub const NONE: Self = Self { checks: 0, sum: 0 };

    /// What one check asks for.
    pub fn of(weight: Option<u32>) -> Self {
        Self { checks: u32::from(weight.is_some()), sum: weight.map_or(0, u64::from) }
    }

    /// What two of them ask for together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            checks: self.checks.saturating_add(other.checks),
            sum: self.sum.saturating_add(other.sum),
        }
    }

    /// The weight that one check asks for.
    pub fn alone(self) -> Option<u32> {
        u32::try_from(self.sum).ok().filter(|_| self.checks == 1)
    }

    /// Whether nothing is asked for.
    pub fn is_none(self) -> bool {
        self.checks == 0
    }

    /// What becomes of a configured weight. One check has what it asks for; of several the
    /// differences from the configured weight add up.
    pub fn weight(self, configured: u32) -> u32 {
        let others = u64::from(self.checks.saturating_sub(1)) * u64::from(configured);
        match self.checks {
            0 => configured,
            _ => {
                let most = configured.max(i32::MAX.unsigned_abs());
                u32::try_from(self.sum.saturating_sub(others)).unwrap_or(most).min(most)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(weights: &[u32]) -> Asked {
        weights.iter().map(|weight| Asked::of(Some(*weight))).fold(Asked::NONE, Asked::and)
    }

    #[test]
    fn a_status_from_2_on_asks_for_a_weight() {
        let weights = [-1, 0, 1, 2, 3, 12, 255].map(by_status);
        assert_eq!(weights, [None, None, None, Some(0), Some(1), Some(10), Some(253)]);
    }

    #[test]
    fn one_check_has_what_it_asks_for_and_of_several_the_differences_add_up() {
        assert_eq!(asked(&[]).weight(3), 3);
        assert_eq!(Asked::of(None).and(asked(&[10])).weight(3), 10);
        assert_eq!(asked(&[0]).weight(3), 0);
        assert_eq!(asked(&[10, 5]).weight(3), 3 + 7 + 2);
        assert_eq!(asked(&[1, 0, 2]).weight(3), 0, "3 - 2 - 3 - 1 is below 0");
        assert_eq!(asked(&[u32::MAX; 3]).weight(0), i32::MAX.unsigned_abs());
    }
}
