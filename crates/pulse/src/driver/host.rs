//! What becomes of a change of this host's interfaces and addresses.

use std::sync::Arc;

use heartbeat::{Moment, PathId};
use runtime::journal::{EventKind, Level};

use super::Driver;
use crate::clock;
use crate::host::Host;
use crate::mover::Hurry;

impl Driver {
    /// Carriers, fitness, and addresses that somebody took away. Whoever reads the host is another
    /// task: with a thousand addresses that takes too long for a heartbeat to wait.
    pub(super) fn look_at_host(&mut self, host: Host, read_at: Moment) {
        self.host = host;
        self.place_paths_again();
        self.place_absent_paths();
        let now = clock::now();
        let paths: Vec<bool> =
            self.plan.paths.iter().map(|path| path.carrier(&self.host)).collect();
        for (index, up) in paths.into_iter().enumerate() {
            let actions = self.failover.handle_carrier(PathId(index), up, now);
            self.carry_out(actions);
        }
        let moving = self.plan.floating();
        let again = self.plan.groups.iter().map(|plan| plan.placed_again(&self.host, &moving));
        let again = again.collect();
        let before = std::mem::replace(&mut self.plan.groups, again);
        self.tell_groups(&before);
        let (groups, places) = (self.plan.groups.clone(), self.host.places());
        for plan in groups {
            let (id, fit) = (plan.id, plan.fit(&self.host));
            let missing = plan.addresses.iter().any(|placed| !placed.present(&places));
            let actions = self.failover.handle_fitness(id, fit, now);
            self.carry_out(actions);
            let Some(group) = self.groups.get_mut(&id.0) else { continue };
            let moved = *group.plan != plan;
            group.plan = Arc::new(plan);
            // What was read while the addresses came is old; their coming is another change.
            let missing = missing && group.settled_at <= read_at;
            if group.active && group.settled && fit && (missing || moved) {
                self.order(id, true, Hurry::Calm);
            }
        }
    }

    /// Opens the sockets of paths whose interface was made anew.
    fn place_paths_again(&mut self) {
        for (index, path) in self.plan.paths.iter_mut().enumerate() {
            let again = path.placed_again(&self.host);
            if again == *path {
                continue;
            }
            match self.sockets.replace(PathId(index), &again) {
                Ok(()) => {
                    let fields = [("path", again.name.clone())];
                    let sentence = "heartbeat path opened on an interface that was made anew";
                    let journal = &self.tools.journal;
                    journal.record(EventKind::Partner, Level::Info, sentence, &fields);
                    *path = again;
                }
                // Its address may not be ready: that is another change, and another try.
                Err(error) => tracing::debug!(%error, path = path.name, "cannot open it anew"),
            }
        }
    }
}
