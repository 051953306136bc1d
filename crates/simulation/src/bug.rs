//! Deliberate bugs, to see that each is caught. The product contains none of them: they are put
//! between the real state machine and its surroundings.

use std::fmt;
use std::str::FromStr;

/// One deliberate bug. Both routers have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A router that wakes up late is not told of the time that passed, and goes on as active.
    ForgetsThePause,
    /// A router says that it stood down while its addresses are still there.
    SpeaksTooEarly,
    /// A packet counts whenever its tag verifies, seen or not.
    BelievesRecordings,
    /// The witness is taken to answer, whatever it does.
    IgnoresTheWitness,
    /// Each router believes that it comes first, and stays active beside another one.
    BothComeFirst,
    /// A group returns to its preferred router although it should not by itself.
    FailsBackUnasked,
    /// A router says that it takes over, and does not.
    TakesNothing,
    /// Fencing is taken for done, whatever came of it.
    FencesNobody,
    /// What the first heartbeat after a lost one says of roles is not believed. It shows only where
    /// packets are lost again and again: whoever is to let go does not.
    DoubtsAfterALoss,
    /// lvsd does not hear of a check that fails.
    KeepsTheDead,
    /// lvsd tells the partner nothing of what operators decide.
    TellsNobody,
    /// lvsd starts without what operators have decided.
    ForgetsDecisions,
    /// lvsd stops, and leaves everything where it is.
    LeavesItsTable,
    /// The old key is forgotten as soon as the new one signs here.
    ForgetsTheOldKey,
    /// A letter counts however late it comes.
    TakesLateLetters,
    /// After an edit of the times the partner is taken to go by the new ones as well.
    ForgetsTheOldTimes,
    /// What the partner's heartbeats tell of its times is not read.
    ReadsNoTimes,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::ForgetsThePause,
        Self::SpeaksTooEarly,
        Self::BelievesRecordings,
        Self::IgnoresTheWitness,
        Self::BothComeFirst,
        Self::FailsBackUnasked,
        Self::TakesNothing,
        Self::FencesNobody,
        Self::DoubtsAfterALoss,
        Self::KeepsTheDead,
        Self::TellsNobody,
        Self::ForgetsDecisions,
        Self::LeavesItsTable,
        Self::ForgetsTheOldKey,
        Self::TakesLateLetters,
        Self::ForgetsTheOldTimes,
        Self::ReadsNoTimes,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForgetsThePause => "forgets-the-pause",
            Self::SpeaksTooEarly => "speaks-too-early",
            Self::BelievesRecordings => "believes-recordings",
            Self::IgnoresTheWitness => "ignores-the-witness",
            Self::BothComeFirst => "both-come-first",
            Self::FailsBackUnasked => "fails-back-unasked",
            Self::TakesNothing => "takes-nothing",
            Self::FencesNobody => "fences-nobody",
            Self::DoubtsAfterALoss => "doubts-after-a-loss",
            Self::KeepsTheDead => "keeps-the-dead",
            Self::TellsNobody => "tells-nobody",
            Self::ForgetsDecisions => "forgets-decisions",
            Self::LeavesItsTable => "leaves-its-table",
            Self::ForgetsTheOldKey => "forgets-the-old-key",
            Self::TakesLateLetters => "takes-late-letters",
            Self::ForgetsTheOldTimes => "forgets-the-old-times",
            Self::ReadsNoTimes => "reads-no-times",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|bug| bug.name() == name);
        found.ok_or_else(|| format!("no bug is called {name}; there are {known}"))
    }
}
