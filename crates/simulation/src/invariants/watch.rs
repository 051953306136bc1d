//! What is looked at after every event.

use crate::fault::Micros;
use crate::router::{GROUPS, Router};
use crate::world::World;

/// Since when something has been wrong, for each group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since([Option<Micros>; GROUPS]);

impl Since {
    /// For how long it has been wrong, when it has been for longer than `bound`.
    pub(super) fn over(
        &mut self,
        group: usize,
        wrong: bool,
        now: Micros,
        bound: Micros,
    ) -> Option<Micros> {
        self.over_from(group, wrong.then_some(0), now, bound)
    }

    /// The same where it counts only from a moment on; none when it is not wrong.
    pub(super) fn over_from(
        &mut self,
        group: usize,
        from: Option<Micros>,
        now: Micros,
        bound: Micros,
    ) -> Option<Micros> {
        let slot = self.0.get_mut(group)?;
        let Some(from) = from else {
            *slot = None;
            return None;
        };
        let lasted = now - (*slot.get_or_insert(now)).max(from);
        (lasted > bound).then_some(lasted)
    }

    /// Since when it has been so.
    pub(super) fn of(&self, group: usize) -> Option<Micros> {
        self.0.get(group).copied().flatten()
    }
}

/// The state of the checks that are made after every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub(super) two: Since,
    /// Not wrong yet: two hold it, in any weather.
    pub(super) both: Since,
    pub(super) heard: Since,
    pub(super) know: Since,
    pub(super) none: Since,
    pub(super) partition: Since,
    pub(super) lone: Since,
    pub(super) empty: Since,
    pub(super) one_way: Since,
    last: Micros,
}

/// What surrounds the routers now.
pub(super) struct Around {
    pub(super) both: bool,
    /// A direction has a path that works.
    pub(super) works: [bool; 2],
    pub(super) agree: bool,
    /// Packets are lost, altered or held back by chance.
    pub(super) noisy: bool,
    /// Something has just changed.
    pub(super) unsettled: bool,
}

impl World {
    /// Every check that depends on what is the case now. `self.now` is after the event.
    pub(crate) fn watch(&mut self) {
        let around = Around {
            both: self.routers.iter().all(Router::awake),
            works: [self.works_from(0), self.works_from(1)],
            agree: self.variants_agree(),
            noisy: self.noisy(),
            unsettled: self.unsettled(),
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
}
