//! The operator's decisions on the way to the partner's lvsd, and from there.
//!
//! What is decided here goes out at once. Each second both tell the digest of all that they know;
//! while the digests differ each sends everything it has, a few letters at a time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use control::letter::{Entry as Line, Letter, MAX_LETTER, Told, What};
use health::ledger::Stamp;
use health::{Drain, Item, Note, Ruling, Subject};
use runtime::journal::{EventKind, Level};

use super::operator::{MAX_DECISIONS, MAX_WEIGHT, ruling_in_words};
use super::{Core, Entry, Now};

/// Between two digests while the two routers agree.
const CALM: Duration = Duration::from_secs(1);

/// Between two bundles of letters.
const PAUSE: Duration = Duration::from_millis(250);

/// Letters in one bundle.
const BUNDLE: usize = 5;

/// The exchange with the partner.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// This router's name, as soon as pulse carries letters.
    router: Option<String>,
    /// Decided here and not sent yet.
    fresh: BTreeSet<Subject>,
    /// The partner's newest digest was another one than ours.
    differs: bool,
    /// The last item that was sent of all those to send.
    sent_up_to: Option<Subject>,
    /// When the next digest is due.
    next: Option<Instant>,
    /// What is fresh waits for this, after a bundle.
    not_before: Option<Instant>,
    /// Letters that could not be understood: told once.
    told: bool,
}

impl Core {
    /// pulse carries letters to the partner of this router.
    pub fn has_partner(&mut self, router: String) {
        self.exchange.router = Some(router);
    }

    /// The name of this router, when it has a partner.
    pub(super) fn router(&self) -> Option<&str> {
        self.exchange.router.as_deref()
    }

    /// Something was decided here: the partner is to know at once.
    pub(super) fn tell_partner(&mut self, subject: Subject) {
        if self.exchange.router.is_some() {
            self.exchange.fresh.insert(subject);
        }
    }

    /// When the next letters are due.
    pub(super) fn letters_due(&self) -> Option<Instant> {
        let Exchange { router, fresh, next, not_before, .. } = &self.exchange;
        let due = if fresh.is_empty() { next } else { not_before };
        router.is_some().then_some(*due).flatten()
    }

    /// Letters to the partner that are due now.
    pub fn letters(&mut self, now: Now) -> Vec<String> {
        let waits = self.letters_due().is_some_and(|due| now.instant < due);
        if self.exchange.router.is_none() || waits {
            return Vec::new();
        }
        let digest = self.ledger.digest(now.boot);
        let mut letters = Vec::new();
        while letters.len() < BUNDLE {
            let Some(letter) = self.next_letter(digest, now) else { break };
            letters.push(letter);
        }
        let pause = if letters.is_empty() { Duration::ZERO } else { PAUSE };
        if letters.is_empty() {
            letters.extend(write(&Letter { digest, entries: Vec::new() }));
        }
        let exchange = &mut self.exchange;
        let busy = exchange.differs;
        exchange.not_before = Some(now.instant + pause);
        exchange.next = Some(now.instant + if busy { PAUSE } else { CALM });
        letters
    }

    /// The next letter with as many lines as it holds; none when everything is sent.
    fn next_letter(&mut self, digest: u64, now: Now) -> Option<String> {
        let mut letter = Letter { digest, entries: Vec::new() };
        let mut text = None;
        while let Some(subject) = self.next_subject() {
            if let Some(item) = self.ledger.get(&subject) {
                letter.entries.push(line(&subject, item, now));
                match write(&letter) {
                    Some(longer) => text = Some(longer),
                    None if letter.entries.len() > 1 => return text,
                    // A line too long for any letter is refused when it is decided.
                    None => letter.entries.clear(),
                }
            }
            self.is_sent(subject);
        }
        text
    }

    fn next_subject(&self) -> Option<Subject> {
        if let Some(fresh) = self.exchange.fresh.first() {
            return Some(fresh.clone());
        }
        let rest = self.exchange.differs.then(|| {
            self.ledger.after(self.exchange.sent_up_to.as_ref()).next().map(|(subject, _)| subject)
        });
        rest.flatten().cloned()
    }

    fn is_sent(&mut self, subject: Subject) {
        if self.exchange.fresh.remove(&subject) {
            return;
        }
        let last = self.ledger.after(Some(&subject)).next().is_none();
        // All is sent: the partner's next digest says whether it was enough.
        self.exchange.differs &= !last;
        self.exchange.sent_up_to = if last { None } else { Some(subject) };
    }

    /// A letter of the partner has come.
    pub fn letter_came(&mut self, text: &str, now: Now) {
        let Ok(letter) = serde_json::from_str::<Letter>(text) else {
            if !std::mem::replace(&mut self.exchange.told, true) {
                let sentence = "decisions of the partner cannot be understood";
                self.entries.push(Entry::new(EventKind::Operator, Level::Warn, sentence));
            }
            return;
        };
        for line in letter.entries {
            self.line_came(line, now);
        }
        let differs = letter.digest != self.ledger.digest(now.boot);
        if !differs {
            self.decisions_changed |= self.ledger.forget_old(now.boot);
            self.exchange.sent_up_to = None;
        } else if !self.exchange.differs {
            let soon = now.instant + PAUSE;
            self.exchange.next = self.exchange.next.map(|next| next.min(soon));
        }
        self.exchange.differs = differs;
    }

    fn line_came(&mut self, line: Line, now: Now) {
        let known = self.ledger.len() < MAX_DECISIONS;
        let Some((subject, item)) = read(line, now).filter(|_| known) else { return };
        let before = self.ledger.get(&subject).and_then(|item| item.ruling.clone());
        let ruling = item.ruling.clone();
        if !self.ledger.merge(subject.clone(), item) {
            return;
        }
        self.look_now |= matches!(ruling, Some(Ruling::Drain(_)));
        self.decided(&subject);
        let told = |ruling: &Option<Ruling>| ruling.as_ref().map(ruling_in_words);
        if told(&before) == told(&ruling) {
            return;
        }
        let words = ruling
            .as_ref()
            .map_or_else(|| format!("{} taken back", aspect_in_words(&subject)), ruling_in_words);
        let note = ruling.as_ref().map(Ruling::note);
        let entry = Entry::new(EventKind::Operator, Level::Info, "operator decided on the partner")
            .with("decision", words)
            .with("service", &subject.service)
            .with("server", &subject.server)
            .with_some("who", note.and_then(|note| note.who.as_ref()))
            .with_some("reason", note.and_then(|note| note.reason.as_ref()));
        self.entries.push(entry);
    }
}

fn aspect_in_words(subject: &Subject) -> &'static str {
    match subject.aspect {
        health::ledger::Aspect::Drain => "drain",
        health::ledger::Aspect::Disable => "disable",
        health::ledger::Aspect::Weight => "weight",
    }
}

/// Whether a decision is short enough to be told to the partner; if not, by how many bytes.
pub(super) fn too_long(subject: &Subject, item: &Item, now: Now) -> Option<usize> {
    let letter = Letter { digest: u64::MAX, entries: vec![line(subject, item, now)] };
    let length = serde_json::to_string(&letter).map_or(usize::MAX, |text| text.len());
    // Spans grow by some digits with time.
    length.checked_sub(MAX_LETTER - 40).filter(|over| *over > 0)
}

/// The letter as text, unless it is too long.
fn write(letter: &Letter) -> Option<String> {
    serde_json::to_string(letter).ok().filter(|text| text.len() <= MAX_LETTER)
}

fn line(subject: &Subject, item: &Item, now: Now) -> Line {
    Line {
        service: subject.service.clone(),
        server: subject.server.clone(),
        aspect: subject.aspect,
        at: item.stamp.at,
        router: item.stamp.router.clone(),
        age_ms: millis(now.boot.saturating_sub(item.since)),
        ruling: item.ruling.as_ref().map(|ruling| {
            let note = ruling.note();
            Told {
                what: match ruling {
                    Ruling::Drain(drain) => What::Drain {
                        left_ms: drain.deadline.map(|at| millis(at.saturating_sub(now.boot))),
                        done: drain.done,
                    },
                    Ruling::Disabled(_) => What::Disabled,
                    Ruling::Weight(weight, _) => What::Weight { weight: *weight },
                },
                who: note.who.clone(),
                reason: note.reason.clone(),
                on: note.router.clone(),
                since_ms: now.unix_ms.saturating_sub(note.since_unix_ms),
            }
        }),
    }
}

fn read(line: Line, now: Now) -> Option<(Subject, Item)> {
    let since = now.boot.saturating_sub(Duration::from_millis(line.age_ms));
    let ruling = line.ruling.map(|told| ruling(told, now));
    let allowed = !matches!(ruling, Some(Ruling::Weight(weight, _)) if weight > MAX_WEIGHT);
    let stamp = Stamp { at: line.at, router: line.router };
    let subject = Subject { service: line.service, server: line.server, aspect: line.aspect };
    allowed.then_some((subject, Item { stamp, since, ruling }))
}

fn ruling(told: Told, now: Now) -> Ruling {
    let note = Note {
        who: told.who,
        reason: told.reason,
        router: told.on,
        since_unix_ms: now.unix_ms.saturating_sub(told.since_ms),
    };
    match told.what {
        What::Drain { left_ms, done } => {
            let deadline = left_ms.map(|left| now.boot.saturating_add(Duration::from_millis(left)));
            Ruling::Drain(Drain { note, deadline, done })
        }
        What::Disabled => Ruling::Disabled(note),
        What::Weight { weight } => Ruling::Weight(weight, note),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
