//! Real servers that an edit took out while they were serving.
//!
//! The kernel drops the packets of a connection whose real server has left its table. A server
//! that failed has nothing to lose; a healthy one that an edit removes keeps its place with weight
//! 0 until the requests that it is answering are answered, for a few seconds at most. Whoever
//! wants longer drains it first.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use health::WantedService;
use ipvs::{Destination, DestinationKey, Pool, ServiceKey, TableStats};

/// A connection opens within this time: before it has passed, none that is open says nothing.
const AT_LEAST: Duration = Duration::from_millis(900);

/// A download that takes longer than this is cut off.
const AT_MOST: Duration = Duration::from_secs(10);

/// One server that lingers.
#[derive(Clone, Debug)]
struct Leaving {
    destination: Destination,
    since: Instant,
}

/// All servers that linger.
#[derive(Clone, Debug, Default)]
pub(super) struct Lingering {
    leaving: BTreeMap<ServiceKey, BTreeMap<DestinationKey, Leaving>>,
}

impl Lingering {
    /// An edit has made `after` of `before`: healthy servers that are gone begin to linger.
    pub(super) fn compare(&mut self, before: &WantedService, after: &WantedService, now: Instant) {
        let stays = |key: &ServiceKey, at: &DestinationKey| {
            let places = after.servers.iter().flat_map(|server| &server.places);
            let sorry = after.pools.get(key).is_some_and(|pool| pool.destinations.contains_key(at));
            sorry || places.into_iter().any(|place| place == &(*key, *at))
        };
        let places = before.servers.iter().flat_map(|server| &server.places);
        for (key, at) in places.filter(|(key, at)| after.pools.contains_key(key) && !stays(key, at))
        {
            let pool = before.pools.get(key);
            let Some(destination) = pool.and_then(|pool| pool.destinations.get(at)) else {
                continue;
            };
            if destination.weight > 0 {
                let destination = Destination { weight: 0, ..destination.clone() };
                let leaving = Leaving { destination, since: now };
                self.leaving.entry(*key).or_default().entry(*at).or_insert(leaving);
            }
        }
    }

    /// Adds those that linger to a pool. One that is wanted again does not linger.
    pub(super) fn add_to(&mut self, key: &ServiceKey, pool: &mut Pool) {
        let Some(servers) = self.leaving.get_mut(key) else { return };
        servers.retain(|at, _| !pool.destinations.contains_key(at));
        for (at, leaving) in servers.iter() {
            pool.destinations.insert(*at, leaving.destination.clone());
        }
    }

    /// The table and its counters were just read. Returns the services of those that may leave.
    pub(super) fn release(&mut self, statistics: &TableStats, now: Instant) -> Vec<ServiceKey> {
        let mut released = Vec::new();
        for (key, servers) in &mut self.leaving {
            let counted = statistics.get(key);
            let before = servers.len();
            servers.retain(|at, leaving| {
                let found = counted.and_then(|pool| pool.destinations.get(at));
                let open = found.is_some_and(|server| server.connections.active > 0);
                let age = now.saturating_duration_since(leaving.since);
                age < AT_LEAST || (open && age < AT_MOST)
            });
            if servers.len() != before {
                released.push(*key);
            }
        }
        self.leaving.retain(|_, servers| !servers.is_empty());
        released
    }

    /// Forgets those of services that are no longer wanted.
    pub(super) fn keep_only(&mut self, wanted: impl Fn(&ServiceKey) -> bool) {
        self.leaving.retain(|key, _| wanted(key));
    }

    /// Nobody lingers.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty()
    }
}
