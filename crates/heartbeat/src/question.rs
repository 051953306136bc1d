//! A question to the outside that is asked again and again, and whose answers may come late.

use std::time::Duration;

use crate::moment::Moment;

/// Which asking of a question an answer is for. Answers to other askings count for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// A question and what was last answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    id: QuestionId,
    asked_at: Option<Moment>,
    waiting: bool,
    answer: Option<bool>,
    /// When the question was asked that the answer is for.
    answered_for: Option<Moment>,
}

impl Question {
    /// The last answer; none before the first one.
    pub(crate) fn answer(&self) -> Option<bool> {
        self.answer
    }

    /// When the question was asked that the last answer is for.
    pub(crate) fn answered_for(&self) -> Option<Moment> {
        self.answered_for
    }

    /// It was asked, and nobody has answered yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// This asking of it is the one whose answer is waited for.
    pub(crate) fn awaits(&self, id: QuestionId) -> bool {
        self.waiting && id == self.id
    }

    /// It matters no more: what was answered is void, and what will be is ignored.
    pub(crate) fn forget(&mut self) {
        *self = Self { id: self.id, ..Self::default() };
    }

    /// Takes an answer; whether it is one that was waited for and another than the last.
    pub(crate) fn answered(&mut self, id: QuestionId, yes: bool) -> bool {
        if id != self.id || !std::mem::take(&mut self.waiting) {
            return false;
        }
        self.answered_for = self.asked_at;
        self.answer.replace(yes) != Some(yes)
    }

    /// Asks, unless the last time was less than `pause` ago.
    pub(crate) fn ask(&mut self, now: Moment, pause: Duration) -> Option<QuestionId> {
        if self.asked_at.is_some_and(|asked| now.since(asked) < pause) {
            return None;
        }
        self.id.0 = self.id.0.wrapping_add(1);
        self.asked_at = Some(now);
        self.waiting = true;
        Some(self.id)
    }

    /// The question that nobody answered within `limit`, if there is one.
    pub(crate) fn overdue(&self, now: Moment, limit: Duration) -> Option<QuestionId> {
        let long = self.asked_at.is_some_and(|asked| now.since(asked) >= limit);
        (self.waiting && long).then_some(self.id)
    }
}
