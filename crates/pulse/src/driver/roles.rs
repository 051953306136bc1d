//! A group's role, from the state machine to its mover and back.

use std::sync::Arc;

use heartbeat::{GroupId, Reason, Role};
use runtime::readiness;

use super::Driver;
use crate::clock;
use crate::mover::{Hurry, Target};
use crate::notice::Moved;

impl Driver {
    pub(super) fn change_role(&mut self, id: GroupId, active: bool, reason: Reason) {
        self.role_changes += 1;
        self.reporter().role(active, id, reason);
        let hurry = match reason {
            Reason::Operator | Reason::PartnerAsked | Reason::Stopping | Reason::FewerWitnesses => {
                Hurry::Calm
            }
            Reason::Unfit | Reason::WorkerFailed | Reason::Removed => Hurry::Prompt,
            _ => Hurry::Urgent,
        };
        self.order(id, active, hurry);
        self.tell_roles();
    }

    pub(super) fn order(&mut self, id: GroupId, active: bool, hurry: Hurry) {
        let Some(group) = self.groups.get_mut(&id.0) else { return };
        group.order += 1;
        group.settled = false;
        group.active = active;
        let plan = Arc::clone(&group.plan);
        group.mover.order(Target { order: group.order, active, hurry, plan });
    }

    /// The partner may be taking everything: what is being let go goes at once.
    pub(super) fn hurry(&mut self) {
        let leaving = self.groups.iter().filter(|(_, group)| !group.active && !group.settled);
        let leaving: Vec<GroupId> = leaving.map(|(id, _)| GroupId(*id)).collect();
        for id in leaving {
            self.order(id, false, Hurry::Urgent);
        }
    }

    pub(super) fn tell_roles(&self) {
        let active = self.groups.values().filter(|group| group.active);
        let active = active.map(|group| group.plan.name.clone()).collect();
        if let Some(child) = &self.child {
            child.roles(active);
        }
        let roles = self.failover.groups().filter(|group| group.role == Role::Active).count();
        readiness::status(&format!("active for {roles} of {} groups", self.plan.groups.len()));
    }

    /// A mover has carried an order out.
    pub(super) fn moved(&mut self, moved: Moved) {
        let Some(group) = self.groups.get_mut(&moved.group.0) else { return };
        if moved.order != group.order {
            return;
        }
        group.problems = moved.problems.into_iter().collect();
        let first = !std::mem::replace(&mut group.settled, true);
        group.settled_at = clock::now();
        if first && !moved.active {
            let actions = self.failover.handle_stood_down(moved.group, clock::now());
            self.carry_out(actions);
            self.forget_removed();
        }
    }
}
