//! What must hold of a drain's end.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use health::ledger::Stamp;
use health::wanted::keys;
use health::{Ruling, Subject};

use super::Invariant;
use crate::farm;
use crate::fault::{Index, Micros};
use crate::world::World;

/// What is read of the kernel may be so old when a drain is ended for it.
const READING: Micros = 20_000;

/// Drains that are known to have ended.
pub(crate) type Ended = BTreeSet<(Subject, Stamp)>;

impl World {
    /// lvsd has looked at its drains: of one that has just ended no connection is left, or its deadline
    /// has passed, or it was in no pool any more.
    pub(crate) fn drains_ended(&mut self, index: Index) {
        let Some((farm, router)) = self.farm.as_ref().zip(self.routers.get(index)) else { return };
        let Some(director) = &router.director else { return };
        let Some(running) = &director.running else { return };
        let boot = router.clock.at(self.now).0;
        let mut ended = Vec::new();
        let mut early = None;
        for (subject, item) in director.disk.ledger.iter() {
            let Some(Ruling::Drain(drain)) = &item.ruling else { continue };
            if !drain.done {
                continue;
            }
            let known = (subject.clone(), item.stamp.clone());
            if self.drains_ended.contains(&known) {
                continue;
            }
            ended.push(known);
            let Ok(at) = subject.server.parse::<SocketAddr>() else { continue };
            let Some(number) = farm::number(at.ip()) else { continue };
            let overdue = drain.deadline.is_some_and(|deadline| deadline <= boot);
            let opened_at = farm.changed_at.get(number).copied().unwrap_or_default();
            let quiet = farm.connections(at) == 0 || self.now - opened_at < READING;
            let mut services = running.core.cluster().services.iter();
            let service = services.find(|service| service.name == subject.service);
            let mut pools = service.into_iter().flat_map(|service| keys(&service.listen));
            let there = pools.any(|key| {
                let pool = director.kernel.table.get(&key);
                pool.is_some_and(|pool| pool.destinations.contains_key(&at))
            });
            // A pulse that stands still does not tell that its addresses are gone.
            if !overdue && !quiet && there && router.awake() {
                early = Some(format!("router {index}: {subject:?} with {}", farm.connections(at)));
            }
        }
        self.arm(Invariant::Drained, !ended.is_empty(), 1);
        self.drains_ended.extend(ended);
        if let Some(early) = early {
            self.violate(Invariant::Drained, early);
        }
    }
}
