//! Two routers, the networks between them, and time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Duration;

use heartbeat::rotation::{Stage, Staged};
use heartbeat::{
    Action, Event, GroupId, GroupSetup, PathId, PathSetup, QuestionId, Reason, Rejected, RouterId,
    Setup, Side, Timing,
};

use crate::bug::Bug;
use crate::clock::Clock;
use crate::coverage::Coverage;
use crate::director::Director;
use crate::farm::Farm;
use crate::fault::{Fault, Index, Micros};
use crate::invariants::{Bounds, Ended, Invariant, Violation, Watch};
use crate::node::{Input, NAMES, key};
use crate::random::Random;
use crate::router::{GROUPS, INBOX, Nap, Router, Waiting, configured};
use crate::schedule::{Schedule, Shape, micros};
use crate::story::Story;
use crate::words::Words;

mod arrivals;
mod attack;
mod carry;
mod coming;
mod directors;
mod fence;
mod keys;
mod misfortune;
mod network;
mod servers;
mod start;
mod variants;
mod witnesses;

pub(crate) use arrivals::Arrivals;
use coming::{Coming, Planned};
use network::Network;
pub(crate) use network::Recorded;

/// Names of the groups.
pub(crate) const GROUP_NAMES: [&str; GROUPS] = ["web", "mail", "dns"];
/// A run that has so many steps has lost its way.
const MOST_STEPS: u64 = 200_000;

/// The world of one run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Micros,
    pub(crate) shape: Shape,
    pub(crate) routers: [Router; 2],
    pub(crate) ids: Vec<GroupId>,
    pub(crate) bounds: Bounds,
    pub(crate) watch: Watch,
    /// A hand-over that was asked for in calm is over by then.
    pub(crate) planned: [Micros; GROUPS],
    /// An operator's wish is over by then.
    pub(crate) asked: [Micros; GROUPS],
    /// An operator has moved it.
    pub(crate) moved: [bool; GROUPS],
    pub(crate) recorded: Vec<Recorded>,
    /// Real servers, where the run has lvsd.
    pub(crate) farm: Option<Farm>,
    pub(crate) words: Words,
    pub(crate) coverage: Coverage,
    pub(crate) violation: Option<Violation>,
    pub(crate) story: Story,
    pub(crate) random: Random,
    pub(crate) bug: Option<Bug>,
    network: Network,
    queue: BinaryHeap<Reverse<Planned>>,
    serial: u64,
    /// Nothing has changed around the routers since then.
    steady_since: Micros,
    /// The same without edits of the configuration.
    rough_since: Micros,
    /// One started with another configuration than its partner had, whose times it never knew.
    strangers: bool,
    reached: witnesses::Reached,
    pub(crate) drains_ended: Ended,
    /// When a packet last reached a program that reads it.
    last_arrival: Micros,
    /// Until when packets are on their way that were held back, of routers that heard nobody.
    deaf_until: Micros,
    newest_key: u8,
    rotating: bool,
    /// Whatever ends from here on is started again.
    healed: bool,
}

impl World {
    /// Plays a schedule to its end, or to the first broken promise.
    pub(crate) fn play(schedule: &Schedule, bug: Option<Bug>, story: Story) -> Self {
        let mut world = Self::new(schedule, bug, story);
        for router in [0, 1] {
            world.start(router);
        }
        let mut faults = schedule.faults.iter().peekable();
        while world.violation.is_none() {
            let Some((at, fault)) = faults.next_if(|(at, _)| *at < schedule.heal_at) else { break };
            world.run(*at);
            world.befall(fault);
        }
        world.run(schedule.heal_at);
        if world.violation.is_none() {
            world.heal();
        }
        world.run(schedule.end_at);
        if world.violation.is_none() {
            world.same_view();
            world.same_decisions();
            world.same_keys();
        }
        world.coverage.runs = 1;
        world.coverage.simulated = world.now;
        world
    }

    pub(crate) fn new(schedule: &Schedule, bug: Option<Bug>, story: Story) -> Self {
        let shape = schedule.shape.clone();
        let mut random = Random::new(schedule.seed, 2);
        let routers = shape.clocks.map(|drift| Router {
            node: None,
            powered: true,
            life: 0,
            clock: Clock::new(0, random.below(1 << 40), drift),
            due: Micros::MAX,
            holds: [false; GROUPS],
            orders: [0; GROUPS],
            nap: None,
            inbox: Vec::new(),
            boot: None,
            arrivals: Arrivals::default(),
            director: shape.farm.map(|_| Director::new()),
            keys: vec![key(1)],
            staged: vec![Staged { key: key(1), stage: Stage::InUse }],
            variant: 0,
            unfit: [false; GROUPS],
            slept_until: None,
            woke: None,
            fenced: None,
            vouched: [false; GROUPS],
        });
        Self {
            now: 0,
            bounds: Bounds::new(shape.interval, shape.dead_after, shape.addresses, 0),
            ids: GROUP_NAMES.map(GroupId::of).into_iter().take(shape.groups.len()).collect(),
            shape,
            routers,
            watch: Watch::default(),
            planned: [0; GROUPS],
            asked: [0; GROUPS],
            moved: [false; GROUPS],
            recorded: Vec::with_capacity(512),
            farm: schedule.shape.farm.map(|stop| Farm::new(schedule.shape.groups.len(), stop)),
            words: Words::default(),
            coverage: Coverage::default(),
            violation: None,
            story,
            random,
            bug,
            network: Network::default(),
            queue: BinaryHeap::with_capacity(64),
            serial: 0,
            steady_since: 0,
            rough_since: 0,
            strangers: false,
            reached: witnesses::Reached::default(),
            drains_ended: Ended::new(),
            last_arrival: 0,
            deaf_until: 0,
            newest_key: 1,
            rotating: false,
            healed: false,
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, end: Micros) {
        let mut steps = 0;
        while self.violation.is_none() {
            let queued = self.queue.peek().map_or(Micros::MAX, |Reverse(planned)| planned.at);
            let due = [0, 1].map(|index| self.due(index));
            let called = due.into_iter().min().unwrap_or(Micros::MAX);
            let next = queued.min(called);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if queued <= called {
                if let Some(Reverse(planned)) = self.queue.pop() {
                    self.happen(planned.coming);
                }
            } else {
                for (index, at) in due.into_iter().enumerate() {
                    if at <= self.now {
                        self.call(index);
                    }
                }
            }
            self.watch();
            steps += 1;
            if steps > MOST_STEPS {
                self.violate(Invariant::Rest, "too many steps".to_owned());
            }
        }
        self.now = self.now.max(end);
    }

    /// When a router is to be called: at its deadline, or when it wakes up.
    fn due(&self, index: Index) -> Micros {
        let Some(router) = self.routers.get(index) else { return Micros::MAX };
        match (&router.node, router.nap) {
            (None, _) => Micros::MAX,
            (Some(_), Some(nap)) => nap.until,
            (Some(_), None) => router.due,
        }
    }

    /// A router's deadline, or the end of its nap: what waits in its socket comes first.
    fn call(&mut self, index: Index) {
        self.wake(index);
        self.give(index, Input::Timeout);
    }

    fn plan(&mut self, after: Micros, coming: Coming) {
        self.serial += 1;
        let planned = Planned { at: self.now + after, serial: self.serial, coming };
        self.queue.push(Reverse(planned));
    }

    /// Something happens now, unless whom it happens to stands still: then later.
    fn happen(&mut self, coming: Coming) {
        let pulse = coming.heard_by().and_then(|at| self.routers.get(at)?.nap);
        let lvsd = coming.lvsd_of().and_then(|at| self.routers.get(at)?.nap);
        if let Some(nap) = pulse.or(lvsd.filter(|nap| nap.machine)) {
            self.plan(nap.until.saturating_sub(self.now) + 1, coming);
            return;
        }
        match coming {
            Coming::Packet { to, path, bytes, record, altered } => {
                if altered {
                    self.attack(to, path, &bytes);
                    return;
                }
                let read = self.routers.get(to).is_some_and(Router::awake);
                if let Some(recorded) = self.recorded.get_mut(record).filter(|_| read) {
                    recorded.arrived = true;
                }
                self.arrive(to, Waiting { path, bytes, record });
            }
            Coming::Moved { at, life, group, order, here } => {
                self.has_moved(at, life, group, order, here);
            }
            Coming::Witness { at, life, id, reachable } => {
                if self.lives(at, life) {
                    self.give(at, Input::Witness(id, reachable));
                }
            }
            Coming::Probed { at, life, group, id, seen, last } => {
                self.look(at, life, group, id, seen, last);
            }
            Coming::LeaseEnds { at, life, since } => self.lease_ends(at, life, since),
            Coming::Worker { at, life } => {
                if self.lives(at, life) {
                    self.hear_of_worker(at);
                }
            }
            Coming::Counted { at } => self.counted(at),
            Coming::StartLvsd { at, life } => self.start_lvsd(at, life),
            Coming::Work { at, life, due } => self.lvsd_due(at, life, due),
            Coming::Kernel { at, life } => self.kernel_done(at, life),
            Coming::Checked { at, life, id } => self.checked(at, life, id),
            Coming::Shot { at, life, id } => self.shoot(at, life, id),
            Coming::Fenced { at, life, id, fenced } => {
                if self.lives(at, life) {
                    self.give(at, Input::Fenced(id, fenced));
                }
            }
            Coming::Reboot { at } => self.reboot(at),
            Coming::Keys { step, id } => self.rotate(step, id),
            Coming::KeysOnDisk { at, life, keys, then } => {
                self.keys_on_disk(at, life, keys, then);
            }
            Coming::KeysInForce { at, life, keys, then } => {
                self.keys_in_force(at, life, keys, then);
            }
        }
    }

    /// A router was woken before its time: what waited for that happens now, and nothing else. A
    /// deadline that came early would be none any more.
    fn catch_up(&mut self, index: Index, nap: Nap) {
        let now = self.now;
        let waits = |at: Micros, coming: &Coming| {
            let lvsd = coming.lvsd_of().filter(|_| nap.machine);
            at == nap.until + 1 && coming.heard_by().or(lvsd) == Some(index)
        };
        let queue = std::mem::take(&mut self.queue).into_iter();
        let sooner = queue.map(|Reverse(planned)| match planned {
            Planned { at, coming, serial } if at > now && waits(at, &coming) => {
                Reverse(Planned { at: now + 1, coming, serial })
            }
            other => Reverse(other),
        });
        self.queue = sooner.collect();
    }

    fn lives(&self, index: Index, life: u64) -> bool {
        self.routers.get(index).is_some_and(|router| router.life == life && router.node.is_some())
    }

    /// Gives one input to a router's program and does what it decides.
    pub(crate) fn give(&mut self, index: Index, input: Input) -> bool {
        let now = self.now;
        let Some(router) = self.routers.get_mut(index) else { return false };
        let moment = router.clock.at(now);
        let Some(node) = router.node.as_mut() else { return false };
        let (actions, accepted) = node.handle(input, moment);
        router.due = router.clock.when(node.next_deadline()).max(now + 1);
        self.carry_out(index, actions);
        self.rotation_step(index);
        accepted
    }

    /// Remembers the first broken promise.
    pub(crate) fn violate(&mut self, invariant: Invariant, detail: String) {
        if self.violation.is_none() {
            self.story.tell(self.now, || format!("BROKEN: {}: {detail}", invariant.name()));
            self.violation = Some(Violation { invariant, at: self.now, detail });
        }
    }

    /// Counts that a promise was put to the test.
    pub(crate) fn arm(&mut self, invariant: Invariant, armed: bool, amount: u64) {
        if armed && amount > 0 {
            *self.coverage.armed.entry(invariant).or_default() += amount;
        }
    }
}
