//! The running program of one router: the real state machine and the real session, with a
//! deliberate bug between them and the world if one is asked for.

use std::time::Duration;

use heartbeat::key::KeyRing;
use heartbeat::packet::{Claim, decode};
use heartbeat::rotation::{Rotation, Staged};
use heartbeat::{
    Action, Actions, Beat, Failover, GroupId, Moment, PathId, QuestionId, Received, Rejected,
    Request, Session, Setup, SharedKey,
};

use crate::bug::Bug;
use crate::release::Release;
use crate::toy::Toy;

/// Bits of a heartbeat's features that tell its sender's interval.
const TIMES: u16 = 0xf0;

/// Names of the two routers.
pub(crate) const NAMES: [&str; 2] = ["master", "backup"];

/// One life of a router's program.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) failover: Failover,
    pub(crate) session: Session,
    pub(crate) release: Release,
    pub(crate) bug: Option<Bug>,
    /// Time that it is not told of, with the bug that forgets it.
    pub(crate) forgotten: Duration,
    /// What the bug that believes everything verifies with.
    pub(crate) ring: Option<KeyRing>,
    /// A new key that the routers make together.
    pub(crate) rotation: Rotation<Toy>,
    pub(crate) pairs: Toy,
    pub(crate) staged: Vec<Staged>,
    /// Time between heartbeats, and what the bug that doubts has believed last.
    pub(crate) interval: Duration,
    pub(crate) believed: Option<(Moment, Vec<(GroupId, Claim)>)>,
}

/// Everything that can happen to the state machine.
#[derive(Debug)]
pub(crate) enum Input {
    Timeout,
    Heartbeat(PathId, Received),
    Unproven,
    Carrier(PathId, bool),
    Fitness(GroupId, bool),
    Worker(heartbeat::Worker),
    Witness(QuestionId, bool),
    Witnesses(Option<u8>),
    Probe(GroupId, QuestionId, bool),
    Fenced(QuestionId, bool),
    StoodDown(GroupId),
    Setup(Setup),
    Stop,
    Asked(Request),
}

impl Node {
    fn told(&self, now: Moment) -> Moment {
        now - self.forgotten
    }

    /// When it wants to be called, on its own clock.
    pub(crate) fn next_deadline(&self) -> Moment {
        self.failover.next_deadline() + self.forgotten
    }

    /// Gives one input to the state machine. A request that is refused is `false`.
    pub(crate) fn handle(&mut self, input: Input, now: Moment) -> (Vec<Action>, bool) {
        let now = self.told(now);
        let input = match input {
            Input::Setup(setup) if self.bug == Some(Bug::ForgetsTheOldTimes) => {
                return (self.forget_old_times(setup, now), true);
            }
            input => input,
        };
        let machine = &mut self.failover;
        let mut accepted = true;
        let actions = match input {
            Input::Timeout => machine.handle_timeout(now),
            Input::Heartbeat(path, mut packet) => {
                if self.bug == Some(Bug::DoubtsAfterALoss) && packet.newest {
                    doubt(&mut self.believed, self.interval, &mut packet.beat, now);
                }
                self.failover.handle_heartbeat(path, packet, now)
            }
            Input::Unproven => machine.handle_unproven(now),
            Input::Carrier(path, up) => machine.handle_carrier(path, up, now),
            Input::Fitness(group, fit) => machine.handle_fitness(group, fit, now),
            Input::Worker(worker) => machine.handle_worker(worker, now),
            Input::Witness(id, reachable) => {
                let reachable = reachable || self.bug == Some(Bug::IgnoresTheWitness);
                machine.handle_witness(id, reachable, now)
            }
            Input::Witnesses(reached) => machine.handle_witnesses(reached, now),
            Input::Probe(group, id, somebody) => machine.handle_probe(group, id, somebody, now),
            Input::Fenced(id, fenced) => {
                let fenced = fenced || self.bug == Some(Bug::FencesNobody);
                machine.handle_fence(id, fenced, now)
            }
            Input::StoodDown(group) => machine.handle_stood_down(group, now),
            Input::Setup(setup) => machine.handle_setup(setup, now).unwrap_or_default(),
            Input::Stop => machine.handle_stop(now),
            Input::Asked(request) => {
                let (actions, outcome) = machine.handle_request(request, now);
                accepted = outcome.is_ok();
                actions
            }
        };
        (self.spoil(actions, now), accepted)
    }

    /// The state machine is made to believe that the partner has this configuration already.
    fn forget_old_times(&mut self, setup: Setup, now: Moment) -> Vec<Action> {
        let partner = self.failover.partner_beat();
        let config_hash = partner.map_or(setup.config_hash, |beat| beat.config_hash);
        let agreed = Setup { config_hash, ..setup.clone() };
        let mut actions = Vec::new();
        for setup in [agreed, setup] {
            let decided = self.failover.handle_setup(setup, now).unwrap_or_default();
            actions.extend(self.spoil(decided, now));
        }
        actions
    }

    /// What the deliberate bugs make of what the state machine decided.
    fn spoil(&mut self, actions: Actions, now: Moment) -> Vec<Action> {
        let actions = actions.into_iter();
        match self.bug {
            Some(Bug::SpeaksTooEarly) => {
                let mut spoiled = Vec::new();
                for action in actions {
                    let gone = match &action {
                        Action::StandDown { group, .. } => Some(*group),
                        _ => None,
                    };
                    spoiled.push(action);
                    if let Some(group) = gone {
                        spoiled.extend(self.failover.handle_stood_down(group, now));
                    }
                }
                spoiled
            }
            Some(Bug::TakesNothing) => {
                actions.filter(|action| !matches!(action, Action::TakeOver { .. })).collect()
            }
            Some(Bug::BothComeFirst) => {
                let stays = |action: &Action| {
                    let reason = heartbeat::Reason::TwoActive;
                    !matches!(action, Action::StandDown { reason: why, .. } if *why == reason)
                };
                actions.filter(stays).collect()
            }
            _ => actions.collect(),
        }
    }

    /// Seals a heartbeat.
    pub(crate) fn seal(&mut self, beat: &Beat, now: Moment) -> Vec<u8> {
        self.session.seal(&self.release.says(beat), now)
    }

    /// Opens a packet.
    pub(crate) fn open(&mut self, bytes: &[u8], now: Moment) -> Result<Received, Rejected> {
        let outcome = self.session.open(bytes, now);
        let mut outcome = outcome.and_then(|received| self.release.reads(received));
        if let (Some(Bug::ReadsNoTimes), Ok(received)) = (self.bug, &mut outcome) {
            received.beat.features &= !TIMES;
        }
        match (&self.ring, outcome) {
            (Some(ring), Err(error)) => decode(bytes, ring)
                .map(|(header, beat)| Received {
                    beat,
                    newest: true,
                    new_session: false,
                    sequence: header.sequence,
                    made_after: now,
                })
                .map_err(|_| error),
            (_, outcome) => outcome,
        }
    }

    /// What an attacker must not be able to change.
    pub(crate) fn digest(&self) -> impl PartialEq + use<> {
        let groups = self.failover.groups();
        let groups: Vec<_> =
            groups.map(|group| (group.id, group.role, group.leaving, group.theirs)).collect();
        let paths: Vec<bool> = self.failover.paths().iter().map(|path| path.alive).collect();
        let accepted = self.session.counters().accepted;
        (groups, paths, self.failover.presence(), accepted, self.failover.partner_last_heard())
    }
}

/// After a heartbeat that did not come, the roles of the one before it are believed.
fn doubt(
    believed: &mut Option<(Moment, Vec<(GroupId, Claim)>)>,
    interval: Duration,
    beat: &mut Beat,
    now: Moment,
) {
    match believed {
        Some((last, groups)) if now.since(*last) > interval * 8 / 5 => {
            beat.groups.clone_from(groups);
            *last = now;
        }
        _ => *believed = Some((now, beat.groups.clone())),
    }
}

/// The key of both at first, and after each rotation.
pub(crate) fn key(id: u8) -> SharedKey {
    SharedKey { id, secret: vec![id; 32] }
}
