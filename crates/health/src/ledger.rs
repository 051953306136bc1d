//! The operator's decisions as both routers of a pair keep them.
//!
//! For each thing that can be decided there is one item, and of two the one with the greater stamp
//! holds: [`Ledger::merge`] is commutative, associative and idempotent, so letters may come late,
//! twice or in any order. That a drain has ended is part of its item, and once it has it stays so. What
//! is taken back stays as an item without a ruling, so that a partner
//! that was off does not bring the decision back. An old one of those is forgotten once the partner
//! holds the same decisions as we do: it has nothing left that could come back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Decided, Decisions, Drain, Note};

#[cfg(test)]
mod tests;

/// A decision that was taken back is remembered for this long at least.
pub const REMEMBERED: Duration = Duration::from_secs(3600);

/// Stamps above this are no stamps: time would have to pass for a hundred million years.
const LAST_STAMP: u64 = 1 << 62;

/// What is decided about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The virtual server.
    pub service: String,
    /// The real server, by its [label](crate::wanted::label).
    pub server: String,
    /// What about it.
    pub aspect: Aspect,
}

/// What can be decided about one real server, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Whether it is drained.
    Drain,
    /// Whether it is disabled.
    Disable,
    /// Which weight it has.
    Weight,
}

/// When something was decided, in an order that both routers agree on.
///
/// It follows the clock where it can, so that the later of two decisions holds that were made
/// without knowing of each other, and is greater than every stamp seen before, so that no clock
/// can put a decision before the one that it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since the Unix epoch on the router that decided, or more.
    pub at: u64,
    /// The router that decided.
    pub router: String,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is drained.
    Drain(Drain),
    /// It is disabled.
    Disabled(Note),
    /// It has this weight.
    Weight(u32, Note),
}

/// The newest decision about a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// When it was decided.
    pub stamp: Stamp,
    /// The same on this machine's own clock, that counts from its start.
    pub since: Duration,
    /// What was decided; none takes back what was decided before.
    pub ruling: Option<Ruling>,
}

/// All items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    items: Vec<(Subject, Item)>,
    /// The greatest stamp that was ever seen.
    newest: u64,
}

impl Ruling {
    /// Who, why, since when.
    pub fn note(&self) -> &Note {
        match self {
            Self::Drain(drain) => &drain.note,
            Self::Disabled(note) | Self::Weight(_, note) => note,
        }
    }

    fn aspect(&self) -> Aspect {
        match self {
            Self::Drain(_) => Aspect::Drain,
            Self::Disabled(_) => Aspect::Disable,
            Self::Weight(..) => Aspect::Weight,
        }
    }
}

impl Item {
    /// It is a drain whose work is done.
    fn is_ended(&self) -> bool {
        matches!(&self.ruling, Some(Ruling::Drain(drain)) if drain.done)
    }

    /// It says nothing any more but that something was taken back, and that long ago.
    fn is_old(&self, now: Duration) -> bool {
        self.ruling.is_none() && now.saturating_sub(self.since) >= REMEMBERED
    }
}

impl Ledger {
    /// A decision made here, after everything that is known here.
    pub fn decide(
        &mut self,
        subject: Subject,
        ruling: Option<Ruling>,
        router: &str,
        now: Duration,
        unix_ms: u64,
    ) {
        let at = unix_ms.min(LAST_STAMP).max(self.newest.saturating_add(1));
        let stamp = Stamp { at, router: router.to_owned() };
        self.merge(subject, Item { stamp, since: now, ruling });
    }

    /// The work of a drain is done. That is no decision but the end of one, and so it has no stamp of
    /// its own: whatever an operator said elsewhere meanwhile holds. Whether it goes on until now.
    pub fn end_drain(&mut self, subject: &Subject) -> bool {
        let Ok(place) = self.place(subject) else { return false };
        match self.items.get_mut(place).map(|(_, item)| &mut item.ruling) {
            Some(Some(Ruling::Drain(drain))) => !std::mem::replace(&mut drain.done, true),
            _ => false,
        }
    }

    /// Takes an item over if it is newer than what is known, or is the same drain, ended. Whether
    /// anything changed.
    pub fn merge(&mut self, subject: Subject, item: Item) -> bool {
        let fits = item.ruling.as_ref().is_none_or(|ruling| ruling.aspect() == subject.aspect);
        if !fits || item.stamp.at > LAST_STAMP {
            return false;
        }
        self.newest = self.newest.max(item.stamp.at);
        match self.place(&subject) {
            Ok(place) => match self.items.get_mut(place) {
                Some((_, known)) if known.stamp < item.stamp => {
                    *known = item;
                    true
                }
                Some((_, known)) if known.stamp == item.stamp && item.is_ended() => {
                    self.end_drain(&subject)
                }
                _ => false,
            },
            Err(place) => {
                self.items.insert(place, (subject, item));
                true
            }
        }
    }

    /// Removes an item without a trace, for a director that has no partner.
    pub fn remove(&mut self, subject: &Subject) {
        if let Ok(place) = self.place(subject) {
            self.items.remove(place);
        }
    }

    /// The newest item about a subject.
    pub fn get(&self, subject: &Subject) -> Option<&Item> {
        self.place(subject).ok().and_then(|place| self.items.get(place)).map(|(_, item)| item)
    }

    /// All items, in the order of their subjects.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Item)> {
        self.items.iter().map(|(subject, item)| (subject, item))
    }

    /// The items that come after a subject, or all of them.
    pub fn after(&self, subject: Option<&Subject>) -> impl Iterator<Item = (&Subject, &Item)> {
        let from = subject.map_or(0, |subject| match self.place(subject) {
            Ok(place) => place + 1,
            Err(place) => place,
        });
        self.items.iter().skip(from).map(|(subject, item)| (subject, item))
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Nothing was ever decided.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What is in force.
    pub fn decisions(&self) -> Decisions {
        let mut decisions = Decisions::default();
        for (subject, item) in self.iter() {
            if let Some(ruling) = &item.ruling {
                let ruling = ruling.clone();
                decisions.change(&subject.service, &subject.server, |known| put(known, ruling));
            }
        }
        decisions
    }

    /// What is in force about one real server.
    pub fn decided(&self, service: &str, server: &str) -> Decided {
        let mut decided = Decided::default();
        for aspect in [Aspect::Drain, Aspect::Disable, Aspect::Weight] {
            let (service, server) = (service.to_owned(), server.to_owned());
            let item = self.get(&Subject { service, server, aspect });
            if let Some(ruling) = item.and_then(|item| item.ruling.clone()) {
                put(&mut decided, ruling);
            }
        }
        decided
    }

    /// Two routers with the same digest hold the same decisions, but for old ones that were taken
    /// back (FNV-1a over subjects and stamps; it guards against nothing but chance).
    pub fn digest(&self, now: Duration) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes.iter().chain(&[0xff]) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for (subject, item) in self.iter().filter(|(_, item)| !item.is_old(now)) {
            add(subject.service.as_bytes());
            add(subject.server.as_bytes());
            let ruled = u8::from(item.ruling.is_some()) + u8::from(item.is_ended());
            add(&[subject.aspect as u8, ruled]);
            add(&item.stamp.at.to_be_bytes());
            add(item.stamp.router.as_bytes());
        }
        hash
    }

    /// Forgets what was taken back long ago. Only when the partner has just shown the same
    /// [digest](Self::digest), or there is none. Whether anything was forgotten.
    pub fn forget_old(&mut self, now: Duration) -> bool {
        let before = self.items.len();
        self.items.retain(|(_, item)| !item.is_old(now));
        self.items.len() != before
    }

    fn place(&self, subject: &Subject) -> Result<usize, usize> {
        self.items.binary_search_by(|(known, _)| known.cmp(subject))
    }
}

/// Decisions of a version that kept them for itself alone: any later one goes before them.
impl From<Decisions> for Ledger {
    fn from(decisions: Decisions) -> Self {
        let mut ledger = Self::default();
        for (service, server, decided) in decisions.iter() {
            let drain = decided.drain.clone().map(Ruling::Drain);
            let disabled = decided.disabled.clone().map(Ruling::Disabled);
            let weight = decided.weight.clone().map(|(weight, note)| Ruling::Weight(weight, note));
            for ruling in [drain, disabled, weight].into_iter().flatten() {
                let (service, server) = (service.to_owned(), server.to_owned());
                let subject = Subject { service, server, aspect: ruling.aspect() };
                let stamp = Stamp { at: ruling.note().since_unix_ms, router: String::new() };
                let since = Duration::ZERO;
                ledger.merge(subject, Item { stamp, since, ruling: Some(ruling) });
            }
        }
        ledger
    }
}

fn put(decided: &mut Decided, ruling: Ruling) {
    match ruling {
        Ruling::Drain(drain) => decided.drain = Some(drain),
        Ruling::Disabled(note) => decided.disabled = Some(note),
        Ruling::Weight(weight, note) => decided.weight = Some((weight, note)),
    }
}
