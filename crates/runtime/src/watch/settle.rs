//! When an edit is over. The clock is an argument.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use tokio::time::Instant;

/// So long must nothing happen.
const QUIET: Duration = Duration::from_millis(100);

/// So long is waited at most, for somebody who goes on writing or never closes.
const LIMIT: Duration = Duration::from_secs(2);

/// The edit that goes on.
#[derive(Debug, Default)]
pub(super) struct Settle {
    /// Its first and its newest event.
    span: Option<(Instant, Instant)>,
    /// Files that are open for writing, as far as we know.
    open: BTreeSet<OsString>,
}

impl Settle {
    /// Somebody writes to the file and has not closed it.
    pub(super) fn writing(&mut self, file: OsString, now: Instant) {
        self.open.insert(file);
        self.touch(now);
    }

    /// The file was closed, moved, removed, or its permissions changed: it is whole.
    pub(super) fn changed(&mut self, file: &OsStr, now: Instant) {
        self.open.remove(file);
        self.touch(now);
    }

    /// When the edit is taken to be over; none when there is no edit.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, newest) = self.span?;
        let latest = first + LIMIT;
        Some(if self.open.is_empty() { latest.min(newest + QUIET) } else { latest })
    }

    fn touch(&mut self, now: Instant) {
        let first = self.span.map_or(now, |(first, _)| first);
        self.span = Some((first, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn nothing_is_due_before_an_edit() {
        assert_eq!(Settle::default().due(), None);
    }

    #[test]
    fn an_edit_is_over_when_nothing_more_happens() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        settle.changed(OsStr::new("a"), start);
        assert_eq!(settle.due(), Some(start + QUIET));
        settle.changed(OsStr::new("b"), start + ms(60));
        assert_eq!(settle.due(), Some(start + ms(60) + QUIET));
    }

    #[test]
    fn a_file_that_is_half_written_is_waited_for() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        settle.writing("a".into(), start);
        assert_eq!(settle.due(), Some(start + LIMIT));
        settle.changed(OsStr::new("b"), start + ms(10));
        assert_eq!(settle.due(), Some(start + LIMIT), "another file does not end it");
        settle.changed(OsStr::new("a"), start + ms(700));
        assert_eq!(settle.due(), Some(start + ms(700) + QUIET));
    }

    #[test]
    fn somebody_who_never_stops_is_not_waited_for() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        for step in 0..100 {
            settle.changed(OsStr::new("a"), start + ms(step * 50));
        }
        assert_eq!(settle.due(), Some(start + LIMIT));
    }
}
