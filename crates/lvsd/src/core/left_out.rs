//! Failed real servers that somebody removed from the table, where they are not put back.
//!
//! Whoever deletes a quiesced server frees the clients that persistence keeps at it. Where the
//! configuration says so it stays out until it is up again.

use std::collections::BTreeSet;

use health::WantedService;
use health::wanted::Placement;
use ipvs::{DestinationKey, Pool, ServiceKey, Table};
use runtime::journal::{EventKind, Level};

use super::{Core, Entry};

/// All of them.
pub type LeftOut = BTreeSet<(ServiceKey, DestinationKey)>;

impl Core {
    /// The table was read: who of those that failed is there no more?
    pub(super) fn leave_out(&mut self, found: &Table) {
        let holds = |table: &Table, (key, at): &(ServiceKey, DestinationKey)| {
            table.get(key).map(|pool| pool.destinations.contains_key(at))
        };
        let services = self.cluster.services.iter().zip(&self.services).enumerate();
        for (index, (_, wanted)) in services.filter(|(_, (service, _))| !service.put_back) {
            for place in quiesced(wanted) {
                let was_there = holds(self.reconciler.believed(), place) == Some(true);
                let is_gone = holds(found, place) == Some(false);
                let is_ours = self.claims.get(&place.0) == Some(&index);
                if !(was_there && is_gone && is_ours && self.left_out.insert(*place)) {
                    continue;
                }
                self.reconciler.let_go(place.0, place.1);
                self.stale.insert(index);
                self.seen_changed = true;
                let sentence = "failed real server was removed from the table, it stays out until it is up again";
                let entry = Entry::new(EventKind::Kernel, Level::Info, sentence);
                self.entries.push(entry.with("service", &wanted.name).with("server", place.1));
            }
        }
    }

    /// Forgets those of a virtual server that are up, or that the configuration puts back.
    pub(super) fn let_in(&mut self, wanted: &WantedService, put_back: bool) {
        let before = self.left_out.len();
        self.left_out.retain(|place| {
            !wanted.pools.contains_key(&place.0)
                || (!put_back && quiesced(wanted).any(|other| other == place))
        });
        self.seen_changed |= self.left_out.len() != before;
    }

    /// Takes them out of a pool.
    pub(super) fn without_left_out(&self, key: ServiceKey, pool: &mut Pool) {
        pool.destinations.retain(|at, one| one.weight > 0 || !self.left_out.contains(&(key, *at)));
    }
}

/// Where the real servers stand that failed and stay with weight 0.
fn quiesced(wanted: &WantedService) -> impl Iterator<Item = &(ServiceKey, DestinationKey)> {
    let servers = wanted.servers.iter().filter(|one| one.placement == Placement::Quiesced);
    servers.flat_map(|server| &server.places)
}
