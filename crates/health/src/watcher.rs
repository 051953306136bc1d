//! Counting results until the verdict changes.

use std::time::{Duration, Instant};

use config::model::Check;

use crate::Verdict;

/// What it takes to leave and to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row that take a server out; 0 counts as 1.
    pub fall: u32,
    /// Successes in a row that bring it back; 0 counts as 1.
    pub rise: u32,
    /// A returning server must also have passed every check for this long.
    pub reentry: Duration,
    /// A server that failed, and is not out yet, is asked again after this; none waits for the
    /// interval.
    pub retry: Option<Duration>,
}

impl From<&Check> for Rules {
    fn from(check: &Check) -> Self {
        Self { fall: check.fall, rise: check.rise, reentry: check.reentry, retry: check.retry }
    }
}

/// A verdict that has just changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new verdict.
    pub verdict: Verdict,
    /// Results in a row that led to it.
    pub after: u32,
}

/// The state of one watched server.
#[derive(Clone, Debug)]
pub struct Watcher {
    verdict: Verdict,
    run: Run,
}

/// Results of one kind in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    passed: bool,
    length: u32,
    since: Instant,
}

impl Watcher {
    /// Begins with what was last known about the server.
    pub fn new(verdict: Verdict, now: Instant) -> Self {
        Self { verdict, run: Run { passed: false, length: 0, since: now } }
    }

    /// What is known now.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Takes in one result and tells whether the verdict changed.
    ///
    /// The first result about an unknown server decides at once: a good one brings it in, because
    /// a director that starts should serve soon; a bad one leaves it out, because it never was in.
    pub fn record(&mut self, passed: bool, now: Instant, rules: &Rules) -> Option<Change> {
        if self.run.length == 0 || self.run.passed != passed {
            self.run = Run { passed, length: 0, since: now };
        }
        self.run.length = self.run.length.saturating_add(1);
        let verdict = match (self.verdict, passed) {
            (Verdict::Unknown, true) => Verdict::Up,
            (Verdict::Unknown, false) => Verdict::Down,
            (Verdict::Up, false) if self.run.length >= rules.fall => Verdict::Down,
            (Verdict::Down, true) if self.may_return(now, rules) => Verdict::Up,
            (same, _) => same,
        };
        if verdict == self.verdict {
            return None;
        }
        self.verdict = verdict;
        Some(Change { verdict, after: self.run.length })
    }

    /// How soon the server is to be asked again, when that is not after the interval: it failed, and
    /// is not out yet.
    pub fn retry(&self, rules: &Rules) -> Option<Duration> {
        let in_doubt = self.verdict == Verdict::Up && self.run.length > 0 && !self.run.passed;
        rules.retry.filter(|_| in_doubt)
    }

    fn may_return(&self, now: Instant, rules: &Rules) -> bool {
        self.run.length >= rules.rise
            && now.saturating_duration_since(self.run.since) >= rules.reentry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::clock::origin;
    use proptest::prelude::*;

    const RULES: Rules = Rules { fall: 3, rise: 2, reentry: Duration::ZERO, retry: None };

    /// Feeds one result a second and tells the verdict after each.
    fn verdicts(start: Verdict, rules: &Rules, results: &[bool]) -> Vec<Verdict> {
        let origin = origin();
        let mut watcher = Watcher::new(start, origin);
        let mut now = origin;
        results
            .iter()
            .map(|passed| {
                now += Duration::from_secs(1);
                watcher.record(*passed, now, rules);
                watcher.verdict()
            })
            .collect()
    }

    use Verdict::{Down, Unknown, Up};

    #[test]
    fn the_first_result_decides_about_an_unknown_server() {
        assert_eq!(verdicts(Unknown, &RULES, &[true]), [Up]);
        assert_eq!(verdicts(Unknown, &RULES, &[false]), [Down]);
    }

    #[test]
    fn a_server_leaves_after_fall_failures_in_a_row() {
        assert_eq!(
            verdicts(Up, &RULES, &[false, false, true, false, false, false]),
            [Up, Up, Up, Up, Up, Down]
        );
    }

    #[test]
    fn a_server_returns_after_rise_successes_in_a_row() {
        assert_eq!(verdicts(Down, &RULES, &[true, false, true, true]), [Down, Down, Down, Up]);
    }

    #[test]
    fn a_returning_server_must_have_been_well_for_the_reentry_time() {
        let rules = Rules { reentry: Duration::from_secs(3), ..RULES };
        assert_eq!(
            verdicts(Down, &rules, &[true, true, false, true, true, true, true]),
            [Down, Down, Down, Down, Down, Down, Up]
        );
    }

    #[test]
    fn a_change_tells_how_many_results_led_to_it() {
        let now = origin();
        let mut watcher = Watcher::new(Up, now);
        assert_eq!(watcher.record(false, now, &RULES), None);
        assert_eq!(watcher.record(false, now, &RULES), None);
        assert_eq!(watcher.record(false, now, &RULES), Some(Change { verdict: Down, after: 3 }));
        assert_eq!(watcher.record(false, now, &RULES), None);
    }

    #[test]
    fn zero_counts_as_one() {
        let rules = Rules { fall: 0, rise: 0, ..RULES };
        assert_eq!(verdicts(Up, &rules, &[false, true]), [Down, Up]);
    }

    #[test]
    fn only_a_server_that_failed_and_is_not_out_yet_is_asked_again_soon() {
        let soon = Some(Duration::from_millis(500));
        let rules = Rules { retry: soon, ..RULES };
        let now = origin();
        let mut watcher = Watcher::new(Up, now);
        assert_eq!(watcher.retry(&rules), None);
        let mut after = |passed| {
            watcher.record(passed, now, &rules);
            watcher.retry(&rules)
        };
        let results = [true, false, false, true, false, false, false, false, true, false];
        let told: Vec<_> = results.into_iter().map(&mut after).collect();
        assert_eq!(told, [None, soon, soon, None, soon, soon, None, None, None, None]);
        assert_eq!(Watcher::new(Unknown, now).retry(&rules), None);
    }

    proptest! {
        #[test]
        fn fewer_failures_in_a_row_than_fall_never_take_a_server_out(
            runs in proptest::collection::vec((0_usize..3, 1_usize..5), 1..20)
        ) {
            let results: Vec<bool> = runs
                .iter()
                .flat_map(|(bad, good)| {
                    std::iter::repeat_n(false, *bad).chain(std::iter::repeat_n(true, *good))
                })
                .collect();
            prop_assert!(verdicts(Up, &RULES, &results).iter().all(|verdict| *verdict == Up));
        }
    }
}
