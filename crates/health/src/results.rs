//! The last results of one watch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Results that are kept of one watch.
pub const KEPT: usize = 100;

/// One result of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Milliseconds since the Unix epoch, for people; no decision reads it.
    pub at_unix_ms: u64,
    /// Did it pass?
    pub passed: bool,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, or what was seen.
    pub reason: String,
}

/// A ring of the last [`KEPT`] results, small enough to have ten thousand of them.
#[derive(Clone, Debug, Default)]
pub struct Results {
    ring: VecDeque<Entry>,
}

/// One result; neighbours with the same reason share its text.
#[derive(Clone, Debug)]
struct Entry {
    at_unix_ms: u64,
    took_us: u32,
    passed: bool,
    reason: Arc<str>,
}

impl Results {
    /// Keeps one result, forgetting the oldest one when there are too many.
    ///
    /// `at_unix_ms` is for people. A time above 71 minutes is kept as 71 minutes.
    pub fn record(&mut self, at_unix_ms: u64, passed: bool, took: Duration, reason: &str) {
        let reason = match self.ring.back() {
            Some(last) if *last.reason == *reason => Arc::clone(&last.reason),
            _ => Arc::from(reason),
        };
        while self.ring.len() >= KEPT {
            self.ring.pop_front();
        }
        let took_us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.ring.push_back(Entry { at_unix_ms, took_us, passed, reason });
    }

    /// The results, the newest last.
    pub fn all(&self) -> Vec<ProbeResult> {
        self.ring
            .iter()
            .map(|entry| ProbeResult {
                at_unix_ms: entry.at_unix_ms,
                passed: entry.passed,
                took: Duration::from_micros(u64::from(entry.took_us)),
                reason: entry.reason.to_string(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hundred_results_are_kept_the_newest_last() {
        let mut results = Results::default();
        for at in 0..250 {
            results.record(at, at % 2 == 0, Duration::from_micros(at), "connection refused");
        }
        let all = results.all();
        assert_eq!(all.len(), KEPT);
        assert_eq!(all[0].at_unix_ms, 150);
        assert_eq!(all[99].at_unix_ms, 249);
        assert_eq!(all[99].took, Duration::from_micros(249));
        assert!(!all[99].passed);
        assert_eq!(all[99].reason, "connection refused");
    }

    #[test]
    fn equal_reasons_in_a_row_share_their_text() {
        let mut results = Results::default();
        results.record(1, false, Duration::ZERO, "a");
        results.record(2, false, Duration::ZERO, "a");
        results.record(3, false, Duration::ZERO, "b");
        assert!(Arc::ptr_eq(&results.ring[0].reason, &results.ring[1].reason));
        assert_eq!(&*results.ring[2].reason, "b");
    }
}
