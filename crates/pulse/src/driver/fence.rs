//! Switching the partner off, when the state machine wants it.

use std::time::Duration;

use heartbeat::QuestionId;
use runtime::hook::{self, Ended};
use runtime::journal::{EventKind, Level};
use runtime::users;

use super::Driver;
use crate::clock;
use crate::notice::Notice;
use crate::plan::FencePlan;

/// The program that switches the partner off: one at a time, since a second one beside it could
/// switch off again what the first one has just switched on.
#[derive(Debug, Default)]
pub(super) struct Fencer {
    runs: bool,
    /// Asked for while it ran: what it does may have been done before the partner was heard.
    next: Option<QuestionId>,
}

impl Fencer {
    /// Whether the program may begin now. Else it is its turn later.
    fn may_begin(&mut self, question: QuestionId) -> bool {
        let free = !std::mem::replace(&mut self.runs, true);
        if !free {
            self.next = Some(question);
        }
        free
    }

    /// It has ended; whose turn it is.
    fn ended(&mut self) -> Option<QuestionId> {
        self.runs = false;
        self.next.take()
    }
}

impl Driver {
    /// The answer comes as a notice.
    pub(super) fn fence(&mut self, question: QuestionId) {
        let Some(plan) = self.plan.fence.clone() else { return };
        let [_, partner] = &self.plan.names;
        let fields = [("partner", partner.clone())];
        if !self.fencer.may_begin(question) {
            let sentence = "switching the partner off waits for the fence program that still runs";
            self.tools.journal.record(EventKind::Partner, Level::Warn, sentence, &fields);
            return;
        }
        let journal = &self.tools.journal;
        journal.record(EventKind::Partner, Level::Warn, "switching the partner off", &fields);
        let told = [("CARIBE_PARTNER", partner.clone())];
        let notices = self.tools.notices.clone();
        tokio::spawn(async move {
            let ended = run(&plan, &told).await;
            // The driver may have ended.
            let _sent = notices.send(Notice::Fenced(question, ended)).await;
        });
    }

    pub(super) fn fenced(&mut self, question: QuestionId, ended: &Ended) {
        let [_, partner] = &self.plan.names;
        let (level, sentence) = match (ended.good, self.failover.awaits_fence(question)) {
            (true, true) => (Level::Warn, "the fence program ended well"),
            (true, false) => (Level::Warn, "the fence program ended well, too late to count"),
            (false, _) => (Level::Error, "the fence program failed"),
        };
        let next = self.fencer.ended();
        let fields = [
            ("partner", partner.clone()),
            ("result", ended.how.clone()),
            ("took_ms", ended.took.as_millis().to_string()),
        ];
        self.tools.journal.record(EventKind::Partner, level, sentence, &fields);
        let actions = self.failover.handle_fence(question, ended.good, clock::now());
        self.carry_out(actions);
        if let Some(next) = next.filter(|next| self.failover.awaits_fence(*next)) {
            self.fence(next);
        }
    }
}

async fn run(plan: &FencePlan, told: &[(&'static str, String)]) -> Ended {
    let user = match &plan.user {
        Some(name) => users::find(name),
        None => Some(users::first_of(&[users::FENCE])),
    };
    let Some(user) = user else {
        let name = plan.user.as_deref().unwrap_or_default();
        let how = format!("this host has no user {name}: make it, or name another one");
        return Ended { good: false, how, took: Duration::ZERO };
    };
    let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, &**value)).collect();
    let config::fencing::Call { argv, input } = &plan.call;
    hook::run_as_reading(user, argv, input, plan.limit(), &told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_runs_at_a_time_and_the_newest_question_is_next() {
        let [first, second, third] = [1, 2, 3].map(QuestionId);
        let mut fencer = Fencer::default();
        assert!(fencer.may_begin(first));
        assert!(!fencer.may_begin(second) && !fencer.may_begin(third));
        assert_eq!(fencer.ended(), Some(third));
        assert!(fencer.may_begin(third));
        assert_eq!(fencer.ended(), None);
    }
}
