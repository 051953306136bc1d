//! Real servers that have returned of late: their weights rise step by step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use control::nanny::WatchId;
use health::{Probe, Verdict, weight::until_next_step};

use super::{Core, Now};

/// The checks that failed and pass again, each since when. Nothing of it is remembered: after a
/// restart who is up has its whole weight.
#[derive(Debug, Default)]
pub(super) struct Rising {
    since: BTreeMap<WatchId, Instant>,
    /// The moment that weights go by.
    now: Option<Instant>,
    /// When the next step of one is due.
    next: Option<Instant>,
}

impl Rising {
    /// A verdict has changed.
    pub(super) fn judged(&mut self, id: WatchId, before: Verdict, verdict: Verdict, now: Instant) {
        if before == Verdict::Down && verdict == Verdict::Up {
            self.since.insert(id, now);
            self.next = Some(now);
        } else if verdict != Verdict::Up {
            self.since.remove(&id);
        }
    }

    /// When [`Core::rise`] has something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn up_for(&self, id: WatchId) -> Option<Duration> {
        let since = self.since.get(&id)?;
        Some(self.now.map_or(Duration::ZERO, |now| now.saturating_duration_since(*since)))
    }
}

impl Core {
    /// For how long a check that failed has passed again.
    pub(super) fn risen(&self, probe: &Probe) -> Option<Duration> {
        self.rising.up_for(self.watches.id(probe)?)
    }

    /// Takes the steps that are due, and forgets who has its whole weight.
    pub(super) fn rise(&mut self, now: Now) {
        let now = now.instant;
        if self.rising.next.is_none_or(|next| next > now) {
            return;
        }
        self.rising.now = Some(now);
        let mut next: Option<Instant> = None;
        let (watches, services) = (&self.watches, &self.cluster.services);
        let stale = &mut self.stale;
        self.rising.since.retain(|id, since| {
            let up_for = now.saturating_duration_since(*since);
            let users = watches.get(*id).map_or(&[][..], |watched| &watched.users);
            let mut goes_on = false;
            for user in users {
                let over = services.get(*user).and_then(|service| service.slow_start);
                let Some(over) = over else { continue };
                stale.insert(*user);
                if let Some(wait) = until_next_step(up_for, over) {
                    goes_on = true;
                    next = Some(next.map_or(now + wait, |next| next.min(now + wait)));
                }
            }
            goes_on
        });
        self.rising.next = next;
    }
}
