//! What will happen, and when.

use std::rc::Rc;

use control::nanny::WatchId;
use heartbeat::QuestionId;
use heartbeat::rotation::{Staged, Then};

use crate::fault::{Index, Micros};

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Coming {
    Packet { to: Index, path: usize, bytes: Rc<[u8]>, record: usize, altered: bool },
    Moved { at: Index, life: u64, group: usize, order: u64, here: bool },
    Witness { at: Index, life: u64, id: QuestionId, reachable: bool },
    Probed { at: Index, life: u64, group: usize, id: QuestionId, seen: bool, last: bool },
    LeaseEnds { at: Index, life: u64, since: Micros },
    Worker { at: Index, life: u64 },
    Counted { at: Index },
    StartLvsd { at: Index, life: u64 },
    Work { at: Index, life: u64, due: Micros },
    Kernel { at: Index, life: u64 },
    Checked { at: Index, life: u64, id: WatchId },
    Shot { at: Index, life: u64, id: QuestionId },
    Fenced { at: Index, life: u64, id: QuestionId, fenced: bool },
    Reboot { at: Index },
    Keys { step: usize, id: u8 },
    KeysOnDisk { at: Index, life: u64, keys: Vec<Staged>, then: Then },
    KeysInForce { at: Index, life: u64, keys: Vec<Staged>, then: Then },
}

impl Coming {
    /// Whose program it is told to, and who hears of it only once it goes on.
    pub(super) fn heard_by(&self) -> Option<Index> {
        match self {
            Self::Moved { at, .. }
            | Self::Witness { at, .. }
            | Self::Counted { at }
            | Self::Worker { at, .. }
            | Self::KeysInForce { at, .. }
            | Self::Fenced { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Whose lvsd it is about, which stands still only with the whole machine.
    pub(super) fn lvsd_of(&self) -> Option<Index> {
        match self {
            Self::StartLvsd { at, .. }
            | Self::Work { at, .. }
            | Self::Kernel { at, .. }
            | Self::Checked { at, .. } => Some(*at),
            _ => None,
        }
    }
}

/// Ordered by time, and then by when it was planned.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) at: Micros,
    pub(super) serial: u64,
    pub(super) coming: Coming,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}
