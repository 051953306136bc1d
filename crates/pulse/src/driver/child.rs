//! How lvsd is, and what that means for the groups.

use control::worker::Readiness;
use heartbeat::failover::Worker as WorkerState;
use runtime::journal::{EventKind, Level};
use runtime::{Exit, ExitError};

use super::{Driver, UNREADY};
use crate::clock;

impl Driver {
    /// lvsd says each second how it is, and at each change. While it changes its table it is not
    /// in place for some milliseconds, which is nothing that the pair must know.
    pub(super) fn worker_ready(&mut self, readiness: Readiness) {
        self.worker.ever = true;
        let now = clock::now();
        if is_ready(readiness) {
            self.worker.unready_since = None;
        } else if is_ready(self.worker.readiness) {
            let since = *self.worker.unready_since.get_or_insert(now);
            if now.since(since) < UNREADY {
                return;
            }
        }
        let before = std::mem::replace(&mut self.worker.readiness, readiness);
        let Readiness { table_in_place, checks_warm, .. } = readiness;
        let state = WorkerState::Up { table_in_place, checks_warm };
        let actions = self.failover.handle_worker(state, now);
        self.carry_out(actions);
        if is_ready(before) != is_ready(readiness) {
            let (level, sentence) = if is_ready(readiness) {
                (Level::Info, "this router is ready")
            } else {
                (Level::Warn, "this router is not ready")
            };
            self.tools.journal.record(EventKind::Daemon, level, sentence, &[]);
        }
    }

    pub(super) fn worker_lost(&mut self, why: &str) {
        let silent = why == "silent";
        if !silent {
            self.worker.pid = None;
        }
        self.worker.readiness = Readiness::default();
        let actions = self.failover.handle_worker(WorkerState::Down, clock::now());
        self.carry_out(actions);
        let sentence = if silent { "lvsd is silent" } else { "lvsd ended" };
        let fields = [("reason", why.to_owned())];
        self.tools.journal.record(EventKind::Daemon, Level::Error, sentence, &fields);
        // What lvsd found at its very first start will not mend itself: no kernel support, no
        // privilege. It has said why.
        let fatal = [Exit::Unavailable, Exit::Privilege, Exit::Configuration];
        let fatal = fatal.into_iter().find(|exit| why == format!("exit code {}", exit.code()));
        if let Some(exit) = fatal.filter(|_| !self.worker.ever && self.worker.starts <= 1) {
            let text = format!("lvsd could not start ({why}): see its line above");
            self.exit = Some(ExitError::new(exit, text));
            self.stop();
        }
    }
}

fn is_ready(readiness: Readiness) -> bool {
    readiness.table_in_place && readiness.checks_warm
}
