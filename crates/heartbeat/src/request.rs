//! What an operator can ask of the pair, and why it may be refused.

use crate::packet::{Claim, GroupId, Role};

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Give the group to the partner.
    Failover(GroupId),
    /// Fetch the group from the partner.
    TakeOver(GroupId),
    /// Fetch it; if the partner is not heard, the operator says that it is off.
    Force(GroupId),
}

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such group.
    #[error("there is no such group in the configuration")]
    UnknownGroup,
    /// It is starting, stopping or moving already.
    #[error("the group is moving already, or this router is starting or stopping: try again")]
    Busy,
    /// Nothing to give.
    #[error("this router does not hold the group: ask the one that does, or use takeover here")]
    NotActive,
    /// Nothing to fetch.
    #[error("this router holds the group already")]
    AlreadyActive,
    /// Nobody to give to or fetch from.
    #[error("the partner is not heard: start pulse there, and look at the paths in the status")]
    NoPartner,
    /// It is taken by itself, or not even an operator's word is enough.
    #[error(
        "it does not wait for fencing: this router is still listening, no witness answers, or \
         somebody else answers for the addresses (see the log)"
    )]
    NotFencing,
    /// The partner could not carry it.
    #[error("an interface of the group's addresses is down on the partner")]
    PartnerUnfit,
    /// The partner would serve nobody.
    #[error("the partner is not ready: its table is not in place, or its checks have not run yet")]
    PartnerNotReady,
    /// We could not carry it.
    #[error("an interface of the group's addresses is down on this router")]
    Unfit,
    /// We would serve nobody.
    #[error("this router is not ready: its table is not in place, or its checks have not run yet")]
    NotReady,
}

/// Whether a group can be given away.
pub(crate) fn may_give(role: Role, theirs: Claim, partner_ready: bool) -> Result<(), Refusal> {
    if role != Role::Active {
        return Err(Refusal::NotActive);
    }
    if theirs.role != Role::Standby {
        return Err(Refusal::Busy);
    }
    if !theirs.fit {
        return Err(Refusal::PartnerUnfit);
    }
    if !partner_ready {
        return Err(Refusal::PartnerNotReady);
    }
    Ok(())
}

/// Whether a group can be fetched.
pub(crate) fn may_fetch(role: Role, fit: bool, ready: bool) -> Result<(), Refusal> {
    if role == Role::Active {
        return Err(Refusal::AlreadyActive);
    }
    if !fit {
        return Err(Refusal::Unfit);
    }
    if !ready {
        return Err(Refusal::NotReady);
    }
    Ok(())
}
