//! Programs start, end, fall asleep and wake up.

use super::{
    Arrivals, Bug, Coming, Duration, GROUPS, GroupSetup, Index, Input, Micros, NAMES, PathSetup,
    RouterId, Setup, Side, Timing, World, configured, micros,
};
use crate::clock::Clock;
use crate::node::Node;
use crate::random::Random;
use crate::release::Release;
use crate::router::Nap;
use crate::toy::Toy;

use heartbeat::key::KeyRing;
use heartbeat::rotation::Rotation;
use heartbeat::{Failover, PathId, Session};

/// Longest time that lvsd takes to be ready, in thousandths of `dead_after`.
const READY_AFTER: Micros = 2000;

impl World {
    /// What a router's program is told of its configuration.
    pub(super) fn setup(&self, index: Index) -> Option<Setup> {
        let router = self.routers.get(index)?;
        let groups = configured(&self.shape.groups, router.variant);
        let side = |router: usize| if router == 0 { Side::First } else { Side::Second };
        let timing = self.shape.times(router.variant);
        let timing = Timing::try_new(timing.0, timing.1, None, timing.1).ok()?;
        let [me, partner] =
            [NAMES.get(index)?, NAMES.get(1 - index)?].map(|name| RouterId::of(name));
        let both_first = self.bug == Some(Bug::BothComeFirst);
        let unasked = self.bug == Some(Bug::FailsBackUnasked);
        let group = |(group, shape): (usize, &crate::schedule::GroupShape)| {
            let preferred = shape.preferred.map(side);
            Some(GroupSetup {
                id: self.ids.get(group).copied()?,
                preferred: if both_first && shape.failback.is_none() {
                    Some(side(index))
                } else {
                    preferred
                },
                failback: shape.failback.or(unasked.then_some(Duration::ZERO)),
                fit: router.fit(group),
                holding: router.holds(group),
            })
        };
        let path = |n: usize| PathSetup { carrier: true, was: Some(PathId(n)) };
        Some(Setup {
            me: side(index),
            router: if both_first { me.min(partner) } else { me },
            partner: if both_first { me.max(partner) } else { partner },
            timing,
            paths: (0..self.shape.paths).map(path).collect(),
            groups: groups.iter().enumerate().filter_map(group).collect(),
            witness: self.shape.witness,
            yields: self.shape.yields,
            fence: self.fence_setup(),
            config_hash: router.variant,
        })
    }

    /// A router's program starts, if it does not run.
    pub(super) fn start(&mut self, index: Index) {
        let boot = self.random.next();
        let mut seed = [0; 32];
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.random.next().to_be_bytes());
        }
        let drift = self.shape.clocks.get(index).copied().unwrap_or(0);
        let (now, bug) = (self.now, self.bug);
        let known = configured(&self.shape.groups, self.variant(index)).len();
        let Some(router) = self.routers.get_mut(index).filter(|router| router.node.is_none())
        else {
            return;
        };
        if !router.powered {
            router.powered = true;
            // Its clock counts from the start of the machine.
            router.clock = Clock::new(now, 5_000_000, drift);
        }
        // Nobody knows any more whose addresses these were.
        router.holds.iter_mut().skip(known).for_each(|holds| *holds = false);
        router.slept_until = None;
        router.woke = None;
        Self::not_fenced(router);
        router.nap = None;
        router.inbox.clear();
        let (keys, staged, clock) = (router.keys.clone(), router.staged.clone(), router.clock);
        let Some(setup) = self.setup(index) else { return };
        let (Some(me), Some(partner)) = (NAMES.get(index), NAMES.get(1 - index)) else { return };
        let failover = Failover::new(setup, clock.at(now));
        let session = Session::new(me, partner, &keys, boot, seed);
        let (Ok(failover), Ok(session)) = (failover, session) else { return };
        let believes = bug == Some(Bug::BelievesRecordings);
        let ring = if believes { KeyRing::new(me, partner, &keys).ok() } else { None };
        let release =
            if self.shape.mixed { Release::draw(&mut self.random) } else { Release::This };
        *self.coverage.events.entry(release.name()).or_default() += 1;
        let session = release.session(session);
        let node = Node {
            failover,
            session,
            release,
            bug,
            forgotten: Duration::ZERO,
            ring,
            interval: self.shape.interval,
            believed: None,
            rotation: Rotation::default(),
            pairs: Toy(Random::new(boot, 6)),
            staged,
        };
        let ready = micros(self.shape.dead_after) * self.random.below(READY_AFTER) / 1000;
        if let Some(router) = self.routers.get_mut(index) {
            router.life += 1;
            router.due = now;
            router.node = Some(node);
            router.boot = Some(boot);
            router.arrivals = Arrivals::default();
            let coming = router.lvsd_comes(index);
            self.plan(ready, coming);
        }
        self.meet();
        self.count(index, 1);
        self.unsettle();
    }

    /// The two have to get to know each other.
    fn meet(&mut self) {
        self.strangers |= !self.variants_agree();
        self.routers.iter_mut().for_each(|router| router.arrivals.given_up = 0);
    }

    pub(super) fn variant(&self, index: Index) -> u64 {
        self.routers.get(index).map_or(0, |router| router.variant)
    }

    /// A router's program ends at once. Its addresses stay in the kernel, for as long as they last.
    pub(super) fn end(&mut self, index: Index) {
        let now = self.now;
        let Some(router) = self.routers.get_mut(index) else { return };
        if router.node.take().is_none() {
            return;
        }
        router.life += 1;
        router.nap = None;
        let life = router.life;
        self.kill_lvsd(index);
        if let Some(lease) = self.shape.lease {
            self.plan(lease, Coming::LeaseEnds { at: index, life, since: now });
        }
        self.unsettle();
    }

    /// A machine loses its power, and its kernel everything.
    pub(super) fn power_off(&mut self, index: Index) {
        self.end(index);
        if let Some(router) = self.routers.get_mut(index) {
            router.powered = false;
            router.holds = [false; GROUPS];
            if let Some(director) = router.director.as_mut() {
                director.power_off();
                self.words.forget();
            }
        }
        self.unsettle();
    }

    /// A program, or a whole machine, stands still for so long.
    pub(super) fn fall_asleep(&mut self, index: Index, lasts: Micros, machine: bool) {
        let now = self.now;
        let Some(router) = self.routers.get_mut(index).filter(|router| router.awake()) else {
            return;
        };
        router.nap = Some(Nap { since: now, until: now + lasts, machine });
        let life = router.life;
        if let Some(lease) = self.shape.lease.filter(|_| !machine) {
            self.plan(lease, Coming::LeaseEnds { at: index, life, since: now });
        }
        self.unsettle();
    }

    /// It goes on; what waits in its socket is heard first.
    pub(super) fn wake(&mut self, index: Index) {
        let now = self.now;
        let dead_after = self.shape.dead_after;
        let Some(router) = self.routers.get_mut(index) else { return };
        let Some(nap) = router.nap.take() else { return };
        let lasted = router.clock.at(now).since(router.clock.at(nap.since));
        router.arrivals.ask_anew();
        if lasted >= dead_after {
            let until = router.clock.at(now) + self.shape.shortest().1;
            router.slept_until = Some(until);
            router.woke = Some(router.clock.at(now));
            Self::not_fenced(router);
        }
        if let Some(node) = router.node.as_mut()
            && node.bug == Some(Bug::ForgetsThePause)
        {
            node.forgotten += lasted;
        }
        if let Some(director) = router.director.as_mut() {
            director.disturbed_at = now;
        }
        let inbox = std::mem::take(&mut router.inbox);
        self.unsettle();
        self.story.tell(now, || format!("router {index} goes on after {lasted:?}"));
        for packet in inbox {
            self.deliver(index, &packet);
        }
        self.count(index, 1);
        // It learns what became of its interfaces meanwhile.
        for group in 0..self.ids.len() {
            let fit = self.routers.get(index).is_some_and(|router| router.fit(group));
            if let Some(id) = self.ids.get(group).copied() {
                self.give(index, Input::Fitness(id, fit));
            }
        }
    }

    /// Nobody renewed the addresses of a program that does not run or stands still.
    pub(super) fn lease_ends(&mut self, index: Index, life: u64, since: Micros) {
        let Some(router) = self.routers.get_mut(index) else { return };
        let dead = router.life == life && router.node.is_none();
        let naps = router.nap.is_some_and(|nap| nap.since == since && !nap.machine);
        if dead || naps {
            router.holds = [false; GROUPS];
            self.unsettle();
            self.story.tell(self.now, || format!("router {index}: its addresses leave"));
        }
    }

    /// Something has changed around the routers.
    pub(crate) fn unsettle(&mut self) {
        self.steady_since = self.now;
        self.rough_since = self.now;
    }

    /// What a router is configured with, anew.
    pub(super) fn reload(&mut self, index: Index, variant: u64) {
        // A wish for failback may be on its way still.
        for group in 0..self.ids.len() {
            let wished = self.returns_to(index, group);
            if let Some(asked) = self.asked.get_mut(group).filter(|_| wished) {
                *asked = (*asked).max(self.now + super::misfortune::WISH);
            }
            // Whoever grants it by then takes it for an operator's.
            if let Some(moved) = self.moved.get_mut(group).filter(|_| wished) {
                *moved = true;
            }
        }
        if let Some(router) = self.routers.get_mut(index) {
            router.variant = variant;
        }
        self.strangers &= !self.variants_agree();
        if let Some(setup) = self.setup(index) {
            self.give(index, Input::Setup(setup));
        }
        self.count(index, 1);
        self.read_file(index, variant);
    }
}
