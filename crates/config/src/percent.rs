//! A share of a whole.

use serde::{Deserialize, Serialize};

/// A share in whole percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Half.
    pub const HALF: Self = Self(50);
    /// All.
    pub const ALL: Self = Self(100);

    /// The share, unless it is above 100.
    pub fn new(percent: u8) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// The largest whole number that is no more than this share of `whole`.
    pub fn of(self, whole: usize) -> usize {
        let share = whole as u128 * u128::from(self.0) / 100;
        usize::try_from(share).unwrap_or(whole)
    }
}

/// Half: what the limits are that nobody has set.
impl Default for Percent {
    fn default() -> Self {
        Self::HALF
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        Self::new(percent).ok_or_else(|| format!("{percent} is above 100 percent"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_more_than_it_says() {
        assert_eq!((0..6).map(|n| Percent::HALF.of(n)).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2]);
        assert_eq!((Percent::ALL.of(7), Percent(0).of(7), Percent(99).of(100)), (7, 0, 99));
        assert_eq!(Percent::ALL.of(usize::MAX), usize::MAX);
        assert_eq!(Percent::new(101), None);
    }
}
