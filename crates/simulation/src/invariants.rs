//! What must hold of a pair.

use crate::fault::Micros;

mod actions;
mod bounds;
mod drains;
mod end;
mod holders;
mod table;
mod watch;

pub use bounds::Bounds;
pub(crate) use drains::Ended;
pub(crate) use watch::Watch;

/// One promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// With a working path both ways, two hold a group for a moment only.
    TwoActive,
    /// Once both know that they are two, one of them goes at once.
    BothKnow,
    /// A healthy router sees to it that somebody holds a group.
    NobodyActive,
    /// With all paths cut and a witness, one router holds a group.
    Partition,
    /// When only one router hears the other, one of them holds a group.
    OneWay,
    /// A heartbeat of now that arrives counts, whatever was lost before it.
    Heard,
    /// Whoever is heard is not taken for lost.
    Lost,
    /// Whoever did not stand still does not believe that it did.
    Awake,
    /// A router that slept takes nothing and claims nothing before it has listened.
    Sleeper,
    /// A planned hand-over has no moment with two holders.
    HandOver,
    /// Nothing replayed, reflected or altered changes any state.
    Attack,
    /// A group moves back only as its configuration says, or an operator.
    Failback,
    /// A group is given away for witnesses only to a router that reaches more of them.
    Witnesses,
    /// No router says that it holds nothing while it does, or takes what it has not announced.
    Truth,
    /// With fencing, nobody takes a silent partner's groups before it is switched off.
    Fenced,
    /// What lvsd says is in place is: whoever is up serves, whoever failed does not, and nothing waits
    /// for long.
    Table,
    /// No change of the kernel's table touches what is foreign, or empties a pool.
    Step,
    /// An orderly stop leaves what is configured, and nothing else of ours.
    Stopped,
    /// No edit that takes away too much is put in force by itself.
    Edit,
    /// A drain ends once no connection is left, or at its deadline.
    Drained,
    /// Both end with the same decisions, the operators' last ones.
    Decisions,
    /// While a new key is made no moment comes at which the two cannot read each other, and both end with
    /// one key.
    Keys,
    /// In the end one router holds each group, where it belongs, and both know it.
    SameView,
    /// No router calls for attention without end.
    Rest,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::TwoActive,
        Self::BothKnow,
        Self::NobodyActive,
        Self::Partition,
        Self::OneWay,
        Self::Heard,
        Self::Lost,
        Self::Awake,
        Self::Sleeper,
        Self::HandOver,
        Self::Attack,
        Self::Failback,
        Self::Witnesses,
        Self::Truth,
        Self::Fenced,
        Self::Table,
        Self::Step,
        Self::Stopped,
        Self::Edit,
        Self::Drained,
        Self::Decisions,
        Self::Keys,
        Self::SameView,
        Self::Rest,
    ];

    /// It holds over time, and not at single events.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Self::TwoActive
                | Self::BothKnow
                | Self::NobodyActive
                | Self::Partition
                | Self::OneWay
                | Self::HandOver
        )
    }

    /// The promise in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoActive => "with a working path, never two active for long",
            Self::BothKnow => "of two that know of each other one goes at once",
            Self::NobodyActive => "never nobody active for long beside a healthy router",
            Self::Partition => "a partition with a witness has one active",
            Self::OneWay => "loss of one direction leaves one active",
            Self::Heard => "a heartbeat that arrives counts, whatever was lost before it",
            Self::Lost => "whoever is heard is not taken for lost",
            Self::Awake => "whoever did not stand still does not believe that it did",
            Self::Sleeper => "a router that slept acts only after listening",
            Self::HandOver => "a planned hand-over has no moment with two",
            Self::Attack => "nothing replayed, reflected or altered changes any state",
            Self::Failback => "failback obeys its policy",
            Self::Witnesses => "groups go to more witnesses, and never where they are equal",
            Self::Truth => "a heartbeat tells the truth about addresses",
            Self::Fenced => "a silent partner is switched off before its groups are taken",
            Self::Table => "what is said to be in place is, and whoever is up serves",
            Self::Step => "no change of the table empties a pool or touches what is foreign",
            Self::Stopped => "an orderly stop leaves nothing of ours that is not to stay",
            Self::Edit => "an edit that takes away too much waits for a word",
            Self::Drained => "a drain ends with its last connection, or at its deadline",
            Self::Decisions => "both end with the operators' last decisions",
            Self::Keys => "a new key leaves no moment in which the two cannot read each other",
            Self::SameView => "the two end on the same view",
            Self::Rest => "a router rests between its deadlines",
        }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, in microseconds of the run.
    pub at: Micros,
    /// How.
    pub detail: String,
}
