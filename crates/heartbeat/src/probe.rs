//! Whether somebody else answers for a group's addresses: asked before they are taken while it is
//! not certain that the partner is gone, and after that for as long as it stays uncertain.
//!
//! Two routers that cannot hear each other may both reach the witness. Then only the network of the
//! addresses themselves can tell whether the other one holds them.

use std::time::Duration;

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

/// Times `dead_after` between two questions of a router that has the addresses, and nobody answered
/// a while ago. Where they are may change without any wire between the routers: a network that was
/// cut is mended, and there is another one.
const RARELY: u32 = 4;

/// The question of one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    question: Question,
    /// Taken without having heard the partner; it may have taken them at the same moment.
    unsettled: bool,
    /// Since when every answer has been that somebody is there.
    somebody_since: Option<Moment>,
}

impl Probe {
    /// The partner is heard, or we were away.
    pub(crate) fn forget(&mut self) {
        self.rest();
        self.unsettled = false;
    }

    /// Nobody asks any more: what was answered last grows old, and says nothing about later.
    pub(crate) fn rest(&mut self) {
        self.question.forget();
        self.somebody_since = None;
    }

    /// The group was taken while the partner was not heard.
    pub(crate) fn taken_alone(&mut self) {
        self.unsettled = true;
    }

    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Takes an answer; whether it is news that somebody answers.
    pub(crate) fn answered(&mut self, id: QuestionId, somebody: bool, now: Moment) -> bool {
        let news = self.question.answered(id, somebody);
        match self.question.answer() {
            Some(true) => _ = self.somebody_since.get_or_insert(now),
            Some(false) | None => self.somebody_since = None,
        }
        news && somebody
    }

    /// For how long somebody has answered every time.
    pub(crate) fn somebody_for(&self, now: Moment) -> Duration {
        self.somebody_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Asks at once and then again and again, more rarely once the addresses are held, nobody answers
    /// and nothing hints at a partner: `calm`. Whoever does not answer is not there.
    pub(crate) fn ask(&mut self, now: Moment, calm: bool, timing: &Timing) -> Option<QuestionId> {
        let dead_after = timing.dead_after();
        if let Some(id) = self.question.overdue(now, dead_after) {
            self.answered(id, false, now);
        }
        let calm = calm && !self.unsettled && self.question.answer() != Some(true);
        self.question.ask(now, if calm { dead_after * RARELY } else { dead_after })
    }

    /// Ends the time of doubt after a take-over: nobody answered to a question that was asked long
    /// enough after it for the partner to have done the same.
    pub(crate) fn settle(&mut self, taken: Moment, timing: &Timing) {
        let late = self.question.answered_for().is_some_and(|at| at >= taken + timing.dead_after());
        if self.unsettled && self.question.answer() == Some(false) && late {
            self.unsettled = false;
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
