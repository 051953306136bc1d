//! What an operator asks of the state machine.

use super::{Failover, apply};
use crate::action::{Actions, Draft, Reason};
use crate::decide::Decision;
use crate::fence::Fencing;
use crate::group::Wish;
use crate::moment::Moment;
use crate::packet::{Beat, Role};
use crate::partner::Presence;
use crate::request::{Refusal, Request, may_fetch, may_give};
use crate::timing::WISH_LIMIT;

impl Failover {
    /// What an operator asks for. The actions are to be carried out even when it is refused.
    pub fn handle_request(
        &mut self,
        request: Request,
        now: Moment,
    ) -> (Actions, Result<(), Refusal>) {
        let mut draft = self.wake(now);
        let outcome = self.consider(request, &mut draft, now);
        (self.finish(draft, now), outcome)
    }

    /// Does what an operator asks for, when it can be done.
    fn consider(
        &mut self,
        request: Request,
        draft: &mut Draft,
        now: Moment,
    ) -> Result<(), Refusal> {
        let (Request::Failover(id) | Request::TakeOver(id) | Request::Force(id)) = request;
        let ready = self.ready();
        let partner_ready = self.partner.beat().is_some_and(Beat::ready);
        let alive = self.partner.presence() == Presence::Alive;
        let theirs = self.partner.claim(id);
        let group = self.groups.iter_mut().find(|group| group.setup.id == id);
        let group = group.ok_or(Refusal::UnknownGroup)?;
        if group.leaving.is_some() || group.role == Role::Starting || self.stopping {
            return Err(Refusal::Busy);
        }
        if !alive {
            return self.vouched_for(request);
        }
        match request {
            Request::Failover(_) => {
                may_give(group.role, theirs.ok_or(Refusal::NoPartner)?, partner_ready)?;
                group.moved_away = true;
                apply(group, Decision::HandOver(Reason::Operator), draft, now);
            }
            Request::TakeOver(_) | Request::Force(_) => {
                may_fetch(group.role, group.fit, ready)?;
                let until = Some(now + WISH_LIMIT);
                group.wish = Some(Wish { reason: Reason::Operator, until });
                draft.speak = true;
            }
        }
        Ok(())
    }

    /// Nobody hears the partner, and somebody says that it is off: what else would have to be so
    /// for the group to be taken has to be so still.
    fn vouched_for(&mut self, request: Request) -> Result<(), Refusal> {
        let Request::Force(id) = request else { return Err(Refusal::NoPartner) };
        let waits = self.fencing().is_some_and(|fencing| fencing != Fencing::Done);
        let group = self.groups.iter_mut().find(|group| group.setup.id == id);
        let group = group.ok_or(Refusal::UnknownGroup)?;
        if group.role == Role::Active {
            return Err(Refusal::AlreadyActive);
        }
        if !group.fit {
            return Err(Refusal::Unfit);
        }
        if !waits || !group.fence_wanted {
            return Err(Refusal::NotFencing);
        }
        group.vouched = true;
        Ok(())
    }
}
