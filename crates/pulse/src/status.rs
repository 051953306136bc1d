//! The status snapshot.

use config::model::Failback;
use control::status::{
    AddressStatus, GroupStatus, KeyUse, PartnerStatus, PathStatus, PulseStatus, SCHEMA_VERSION,
    WitnessStatus,
};
use control::worker::Readiness;
use heartbeat::session::Counters;
use heartbeat::{Fencing, GroupState, Moment, PathId, Presence, Role};

use crate::clock;
use crate::driver::{Driver, rotation};
use crate::keys;
use crate::plan::GroupPlan;

/// Everything that is to be seen from outside.
pub(crate) fn of(driver: &Driver) -> PulseStatus {
    let now = clock::now();
    let [router, _] = &driver.plan.names;
    PulseStatus {
        schema: SCHEMA_VERSION,
        router: router.clone(),
        uptime_seconds: now.since(driver.started).as_secs(),
        config: driver.config_status(),
        partner: partner(driver, now),
        paths: paths(driver, now),
        witness: witness(driver),
        fencing: driver.failover.fencing().map(fencing).unwrap_or_default().to_owned(),
        groups: groups(driver),
        readiness: driver.worker.readiness,
        lvsd_pid: driver.worker.pid,
        lvsd_restarts: driver.worker.starts.saturating_sub(1),
        key_fingerprints: driver.keys.iter().map(keys::fingerprint).collect(),
        key_mode: rotation::mode(&driver.keys).to_owned(),
        partner_signs: driver.session.partner_signs(),
        key_use: key_use(&driver.session.counters()),
    }
}

fn key_use(counters: &Counters) -> KeyUse {
    KeyUse {
        first: counters.first_key,
        other: counters.other_key,
        unknown: counters.unknown_key,
        wrong: counters.tag.saturating_sub(counters.unknown_key),
    }
}

fn milliseconds(since: Option<Moment>, now: Moment) -> Option<u64> {
    since.map(|heard| u64::try_from(now.since(heard).as_millis()).unwrap_or(u64::MAX))
}

fn partner(driver: &Driver, now: Moment) -> PartnerStatus {
    let [_, name] = &driver.plan.names;
    let silent_path = driver.failover.paths().iter().any(|path| !path.alive);
    let state = match driver.failover.presence() {
        Presence::Unheard => "never seen",
        Presence::Alive if silent_path => "silent",
        Presence::Alive => "alive",
        Presence::Lost => "lost",
        Presence::Stopped => "stopped",
    };
    let beat = driver.failover.partner_beat();
    PartnerStatus {
        name: name.clone(),
        state: state.to_owned(),
        last_heard_ms: milliseconds(driver.failover.partner_last_heard(), now),
        readiness: beat.map(|beat| Readiness {
            table_in_place: beat.table_in_place,
            checks_warm: beat.checks_warm,
            config_hash: beat.config_hash,
        }),
        config_differs: beat.is_some_and(|beat| beat.config_hash != driver.plan.hash),
    }
}

fn paths(driver: &Driver, now: Moment) -> Vec<PathStatus> {
    let states = driver.failover.paths().iter();
    let plans = driver.plan.paths.iter().zip(&driver.path_counters).enumerate();
    plans
        .zip(states)
        .map(|((index, (plan, counters)), path)| PathStatus {
            name: plan.name.clone(),
            alive: path.alive,
            carrier: path.carrier,
            absent: plan.absent.clone(),
            last_heard_ms: milliseconds(path.last_heard, now),
            sent: driver.sockets.sent(PathId(index)),
            received: counters.accepted,
            rejected_tag: counters.tag,
            rejected_replay: rejected_replay(counters),
            rejected_malformed: counters.malformed,
        })
        .collect()
}

fn rejected_replay(counters: &Counters) -> u64 {
    counters.replay + counters.unproven
}

fn fencing(fencing: Fencing) -> &'static str {
    match fencing {
        Fencing::NotNeeded => "not needed",
        Fencing::Pending => "pending",
        Fencing::Failed => "failed",
        Fencing::Done => "done",
    }
}

fn witness(driver: &Driver) -> Vec<WitnessStatus> {
    let asked = driver.plan.witness.iter().zip(&driver.witness);
    asked
        .map(|(ip, reachable)| WitnessStatus { address: ip.to_string(), reachable: *reachable })
        .collect()
}

fn groups(driver: &Driver) -> Vec<GroupStatus> {
    let states = driver.failover.groups();
    states.filter_map(|state| Some(group(driver, driver.plan.group(state.id)?, &state))).collect()
}

fn group(driver: &Driver, plan: &GroupPlan, state: &GroupState) -> GroupStatus {
    let [me, partner] = &driver.plan.names;
    let theirs = state.theirs.is_some_and(|claim| claim.role == Role::Active && !claim.leaving);
    let held_by = match state.role {
        Role::Active => Some(me.clone()),
        Role::Starting | Role::Standby => theirs.then(|| partner.clone()),
    };
    let problems = driver.groups.get(&plan.id.0).map(|group| &group.problems);
    let places = driver.host.places();
    let addresses = plan.addresses.iter().map(|placed| AddressStatus {
        address: placed.shown(),
        interface: placed.interface.clone(),
        present: placed.present(&places),
        problem: placed
            .absent
            .clone()
            .or_else(|| problems.and_then(|problems| problems.get(&placed.address.ip).cloned())),
    });
    GroupStatus {
        name: plan.name.clone(),
        role: state.role.as_str().to_owned(),
        held_by,
        preferred: plan.preferred.clone(),
        failback: match plan.failback {
            Failback::Manual => "manual".to_owned(),
            Failback::Automatic { .. } => "automatic".to_owned(),
        },
        reason: state.reason.as_str().to_owned(),
        since_unix_ms: clock::unix_ms(state.since),
        addresses: addresses.collect(),
    }
}
