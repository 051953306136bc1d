//! The programs of a group: started with it, stopped before it leaves.

use std::sync::Arc;
use std::time::Duration;

use config::model::{Hook, HookOrder};
use runtime::hook;
use runtime::journal::{EventKind, Level};

use super::Work;
use crate::plan::GroupPlan;

impl Work {
    /// Starts the programs that do not run yet. False when it was overtaken.
    pub(super) async fn start_hooks(&mut self, plan: &GroupPlan, order: HookOrder) -> bool {
        for hook in plan.hooks.iter().filter(|hook| hook.order == order) {
            if self.started.contains(hook) {
                continue;
            }
            if self.overtaken() {
                return false;
            }
            // Noted before it ends: one that was cut off may have done half its work.
            self.started.push(hook.clone());
            self.note.write(&self.started).await;
            let mut orders = self.orders.clone();
            let told = told(&plan.name, "active");
            let run = start(hook, &told);
            let ended = tokio::select! {
                ended = run => ended,
                _ = orders.wait_for(|target| !target.active) => return false,
            };
            self.record_hook(&plan.name, hook, "start", &ended);
        }
        !self.overtaken()
    }

    /// Stops the programs that run, the last one first.
    pub(super) async fn stop_hooks(&mut self, group: &str, order: HookOrder) {
        while let Some(index) = self.started.iter().rposition(|hook| hook.order == order) {
            let hook = self.started.remove(index);
            let ended = hook::run(&hook.stop, hook.timeout, &told(group, "standby")).await;
            self.record_hook(group, &hook, "stop", &ended);
            self.note.write(&self.started).await;
        }
    }

    /// The partner may have started its own by now.
    pub(super) async fn stop_left_over(&mut self) {
        let plan = Arc::clone(&self.orders.borrow().plan);
        let left = self.note.read().await;
        self.started = left_over(&plan, self.held, &left);
        if self.started.is_empty() {
            return;
        }
        let fields = [("group", plan.name.clone()), ("hooks", left.join(", "))];
        let sentence = "a pulse that was killed has left programs behind, they are stopped";
        self.tools.journal.record(EventKind::Role, Level::Warn, sentence, &fields);
        self.stop_hooks(&plan.name, HookOrder::AfterAddresses).await;
        self.stop_hooks(&plan.name, HookOrder::BeforeAddresses).await;
    }

    fn record_hook(&self, group: &str, hook: &Hook, verb: &str, ended: &hook::Ended) {
        let (level, sentence) = if ended.good {
            (Level::Info, "hook ended well")
        } else {
            (Level::Error, "hook failed")
        };
        let fields = [
            ("group", group.to_owned()),
            ("hook", hook.name.clone()),
            ("action", verb.to_owned()),
            ("result", ended.how.clone()),
            ("took_ms", ended.took.as_millis().to_string()),
        ];
        self.tools.journal.record(EventKind::Role, level, sentence, &fields);
    }
}

/// Of the programs that run, those whose group is not here any more. Where its addresses are here it
/// goes on as it is, and a group without addresses does not tell.
fn left_over(plan: &GroupPlan, held: bool, running: &[String]) -> Vec<Hook> {
    let gone = !held && !plan.addresses.is_empty();
    let left = plan.hooks.iter().filter(|hook| gone && running.contains(&hook.name));
    left.cloned().collect()
}

/// Starts a program, unless it says that it runs already.
async fn start(hook: &Hook, told: &[(&str, &str)]) -> hook::Ended {
    if !hook.status.is_empty() && hook::says_running(&hook.status, hook.timeout, told).await {
        let how = "it runs already".to_owned();
        return hook::Ended { good: true, how, took: Duration::ZERO };
    }
    hook::run(&hook.start, hook.timeout, told).await
}

/// What a program is told of the move.
fn told<'a>(group: &'a str, role: &'a str) -> [(&'static str, &'a str); 2] {
    [("CARIBE_GROUP", group), ("CARIBE_ROLE", role)]
}
