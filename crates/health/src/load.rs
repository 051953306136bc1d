//! Load of real servers: from what a program prints to a weight.
//!
//! A load of 1 leaves the configured weight, an idle server gets up to one and a half times as
//! much, a busy one down to a tenth: Piranha's curve, but from the configured weight each time,
//! so that nothing drifts. Loads are smoothed and small changes are skipped, as each is a change
//! in the kernel; a program that fails for a while leaves the configured weight.

use std::time::{Duration, Instant};

/// The configured weight, in thousandths of itself.
pub const WHOLE: u32 = 1000;

/// The least and the most that a load makes of a weight.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.1..=1.5;

/// A smaller change is skipped.
const SKIPPED: u32 = WHOLE / 4;

/// A load counts for so many intervals, while no newer one comes.
const INTERVALS: u32 = 3;

/// What is known of one real server's load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The load, smoothed.
    pub load: f64,
    /// What it makes of the weight, in thousandths.
    pub share: u32,
}

/// Follows the load of one real server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    reading: Option<Reading>,
    heard: Option<Instant>,
}

impl Meter {
    /// What counts now; none while the load is not known.
    pub fn reading(&self) -> Option<Reading> {
        self.reading
    }

    /// A load was measured. Returns whether the weight is another one than before.
    pub fn measured(&mut self, load: f64, now: Instant) -> bool {
        self.heard = Some(now);
        let before = self.reading.map_or(WHOLE, |reading| reading.share);
        let load = self.reading.map_or(load, |reading| f64::midpoint(reading.load, load));
        let wanted = share(load);
        let share = if wanted.abs_diff(before) < SKIPPED { before } else { wanted };
        self.reading = Some(Reading { load, share });
        share != before
    }

    /// Time has passed. Returns whether a load was forgotten, so that the configured weight counts.
    pub fn expire(&mut self, interval: Duration, now: Instant) -> bool {
        let late = |at: Instant| now.saturating_duration_since(at) > interval * INTERVALS;
        let forgotten = self.heard.is_some_and(late);
        if forgotten {
            *self = Self::default();
        }
        forgotten
    }
}

/// What a load makes of a weight, in thousandths.
fn share(load: f64) -> u32 {
    let share = (1.0 + (1.0 - load).cbrt() / 2.0).clamp(*BOUNDS.start(), *BOUNDS.end());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is bounded, and nobody who reads a load gives what is no number"
    )]
    let thousandths = (share * f64::from(WHOLE)).round() as u32;
    thousandths
}

/// The weight of a server with that share of it. One that serves goes on serving, and a weight of
/// 0 stays 0.
pub fn weigh(weight: u32, share: u32) -> u32 {
    let weighed = (u64::from(weight) * u64::from(share) + u64::from(WHOLE / 2)) / u64::from(WHOLE);
    let most = weight.max(i32::MAX.unsigned_abs());
    u32::try_from(weighed).unwrap_or(most).clamp(weight.min(1), most)
}

/// The load in what a program printed: the first number behind the word load, as `uptime`, `rup`
/// and `ruptime` have it, or a number that stands alone.
pub fn read(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let behind = match lower.split_once("load") {
        Some((_, behind)) => behind,
        None => lower.lines().map(str::trim).find(|line| !line.is_empty())?,
    };
    let alone = !lower.contains("load");
    let number = |word: &str| word.parse::<f64>().ok().filter(|load| (0.0..1e6).contains(load));
    let words = behind.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    if alone {
        number(behind)
    } else {
        words.map(|word| word.trim_end_matches('.')).find_map(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::clock::origin;
    use proptest::prelude::*;

    const INTERVAL: Duration = Duration::from_secs(20);

    fn weight_at(load: f64) -> u32 {
        let mut meter = Meter::default();
        meter.measured(load, origin());
        weigh(100, meter.reading().unwrap().share)
    }

    #[test]
    fn an_idle_server_gets_more_and_a_busy_one_less() {
        let loads = [0.0, 1.0, 2.0, 3.2, 9.0, 1000.0];
        assert_eq!(loads.map(weight_at), [150, 100, 50, 35, 10, 10]);
        assert_eq!(weight_at(1.1), 100, "a small change is skipped");
        assert_eq!([weigh(0, 1500), weigh(1, 100), weigh(10, 350)], [0, 1, 4]);
    }

    #[test]
    fn one_peak_counts_half() {
        let (mut meter, now) = (Meter::default(), origin());
        meter.measured(1.0, now);
        meter.measured(3.0, now + INTERVAL);
        assert_eq!(meter.reading(), Some(Reading { load: 2.0, share: 500 }));
    }

    #[test]
    fn a_program_that_fails_for_a_while_leaves_the_configured_weight() {
        let (mut meter, now) = (Meter::default(), origin());
        assert!(meter.measured(9.0, now));
        assert!(!meter.expire(INTERVAL, now + INTERVAL * 3));
        assert!(meter.expire(INTERVAL, now + INTERVAL * 4));
        assert_eq!(meter.reading(), None);
        assert!(!meter.expire(INTERVAL, now + INTERVAL * 5), "it is told once");
    }

    #[test]
    fn the_load_is_the_first_number_behind_its_word() {
        for (text, load) in [
            (" 10:00:00 up 3 days,  2:10,  1 user,  load average: 3.20, 0.1, 0.05\n", Some(3.2)),
            ("web1         up   12 days,  3:04,    load average: 0.10, 0.2, 0.3", Some(0.1)),
            ("web1  up 12+03:04,     2 users,  load 1.25, 1.0, 0.9", Some(1.25)),
            ("0.75\n", Some(0.75)),
            ("Load: 4.", Some(4.0)),
            ("web1 down 3:04", None),
            ("17 users", None),
            ("load average: none", None),
            ("-3", None),
            ("nan", None),
            ("", None),
        ] {
            assert_eq!(read(text), load, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_effect_is_bounded_and_more_load_never_means_more_weight(
            weight in 0_u32..=2_147_483_647, low in 0.0..100.0_f64, more in 0.0..100.0_f64
        ) {
            let (low, high) = (weigh(weight, share(low)), weigh(weight, share(low + more)));
            prop_assert!(high <= low);
            prop_assert!(u64::from(low) <= (u64::from(weight) * 3).div_ceil(2));
            prop_assert!(high >= weight / 10 && (weight == 0) == (high == 0));
        }

        #[test]
        fn whatever_is_measured_a_change_is_a_quarter_or_none(
            loads in proptest::collection::vec(0.0..20.0_f64, 1..50)
        ) {
            let (mut meter, now) = (Meter::default(), origin());
            let mut before = WHOLE;
            for load in loads {
                let changed = meter.measured(load, now);
                let share = meter.reading().unwrap().share;
                prop_assert_eq!(changed, share != before);
                prop_assert!(!changed || share.abs_diff(before) >= SKIPPED);
                before = share;
            }
        }

        #[test]
        fn any_text_is_read_without_harm(text in ".{0,200}") {
            let load = read(&text);
            prop_assert!(load.is_none_or(|load| (0.0..1e6).contains(&load)));
        }
    }
}
