//! A pool of which too little is up.
//!
//! Below its quorum a pool with a sorry server is given up: that one serves alone, until enough is
//! up again. Without a sorry server those that are up go on.

use std::collections::BTreeSet;

use config::model::{Quorum, VirtualServer};
use ipvs::ServiceKey;

use super::placement::Placement;
use super::{Knowledge, WantedService, sorry_in};

/// Takes the real servers out of pools that are below the quorum, and tells which pools those are.
pub(super) fn give_up(
    wanted: &mut WantedService,
    service: &VirtualServer,
    knowledge: &Knowledge<'_>,
) -> BTreeSet<ServiceKey> {
    let was_below = knowledge.below_quorum.contains(&wanted.name);
    let mut given_up = BTreeSet::new();
    for (key, pool) in &wanted.pools {
        let weights = pool.destinations.values().map(|destination| u64::from(destination.weight));
        if !is_below(service.quorum, weights.sum(), was_below) {
            continue;
        }
        wanted.below_quorum = true;
        if sorry_in(service, *key, knowledge).is_some() {
            given_up.insert(*key);
        }
    }
    for server in &mut wanted.servers {
        if let Placement::Serving(_) = server.placement
            && server.places.iter().any(|(key, _)| given_up.contains(key))
        {
            server.placement = Placement::GivenUp(service.on_failure);
        }
    }
    for key in &given_up {
        let Some(pool) = wanted.pools.get_mut(key) else { continue };
        match service.on_failure {
            config::model::OnFailure::Remove => pool.destinations.retain(|_, one| one.weight == 0),
            config::model::OnFailure::Quiesce => {
                pool.destinations.values_mut().for_each(|one| one.weight = 0);
            }
        }
    }
    given_up
}

/// Whether so much is too little, for a pool that was below its quorum or was not.
fn is_below(quorum: Quorum, up: u64, was_below: bool) -> bool {
    let (weight, hysteresis) = (u64::from(quorum.weight), u64::from(quorum.hysteresis));
    let least = if was_below { weight + hysteresis } else { weight.saturating_sub(hysteresis) };
    up < least
}
