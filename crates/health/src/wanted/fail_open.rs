//! The limit on what checks may take out.
//!
//! When many servers of a pool fail at once, it is more often the check that is wrong than the
//! servers. So at most the configured share of a pool leaves by checks; beyond it those that
//! failed last stay as they were. Two things are not touched by that: a server that was never
//! seen up has never been in and is not brought in, and when no server is up and there is a sorry
//! server, that one serves, as the person asked.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use config::model::VirtualServer;
use ipvs::{DestinationKey, ServiceKey};

use super::placement::{Placement, place};
use super::{Fitness, Knowledge, WantedServer, WantedService, destination, sorry_in};
use crate::Verdict;

/// One server that counts.
struct Member {
    position: usize,
    at: DestinationKey,
    weight: u32,
    fitness: Fitness,
}

/// Puts back who has to stay in, where the pool has not been given up.
pub(super) fn fail_open(
    wanted: &mut WantedService,
    service: &VirtualServer,
    knowledge: &Knowledge<'_>,
    given_up: &BTreeSet<ServiceKey>,
) {
    if service.max_down == config::Percent::ALL {
        return;
    }
    let kept = wanted.pools.keys().filter(|key| !given_up.contains(key));
    let pools: Vec<ServiceKey> = kept.copied().collect();
    for key in pools {
        let members = members(wanted, service, knowledge, key);
        let (up, mut down): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.fitness.verdict == Verdict::Up);
        let may_leave = service.max_down.of(up.len() + down.len());
        let has_sorry = sorry_in(service, key, knowledge).is_some();
        if down.len() <= may_leave || (up.is_empty() && has_sorry) {
            continue;
        }
        down.sort_by_key(|member| (Reverse(member.fitness.last_up), member.position));
        let stay = down.len() - may_leave;
        for member in down.into_iter().take(stay) {
            hold(wanted, service, key, &member);
        }
    }
}

/// The servers of a pool that are in it as long as their check passes, and have been up before.
fn members(
    wanted: &WantedService,
    service: &VirtualServer,
    knowledge: &Knowledge<'_>,
    key: ServiceKey,
) -> Vec<Member> {
    let member = |(position, server): (usize, &WantedServer)| {
        let known = match server.fitness.verdict {
            Verdict::Up => true,
            Verdict::Down => server.fitness.last_up > 0,
            Verdict::Unknown => false,
        };
        let (_, at) = server.places.iter().find(|(place, _)| *place == key).filter(|_| known)?;
        let real = service.servers.get(server.index)?;
        let decided = knowledge.decisions.of(&wanted.name, &server.label);
        let weight = server.fitness.asked.weight(real.weight);
        let healthy = place(weight, service.on_failure, Fitness::UP, decided, server.resting);
        let weight = healthy.weight().filter(|weight| *weight > 0)?;
        Some(Member { position, at: *at, weight, fitness: server.fitness })
    };
    wanted.servers.iter().enumerate().filter_map(member).collect()
}

fn hold(wanted: &mut WantedService, service: &VirtualServer, key: ServiceKey, member: &Member) {
    let Some(server) = wanted.servers.get_mut(member.position) else { return };
    let Some(real) = service.servers.get(server.index) else { return };
    server.placement = Placement::Held(member.weight);
    if let Some(pool) = wanted.pools.get_mut(&key) {
        pool.destinations.insert(member.at, destination(real, member.weight));
    }
    wanted.failing_open = true;
}
