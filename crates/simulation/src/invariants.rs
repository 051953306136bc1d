//! What must hold of a pair.

use crate::fault::Micros;

mod actions;
mod bounds;
mod end;
mod holders;
mod watch;

pub use bounds::Bounds;
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
    /// A router that slept takes nothing and claims nothing before it has listened.
    Sleeper,
    /// A planned hand-over has no moment with two holders.
    HandOver,
    /// Nothing replayed, reflected or altered changes any state.
    Attack,
    /// A group moves back only as its configuration says, or an operator.
    Failback,
    /// No router says that it holds nothing while it does, or takes what it has not announced.
    Truth,
    /// With fencing, nobody takes a silent partner's groups before it is switched off.
    Fenced,
    /// In the end one router holds each group, where it belongs, and both know it.
    SameView,
    /// No router calls for attention without end.
    Rest,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::TwoActive,
        Self::BothKnow,
        Self::NobodyActive,
        Self::Partition,
        Self::OneWay,
        Self::Sleeper,
        Self::HandOver,
        Self::Attack,
        Self::Failback,
        Self::Truth,
        Self::Fenced,
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
            Self::Sleeper => "a router that slept acts only after listening",
            Self::HandOver => "a planned hand-over has no moment with two",
            Self::Attack => "nothing replayed, reflected or altered changes any state",
            Self::Failback => "failback obeys its policy",
            Self::Truth => "a heartbeat tells the truth about addresses",
            Self::Fenced => "a silent partner is switched off before its groups are taken",
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
