//! The witness: somebody else on the network, asked only while all paths are silent.

use std::time::Duration;

use crate::action::Event;
use crate::moment::Moment;
use crate::question::{Question, QuestionId};
use crate::timing::WITNESS_PAUSE;

/// What the witness last said.
#[derive(Debug, Default)]
pub(crate) struct Witness(Question);

impl Witness {
    pub(crate) fn answer(&self) -> Option<bool> {
        self.0.answer()
    }

    /// The partner is heard, or we were away: the answer of before counts no more.
    pub(crate) fn forget(&mut self) {
        self.0.forget();
    }

    /// Takes an answer; told once at each change. One that nobody waits for is too late.
    pub(crate) fn answered(&mut self, id: QuestionId, reachable: bool) -> Option<Event> {
        self.0.answered(id, reachable).then_some(Event::Witness { reachable })
    }

    /// Whether to ask now, and what an answer that did not come means. While all paths stay silent
    /// it is asked again and again.
    pub(crate) fn expire(
        &mut self,
        now: Moment,
        limit: Duration,
    ) -> (Option<QuestionId>, Option<Event>) {
        let pause = limit.max(WITNESS_PAUSE);
        let overdue = self.0.overdue(now, pause);
        let event = overdue.and_then(|id| self.answered(id, false));
        (self.0.ask(now, pause), event)
    }
}
