//! Switching the partner off before its groups are taken, so that it cannot hold them any more.
//!
//! It is the last gate: nothing is fenced that would not be taken over at this moment.

use std::time::Duration;

use crate::moment::Moment;
use crate::question::{Question, QuestionId};

/// Time between a fencing that failed and the next one.
pub const FENCE_PAUSE: Duration = Duration::from_secs(5);
/// How long an answer is waited for beyond the program's own limit.
const GRACE: Duration = Duration::from_secs(5);

/// The rule for fencing, when it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FenceSetup {
    /// The program is killed after this long.
    pub limit: Duration,
    /// How much longer the router with the higher id waits when both may fence each other.
    pub delay: Duration,
    /// Whether the groups are taken although the partner could not be switched off.
    pub take_over_on_failure: bool,
}

/// How far fencing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fencing {
    /// Nothing wants it.
    #[default]
    NotNeeded,
    /// It is wanted, and waits or runs.
    Pending,
    /// It failed, and is tried again.
    Failed,
    /// The partner is switched off.
    Done,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    question: Question,
    wanted_since: Option<Moment>,
}

impl Fence {
    /// The partner is heard, or we were away: it may be on by now.
    pub(crate) fn forget(&mut self) {
        self.question.forget();
        self.wanted_since = None;
    }

    /// Nothing wants it now. What was done stays done.
    pub(crate) fn rest(&mut self) {
        self.wanted_since = None;
    }

    pub(crate) fn state(&self) -> Fencing {
        match self.question.answer() {
            Some(true) => Fencing::Done,
            Some(false) => Fencing::Failed,
            None if self.wanted_since.is_some() => Fencing::Pending,
            None => Fencing::NotNeeded,
        }
    }

    pub(crate) fn awaits(&self, id: QuestionId) -> bool {
        self.question.awaits(id)
    }

    /// Takes an answer; whether it is news.
    pub(crate) fn answered(&mut self, id: QuestionId, fenced: bool) -> bool {
        self.question.answered(id, fenced)
    }

    /// A group would be taken but for this: asks once the delay is over, and again after a failure.
    /// An answer that never came is one; `true` when that is news.
    pub(crate) fn want(
        &mut self,
        rule: &FenceSetup,
        delay: Duration,
        now: Moment,
    ) -> (Option<QuestionId>, bool) {
        let since = *self.wanted_since.get_or_insert(now);
        if self.question.answer() == Some(true) || now.since(since) < delay {
            return (None, false);
        }
        let patience = rule.limit + GRACE;
        let overdue = self.question.overdue(now, patience);
        let news = overdue.is_some_and(|id| self.answered(id, false));
        // One that runs is waited for; one that failed is tried again after a while.
        let pause = if self.question.is_waiting() { patience } else { FENCE_PAUSE };
        (self.question.ask(now, pause), news)
    }
}
