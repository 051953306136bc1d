//! A kernel that cannot be asked: what holds until it can be again.

use std::collections::BTreeSet;
use std::time::Instant;

use runtime::journal::{EventKind, Level};

use super::{AUDIT_INTERVAL, Core, Entry, Now};

/// So many reasons are told; more than there are but for a kernel gone wild.
const REASONS_TOLD: usize = 8;

/// Since when, and why.
#[derive(Debug)]
pub(super) struct Unread {
    since: Instant,
    /// Each is told once.
    told: BTreeSet<String>,
    /// Not before this is it asked again.
    pub(super) again_at: Instant,
}

impl Core {
    /// The kernel could not be asked at all; it is asked again after a pause, whoever wants to know.
    pub fn kernel_failed(&mut self, reason: &str, now: Now) {
        self.busy = false;
        self.look_now = false;
        self.untried = false;
        self.looked_at = now.instant;
        let again_at = now.instant + AUDIT_INTERVAL;
        let first = Unread { since: now.instant, told: BTreeSet::new(), again_at };
        let unread = self.unread.get_or_insert(first);
        unread.again_at = again_at;
        if unread.told.len() < REASONS_TOLD && unread.told.insert(reason.to_owned()) {
            let sentence = "kernel cannot be asked, it is tried again";
            let entry = Entry::new(EventKind::Kernel, Level::Error, sentence);
            self.entries.push(entry.with("reason", reason));
        }
    }

    /// The kernel's table was read.
    pub(super) fn kernel_read(&mut self, now: Now) {
        let Some(unread) = self.unread.take() else { return };
        let seconds = now.instant.saturating_duration_since(unread.since).as_secs();
        let entry = Entry::new(EventKind::Kernel, Level::Info, "kernel can be asked again");
        self.entries.push(entry.with("after_seconds", seconds));
    }

    /// A look that is wanted has to wait, as the last one failed a moment ago.
    pub(super) fn look_waits(&self, now: Now) -> bool {
        self.unread.as_ref().is_some_and(|unread| now.instant < unread.again_at)
    }
}
