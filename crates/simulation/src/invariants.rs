//! What must hold of a pair, each in a function of its own.

use std::time::Duration;

use heartbeat::{Action, Presence, Reason, Role};

use crate::fault::{Index, Micros};
use crate::router::GROUPS;
use crate::schedule::micros;
use crate::world::World;

/// One promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// With a working path both ways, two hold a group for a moment only.
    TwoActive,
    /// Once both know that they are two, one of them goes at once.
    BothKnow,
    /// A healthy router sees to it that somebody holds a group.
    NobodyActive,
    /// With all paths cut and a witness, one router holds a group.
    Partition,
    /// When only one router hears the other, one of them holds a group.
    OneWay,
    /// A router that slept takes nothing and claims nothing before it has listened.
    Sleeper,
    /// A planned hand-over has no moment with two holders.
    HandOver,
    /// Nothing replayed, reflected or altered changes any state.
    Attack,
    /// A group moves back only as its configuration says, or an operator.
    Failback,
    /// No router says that it holds nothing while it does, or takes what it has not announced.
    Truth,
    /// With fencing, nobody takes a silent partner's groups before it is switched off.
    Fenced,
    /// In the end one router holds each group, where it belongs, and both know it.
    SameView,
    /// No router calls for attention without end.
    Rest,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::TwoActive,
        Self::BothKnow,
        Self::NobodyActive,
        Self::Partition,
        Self::OneWay,
        Self::Sleeper,
        Self::HandOver,
        Self::Attack,
        Self::Failback,
        Self::Truth,
        Self::Fenced,
        Self::SameView,
        Self::Rest,
    ];

    /// It holds over time, and not at single events.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Self::TwoActive
                | Self::BothKnow
                | Self::NobodyActive
                | Self::Partition
                | Self::OneWay
                | Self::HandOver
        )
    }

    /// The promise in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoActive => "with a working path, never two active for long",
            Self::BothKnow => "of two that know of each other one goes at once",
            Self::NobodyActive => "never nobody active for long beside a healthy router",
            Self::Partition => "a partition with a witness has one active",
            Self::OneWay => "loss of one direction leaves one active",
            Self::Sleeper => "a router that slept acts only after listening",
            Self::HandOver => "a planned hand-over has no moment with two",
            Self::Attack => "nothing replayed, reflected or altered changes any state",
            Self::Failback => "failback obeys its policy",
            Self::Truth => "a heartbeat tells the truth about addresses",
            Self::Fenced => "a silent partner is switched off before its groups are taken",
            Self::SameView => "the two end on the same view",
            Self::Rest => "a router rests between its deadlines",
        }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, in microseconds of the run.
    pub at: Micros,
    /// How.
    pub detail: String,
}

/// Bounds, from the times of a pair. Each says what it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Two active with a path both ways: three heartbeats to prove a session and be heard, and the
    /// removal; with different configurations the patience of twice `dead_after`.
    pub two: [Micros; 2],
    /// Both know: the removal; with different configurations the patience again.
    pub know: [Micros; 2],
    /// Nobody active: listening or losing, a hand-over that fails and is taken back, and patience.
    pub none: Micros,
    /// Partition, held without a witness: losing, the question and its repetition.
    pub lone: Micros,
    /// Partition, two or nobody: losing, both questions, their repetition, and a second look.
    pub partition: Micros,
    /// One direction: losing, deafness, a restart that listens, the question about addresses.
    pub one_way: Micros,
}

impl Bounds {
    /// Of these times: interval, `dead_after`, the longest move of addresses, delay of packets.
    pub fn new(interval: Duration, dead_after: Duration, addresses: Micros, delay: Micros) -> Self {
        let (interval, dead) = (micros(interval), micros(dead_after));
        let moved = addresses + delay + 20_000;
        // Clocks may be slow by 7 % at worst.
        let slow = |time: Micros| time + time * 7 / 100;
        let two = slow(interval * 3 + moved + delay * 3);
        let know = slow(moved + interval);
        let patience = slow(dead * 2 + interval * 2);
        Self {
            two: [two, two + patience],
            know: [know, know + patience],
            none: slow(dead * 5 + interval * 3 + moved + 50_000),
            lone: slow(dead * 2 + dead.max(1_000_000) + interval + moved),
            partition: slow(dead * 5 + dead.max(1_000_000) + interval * 3 + moved),
            one_way: slow(dead * 5 + interval * 3 + moved),
        }
    }
}

/// Since when something has been wrong, for each group.
#[derive(Clone, Copy, Debug, Default)]
struct Since([Option<Micros>; GROUPS]);

impl Since {
    /// For how long it has been wrong, when it has been for longer than `bound`.
    fn over(&mut self, group: usize, wrong: bool, now: Micros, bound: Micros) -> Option<Micros> {
        let slot = self.0.get_mut(group)?;
        if !wrong {
            *slot = None;
            return None;
        }
        let lasted = now - *slot.get_or_insert(now);
        (lasted > bound).then_some(lasted)
    }
}

/// The state of the checks that are made after every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    two: Since,
    know: Since,
    none: Since,
    partition: Since,
    lone: Since,
    empty: Since,
    one_way: Since,
    last: Micros,
}

/// What surrounds the routers now.
struct Around {
    both: bool,
    /// A direction has a path that works.
    works: [bool; 2],
    agree: bool,
    noisy: bool,
}

impl World {
    /// Every check that depends on what is the case now. `self.now` is after the event.
    pub(crate) fn watch(&mut self) {
        let around = Around {
            both: self.routers.iter().all(crate::router::Router::awake),
            works: [self.works_from(0), self.works_from(1)],
            agree: self.variants_agree(),
            noisy: self.noisy(),
        };
        let passed = self.now - self.watch.last;
        self.watch.last = self.now;
        for group in 0..self.shape.groups.len() {
            if self.known_to_both(group) {
                self.two_active(group, &around, passed);
                self.nobody_active(group, &around, passed);
                self.partition(group, &around, passed);
                self.one_way(group, &around, passed);
            }
            self.hand_over(group, passed);
        }
    }

    fn holders(&self, group: usize) -> usize {
        self.routers.iter().filter(|router| router.holds(group)).count()
    }

    fn two_active(&mut self, group: usize, around: &Around, passed: Micros) {
        let armed = around.both && around.works == [true; 2] && !around.noisy;
        self.arm(Invariant::TwoActive, armed, passed);
        let wrong = armed && self.holders(group) == 2;
        let bounds = self.bounds;
        let index = usize::from(!around.agree);
        let bound = bounds.two.get(index).copied().unwrap_or(Micros::MAX);
        if let Some(lasted) = self.watch.two.over(group, wrong, self.now, bound) {
            self.violate(Invariant::TwoActive, format!("group {group} for {lasted} µs"));
        }
        let know = wrong && self.both_know(group);
        self.arm(Invariant::BothKnow, know, passed);
        let bound = bounds.know.get(index).copied().unwrap_or(Micros::MAX);
        if let Some(lasted) = self.watch.know.over(group, know, self.now, bound) {
            self.violate(Invariant::BothKnow, format!("group {group} for {lasted} µs"));
        }
    }

    /// Each router is active and has heard that the other one is.
    fn both_know(&self, group: usize) -> bool {
        let Some(id) = self.ids.get(group) else { return false };
        self.routers.iter().filter_map(|router| router.node.as_ref()).all(|node| {
            let mut groups = node.failover.groups().filter(|state| state.id == *id);
            groups.any(|state| {
                let theirs = state.theirs.is_some_and(|theirs| theirs.role == Role::Active);
                state.role == Role::Active && theirs
            })
        })
    }

    fn nobody_active(&mut self, group: usize, around: &Around, passed: Micros) {
        let works = around.works == [true; 2] && around.both;
        let healthy = |index: Index| {
            let Some(router) = self.routers.get(index) else { return false };
            let witness = !self.shape.witness || works || self.reaches(index);
            router.awake() && router.fit(group) && witness
        };
        let fencing = self.fencing_time();
        let well = (healthy(0) || healthy(1)) && !self.deaf_speak();
        let armed = well && !around.noisy && fencing.is_some();
        self.arm(Invariant::NobodyActive, armed, passed);
        let wrong = armed && self.holders(group) == 0;
        let extra = if self.shape.witness && !works { self.bounds.partition } else { 0 };
        let bound = self.bounds.none + extra + fencing.unwrap_or(0);
        if let Some(lasted) = self.watch.none.over(group, wrong, self.now, bound) {
            self.violate(Invariant::NobodyActive, format!("group {group} for {lasted} µs"));
        }
    }

    /// Whoever does not reach the witness holds nothing, and whoever does sees to it that somebody
    /// does; when both reach it, the network of the addresses tells them apart.
    fn partition(&mut self, group: usize, around: &Around, passed: Micros) {
        let cut = around.works == [false; 2] && around.both && !around.noisy;
        let armed = self.shape.witness && cut;
        self.arm(Invariant::Partition, armed, passed);
        let lone = self.routers.iter().enumerate();
        // Whoever was told that the partner stops needs no witness to be alone.
        let alone = |router: &crate::router::Router| {
            let presence = router.node.as_ref().map(|node| node.failover.presence());
            presence == Some(Presence::Stopped)
        };
        let lone = lone.filter(|(index, router)| {
            router.holds(group) && !self.reaches(*index) && !alone(router)
        });
        let wrong = armed && lone.count() > 0;
        let bound = self.bounds.lone;
        if let Some(lasted) = self.watch.lone.over(group, wrong, self.now, bound) {
            let detail = format!("group {group} is held without a witness for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
        let armed = armed && self.addresses_join();
        let bound = self.bounds.partition;
        let holders = self.holders(group);
        let wrong = armed && holders == 2;
        if let Some(lasted) = self.watch.partition.over(group, wrong, self.now, bound) {
            let detail = format!("two hold group {group} for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
        let someone = [0, 1].into_iter().any(|index| {
            self.reaches(index) && self.routers.get(index).is_some_and(|router| router.fit(group))
        });
        let fencing = self.fencing_time();
        let wrong = armed && someone && holders == 0 && fencing.is_some();
        let bound = bound + fencing.unwrap_or(0);
        if let Some(lasted) = self.watch.empty.over(group, wrong, self.now, bound) {
            let detail = format!("nobody holds group {group} for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
    }

    fn one_way(&mut self, group: usize, around: &Around, passed: Micros) {
        let [one, other] = around.works;
        let armed = one != other && around.both && self.addresses_join() && !around.noisy;
        self.arm(Invariant::OneWay, armed, passed);
        let wrong = armed && self.holders(group) == 2;
        let bound = self.bounds.one_way;
        if let Some(lasted) = self.watch.one_way.over(group, wrong, self.now, bound) {
            self.violate(Invariant::OneWay, format!("two hold group {group} for {lasted} µs"));
        }
    }

    fn hand_over(&mut self, group: usize, passed: Micros) {
        let armed = self.planned.get(group).is_some_and(|until| self.now < *until);
        self.arm(Invariant::HandOver, armed, passed);
        if armed && self.holders(group) == 2 {
            self.violate(Invariant::HandOver, format!("two hold group {group}"));
        }
    }

    /// Of one list of actions: what is said is true, and is said before it is done.
    pub(crate) fn truth(&mut self, index: Index, actions: &[Action]) {
        self.arm(Invariant::Truth, true, 1);
        let mut announced = None;
        let mut wrong = None;
        for action in actions {
            match action {
                Action::Send { beat, .. } => {
                    let Some(router) = self.routers.get(index) else { return };
                    for (id, claim) in &beat.groups {
                        let Some(group) = self.ids.iter().position(|known| known == id) else {
                            continue;
                        };
                        if !claim.occupies() && router.holds(group) {
                            wrong = Some(format!("router {index} denies group {group}"));
                        }
                    }
                    announced = Some(beat);
                }
                Action::TakeOver { group, .. } => {
                    let said = announced.and_then(|beat| beat.claim(*group));
                    if said.is_none_or(|claim| claim.role != Role::Active) {
                        wrong = Some(format!("router {index} takes {group:?} unannounced"));
                    }
                }
                _ => {}
            }
        }
        if let Some(detail) = wrong {
            self.violate(Invariant::Truth, detail);
        }
    }

    /// Of one list of actions: a router that slept takes nothing and claims nothing.
    pub(crate) fn sleeper(&mut self, index: Index, actions: &[Action]) {
        let Some(router) = self.routers.get(index) else { return };
        if router.slept_until.is_none_or(|until| router.clock.at(self.now) >= until) {
            return;
        }
        self.arm(Invariant::Sleeper, true, 1);
        let acts = actions.iter().any(|action| match action {
            Action::TakeOver { .. } => true,
            Action::Send { beat, .. } => {
                beat.groups.iter().any(|(_, claim)| claim.role == Role::Active)
            }
            _ => false,
        });
        if acts {
            self.violate(Invariant::Sleeper, format!("router {index} acts before it listened"));
        }
    }

    /// A role changes for a reason that has to do with failback.
    pub(crate) fn failback(&mut self, index: Index, group: usize, reason: Reason) {
        let allowed = match reason {
            Reason::Failback => self.returns_to(index, group),
            Reason::PartnerAsked => {
                self.returns_to(1 - index, group)
                    || self.asked.get(group).is_some_and(|until| self.now < *until)
            }
            _ => return,
        };
        self.arm(Invariant::Failback, true, 1);
        if !allowed {
            let detail = format!("router {index}, group {group}: {}", reason.as_str());
            self.violate(Invariant::Failback, detail);
        }
    }

    /// At the end of a run, long after everything was mended.
    pub(crate) fn same_view(&mut self) {
        self.arm(Invariant::SameView, true, 1);
        for group in 0..self.configured_now().len() {
            let Some(id) = self.ids.get(group).copied() else { continue };
            let holds: Vec<Index> = [0, 1]
                .into_iter()
                .filter(|index| self.routers.get(*index).is_some_and(|r| r.holds(group)))
                .collect();
            let [holder] = holds[..] else {
                self.violate(Invariant::SameView, format!("group {group} is held by {holds:?}"));
                return;
            };
            for (index, router) in self.routers.iter().enumerate() {
                let state = router.node.as_ref().and_then(|node| {
                    let state = node.failover.groups().find(|state| state.id == id)?;
                    Some((state, node.failover.presence()))
                });
                let wanted = |of: Index| if of == holder { Role::Active } else { Role::Standby };
                let agrees = state.is_some_and(|(state, presence)| {
                    let theirs = state.theirs.map(|claim| claim.role);
                    presence == Presence::Alive
                        && state.role == wanted(index)
                        && theirs == Some(wanted(1 - index))
                });
                if !agrees {
                    let detail = format!("router {index} sees group {group} as {state:?}");
                    self.violate(Invariant::SameView, detail);
                    return;
                }
            }
            let moved = self.moved.get(group).copied().unwrap_or(false);
            if !moved && self.returns_to(1 - holder, group) {
                self.violate(Invariant::SameView, format!("group {group} did not fail back"));
                return;
            }
        }
    }
}
