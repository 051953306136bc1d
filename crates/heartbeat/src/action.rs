//! What the state machine wants done, and why.

use std::time::Duration;

use crate::packet::{Beat, GroupId};
use crate::question::QuestionId;
use crate::setup::PathId;

/// Why a group changed its router, in the words of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// This router has just started.
    Started,
    /// Nobody was heard while listening first.
    NobodyHeard,
    /// The partner is silent on every path.
    PartnerLost,
    /// The partner stopped in order.
    PartnerStopped,
    /// The partner let it go for this router.
    HandedOver,
    /// Nobody holds it, and this router comes first.
    ComesFirst,
    /// Nobody holds it, and the partner did not take it.
    NobodyTook,
    /// It was held before this program was restarted, and nobody took it since.
    Resumed,
    /// It returned to its preferred router.
    Failback,
    /// The partner asked for it.
    PartnerAsked,
    /// An operator said so.
    Operator,
    /// The partner holds it.
    PartnerActive,
    /// Both routers held it, and the partner comes first.
    TwoActive,
    /// Both routers held it, and the partner cannot hear this one.
    PartnerDeaf,
    /// This router was paused for so long that the partner may have taken over.
    Paused,
    /// All paths are silent, and the witness does not answer.
    WitnessSilent,
    /// Somebody else answers for its addresses, and nothing is heard of the partner.
    Answered,
    /// An interface that carries its addresses has no carrier.
    Unfit,
    /// The partner reaches more witnesses.
    FewerWitnesses,
    /// lvsd does not come back.
    WorkerFailed,
    /// This program stops in order.
    Stopping,
    /// The configuration has it no more.
    Removed,
}

impl Reason {
    /// The reason in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "just started",
            Self::NobodyHeard => "no partner was heard",
            Self::PartnerLost => "partner lost",
            Self::PartnerStopped => "partner stopped",
            Self::HandedOver => "partner handed over",
            Self::ComesFirst => "nobody holds it and this router comes first",
            Self::NobodyTook => "nobody took it",
            Self::Resumed => "held before the restart",
            Self::Failback => "failback to the preferred router",
            Self::PartnerAsked => "partner asked for it",
            Self::Operator => "operator",
            Self::PartnerActive => "partner is active",
            Self::TwoActive => "both were active and the partner comes first",
            Self::PartnerDeaf => "both were active and the partner does not hear this router",
            Self::Paused => "this router was paused too long",
            Self::WitnessSilent => "all paths silent and no witness answers",
            Self::Answered => "somebody else answers for its addresses",
            Self::Unfit => "an interface of its addresses is down",
            Self::FewerWitnesses => "the partner reaches more witnesses",
            Self::WorkerFailed => "lvsd does not come back",
            Self::Stopping => "stopping",
            Self::Removed => "no longer configured",
        }
    }
}

/// Something worth a line in the log that is no change of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The partner is heard.
    PartnerFound,
    /// The partner is heard again, and was started anew.
    PartnerRestarted,
    /// The partner is silent on every path.
    PartnerLost {
        /// For how long.
        silent: Duration,
    },
    /// The partner stopped in order.
    PartnerStopped,
    /// The partner's heartbeats are late.
    PartnerLate {
        /// For how long.
        silent: Duration,
    },
    /// The partner's configuration is another one.
    ConfigDiffers,
    /// The partner's configuration is the same again.
    ConfigAgrees,
    /// The partner does not hear this router, but is heard.
    PartnerDeaf,
    /// The partner hears this router again.
    PartnerHearsAgain,
    /// Heartbeats arrive on a path.
    PathUp(PathId),
    /// A path is silent.
    PathSilent(PathId),
    /// A path's interface lost its carrier.
    PathNoCarrier(PathId),
    /// This router was paused, and listens before it acts.
    Paused {
        /// For how long.
        lasted: Duration,
    },
    /// The witness answered or not, and it was different before.
    Witness {
        /// It answered.
        reachable: bool,
    },
    /// Somebody answers for a group's addresses although the partner is silent: it stays where it
    /// is.
    Answered(GroupId),
    /// The partner's heartbeats were held back on their way for so long that they do not count.
    HeldBack {
        /// Their age, at most.
        age: Duration,
    },
    /// Both routers hold a group.
    TwoActive(GroupId),
    /// The partner is switched off.
    Fenced,
    /// The partner could not be switched off.
    NotFenced {
        /// Its groups are taken all the same.
        take_over: bool,
    },
    /// Nobody granted what an operator asked for.
    NotGranted(GroupId),
    /// This router stands by for a group, after starting.
    StandingBy(GroupId),
}

/// What to do next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Log it.
    Report(Event),
    /// Remove the group's addresses, then call `handle_stood_down`. A take-over that is still
    /// going on ends first.
    StandDown {
        /// Which group.
        group: GroupId,
        /// Why.
        reason: Reason,
    },
    /// Send a heartbeat, before any later action is begun.
    Send {
        /// On which path.
        path: PathId,
        /// What it tells.
        beat: Beat,
    },
    /// Add the group's addresses, then announce them.
    TakeOver {
        /// Which group.
        group: GroupId,
        /// Why.
        reason: Reason,
    },
    /// Ask the witness, then call `handle_witness`.
    AskWitness {
        /// To be given with the answer.
        question: QuestionId,
    },
    /// Ask whether somebody else answers for the group's addresses, within
    /// [`crate::Timing::probe_patience`], then call `handle_probe`.
    Probe {
        /// Which group.
        group: GroupId,
        /// To be given with the answer.
        question: QuestionId,
    },
    /// Switch the partner off, then call `handle_fence`.
    Fence {
        /// To be given with the answer.
        question: QuestionId,
    },
    /// Everything is stood down and said; the program may end.
    Stopped,
}

/// What to do next, to be carried out in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a decision that is not carried out leaves the pair in disagreement"]
pub struct Actions(Vec<Action>);

impl Actions {
    /// The actions in order.
    pub fn as_slice(&self) -> &[Action] {
        &self.0
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = std::vec::IntoIter<Action>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Collects actions in any order and gives them out in the right one: addresses go before a
/// heartbeat says so, and a heartbeat says so before addresses come.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) reports: Vec<Event>,
    pub(crate) stand_down: Vec<(GroupId, Reason)>,
    pub(crate) take_over: Vec<(GroupId, Reason)>,
    pub(crate) speak: bool,
    pub(crate) ask_witness: Option<QuestionId>,
    pub(crate) probes: Vec<(GroupId, QuestionId)>,
    pub(crate) fence: Option<QuestionId>,
    pub(crate) stopped: bool,
}

impl Draft {
    pub(crate) fn report(&mut self, event: Event) {
        self.reports.push(event);
    }

    pub(crate) fn into_actions(self, beats: Vec<(PathId, Beat)>) -> Actions {
        let reports = self.reports.into_iter().map(Action::Report);
        let down = self.stand_down.into_iter();
        let down = down.map(|(group, reason)| Action::StandDown { group, reason });
        let send = beats.into_iter().map(|(path, beat)| Action::Send { path, beat });
        let up = self.take_over.into_iter();
        let up = up.map(|(group, reason)| Action::TakeOver { group, reason });
        let ask = self.ask_witness.map(|question| Action::AskWitness { question });
        let probes = self.probes.into_iter();
        let probes = probes.map(|(group, question)| Action::Probe { group, question });
        let fence = self.fence.map(|question| Action::Fence { question });
        let stopped = self.stopped.then_some(Action::Stopped);
        Actions(
            reports
                .chain(down)
                .chain(send)
                .chain(up)
                .chain(ask)
                .chain(probes)
                .chain(fence)
                .chain(stopped)
                .collect(),
        )
    }
}
