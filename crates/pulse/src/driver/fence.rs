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

impl Driver {
    /// The answer comes as a notice.
    pub(super) fn fence(&self, question: QuestionId) {
        let Some(plan) = self.plan.fence.clone() else { return };
        let [_, partner] = &self.plan.names;
        let fields = [("partner", partner.clone())];
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
        let (level, sentence) = if ended.good {
            (Level::Warn, "the fence program ended well")
        } else {
            (Level::Error, "the fence program failed")
        };
        let fields = [
            ("partner", partner.clone()),
            ("result", ended.how.clone()),
            ("took_ms", ended.took.as_millis().to_string()),
        ];
        self.tools.journal.record(EventKind::Partner, level, sentence, &fields);
        let actions = self.failover.handle_fence(question, ended.good, clock::now());
        self.carry_out(actions);
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
