//! Heartbeat paths and floating addresses that have no place on this host: an interface that is
//! not there, an address that nobody gave it.

use std::time::Duration;

use runtime::journal::{EventKind, Level};

use super::Driver;
use crate::clock;
use crate::notice::Notice;
use crate::path::PathPlan;
use crate::plan::{GroupPlan, Plan};

/// How often an absent path is tried, beside at each change of the host: an address may be there
/// and not ready.
const AGAIN: Duration = Duration::from_secs(1);

impl Driver {
    /// Opens the paths that have a place by now. To the state machine such a path is a new one.
    pub(super) fn place_absent_paths(&mut self) {
        if self.plan.paths.iter().all(|path| path.absent.is_none()) {
            return;
        }
        let mut paths = self.plan.sources.paths_beside(&self.plan.paths, &self.host);
        self.sockets.renew_as_far_as_possible(&mut paths);
        if paths != self.plan.paths {
            self.path_counters = self.counters_for(&paths);
            let before = std::mem::replace(&mut self.plan.paths, paths);
            self.tell_paths(&before);
            let setup = self.plan.setup(&self.host, &before);
            match self.failover.handle_setup(setup, clock::now()) {
                Ok(actions) => self.carry_out(actions),
                Err(error) => tracing::error!(%error, "cannot use the heartbeat paths that came"),
            }
        }
        self.await_paths();
    }

    /// Comes back after a while if a path is absent.
    pub(super) fn await_paths(&mut self) {
        let absent = self.plan.paths.iter().any(|path| path.absent.is_some());
        if !absent || std::mem::replace(&mut self.awaits_paths, true) {
            return;
        }
        let notices = self.tools.notices.clone();
        tokio::spawn(async move {
            tokio::time::sleep(AGAIN).await;
            // The driver may have ended.
            let _sent = notices.send(Notice::PathsAwaited).await;
        });
    }

    /// One line for each path that is absent now and was not, or the other way round.
    pub(super) fn tell_paths(&self, before: &[PathPlan]) {
        for path in &self.plan.paths {
            let was = before.iter().find(|old| path.is(old)).and_then(|old| old.absent.as_ref());
            let name = ("path", path.name.clone());
            match (was, &path.absent) {
                (None, Some(reason)) => {
                    let fields = [name, ("reason", reason.clone())];
                    let sentence = "heartbeat path is absent";
                    self.tools.journal.record(EventKind::Partner, Level::Error, sentence, &fields);
                }
                (Some(_), None) => {
                    let sentence = "heartbeat path has its place now";
                    self.tools.journal.record(EventKind::Partner, Level::Info, sentence, &[name]);
                }
                _ => {}
            }
        }
    }

    /// One line for each group that cannot be held here for want of a place, or can be again.
    pub(super) fn tell_groups(&self, before: &[GroupPlan]) {
        for group in &self.plan.groups {
            let was = before.iter().find(|old| old.id == group.id).is_some_and(GroupPlan::absent);
            let name = ("group", group.name.clone());
            let mut absent = group.addresses.iter().filter_map(|one| one.problem(&group.name));
            match (was, absent.next()) {
                (false, Some(reason)) => {
                    let count = ("count", (absent.count() + 1).to_string());
                    let fields = [name, count, ("reason", reason)];
                    let sentence = "group cannot be held here, addresses have no place";
                    self.tools.journal.record(EventKind::Role, Level::Error, sentence, &fields);
                }
                (true, None) => {
                    let sentence = "every address of a group has its place now";
                    self.tools.journal.record(EventKind::Role, Level::Info, sentence, &[name]);
                }
                _ => {}
            }
        }
    }

    /// What an edit must not bring.
    pub(super) fn refuse_misplaced(&self, plan: &Plan) -> Result<(), runtime::ExitError> {
        let problems = plan.misplaced(&self.plan);
        if problems.is_empty() {
            return Ok(());
        }
        Err(runtime::ExitError::configuration(problems.join("; ")))
    }
}
