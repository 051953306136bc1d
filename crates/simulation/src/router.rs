//! One machine: what its kernel holds, and the program that runs on it.

use std::rc::Rc;

use heartbeat::rotation::Staged;
use heartbeat::{Moment, SharedKey};

use crate::clock::Clock;
use crate::director::{Director, Running};
use crate::fault::Micros;
use crate::node::Node;
use crate::schedule::GroupShape;
use crate::world::Arrivals;

/// Most groups of a pair.
pub(crate) const GROUPS: usize = 3;
/// Packets that wait in the socket of a program that stands still; more are dropped.
pub(crate) const INBOX: usize = 64;

/// A program or a machine that stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nap {
    pub(crate) since: Micros,
    pub(crate) until: Micros,
    /// The whole machine, its kernel included.
    pub(crate) machine: bool,
}

/// A packet in the socket of a program that stands still.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) path: usize,
    pub(crate) bytes: Rc<[u8]>,
    /// Its place among all that were recorded.
    pub(crate) record: usize,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Router {
    /// The running program.
    pub(crate) node: Option<Node>,
    /// The machine has power.
    pub(crate) powered: bool,
    /// Grows with each start and end: what was begun in another life does not happen.
    pub(crate) life: u64,
    pub(crate) clock: Clock,
    /// When the program wants to be called.
    pub(crate) due: Micros,
    /// Groups whose addresses are in the kernel.
    pub(crate) holds: [bool; GROUPS],
    /// Numbers of the newest orders to move a group.
    pub(crate) orders: [u64; GROUPS],
    pub(crate) nap: Option<Nap>,
    pub(crate) inbox: Vec<Waiting>,
    /// Random bits of the program's start.
    pub(crate) boot: Option<u64>,
    pub(crate) arrivals: Arrivals,
    /// lvsd, where the run has one.
    pub(crate) director: Option<Director>,
    /// On disk.
    pub(crate) keys: Vec<SharedKey>,
    /// The same, with where they stand; where the routers make new ones together.
    pub(crate) staged: Vec<Staged>,
    /// Which configuration is on disk and in force.
    pub(crate) variant: u64,
    pub(crate) unfit: [bool; GROUPS],
    /// It slept, has heard nobody since, and listens until then on its own clock.
    pub(crate) slept_until: Option<Moment>,
    /// When it woke up, on its own clock.
    pub(crate) woke: Option<Moment>,
    /// When the partner was last switched off for this program, on its own clock.
    pub(crate) fenced: Option<Moment>,
    /// Groups for which an operator has said that the partner is off.
    pub(crate) vouched: [bool; GROUPS],
}

impl Router {
    /// The program runs and does not stand still.
    pub(crate) fn awake(&self) -> bool {
        self.node.is_some() && self.nap.is_none()
    }

    /// The whole machine stands still.
    pub(crate) fn sleeps(&self) -> bool {
        self.nap.is_some_and(|nap| nap.machine)
    }

    /// Its kernel works.
    pub(crate) fn answers(&self) -> bool {
        self.powered && !self.sleeps()
    }

    /// lvsd, while it runs.
    pub(crate) fn running_mut(&mut self) -> Option<&mut Running> {
        self.director.as_mut()?.running.as_deref_mut()
    }

    pub(crate) fn holds(&self, group: usize) -> bool {
        self.holds.get(group).copied().unwrap_or(false)
    }

    pub(crate) fn set_holds(&mut self, group: usize, holds: bool) {
        if let Some(slot) = self.holds.get_mut(group) {
            *slot = holds;
        }
    }

    pub(crate) fn fit(&self, group: usize) -> bool {
        !self.unfit.get(group).copied().unwrap_or(false)
    }

    pub(crate) fn order(&self, group: usize) -> u64 {
        self.orders.get(group).copied().unwrap_or(0)
    }

    pub(crate) fn next_order(&mut self, group: usize) -> u64 {
        if let Some(order) = self.orders.get_mut(group) {
            *order += 1;
        }
        self.order(group)
    }
}

/// The groups of a configuration: the first one, or one of its edits.
pub(crate) fn configured(base: &[GroupShape], variant: u64) -> Vec<GroupShape> {
    let mut groups = base.to_vec();
    match variant {
        1 => {
            for group in &mut groups {
                group.preferred = group.preferred.map(|router| 1 - router);
            }
        }
        2 if groups.len() > 1 => {
            groups.pop();
        }
        3 => {
            for group in &mut groups {
                group.failback = None;
            }
        }
        _ => {}
    }
    groups
}
