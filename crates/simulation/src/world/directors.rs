//! lvsd of both routers: what happens to it, and what it does.

use health::Verdict;
use heartbeat::packet::FEATURE_LETTERS;
use heartbeat::{Beat, PathId, Presence, Role, Worker};
use ipvs::Step;
use lvsd::core::{KernelWork, Now};

use super::{Coming, Index, Input, Micros, NAMES, World};
use crate::bug::Bug;
use crate::director::{Running, moment};
use crate::release::Release;
use crate::router::Router;

/// The longest that the kernel takes for what it is asked.
const KERNEL: Micros = 5_000;
/// The longest that a check takes to notice.
pub(super) const CHECK: Micros = 1_000_000;

impl World {
    pub(super) fn lvsd_now(&self, index: Index) -> Now {
        let clock = self.routers.get(index).map(|router| router.clock.at(self.now));
        moment(clock.unwrap_or_default().0, self.now)
    }

    /// lvsd starts, if pulse is there to start it.
    pub(super) fn start_lvsd(&mut self, at: Index, life: u64) {
        if !self.lives(at, life) {
            return;
        }
        let (now, world) = (self.lvsd_now(at), self.now);
        let forgets = self.bug == Some(Bug::ForgetsDecisions);
        let Some(farm) = self.farm.as_ref() else { return };
        let (Some(router), Some(name)) = (self.routers.get_mut(at), NAMES.get(at)) else { return };
        let Some(director) = router.director.as_mut().filter(|one| one.running.is_none()) else {
            return;
        };
        director.start(farm, name, forgets, now, world);
        self.story.tell(world, || format!("router {at}: lvsd starts"));
        self.tell_roles(at);
        self.work(at);
    }

    /// pulse tells lvsd which groups are here.
    pub(super) fn tell_roles(&mut self, index: Index) {
        let names = self.shape.groups.len();
        let Some(router) = self.routers.get_mut(index) else { return };
        let Some(node) = router.node.as_ref() else { return };
        let here = |id: &heartbeat::GroupId| {
            let mut groups = node.failover.groups();
            groups.any(|state| state.id == *id && state.role == Role::Active && !state.leaving)
        };
        let active = self.ids.iter().zip(super::GROUP_NAMES).take(names);
        let active = active.filter(|(id, _)| here(id)).map(|(_, name)| name.to_owned()).collect();
        if let Some(running) = router.running_mut() {
            running.core.active(active);
        }
    }

    /// What lvsd wants now.
    pub(super) fn work(&mut self, index: Index) {
        let (now, world) = (self.lvsd_now(index), self.now);
        let Some(router) = self.routers.get_mut(index) else { return };
        let pulse = router.life;
        let Some(director) = router.director.as_mut() else { return };
        let planned = director.running.as_ref().map(|running| running.due);
        let wishes = director.work(now, world);
        let life = director.life;
        if wishes.kernel {
            let served = self.have_somebody(index);
            let running = self.routers.get_mut(index).and_then(Router::running_mut);
            if let Some(running) = running {
                running.served = served;
            }
            let after = 1 + self.random.below(KERNEL);
            self.plan(after, Coming::Kernel { at: index, life });
        }
        for id in wishes.begun {
            let after = 1000 + self.random.below(CHECK);
            self.plan(after, Coming::Checked { at: index, life, id });
        }
        if wishes.readiness {
            self.plan(1, Coming::Worker { at: index, life: pulse });
        }
        if let Some(due) = wishes.due.filter(|due| Some(*due) != planned || *due <= world + 1000) {
            self.plan(due.saturating_sub(world), Coming::Work { at: index, life, due });
        }
        for letter in wishes.letters {
            self.send_letter(index, letter);
        }
        self.table_in_place(index);
        self.drains_ended(index);
    }

    /// pulse carries a letter, as it does to a partner that reads letters.
    fn send_letter(&mut self, index: Index, text: String) {
        let Some(router) = self.routers.get(index).filter(|router| router.awake()) else { return };
        let Some(node) = router.node.as_ref() else { return };
        let reads = |beat: &Beat| beat.features & FEATURE_LETTERS != 0;
        let there = node.failover.presence() == Presence::Alive
            && node.failover.partner_beat().is_some_and(reads);
        if !there || node.release == Release::Previous || self.bug == Some(Bug::TellsNobody) {
            return;
        }
        let letter = Beat::letter(text.into_bytes());
        for path in 0..self.shape.paths {
            self.send(index, PathId(path), &letter);
        }
    }

    /// The partner's lvsd has written.
    pub(super) fn letter_came(&mut self, index: Index, content: Vec<u8>) {
        let now = self.lvsd_now(index);
        let Ok(text) = String::from_utf8(content) else { return };
        let running = self.routers.get_mut(index).and_then(Router::running_mut);
        if let Some(running) = running {
            running.core.letter_came(&text, now);
            self.work(index);
        }
    }

    /// Whether an event is for this life of lvsd.
    fn for_lvsd(&self, at: Index, life: u64) -> bool {
        let director = self.routers.get(at).and_then(|router| router.director.as_ref());
        director.is_some_and(|one| one.life == life)
    }

    /// lvsd's deadline.
    pub(super) fn lvsd_due(&mut self, at: Index, life: u64, due: Micros) {
        if self.for_lvsd(at, life) {
            let running = self.routers.get_mut(at).and_then(Router::running_mut);
            if running.is_some_and(|running| running.due == due) {
                self.work(at);
            }
        }
    }

    /// nanny has a verdict.
    pub(super) fn checked(&mut self, at: Index, life: u64, id: control::nanny::WatchId) {
        if !self.for_lvsd(at, life) {
            return;
        }
        let (now, bug) = (self.lvsd_now(at), self.bug);
        let Some(farm) = self.farm.as_ref() else { return };
        let running = self.routers.get_mut(at).and_then(Router::running_mut);
        let Some(running) = running else { return };
        let Some(watch) = running.watches.get(&id) else { return };
        let up = farm.is_up(watch.server);
        let verdict = if up { Verdict::Up } else { Verdict::Down };
        if up {
            running.seen_up.insert(id);
        }
        running.said.insert(id, verdict);
        if up || bug != Some(Bug::KeepsTheDead) {
            running.core.judged(id, verdict, "as it is", 1, now);
        }
        self.work(at);
    }

    /// The kernel has done what it was asked.
    pub(super) fn kernel_done(&mut self, at: Index, life: u64) {
        if !self.for_lvsd(at, life) {
            return;
        }
        let now = self.lvsd_now(at);
        let carries = self.routers.get(at).is_some_and(|router| router.holds.contains(&true));
        let running = self.routers.get_mut(at).and_then(Router::running_mut);
        let Some(work) = running.and_then(|running| running.under_way.take()) else { return };
        match work {
            KernelWork::Dump => {
                let Some(farm) = self.farm.as_ref() else { return };
                let Some(router) = self.routers.get_mut(at) else { return };
                let Some(director) = router.director.as_mut() else { return };
                director.edited = false;
                let table = director.kernel.table.clone();
                let statistics = director.statistics(farm, carries);
                if let Some(running) = director.running.as_mut() {
                    running.core.dumped(table, statistics, now);
                }
            }
            KernelWork::Apply(steps) => {
                let results: Vec<_> = steps.iter().map(|step| self.kernel_step(at, step)).collect();
                let running = self.routers.get_mut(at).and_then(Router::running_mut);
                if let Some(running) = running {
                    running.core.applied(&steps, &results, now);
                }
            }
        }
        self.work(at);
    }

    /// One step in the kernel, and what must hold of it.
    fn kernel_step(&mut self, at: Index, step: &Step) -> Result<(), lvsd::reconciler::Refusal> {
        let world = self.now;
        // What somebody else has just changed is not known yet.
        let seen =
            |router: &Router| router.director.as_ref().is_some_and(|director| !director.edited);
        let seen = self.routers.get(at).is_some_and(seen);
        let served = seen && self.serves(at, step.service());
        let Some(director) = self.routers.get_mut(at).and_then(|one| one.director.as_mut()) else {
            return Ok(());
        };
        let result = director.apply(step, world);
        *self.coverage.events.entry("changes of a kernel's table").or_default() += 1;
        self.step_done(at, step, served);
        result
    }

    /// lvsd is killed; what the kernel has begun is done up to a step.
    pub(super) fn kill_lvsd(&mut self, index: Index) {
        let random = &mut self.random;
        let Some(router) = self.routers.get_mut(index) else { return };
        let Some(director) = router.director.as_mut() else { return };
        for step in director.kill(|steps| random.index(steps)) {
            // Whoever asked is gone.
            let _told = director.apply(&step, self.now);
        }
    }

    /// lvsd stops in order.
    pub(super) fn stop_lvsd(&mut self, index: Index) {
        let Some(director) = self.routers.get(index).and_then(|one| one.director.as_ref()) else {
            return;
        };
        let life = director.life;
        self.kernel_done(index, life);
        let (world, keeps) = (self.now, self.bug == Some(Bug::LeavesItsTable));
        let Some(director) = self.routers.get_mut(index).and_then(|one| one.director.as_mut())
        else {
            return;
        };
        if director.running.is_none() {
            return;
        }
        let before = director.kernel.table.clone();
        let clean = !director.edited && world >= director.refuses_until;
        for step in director.stop().iter().filter(|_| !keeps) {
            // It ends whatever comes of it.
            let _told = director.apply(step, world);
        }
        if clean {
            self.left_after_stop(index, &before);
        }
    }

    /// What pulse knows of lvsd.
    pub(super) fn hear_of_worker(&mut self, at: Index) {
        let worker = if self.farm.is_some() {
            let running = self.routers.get_mut(at).and_then(Router::running_mut);
            running.and_then(|running: &mut Running| running.told).map_or(Worker::Down, |told| {
                Worker::Up { table_in_place: told.table_in_place, checks_warm: told.checks_warm }
            })
        } else {
            Worker::Up { table_in_place: true, checks_warm: true }
        };
        self.give(at, Input::Worker(worker));
    }
}

impl Router {
    /// lvsd is there from then on.
    pub(super) fn lvsd_comes(&self, at: Index) -> Coming {
        let life = self.life;
        if self.director.is_some() {
            Coming::StartLvsd { at, life }
        } else {
            Coming::Worker { at, life }
        }
    }
}
