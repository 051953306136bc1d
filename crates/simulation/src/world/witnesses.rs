//! How many witnesses each router reaches.

use super::{Coming, Index, Input, Invariant, Micros, World, micros};

/// How many witnesses there are.
const ALL: u8 = 3;

/// What the routers reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    counts: [u8; 2],
    /// When each router last reached fewer than the other.
    fewer_at: [Option<Micros>; 2],
    /// When the counts last changed, and when they did before that.
    changed_at: [Micros; 2],
}

impl Default for Reached {
    fn default() -> Self {
        Self { counts: [ALL; 2], fewer_at: [None; 2], changed_at: [0; 2] }
    }
}

impl Reached {
    fn note(&mut self, now: Micros) {
        let [first, second] = self.counts;
        let [before, after] = &mut self.fewer_at;
        *before = if first < second { Some(now) } else { *before };
        *after = if second < first { Some(now) } else { *after };
    }
}

impl World {
    /// From now on the two reach so many; each notices it by the end of the next round.
    pub(super) fn reach(&mut self, counts: [u8; 2]) {
        self.reached.note(self.now);
        let counts = counts.map(|count| count.min(ALL));
        if counts != self.reached.counts {
            let [last, _] = self.reached.changed_at;
            self.reached.changed_at = [self.now, last];
        }
        self.reached.counts = counts;
        self.reached.note(self.now);
        for index in [0, 1] {
            self.count(index, micros(self.shape.dead_after));
        }
    }

    /// All are reached again.
    pub(super) fn reach_all(&mut self) {
        self.reach([ALL; 2]);
    }

    /// A round ends, `after` at the earliest.
    pub(super) fn count(&mut self, at: Index, after: Micros) {
        if self.shape.yields {
            let after = after + self.random.below(micros(self.shape.dead_after));
            self.plan(after, Coming::Counted { at });
        }
    }

    /// A round has ended.
    pub(super) fn counted(&mut self, at: Index) {
        let reached = self.reached.counts.get(at).copied();
        self.give(at, Input::Witnesses(reached));
    }

    /// A group is given away because the partner reaches more.
    pub(super) fn gives_for_witnesses(&mut self, index: Index) {
        self.reached.note(self.now);
        let dead_after = micros(self.shape.dead_after);
        let steady_for = |since: Micros| self.now.saturating_sub(since) > dead_after * 8;
        // Of witnesses that come and go for both, each may see another half.
        let [_, before] = self.reached.changed_at;
        let calm = steady_for(self.steady_since) && steady_for(before) && !self.noisy();
        let known_late = dead_after * 2 + self.max_age();
        let fewer_at = self.reached.fewer_at.get(index).copied().flatten();
        let fewer = fewer_at.is_some_and(|at| self.now - at <= known_late);
        self.arm(Invariant::Witnesses, calm, 1);
        if calm && !fewer {
            let detail = format!("router {index} reaches as many: {:?}", self.reached);
            self.violate(Invariant::Witnesses, detail);
        }
    }
}
