//! A router switches its partner off, or tries to.

use super::{Coming, GROUPS, Index, Micros, QuestionId, Reason, World, micros};
use crate::invariants::Invariant;
use crate::router::Router;

use heartbeat::FenceSetup;
use std::time::Duration;

/// Times `dead_after` that the router with the higher id waits.
const DELAY: u32 = 2;
/// How long after its end a program is given up, beyond the longest that it takes.
const SPARE: Micros = 1_000_000;

impl World {
    /// What a router is told of fencing.
    pub(super) fn fence_setup(&self) -> Option<FenceSetup> {
        let shape = self.shape.fence?;
        Some(FenceSetup {
            limit: Duration::from_micros(shape.takes + SPARE),
            delay: self.shape.dead_after * DELAY,
            take_over_on_failure: shape.take_over_on_failure,
        })
    }

    /// The program begins.
    pub(super) fn fence(&mut self, index: Index, id: QuestionId) {
        let Some(shape) = self.shape.fence else { return };
        let after = 1 + self.random.below(shape.takes);
        let life = self.routers.get(index).map_or(0, |router| router.life);
        self.plan(after, Coming::Shot { at: index, life, id });
    }

    /// It reaches what it is to reach, or does not; whoever started it hears of it if it can.
    pub(super) fn shoot(&mut self, at: Index, life: u64, id: QuestionId) {
        let machine = self.routers.get(at).and_then(|router| router.nap.filter(|nap| nap.machine));
        if let Some(nap) = machine {
            return self
                .plan(nap.until.saturating_sub(self.now) + 1, Coming::Shot { at, life, id });
        }
        let powered = self.routers.get(at).is_some_and(|router| router.powered);
        let reached = powered && !self.network.fence_cut.get(at).copied().unwrap_or(true);
        if reached {
            let (now, partner) = (self.now, 1 - at);
            self.story.tell(now, || format!("router {partner} is switched off by the other one"));
            self.power_off(partner);
            self.planned = [0; GROUPS];
            if let Some(router) = self.routers.get_mut(at).filter(|router| router.life == life) {
                router.fenced = Some(router.clock.at(now));
            }
            let reboots = self.shape.fence.and_then(|shape| shape.reboots);
            match reboots {
                _ if self.healed => self.start(partner),
                Some(after) => self.plan(after, Coming::Reboot { at: partner }),
                None => {}
            }
        }
        self.plan(1, Coming::Fenced { at, life, id, fenced: reached });
    }

    /// A machine that was switched off has power again.
    pub(super) fn reboot(&mut self, at: Index) {
        if self.routers.get(at).is_some_and(|router| !router.powered) {
            self.start(at);
        }
    }

    /// What a router knows of its fencing counts no more.
    pub(super) fn not_fenced(router: &mut Router) {
        router.fenced = None;
        router.vouched = [false; GROUPS];
    }

    /// A silent partner is off when its group is taken, unless an operator said so, or nobody has to
    /// know.
    pub(super) fn fenced_first(&mut self, index: Index, group: usize, reason: Reason) {
        let waits = self.shape.fence.is_some_and(|shape| !shape.take_over_on_failure);
        if !waits || !matches!(reason, Reason::PartnerLost | Reason::NobodyHeard) {
            return;
        }
        self.arm(Invariant::Fenced, true, 1);
        let Some(router) = self.routers.get_mut(index) else { return };
        let heard = router.node.as_ref().and_then(|node| node.failover.partner_last_heard());
        let fenced = router.fenced.is_some_and(|at| heard.is_none_or(|heard| at >= heard));
        let vouched = router.vouched.get_mut(group).is_some_and(std::mem::take);
        if !fenced && !vouched {
            let detail = format!("router {index} takes group {group}: {}", reason.as_str());
            self.violate(Invariant::Fenced, detail);
        }
    }

    /// How much longer a group may have no router, as somebody is switched off first; none while that
    /// may fail for as long as it likes.
    pub(crate) fn fencing_time(&self) -> Option<Micros> {
        let Some(shape) = self.shape.fence else { return Some(0) };
        if !shape.take_over_on_failure && self.network.fence_cut != [false; 2] {
            return None;
        }
        let pause = micros(heartbeat::fence::FENCE_PAUSE);
        let tries = (shape.takes + pause) * 2 + micros(self.shape.dead_after * DELAY);
        Some(tries + tries * 7 / 100)
    }
}
