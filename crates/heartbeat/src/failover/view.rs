//! How the state machine stands, for status.

use super::{Failover, Worker};
use crate::action::Reason;
use crate::moment::Moment;
use crate::packet::{Beat, Claim, GroupId, Role};
use crate::partner::Presence;
use crate::paths::Path;
use crate::timing::Timing;

/// How a group stands, for status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Which.
    pub id: GroupId,
    /// This router's role.
    pub role: Role,
    /// It is being let go.
    pub leaving: bool,
    /// Why the role is what it is.
    pub reason: Reason,
    /// Since when.
    pub since: Moment,
    /// What the partner claims, while it is alive.
    pub theirs: Option<Claim>,
}

impl Failover {
    /// How each group stands, in the order of the configuration.
    pub fn groups(&self) -> impl Iterator<Item = GroupState> + '_ {
        self.groups.iter().map(|group| GroupState {
            id: group.setup.id,
            role: group.role,
            leaving: group.leaving.is_some(),
            reason: group.leaving.map_or(group.reason, |leaving| leaving.reason),
            since: group.since,
            theirs: self.partner.claim(group.setup.id),
        })
    }

    /// The times that count now: while the partner may still go by those of before an edit, the safer
    /// ones of both.
    pub fn timing(&self) -> &Timing {
        self.pace.timing()
    }

    /// The paths, in the order of the configuration.
    pub fn paths(&self) -> &[Path] {
        self.paths.as_slice()
    }

    /// Whether the partner is there.
    pub fn presence(&self) -> Presence {
        self.partner.presence()
    }

    /// When the partner was last heard on any path.
    pub fn partner_last_heard(&self) -> Option<Moment> {
        self.partner.last_heard()
    }

    /// What the partner last told, while it is alive.
    pub fn partner_beat(&self) -> Option<&Beat> {
        self.partner.beat()
    }

    /// Whether the witness answered when it was last asked.
    pub fn witness_reachable(&self) -> Option<bool> {
        self.witness.answer()
    }

    /// This router could serve at once if it took over.
    pub fn ready(&self) -> bool {
        matches!(self.worker, Worker::Up { table_in_place: true, checks_warm: true })
    }
}
