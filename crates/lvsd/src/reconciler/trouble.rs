//! Steps that the kernel refuses.

use std::time::{Duration, Instant};

use ipvs::{ServiceKey, Step};

/// After the first refusal.
pub(super) const FIRST_DELAY: Duration = Duration::from_secs(1);

/// After many.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Error numbers that say that the table is not as believed (`errno-base.h`).
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;

/// Why the kernel refused a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error number.
    pub errno: i32,
    /// In words.
    pub text: String,
}

/// What is worth telling a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The kernel refused a step; it is tried again, and told again only for another reason.
    Refused {
        /// The step.
        step: Step,
        /// Why.
        reason: String,
    },
    /// A step that was refused before has been done.
    Mended {
        /// The step.
        step: Step,
    },
    /// Somebody else changed a service of ours; it is being mended.
    Drift {
        /// The service.
        service: ServiceKey,
    },
}

/// A target whose step was refused.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// Why, in words.
    pub(super) reason: String,
    /// Told to a person.
    pub(super) reported: bool,
    /// Not before this.
    pub(super) retry_at: Instant,
    tries: u32,
}

impl Trouble {
    pub(super) fn new(now: Instant) -> Self {
        Self { reason: String::new(), reported: false, retry_at: now, tries: 0 }
    }

    /// It was refused (again). Returns whether to tell a person.
    ///
    /// "Exists already" and "no such" mean at first only that somebody changed the table: it is
    /// read again, and most often there is nothing left to do.
    pub(super) fn again(&mut self, step: &Step, refusal: &Refusal, now: Instant) -> bool {
        let surprise = match step {
            Step::AddService(..) | Step::EditService(..) => refusal.errno == EEXIST,
            _ => true,
        } && matches!(refusal.errno, ENOENT | ESRCH | EEXIST);
        let first = self.tries == 0;
        self.retry_at = if surprise && first { now } else { now + super::delay(self.tries) };
        self.tries = self.tries.saturating_add(1);
        let news = refusal.text != self.reason || !self.reported;
        self.reason.clone_from(&refusal.text);
        let tell = news && !(surprise && first);
        self.reported |= tell;
        tell
    }
}
