//! The decision about one group: a pure function from what is seen to what is done.

use std::time::Duration;

use crate::action::Reason;
use crate::fence::Fencing;
use crate::packet::{Claim, Role};
use crate::probe::Answer;

#[cfg(test)]
mod tests;

/// What is known of the partner, as far as it matters for taking a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Nothing yet: listen on.
    Listening,
    /// It is heard.
    Alive,
    /// It is not there, and nothing forbids to act.
    Gone(Reason),
    /// All paths are silent and the witness was asked.
    Doubt,
    /// All paths are silent and the witness does not answer.
    Cut,
}

/// All that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) role: Role,
    pub(crate) fit: bool,
    pub(crate) holding: bool,
    pub(crate) partner: Outlook,
    /// The partner's claim, while it is alive and knows the group.
    pub(crate) theirs: Option<Claim>,
    /// The partner's table is in place and its checks are warm.
    pub(crate) partner_ready: bool,
    /// The partner does not hear us.
    pub(crate) partner_deaf: bool,
    /// We come first: the preferred router, or else the one named first.
    pub(crate) comes_first: bool,
    /// We come first in an order that does not depend on the configuration.
    pub(crate) lower_id: bool,
    /// We have let it go for the partner, and its time to take it is not over.
    pub(crate) offered: bool,
    /// So has the partner, at the same time.
    pub(crate) crossed: bool,
    /// Why we ask for it, if we do.
    pub(crate) wish: Option<Reason>,
    /// The partner has reached more witnesses for a while, and we hold it for long enough.
    pub(crate) fewer_witnesses: bool,
    /// lvsd is away for too long.
    pub(crate) worker_failed: bool,
    /// Whether somebody else answers for its addresses, while the partner is silent.
    pub(crate) probe: Answer,
    /// Whether the partner, who is silent, is switched off; not needed where no rule wants it.
    pub(crate) fencing: Fencing,
    /// For how long nobody has held it, as far as we know.
    pub(crate) vacant_for: Duration,
    /// For how long both have held it.
    pub(crate) rival_for: Duration,
    /// Somebody else has answered for its addresses for so long that it will not give way.
    pub(crate) surely_two: bool,
    pub(crate) dead_after: Duration,
}

/// What to do about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing.
    Stay,
    /// From starting to standing by; nothing of it is here.
    StandBy,
    /// Take it.
    TakeOver(Reason),
    /// It would be taken if the partner were switched off.
    Fence,
    /// Let it go.
    StandDown(Reason),
    /// Let it go for the partner, who is to take it at once.
    HandOver(Reason),
}

/// Decides. Called only while the group is not being let go already.
pub(crate) fn decide(view: &View) -> Decision {
    match view.role {
        Role::Starting if view.holding => resume(view),
        Role::Starting => match view.partner {
            Outlook::Listening => Decision::Stay,
            Outlook::Alive | Outlook::Gone(_) | Outlook::Doubt | Outlook::Cut => Decision::StandBy,
        },
        Role::Standby => standing_by(view),
        Role::Active => active(view),
    }
}

/// Restarted with the addresses still here: go on, unless somebody else took them.
fn resume(view: &View) -> Decision {
    match view.partner {
        Outlook::Listening | Outlook::Doubt => Decision::Stay,
        Outlook::Cut => Decision::StandDown(Reason::WitnessSilent),
        Outlook::Gone(_) => match view.probe {
            Answer::NotNeeded | Answer::Nobody => Decision::TakeOver(Reason::Resumed),
            Answer::Unknown => Decision::Stay,
            Answer::Somebody => Decision::StandDown(Reason::Answered),
        },
        Outlook::Alive => match view.theirs {
            Some(theirs) if theirs.role == Role::Active && !theirs.leaving => {
                Decision::StandDown(Reason::PartnerActive)
            }
            Some(theirs) if theirs.holding && !we_win(view, theirs) => {
                Decision::StandDown(Reason::TwoActive)
            }
            _ => Decision::TakeOver(Reason::Resumed),
        },
    }
}

fn standing_by(view: &View) -> Decision {
    if !view.fit {
        return Decision::Stay;
    }
    match view.partner {
        Outlook::Listening | Outlook::Doubt | Outlook::Cut => Decision::Stay,
        Outlook::Gone(reason) => match (view.probe, view.fencing) {
            (Answer::Unknown | Answer::Somebody, _) => Decision::Stay,
            (Answer::NotNeeded | Answer::Nobody, Fencing::Pending | Fencing::Failed) => {
                Decision::Fence
            }
            (Answer::NotNeeded | Answer::Nobody, Fencing::NotNeeded | Fencing::Done) => {
                Decision::TakeOver(reason)
            }
        },
        Outlook::Alive => beside_partner(view),
    }
}

/// Standing by, fit, and the partner is alive.
fn beside_partner(view: &View) -> Decision {
    // Two that each believe the other comes first must not take it at one moment, for ever.
    let patience = if view.lower_id { view.dead_after } else { view.dead_after * 2 };
    let waited = view.vacant_for >= patience;
    match view.theirs {
        Some(theirs) if theirs.occupies() => Decision::Stay,
        Some(theirs) if theirs.yours && !view.offered && !view.crossed => {
            Decision::TakeOver(view.wish.unwrap_or(Reason::HandedOver))
        }
        Some(theirs) => {
            let settled = theirs.role == Role::Standby && !view.offered && !view.crossed;
            if settled && we_win(view, theirs) {
                Decision::TakeOver(Reason::ComesFirst)
            } else if waited && !view.offered {
                Decision::TakeOver(Reason::NobodyTook)
            } else {
                Decision::Stay
            }
        }
        // It does not know the group: give an edit that is on its way time to reach it.
        None if waited => Decision::TakeOver(Reason::NobodyTook),
        None => Decision::Stay,
    }
}

fn active(view: &View) -> Decision {
    match view.partner {
        Outlook::Listening | Outlook::Doubt => Decision::Stay,
        Outlook::Cut => Decision::StandDown(Reason::WitnessSilent),
        // Both have it, unheard by each other: the same one stands down on both sides. If it does
        // not, it does not know.
        Outlook::Gone(_)
            if view.probe == Answer::Somebody && (!view.lower_id || view.surely_two) =>
        {
            Decision::StandDown(Reason::Answered)
        }
        Outlook::Gone(_) if view.fit => Decision::Stay,
        // It serves nobody like this, and the partner may live behind the dead interface.
        Outlook::Gone(_) => Decision::StandDown(Reason::Unfit),
        Outlook::Alive => match view.theirs {
            Some(theirs) if theirs.role == Role::Active && !theirs.leaving => rivals(view, theirs),
            Some(theirs) if theirs.role == Role::Standby && theirs.fit => give(view, theirs),
            _ => Decision::Stay,
        },
    }
}

/// Both hold it. The rule that names the loser may be seen differently from the other side: when
/// the partner cannot hear us, or reads another configuration. Then patience decides.
fn rivals(view: &View, theirs: Claim) -> Decision {
    if !we_win(view, theirs) {
        return Decision::StandDown(Reason::TwoActive);
    }
    if view.partner_deaf && view.rival_for >= view.dead_after {
        return Decision::StandDown(Reason::PartnerDeaf);
    }
    if view.rival_for >= view.dead_after * 2 && !view.lower_id {
        return Decision::StandDown(Reason::TwoActive);
    }
    Decision::Stay
}

/// Active, and the partner stands by and could take it.
fn give(view: &View, theirs: Claim) -> Decision {
    if !view.fit {
        Decision::HandOver(Reason::Unfit)
    } else if theirs.wants && view.partner_ready {
        Decision::HandOver(Reason::PartnerAsked)
    } else if view.fewer_witnesses && view.partner_ready && !view.partner_deaf {
        Decision::HandOver(Reason::FewerWitnesses)
    } else if view.worker_failed && view.partner_ready {
        Decision::HandOver(Reason::WorkerFailed)
    } else {
        Decision::Stay
    }
}

/// Of two that could hold it: the fit one, else the one that comes first.
fn we_win(view: &View, theirs: Claim) -> bool {
    match (view.fit, theirs.fit) {
        (true, false) => true,
        (false, true) => false,
        (true, true) | (false, false) => view.comes_first,
    }
}
