//! How many routers hold a group, and for how long they may.

use heartbeat::{Presence, Role};

use super::Invariant;
use super::watch::Around;
use crate::fault::{Index, Micros};
use crate::router::Router;
use crate::world::World;

impl World {
    pub(super) fn holders(&self, group: usize) -> usize {
        self.routers.iter().filter(|router| router.holds(group)).count()
    }

    pub(super) fn two_active(&mut self, group: usize, around: &Around, passed: Micros) {
        let calm = around.both && !around.unsettled && !around.noisy;
        let armed = calm && around.works == [true; 2];
        self.arm(Invariant::TwoActive, armed, passed);
        let two = self.holders(group) == 2;
        let bounds = self.bounds;
        let index = usize::from(!around.agree);
        let bound = bounds.two.get(index).copied().unwrap_or(Micros::MAX);
        if let Some(lasted) = self.watch.two.over(group, armed && two, self.now, bound) {
            self.violate(Invariant::TwoActive, format!("group {group} for {lasted} µs"));
        }
        let know = armed && two && self.both_know(group);
        self.arm(Invariant::BothKnow, know, passed);
        let bound = bounds.know.get(index).copied().unwrap_or(Micros::MAX);
        if let Some(lasted) = self.watch.know.over(group, know, self.now, bound) {
            self.violate(Invariant::BothKnow, format!("group {group} for {lasted} µs"));
        }
        let active = two && around.both && self.both_active(group);
        self.both_heard(group, around, active, passed);
    }

    /// In any weather: once both have heard what the other one says since two hold it, one goes at
    /// once. With different configurations patience decides, and that needs a partner who is heard
    /// all the time.
    fn both_heard(&mut self, group: usize, around: &Around, two: bool, passed: Micros) {
        self.watch.both.over(group, two, self.now, Micros::MAX);
        let since = self.watch.both.of(group).map(|since| since.max(self.changed_at()));
        let heard = since.is_some_and(|since| self.both_have_heard(since));
        let from = if around.agree { Some(0) } else { self.hear_each_other_since() };
        let from = from.filter(|_| heard);
        self.arm(Invariant::BothKnow, from.is_some() && around.noisy, passed);
        let bound = self.bounds.know.get(usize::from(!around.agree)).copied();
        let bound = bound.unwrap_or(Micros::MAX);
        if let Some(lasted) = self.watch.heard.over_from(group, from, self.now, bound) {
            let detail = format!("group {group} for {lasted} µs, and both have heard of it");
            self.violate(Invariant::BothKnow, detail);
        }
    }

    /// Each router is active, and so says it.
    fn both_active(&self, group: usize) -> bool {
        let Some(id) = self.ids.get(group) else { return false };
        self.routers.iter().filter_map(|router| router.node.as_ref()).all(|node| {
            let mut groups = node.failover.groups().filter(|state| state.id == *id);
            groups.any(|state| state.role == Role::Active)
        })
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

    pub(super) fn nobody_active(&mut self, group: usize, around: &Around, passed: Micros) {
        // What is held back for too long counts no more than what is cut.
        let works = around.works == [true; 2] && around.both && self.held_back() == 0;
        let healthy = |index: Index| {
            let Some(router) = self.routers.get(index) else { return false };
            let witness = !self.shape.witness || works || self.reaches(index);
            router.awake() && router.fit(group) && witness
        };
        let fencing = self.fencing_time();
        let well = (healthy(0) || healthy(1)) && !self.deaf_speak();
        let armed = well && !around.unsettled && fencing.is_some();
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
    pub(super) fn partition(&mut self, group: usize, around: &Around, passed: Micros) {
        let cut = around.works == [false; 2] && around.both && !around.unsettled;
        let armed = self.shape.witness && cut;
        // What was held back arrives for a while after that.
        let silent = self.silent_since();
        self.arm(Invariant::Partition, armed, passed);
        let lone = self.routers.iter().enumerate();
        // Whoever was told that the partner stops needs no witness to be alone.
        let alone = |router: &Router| {
            let presence = router.node.as_ref().map(|node| node.failover.presence());
            presence == Some(Presence::Stopped)
        };
        let lone = lone.filter(|(index, router)| {
            router.holds(group) && !self.reaches(*index) && !alone(router)
        });
        let wrong = armed && lone.count() > 0;
        let bound = self.bounds.lone;
        if let Some(lasted) =
            self.watch.lone.over_from(group, wrong.then_some(silent), self.now, bound)
        {
            let detail = format!("group {group} is held without a witness for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
        let armed = armed && self.addresses_join();
        let bound = self.bounds.partition;
        let holders = self.holders(group);
        let wrong = armed && holders == 2;
        if let Some(lasted) =
            self.watch.partition.over_from(group, wrong.then_some(silent), self.now, bound)
        {
            let detail = format!("two hold group {group} for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
        let someone = [0, 1].into_iter().any(|index| {
            self.reaches(index) && self.routers.get(index).is_some_and(|router| router.fit(group))
        });
        let fencing = self.fencing_time();
        let wrong = armed && someone && holders == 0 && fencing.is_some();
        let bound = bound + fencing.unwrap_or(0);
        if let Some(lasted) =
            self.watch.empty.over_from(group, wrong.then_some(silent), self.now, bound)
        {
            let detail = format!("nobody holds group {group} for {lasted} µs");
            self.violate(Invariant::Partition, detail);
        }
    }

    /// Where packets are lost by chance too, it counts while some arrive all the time.
    pub(super) fn one_way(&mut self, group: usize, around: &Around, passed: Micros) {
        let [one, other] = around.works;
        let hears = Index::from(one);
        let armed = one != other && around.both && self.addresses_join() && !around.unsettled;
        let from = if around.noisy { self.arrives_since(hears) } else { Some(0) };
        let from = from.filter(|_| armed);
        self.arm(Invariant::OneWay, from.is_some(), passed);
        let from = from.filter(|_| self.holders(group) == 2);
        let bound = self.bounds.one_way + self.held_back();
        if let Some(lasted) = self.watch.one_way.over_from(group, from, self.now, bound) {
            self.violate(Invariant::OneWay, format!("two hold group {group} for {lasted} µs"));
        }
    }

    pub(super) fn hand_over(&mut self, group: usize, passed: Micros) {
        let armed = self.planned.get(group).is_some_and(|until| self.now < *until);
        self.arm(Invariant::HandOver, armed, passed);
        if armed && self.holders(group) == 2 {
            self.violate(Invariant::HandOver, format!("two hold group {group}"));
        }
    }
}
