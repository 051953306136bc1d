//! What the table of scenarios is made of.

use crate::{Outcome, Run};
use std::time::Duration;

/// When a scenario runs without being named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// In every `cargo xtask test`.
    Test,
    /// In `cargo xtask bench`: it compares speeds, and takes its time.
    Bench,
    /// Only when it is named.
    Named,
}

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it promises, in one line.
    pub promise: &'static str,
    /// When it runs.
    pub set: Set,
    /// Debian packages that it needs besides the lab's own.
    pub packages: &'static [&'static str],
    /// The time after which it is ended and counts as failed.
    pub limit: Duration,
    /// The scenario itself. It returns an error when a promise is broken.
    pub run: fn(&mut Run) -> Outcome,
}

impl Scenario {
    /// A scenario of every test run, with two minutes to its end.
    pub const fn test(
        name: &'static str,
        promise: &'static str,
        run: fn(&mut Run) -> Outcome,
    ) -> Self {
        let limit = Duration::from_secs(120);
        Self { name, promise, set: Set::Test, packages: &[], limit, run }
    }

    /// A scenario of the bench, with ten minutes to its end.
    pub const fn bench(
        name: &'static str,
        promise: &'static str,
        run: fn(&mut Run) -> Outcome,
    ) -> Self {
        let limit = Duration::from_secs(600);
        Self { name, promise, set: Set::Bench, packages: &[], limit, run }
    }

    /// The same, run only when it is named.
    #[must_use]
    pub const fn only_named(mut self) -> Self {
        self.set = Set::Named;
        self
    }

    /// The same, with Debian packages to compare with.
    #[must_use]
    pub const fn needs(mut self, packages: &'static [&'static str]) -> Self {
        self.packages = packages;
        self
    }

    /// The same, with another limit.
    #[must_use]
    pub const fn within_seconds(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }
}
