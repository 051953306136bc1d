//! What the routers decide, and what comes of it.

use super::{
    Action, Bug, Coming, Event, INBOX, Index, Input, Micros, PathId, QuestionId, Rc, Reason,
    Recorded, Rejected, Waiting, World, micros,
};
use heartbeat::packet::Kind;
use heartbeat::{Beat, GroupId, Presence, Timing};

/// Longest time until the witness answers, in microseconds.
const WITNESS: Micros = 20_000;

impl World {
    pub(super) fn carry_out(&mut self, index: Index, actions: Vec<Action>) {
        self.truth(index, &actions);
        self.sleeper(index, &actions);
        for action in actions {
            match action {
                Action::Report(event) => self.report(index, event),
                Action::StandDown { group, reason } => self.order(index, group, reason, false),
                Action::TakeOver { group, reason } => self.order(index, group, reason, true),
                Action::Send { path, beat } => self.send(index, path, &beat),
                Action::AskWitness { question } => self.ask_witness(index, question),
                Action::Probe { group, question } => self.probe(index, group, question),
                Action::Fence { question } => self.fence(index, question),
                Action::Stopped => {
                    self.story.tell(self.now, || format!("router {index} has stopped"));
                    self.stop_lvsd(index);
                    self.end(index);
                    if self.healed {
                        self.start(index);
                    }
                }
            }
        }
    }

    fn report(&mut self, index: Index, event: Event) {
        *self.coverage.events.entry(name(event)).or_default() += 1;
        self.story.tell(self.now, || format!("router {index}: {}: {event:?}", name(event)));
        if matches!(event, Event::PartnerLost { .. }) {
            self.lost(index);
        }
        if let Event::Paused { lasted } = event {
            self.paused(index, lasted);
        }
    }

    /// A group's addresses begin to move.
    fn order(&mut self, index: Index, id: GroupId, reason: Reason, here: bool) {
        let Some(group) = self.ids.iter().position(|known| *known == id) else { return };
        let what = if here { "take over" } else { "stand down" };
        *self.coverage.roles.entry((what, reason.as_str())).or_default() += 1;
        self.story
            .tell(self.now, || format!("router {index}: {what} {group}: {}", reason.as_str()));
        self.failback(index, group, reason);
        if reason == Reason::FewerWitnesses {
            self.gives_for_witnesses(index);
        }
        if here {
            self.fenced_first(index, group, reason);
        }
        // Whoever is asked cannot tell whether an operator wants it, or another configuration.
        if reason == Reason::PartnerAsked
            && !self.variants_agree()
            && let Some(moved) = self.moved.get_mut(group)
        {
            *moved = true;
        }
        let after = 1 + self.random.below(self.shape.addresses);
        let Some(router) = self.routers.get_mut(index) else { return };
        let (order, life) = (router.next_order(group), router.life);
        self.plan(after, Coming::Moved { at: index, life, group, order, here });
        self.tell_roles(index);
    }

    /// A group's addresses have moved, unless somebody wants something else by now.
    pub(super) fn has_moved(
        &mut self,
        index: Index,
        life: u64,
        group: usize,
        order: u64,
        here: bool,
    ) {
        if !self.lives(index, life) {
            return;
        }
        let Some(router) = self.routers.get_mut(index) else { return };
        if router.order(group) != order {
            return;
        }
        router.set_holds(group, here);
        let what = if here { "has" } else { "has no more" };
        self.story.tell(self.now, || format!("router {index} {what} the addresses of {group}"));
        if let (false, Some(id)) = (here, self.ids.get(group)) {
            self.give(index, Input::StoodDown(*id));
        }
    }

    /// The times that count for a router's program.
    fn timing_of(&self, index: Index) -> Option<&Timing> {
        let node = self.routers.get(index)?.node.as_ref()?;
        Some(node.failover.timing())
    }

    fn ask_witness(&mut self, index: Index, id: QuestionId) {
        let reachable = self.reaches(index);
        let patience = self.timing_of(index).map_or(0, |timing| micros(timing.dead_after()));
        let after = if reachable { 500 + self.random.below(WITNESS) } else { patience };
        let life = self.routers.get(index).map_or(0, |router| router.life);
        self.plan(after, Coming::Witness { at: index, life, id, reachable });
    }

    fn probe(&mut self, index: Index, id: GroupId, question: QuestionId) {
        let Some(group) = self.ids.iter().position(|known| *known == id) else { return };
        let life = self.routers.get(index).map_or(0, |router| router.life);
        self.look(index, life, group, question, false, false);
    }

    /// Asks the network of the addresses at the beginning and near the end of the patience.
    pub(super) fn look(
        &mut self,
        at: Index,
        life: u64,
        group: usize,
        id: QuestionId,
        seen: bool,
        last: bool,
    ) {
        let partner = self.routers.get(1 - at);
        let held = partner.is_some_and(|router| router.answers() && router.holds(group));
        let own = self.routers.get(at).is_some_and(super::Router::answers);
        let seen = seen || (held && own && self.addresses_join());
        if !last {
            let patience = self.timing_of(at).map_or(0, |timing| micros(timing.probe_patience()));
            self.plan(patience, Coming::Probed { at, life, group, id, seen, last: true });
            return;
        }
        if let Some(nap) = self.routers.get(at).and_then(|router| router.nap) {
            let after = nap.until.saturating_sub(self.now) + 1;
            self.plan(after, Coming::Probed { at, life, group, id, seen, last: true });
            return;
        }
        if let Some(group) = self.ids.get(group).copied().filter(|_| self.lives(at, life)) {
            self.give(at, Input::Probe(group, id, seen));
        }
    }

    pub(super) fn send(&mut self, from: Index, path: PathId, beat: &Beat) {
        let now = self.now;
        let Some(router) = self.routers.get_mut(from) else { return };
        let moment = router.clock.at(now);
        let Some(node) = router.node.as_mut() else { return };
        let bytes: Rc<[u8]> = node.seal(beat, moment).into();
        self.post(from, path, bytes, beat);
    }

    /// A sealed packet leaves a machine. What it says is told in `beat`, unless it is about keys.
    pub(super) fn post(&mut self, from: Index, path: PathId, bytes: Rc<[u8]>, beat: &Beat) {
        let now = self.now;
        let Some(router) = self.routers.get_mut(from) else { return };
        self.coverage.packets[0] += 1;
        let record = self.recorded.len();
        let (life, beats) = (router.life, beat.kind == Kind::Beat);
        let presence = router.node.as_ref().map(|node| node.failover.presence());
        let hears = presence == Some(Presence::Alive);
        router.arrivals.asks(&bytes, now);
        let recorded = Recorded {
            from,
            life,
            made: now,
            hears,
            beats,
            bytes: Rc::clone(&bytes),
            arrived: false,
        };
        self.recorded.push(recorded);
        let cut = self.network.cut.get(from).and_then(|paths| paths.get(path.0));
        if cut.copied().unwrap_or(true) || self.random.chance(self.network.lose) {
            return;
        }
        let hold = self.network.hold.get(from).copied().unwrap_or(0);
        let times = 1 + usize::from(self.random.chance(self.network.duplicate));
        for _ in 0..times {
            let (to, path) = (1 - from, path.0);
            let delay = hold + 100 + self.random.below(2000 + self.network.delay);
            if hold > 0 && beat.heard_paths == 0 {
                self.deaf_until = self.deaf_until.max(now + delay);
            }
            let altered = self.random.chance(self.network.corrupt);
            let bytes = if altered { self.alter(&bytes) } else { Rc::clone(&bytes) };
            self.plan(delay, Coming::Packet { to, path, bytes, record, altered });
        }
    }

    /// A packet reaches a machine.
    pub(super) fn arrive(&mut self, to: Index, packet: Waiting) {
        let Some(router) = self.routers.get_mut(to) else { return };
        match router.nap {
            Some(nap) if nap.machine => {}
            Some(_) if router.inbox.len() < INBOX => router.inbox.push(packet),
            Some(_) => {}
            None => self.deliver(to, &packet),
        }
    }

    /// A router's program reads a packet.
    pub(super) fn deliver(&mut self, to: Index, packet: &Waiting) {
        let now = self.now;
        let Waiting { path, bytes, record } = packet;
        let must = self.must_count(to, bytes, *record);
        let Some(router) = self.routers.get_mut(to) else { return };
        let moment = router.clock.at(now);
        let Some(node) = router.node.as_mut() else { return };
        self.coverage.packets[1] += 1;
        match node.open(bytes, moment) {
            Ok(received) => {
                // Nothing that waited in its sockets is younger than its waking.
                let (interval, _) = self.shape.shortest();
                let waited = |woke| received.made_after < woke && moment.since(woke) < interval;
                let letter = received.beat.kind == Kind::Letter;
                let late = !node.failover.letter_counts(&received, moment);
                let counts = letter && (!late || self.bug == Some(Bug::TakesLateLetters));
                if received.newest && !router.woke.is_some_and(waited) {
                    router.slept_until = None;
                }
                self.give(to, Input::Heartbeat(PathId(*path), received.clone()));
                self.has_arrived(to, *record, must, Ok(&received));
                if counts {
                    self.letter_came(to, received.beat.letter);
                }
            }
            Err(rejected) => {
                self.count_refused(rejected);
                if rejected == Rejected::Unproven {
                    self.give(to, Input::Unproven);
                }
                self.has_arrived(to, *record, must, Err(rejected));
                self.read_by_key(to, *record, rejected);
                self.rotation_step(to);
            }
        }
    }

    pub(super) fn count_refused(&mut self, rejected: Rejected) {
        let name = match rejected {
            Rejected::Decode(_) => "tag, key or form",
            Rejected::Own => "own",
            Rejected::Stranger => "stranger",
            Rejected::Replay => "seen before",
            Rejected::Unproven => "unproven boot",
            Rejected::AboutKeys => "about keys",
        };
        *self.coverage.refused.entry(name).or_default() += 1;
    }
}

/// A report in a few words.
fn name(event: Event) -> &'static str {
    match event {
        Event::PartnerFound => "partner found",
        Event::PartnerRestarted => "partner restarted",
        Event::PartnerLost { .. } => "partner lost",
        Event::PartnerStopped => "partner stopped",
        Event::PartnerLate { .. } => "partner late",
        Event::ConfigDiffers => "configuration differs",
        Event::ConfigAgrees => "configuration agrees",
        Event::PartnerDeaf => "partner deaf",
        Event::PartnerHearsAgain => "partner hears again",
        Event::PathUp(_) => "path up",
        Event::PathSilent(_) => "path silent",
        Event::PathNoCarrier(_) => "path without carrier",
        Event::Paused { .. } => "paused",
        Event::Witness { reachable: true } => "witness answers",
        Event::Witness { reachable: false } => "witness silent",
        Event::Answered(_) => "somebody answers for the addresses",
        Event::HeldBack { .. } => "heartbeats held back",
        Event::TwoActive(_) => "two active",
        Event::Fenced => "partner fenced",
        Event::NotFenced { .. } => "partner not fenced",
        Event::NotGranted(_) => "wish not granted",
        Event::StandingBy(_) => "standing by",
    }
}
