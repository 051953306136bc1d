//! Switching the partner off before its groups are taken.

use std::time::Duration;

use super::Failover;
use crate::action::{Actions, Draft, Event};
use crate::fence::Fencing;
use crate::moment::Moment;
use crate::packet::Role;
use crate::partner::Presence;
use crate::question::QuestionId;

impl Failover {
    /// The answer to [`crate::Action::Fence`]: whether the partner is switched off.
    pub fn handle_fence(&mut self, id: QuestionId, fenced: bool, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        if self.fence.answered(id, fenced) {
            self.report_fence(fenced, &mut draft);
        }
        self.finish(draft, now)
    }

    /// Whether the answer to this [`crate::Action::Fence`] still counts: not once the partner was heard.
    pub fn awaits_fence(&self, id: QuestionId) -> bool {
        self.fence.awaits(id)
    }

    /// How far fencing is; none where it is not configured.
    pub fn fencing(&self) -> Option<Fencing> {
        let rule = self.setup.fence?;
        Some(match self.fence.state() {
            Fencing::Failed if rule.take_over_on_failure => Fencing::Done,
            state => state,
        })
    }

    /// Some group would be taken but for the partner, which may be on; or none would.
    pub(super) fn want_fence(&mut self, draft: &mut Draft, now: Moment) {
        let wanted = self.groups.iter().any(|group| group.fence_wanted);
        let Some(rule) = self.setup.fence.filter(|_| wanted) else { return self.fence.rest() };
        let (question, overdue) = self.fence.want(&rule, self.fence_delay(rule.delay), now);
        draft.fence = question;
        if overdue {
            self.report_fence(false, draft);
        }
    }

    /// Where the partner may want to switch this router off as well, one of them shoots first.
    fn fence_delay(&self, delay: Duration) -> Duration {
        let holds = self.groups.iter().any(|group| group.role == Role::Active);
        let mutual = holds || self.partner.presence() == Presence::Unheard;
        if mutual && self.setup.router > self.setup.partner { delay } else { Duration::ZERO }
    }

    fn report_fence(&self, fenced: bool, draft: &mut Draft) {
        let take_over = self.setup.fence.is_some_and(|rule| rule.take_over_on_failure);
        draft.report(if fenced { Event::Fenced } else { Event::NotFenced { take_over } });
    }
}
