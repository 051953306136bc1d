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

    pub(super) fn nobody_active(&mut self, group: usize, around: &Around, passed: Micros) {
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
    pub(super) fn partition(&mut self, group: usize, around: &Around, passed: Micros) {
        let cut = around.works == [false; 2] && around.both && !around.noisy;
        let armed = self.shape.witness && cut;
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

    pub(super) fn one_way(&mut self, group: usize, around: &Around, passed: Micros) {
        let [one, other] = around.works;
        let armed = one != other && around.both && self.addresses_join() && !around.noisy;
        self.arm(Invariant::OneWay, armed, passed);
        let wrong = armed && self.holders(group) == 2;
        let bound = self.bounds.one_way;
        if let Some(lasted) = self.watch.one_way.over(group, wrong, self.now, bound) {
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
