//! What a router may decide, and say.

use heartbeat::{Action, Reason, Role};

use super::Invariant;
use crate::fault::Index;
use crate::world::World;

impl World {
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
}
