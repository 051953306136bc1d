//! Whether somebody else answers for a group's addresses: asked before they are taken while it is
//! not certain that the partner is gone, and once more after that.
//!
//! Two routers that cannot hear each other may both reach the witness. Then only the network of the
//! addresses themselves can tell whether the other one holds them.

use crate::moment::Moment;
use crate::question::{Question, QuestionId};
use crate::timing::Timing;

/// What is known of whoever else may hold the addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It does not matter.
    #[default]
    NotNeeded,
    /// It was not answered yet.
    Unknown,
    /// Nobody answers for them.
    Nobody,
    /// Somebody does.
    Somebody,
}

/// The question of one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    question: Question,
    /// Taken without having heard the partner; it may have taken them at the same moment.
    unsettled: bool,
}

impl Probe {
    /// The partner is heard, or we were away.
    pub(crate) fn forget(&mut self) {
        self.question.forget();
        self.unsettled = false;
    }

    /// The group was taken while the partner was not heard.
    pub(crate) fn taken_alone(&mut self) {
        self.unsettled = true;
    }

    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Takes an answer; whether it is news that somebody answers.
    pub(crate) fn answered(&mut self, id: QuestionId, somebody: bool) -> bool {
        self.question.answered(id, somebody) && somebody
    }

    /// Asks at once and then again and again. Whoever does not answer is not there.
    pub(crate) fn ask(&mut self, now: Moment, timing: &Timing) -> Option<QuestionId> {
        let pause = timing.dead_after();
        if let Some(id) = self.question.overdue(now, pause) {
            self.question.answered(id, false);
        }
        self.question.ask(now, pause)
    }

    /// Ends the time of doubt after a take-over: nobody answered to a question that was asked long
    /// enough after it for the partner to have done the same.
    pub(crate) fn settle(&mut self, taken: Moment, timing: &Timing) {
        let late = self.question.answered_for().is_some_and(|at| at >= taken + timing.dead_after());
        if self.unsettled && self.question.answer() == Some(false) && late {
            self.forget();
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        match self.question.answer() {
            None => Answer::Unknown,
            Some(false) => Answer::Nobody,
            Some(true) => Answer::Somebody,
        }
    }
}
