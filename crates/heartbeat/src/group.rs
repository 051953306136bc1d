//! One group of addresses, as this router sees it.

use crate::action::Reason;
use crate::decide::{Outlook, View};
use crate::failover::Machine;
use crate::fence::Fencing;
use crate::moment::Moment;
use crate::packet::{Claim, Role};
use crate::partner::Presence;
use crate::probe::{Answer, Probe};
use crate::setup::{GroupSetup, Side};
use crate::timing::Timing;

/// Letting a group go: its addresses are being removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    pub(crate) reason: Reason,
    /// The partner is to take it at once.
    pub(crate) hand_over: bool,
}

/// Asking the partner for a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) reason: Reason,
    /// Dropped then; none lasts as long as its cause.
    pub(crate) until: Option<Moment>,
}

/// One group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) setup: GroupSetup,
    pub(crate) role: Role,
    pub(crate) reason: Reason,
    pub(crate) since: Moment,
    pub(crate) fit: bool,
    pub(crate) holding: bool,
    pub(crate) leaving: Option<Leaving>,
    /// It is no longer configured: forgotten once it is let go.
    pub(crate) removed: bool,
    /// Without a partner, nothing is taken before.
    pub(crate) listen_until: Moment,
    pub(crate) vacant_since: Option<Moment>,
    pub(crate) rival_since: Option<Moment>,
    pub(crate) offered_at: Option<Moment>,
    /// Each has let it go for the other: neither offer is taken, or both would be.
    pub(crate) crossed: bool,
    pub(crate) well_since: Option<Moment>,
    pub(crate) wish: Option<Wish>,
    /// An operator moved it away from here; it does not return by itself.
    pub(crate) moved_away: bool,
    /// It is here because an operator moved it; the partner is reminded of it.
    pub(crate) pinned: bool,
    pub(crate) probe: Probe,
    /// An operator has said that the partner is off.
    pub(crate) vouched: bool,
    /// It would be taken but for fencing.
    pub(crate) fence_wanted: bool,
}

impl Group {
    pub(crate) fn new(setup: GroupSetup, role: Role, listen_until: Moment, now: Moment) -> Self {
        Self {
            setup,
            role,
            reason: Reason::Started,
            since: now,
            fit: setup.fit,
            holding: role == Role::Starting && setup.holding,
            leaving: None,
            removed: false,
            listen_until,
            vacant_since: None,
            rival_since: None,
            offered_at: None,
            crossed: false,
            well_since: None,
            wish: None,
            moved_away: false,
            pinned: false,
            probe: Probe::default(),
            vouched: false,
            fence_wanted: false,
        }
    }

    /// What we say about it.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            role: self.role,
            leaving: self.leaving.is_some(),
            fit: self.fit,
            wants: self.wish.is_some(),
            yours: self.offered_at.is_some(),
            holding: self.holding,
            pinned: if self.role == Role::Active { self.pinned } else { self.moved_away },
        }
    }

    /// Its addresses are on this router, or may be.
    pub(crate) fn occupied(&self) -> bool {
        self.claim().occupies()
    }

    pub(crate) fn comes_first(&self, me: Side) -> bool {
        self.setup.preferred.unwrap_or(Side::First) == me
    }

    /// Brings the clocks of this group up to date with what is seen.
    pub(crate) fn observe(&mut self, seen: &Machine<'_>, theirs: Option<Claim>) {
        let now = seen.now;
        let dead_after = seen.timing.dead_after();
        let alive = seen.alive;
        let theirs_active = theirs.is_some_and(|c| c.role == Role::Active && !c.leaving);
        let theirs_occupied = theirs.is_some_and(Claim::occupies);
        let theirs_yours = theirs.is_some_and(|claim| claim.yours);
        self.crossed |= self.offered_at.is_some() && theirs_yours;
        self.crossed &= !theirs_occupied;
        if theirs_active || self.offered_at.is_some_and(|at| now.since(at) >= dead_after) {
            self.offered_at = None;
        }
        let vacant = alive && self.role == Role::Standby && !theirs_occupied;
        keep(&mut self.vacant_since, vacant, now);
        let rivals = self.role == Role::Active && self.leaving.is_none() && theirs_active;
        keep(&mut self.rival_since, rivals, now);
        let expired = |wish: &Wish| !alive || wish.until.is_some_and(|until| now >= until);
        if self.role != Role::Standby || self.wish.as_ref().is_some_and(expired) {
            self.wish = None;
        }
        // Each side remembers for both that an operator moved it, in case one is restarted.
        if theirs.is_some_and(|claim| claim.pinned) {
            let given = theirs.is_some_and(|claim| claim.role == Role::Standby);
            self.moved_away |= self.role == Role::Standby && theirs_active;
            self.pinned |= self.role == Role::Active && given;
        }
        let theirs_to_give = theirs.is_some_and(|c| c.role == Role::Active || c.yours);
        self.consider_failback(seen, theirs_to_give);
    }

    /// Asks for it once this router, preferred and well, has waited its delay.
    fn consider_failback(&mut self, seen: &Machine<'_>, theirs_to_give: bool) {
        let due = self.role == Role::Standby
            && self.setup.preferred == Some(seen.me)
            && self.fit
            && seen.ready
            && !seen.is_fewer
            && theirs_to_give
            && !self.moved_away;
        keep(&mut self.well_since, due, seen.now);
        let by_failback = |wish: &Wish| wish.reason == Reason::Failback;
        match (self.setup.failback, self.well_since) {
            (Some(delay), Some(since)) if seen.now.since(since) >= delay => {
                self.wish.get_or_insert(Wish { reason: Reason::Failback, until: None });
            }
            _ if self.wish.as_ref().is_some_and(by_failback) => self.wish = None,
            _ => {}
        }
    }

    pub(crate) fn view(&self, seen: &Machine<'_>, theirs: Option<Claim>) -> View {
        let for_how_long = |since: Option<Moment>| {
            since.map_or(std::time::Duration::ZERO, |since| seen.now.since(since))
        };
        let silent = matches!(seen.outlook, Outlook::Gone(reason) if reason != Reason::PartnerStopped)
            || matches!(seen.outlook, Outlook::Doubt | Outlook::Cut);
        let listening = silent && seen.now < self.listen_until;
        View {
            role: self.role,
            fit: self.fit,
            holding: self.holding,
            partner: if listening { Outlook::Listening } else { seen.outlook },
            theirs,
            partner_ready: seen.partner_ready,
            partner_deaf: seen.partner_deaf,
            comes_first: self.comes_first(seen.me),
            lower_id: seen.lower_id,
            offered: self.offered_at.is_some(),
            crossed: self.crossed,
            wish: self.wish.map(|wish| wish.reason),
            fewer_witnesses: seen.stays_fewer
                && seen.now.since(self.since) >= seen.timing.witness_rest(),
            worker_failed: seen.worker_failed,
            probe: self.answer(seen),
            fencing: self.fencing(seen),
            vacant_for: for_how_long(self.vacant_since),
            rival_for: for_how_long(self.rival_since),
            surely_two: self.surely_two(seen),
            dead_after: seen.timing.dead_after(),
        }
    }

    /// Whoever else answers for its addresses would have let them go by now if it were to. A partner
    /// that is heard without proof does not hear us: it does not know that we are two.
    fn surely_two(&self, seen: &Machine<'_>) -> bool {
        let held_for = seen.now.since(self.since);
        let dead_after = seen.timing.dead_after();
        let patience = if seen.unproven { 2 } else { 6 };
        self.probe.is_unsettled() && held_for >= dead_after * 4
            || self.probe.somebody_for(seen.now) >= dead_after * patience
    }

    /// Whether somebody else answers for its addresses, when that matters.
    fn answer(&self, seen: &Machine<'_>) -> Answer {
        if !seen.doubtful || seen.outlook == Outlook::Gone(Reason::PartnerStopped) {
            return Answer::NotNeeded;
        }
        self.probe.answer()
    }

    /// Whether the partner is to be switched off before it is taken. One that stopped in order has
    /// let everything go.
    fn fencing(&self, seen: &Machine<'_>) -> Fencing {
        match (seen.fencing, seen.outlook) {
            (None, _) | (_, Outlook::Gone(Reason::PartnerStopped)) => Fencing::NotNeeded,
            (Some(_), _) if self.vouched => Fencing::Done,
            (Some(Fencing::NotNeeded), _) => Fencing::Pending,
            (Some(fencing), _) => fencing,
        }
    }

    /// From when on it is asked whether somebody else answers for its addresses: an interval before
    /// the answer is needed. `silent_at` is when the partner is, or would be, lost.
    pub(crate) fn probes_from(
        &self,
        presence: Presence,
        silent_at: Option<Moment>,
        timing: &Timing,
    ) -> Option<Moment> {
        let held = self.role == Role::Active && !self.probe.is_unsettled();
        let cares = self.role != Role::Standby || self.fit;
        let begin = match presence {
            Presence::Alive if held => return None,
            Presence::Alive => silent_at? - timing.interval(),
            Presence::Lost | Presence::Unheard => self.listen_until - timing.interval(),
            Presence::Stopped => return None,
        };
        (cares && self.leaving.is_none()).then_some(begin)
    }

    pub(crate) fn enter(&mut self, role: Role, reason: Reason, now: Moment) {
        self.role = role;
        self.reason = reason;
        self.since = now;
        self.holding = false;
        self.leaving = None;
        self.wish = None;
        self.offered_at = None;
        self.crossed = false;
        self.vacant_since = None;
        self.rival_since = None;
        self.pinned = false;
        self.vouched = false;
        if role == Role::Active {
            self.moved_away = false;
        }
    }
}

/// Remembers since when something holds, without a break.
fn keep(since: &mut Option<Moment>, holds: bool, now: Moment) {
    if holds {
        since.get_or_insert(now);
    } else {
        *since = None;
    }
}
