//! A group's part of what is decided: its clocks before, and its state after.

use super::Machine;
use crate::action::{Draft, Event, Reason};
use crate::decide::Decision;
use crate::group::{Group, Leaving};
use crate::moment::Moment;
use crate::packet::{Claim, Role};

/// Brings a group's clocks up to date, and tells what that changed.
pub(super) fn observe(
    group: &mut Group,
    seen: &Machine<'_>,
    theirs: Option<Claim>,
    draft: &mut Draft,
) {
    let asked = group.wish.map(|wish| wish.reason);
    let rivals = group.rival_since.is_some();
    group.observe(seen, theirs);
    match (asked, group.wish) {
        (Some(Reason::Operator), None) => draft.report(Event::NotGranted(group.setup.id)),
        (None, Some(_)) => draft.speak = true,
        _ => {}
    }
    if !rivals && group.rival_since.is_some() {
        draft.report(Event::TwoActive(group.setup.id));
    }
}

/// Carries a decision out in the state; whether it may lead to another one.
pub(super) fn apply(group: &mut Group, decision: Decision, draft: &mut Draft, now: Moment) -> bool {
    let id = group.setup.id;
    match decision {
        Decision::Stay | Decision::Fence => return false,
        Decision::StandBy => {
            group.enter(Role::Standby, Reason::Started, now);
            draft.report(Event::StandingBy(id));
            draft.speak = true;
        }
        Decision::TakeOver(reason) => {
            group.enter(Role::Active, reason, now);
            draft.take_over.push((id, reason));
            draft.speak = true;
            // Whatever comes next comes after it: within one list, standing down stands first.
            return false;
        }
        Decision::StandDown(reason) => {
            group.leaving = Some(Leaving { reason, hand_over: false });
            draft.stand_down.push((id, reason));
            return false;
        }
        Decision::HandOver(reason) => {
            group.leaving = Some(Leaving { reason, hand_over: true });
            draft.stand_down.push((id, reason));
            return false;
        }
    }
    true
}
