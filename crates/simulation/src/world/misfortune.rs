//! Faults befall the world, and are mended.

use heartbeat::{Request, Worker};

use super::{Fault, GROUPS, Index, Input, Micros, Network, PathId, World, micros};

/// How long an operator's wish for a group may be granted: ten seconds, and the longest that a
/// packet with it is held back.
pub(super) const WISH: Micros = 10_000_000 + 30_000_000;

impl World {
    pub(crate) fn befall(&mut self, fault: &Fault) {
        let name = Fault::NAMES.get(fault.kind()).copied().unwrap_or_default();
        *self.coverage.faults.entry(name).or_default() += 1;
        self.story.tell(self.now, || format!("-- {fault}"));
        let operator =
            matches!(fault, Fault::Failover(..) | Fault::TakeOver(..) | Fault::Force(..));
        let attack = matches!(fault, Fault::Replay(..) | Fault::Reflect(..) | Fault::Forge(..));
        let outside = matches!(fault, Fault::Reach(..) | Fault::RotateKeys);
        if !operator && !attack && !outside && !fault.is_of_lvsd() {
            match fault {
                Fault::Reconfigure(..) => self.steady_since = self.now,
                _ => self.unsettle(),
            }
            self.planned = [0; GROUPS];
        }
        match *fault {
            Fault::Crash(router) => self.end(router),
            Fault::PowerLoss(router) => self.power_off(router),
            Fault::Start(router) => self.start(router),
            Fault::StartBoth => {
                self.start(0);
                self.start(1);
            }
            Fault::Stop(router) => self.ask(router, Input::Stop),
            Fault::Pause(router, lasts) => self.fall_asleep(router, lasts, false),
            Fault::Suspend(router, lasts) => self.fall_asleep(router, lasts, true),
            Fault::Clock(router, drift) => {
                let now = self.now;
                if let Some(router) = self.routers.get_mut(router) {
                    router.clock.change_pace(now, drift);
                    if let Some(node) = &router.node {
                        router.due = router.clock.when(node.next_deadline()).max(now);
                    }
                }
            }
            Fault::Failover(router, group) => {
                self.move_group(router, group, Request::Failover);
            }
            Fault::TakeOver(router, group) => {
                self.move_group(router, group, Request::TakeOver);
            }
            Fault::Force(router, group) => self.force(router, group),
            Fault::RotateKeys => self.new_key(),
            Fault::Reach(one, other) => {
                self.reach([one, other].map(|count| u8::try_from(count).unwrap_or(u8::MAX)));
            }
            Fault::Reconfigure(router, variant) => self.reconfigure(router, variant),
            Fault::Unfit(router, group) => self.unfit(router, group),
            Fault::LoseWorker(router, lasts) => self.lose_worker(router, lasts),
            Fault::Replay(to, count) => self.replay(to, count),
            Fault::Reflect(to, count) => self.reflect(to, count),
            Fault::Forge(to, count) => self.forge(to, count),
            _ if fault.is_of_lvsd() => self.befall_lvsd(fault),
            _ => self.disturb(fault),
        }
    }

    /// Faults of the networks.
    fn disturb(&mut self, fault: &Fault) {
        let network = &mut self.network;
        match *fault {
            Fault::CutOneWay(from, path) => {
                if let Some(cut) = network.cut.get_mut(from).and_then(|cut| cut.get_mut(path)) {
                    *cut = true;
                }
            }
            Fault::CutPath(path, noticed) => {
                for from in &mut network.cut {
                    if let Some(cut) = from.get_mut(path) {
                        *cut = true;
                    }
                }
                self.ask(noticed, Input::Carrier(PathId(path), false));
            }
            Fault::CutAllFrom(from) => {
                if let Some(cut) = network.cut.get_mut(from) {
                    *cut = [true; 3];
                }
            }
            Fault::Partition => network.cut = [[true; 3]; 2],
            Fault::CutAddresses => network.addresses_cut = true,
            Fault::CutWitness(router) => {
                if let Some(cut) = network.witness_cut.get_mut(router) {
                    *cut = true;
                }
            }
            Fault::CutFence(router) => {
                if let Some(cut) = network.fence_cut.get_mut(router) {
                    *cut = true;
                }
            }
            Fault::Lose(chance) => network.lose = chance,
            Fault::Duplicate(chance) => network.duplicate = chance,
            Fault::Corrupt(chance) => network.corrupt = chance,
            Fault::Delay(delay) => {
                network.delay = delay;
                let Self { shape, .. } = self;
                let bounds = (shape.interval, shape.dead_after, shape.addresses);
                self.bounds = super::Bounds::new(bounds.0, bounds.1, bounds.2, delay);
            }
            Fault::HoldBack(from, time) => {
                if let Some(hold) = network.hold.get_mut(from) {
                    *hold = time;
                }
            }
            _ => self.mend(),
        }
    }

    /// The network, the witness and the interfaces are well again.
    fn mend(&mut self) {
        let delay = self.network.delay;
        self.network = Network { delay, ..Network::default() };
        self.unsettle();
        for index in [0, 1] {
            for path in 0..self.shape.paths {
                self.ask(index, Input::Carrier(PathId(path), true));
            }
            for group in 0..self.ids.len() {
                let Some(id) = self.ids.get(group).copied() else { continue };
                if let Some(router) = self.routers.get_mut(index)
                    && let Some(unfit) = router.unfit.get_mut(group)
                    && std::mem::take(unfit)
                {
                    self.ask(index, Input::Fitness(id, true));
                }
            }
        }
    }

    /// Everything is as it should be from here on.
    pub(super) fn heal(&mut self) {
        self.story.tell(self.now, || "-- everything is mended and started".to_owned());
        self.healed = true;
        for index in [0, 1] {
            if let Some(nap) = self.routers.get(index).and_then(|router| router.nap) {
                self.wake(index);
                self.catch_up(index, nap);
                self.give(index, Input::Timeout);
            }
        }
        self.mend();
        let variant = self.variant(0);
        for index in [0, 1] {
            if self.variant(index) != variant {
                self.reload(index, variant);
            }
            self.heal_lvsd(index, variant);
            self.start(index);
        }
        self.planned = [0; GROUPS];
        self.reach_all();
    }

    /// Gives an input to a program that runs and does not stand still.
    fn ask(&mut self, index: Index, input: Input) {
        if self.routers.get(index).is_some_and(super::Router::awake) {
            self.give(index, input);
        }
    }

    fn move_group(
        &mut self,
        index: Index,
        group: usize,
        request: fn(heartbeat::GroupId) -> Request,
    ) -> bool {
        let awake = self.routers.get(index).is_some_and(super::Router::awake);
        let Some(id) = self.ids.get(group).copied().filter(|_| awake) else { return false };
        let request = request(id);
        let dead_after = micros(self.shape.dead_after);
        let calm = self.now.saturating_sub(self.steady_since) >= dead_after * 2
            && !self.noisy()
            && !self.unsettled()
            && self.variants_agree()
            && self.works_from(0)
            && self.works_from(1)
            && self.routers.iter().all(super::Router::awake);
        // It is asked for before the answer is known: what it sets off may happen at once.
        let before = self.asked;
        if let (Some(asked), Request::TakeOver(_) | Request::Force(_)) =
            (self.asked.get_mut(group), request)
        {
            *asked = self.now + WISH;
        }
        if !self.give(index, Input::Asked(request)) {
            self.story.tell(self.now, || "it is refused".to_owned());
            self.asked = before;
            return false;
        }
        if let Some(moved) = self.moved.get_mut(group) {
            *moved = true;
        }
        if let Some(planned) = self.planned.get_mut(group).filter(|_| calm) {
            *planned = self.now + dead_after * 3;
        }
        true
    }

    /// The operator's word is good for as long as the partner is not heard.
    fn force(&mut self, index: Index, group: usize) {
        self.vouch(index, group, true);
        if !self.move_group(index, group, Request::Force) {
            self.vouch(index, group, false);
        }
    }

    fn vouch(&mut self, index: Index, group: usize, vouched: bool) {
        let router = self.routers.get_mut(index);
        if let Some(slot) = router.and_then(|router| router.vouched.get_mut(group)) {
            *slot = vouched;
        }
    }

    /// Every configuration has the groups of the first one, or fewer.
    fn reconfigure(&mut self, index: Index, variant: u64) {
        if self.routers.get(index).is_some_and(super::Router::awake) {
            self.reload(index, variant);
        }
    }

    fn unfit(&mut self, index: Index, group: usize) {
        let Some(id) = self.ids.get(group).copied() else { return };
        if let Some(router) = self.routers.get_mut(index)
            && let Some(unfit) = router.unfit.get_mut(group)
        {
            *unfit = true;
        }
        self.ask(index, Input::Fitness(id, false));
    }

    fn lose_worker(&mut self, index: Index, lasts: Micros) {
        self.kill_lvsd(index);
        self.ask(index, Input::Worker(Worker::Down));
        let Some(router) = self.routers.get(index) else { return };
        let coming = router.lvsd_comes(index);
        self.plan(lasts, coming);
    }
}
