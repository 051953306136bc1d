//! Somebody on the wire who has recorded everything, and has no key.

use super::{Index, Input, Invariant, Rc, Rejected, World};

impl World {
    /// A packet with one to three bits turned.
    pub(super) fn alter(&mut self, bytes: &[u8]) -> Rc<[u8]> {
        let mut altered = bytes.to_vec();
        let mut turned: Vec<usize> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let bit = self.random.index(bytes.len() * 8);
            // The same bit turned twice would be no change.
            if !turned.contains(&bit)
                && let Some(byte) = altered.get_mut(bit / 8)
            {
                *byte ^= 1 << (bit % 8);
                turned.push(bit);
            }
        }
        altered.into()
    }

    /// Some of the recorded packets that are of a kind.
    fn pick(&mut self, count: usize, of: impl Fn(&super::Recorded) -> bool) -> Vec<Rc<[u8]>> {
        let mut picked = Vec::with_capacity(count);
        for _ in 0..count {
            let index = self.random.index(self.recorded.len());
            let found = self.recorded.get(index).filter(|recorded| of(recorded));
            picked.extend(found.map(|recorded| Rc::clone(&recorded.bytes)));
        }
        picked
    }

    pub(super) fn replay(&mut self, to: Index, count: usize) {
        for bytes in self.pick(count, |recorded| recorded.from != to && recorded.arrived) {
            self.attack(to, 0, &bytes);
        }
    }

    pub(super) fn reflect(&mut self, to: Index, count: usize) {
        for bytes in self.pick(count, |recorded| recorded.from == to) {
            self.attack(to, 0, &bytes);
        }
    }

    pub(super) fn forge(&mut self, to: Index, count: usize) {
        for bytes in self.pick(count, |_| true) {
            let forged = self.alter(&bytes);
            self.attack(to, 0, &forged);
        }
    }

    /// A packet arrives that must change nothing.
    pub(crate) fn attack(&mut self, to: Index, path: usize, bytes: &[u8]) {
        if !self.routers.get(to).is_some_and(super::Router::awake) {
            return;
        }
        self.arm(Invariant::Attack, true, 1);
        // What time alone has changed is no fault of the packet.
        self.give(to, Input::Timeout);
        let now = self.now;
        let Some(router) = self.routers.get_mut(to) else { return };
        let moment = router.clock.at(now);
        let Some(node) = router.node.as_mut() else { return };
        let before = node.digest();
        self.coverage.packets[1] += 1;
        match node.open(bytes, moment) {
            Ok(received) => {
                self.give(to, Input::Heartbeat(super::PathId(path), received));
            }
            Err(rejected) => {
                self.count_refused(rejected);
                if rejected == Rejected::Unproven {
                    self.give(to, Input::Unproven);
                }
            }
        }
        let after = self.routers.get(to).and_then(|router| router.node.as_ref());
        if after.is_none_or(|node| node.digest() != before) {
            self.violate(Invariant::Attack, format!("router {to} was changed by a packet"));
        }
    }
}
