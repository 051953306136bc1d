//! What operators have said about real servers.

use std::collections::BTreeMap;

use control::action::Decision;
use health::Ruling;
use health::ledger::Aspect;

use crate::fault::Micros;

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Drain, within so many seconds, or without an end.
    Drain(Option<u64>),
    /// Take that back.
    Undrain,
    /// Take it out.
    Disable,
    /// Take that back.
    Enable,
    /// Another weight, or the configured one again.
    Weight(Option<u32>),
}

impl Word {
    /// As lvsctl says it.
    pub(crate) fn decision(self) -> Decision {
        match self {
            Self::Drain(deadline_seconds) => Decision::Drain { deadline_seconds },
            Self::Undrain => Decision::Undrain,
            Self::Disable => Decision::Disable,
            Self::Enable => Decision::Enable,
            Self::Weight(weight) => Decision::Weight { weight },
        }
    }

    /// Whether what is written in a ledger says this.
    fn is(self, ruling: Option<&Ruling>, reason: &str) -> bool {
        let noted = ruling.is_none_or(|one| one.note().reason.as_deref() == Some(reason));
        let same = match (self, ruling) {
            (Self::Drain(seconds), Some(Ruling::Drain(drain))) => {
                seconds.is_some() == drain.deadline.is_some()
            }
            (Self::Disable, Some(Ruling::Disabled(_))) => true,
            (Self::Weight(Some(weight)), Some(Ruling::Weight(set, _))) => weight == *set,
            (Self::Undrain | Self::Enable | Self::Weight(None), None) => true,
            _ => false,
        };
        same && noted
    }
}

/// Virtual server, label of the real server, and what about it.
pub(crate) type About = (String, String, Aspect);

/// The newest word about each thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(BTreeMap<About, Said>);

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) word: Word,
    pub(crate) at: Micros,
    /// Another one was said in the same millisecond: either may hold.
    tie: bool,
}

impl Words {
    pub(crate) fn say(&mut self, about: About, word: Word, at: Micros) {
        let tie = self.0.get(&about).is_some_and(|before| at - before.at < 5_000);
        self.0.insert(about, Said { word, at, tie });
    }

    /// A machine has lost its memory: what it alone knew is gone.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&About, &Said)> {
        self.0.iter()
    }
}

impl Said {
    /// Whether a ledger holds it.
    pub(crate) fn is(&self, ruling: Option<&Ruling>) -> bool {
        self.tie || self.word.is(ruling, &format!("at {}", self.at))
    }
}
