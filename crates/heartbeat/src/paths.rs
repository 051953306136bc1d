//! Which heartbeat paths are alive. The partner is lost only when all of them are silent.

use std::time::Duration;

use crate::action::Event;
use crate::moment::Moment;
use crate::setup::{PathId, PathSetup};

/// One path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Its interface has a carrier.
    pub carrier: bool,
    /// Heartbeats arrive on it.
    pub alive: bool,
    /// When the last good one arrived.
    pub last_heard: Option<Moment>,
}

/// All paths of this router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths(Vec<Path>);

impl Paths {
    pub(crate) fn new(setup: &[PathSetup]) -> Self {
        Self::default().renewed(setup)
    }

    /// The paths of a new setup; what is known of old ones is kept.
    pub(crate) fn renewed(&self, setup: &[PathSetup]) -> Self {
        let renew = |path: &PathSetup| {
            let old = path.was.and_then(|was| self.0.get(was.0)).copied().unwrap_or_default();
            Path { carrier: path.carrier, ..old }
        };
        Self(setup.iter().map(renew).collect())
    }

    pub(crate) fn as_slice(&self) -> &[Path] {
        &self.0
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PathId> + Clone + use<> {
        (0..self.0.len()).map(PathId)
    }

    /// Something can be heard at all.
    pub(crate) fn any_carrier(&self) -> bool {
        self.0.iter().any(|path| path.carrier)
    }

    /// Bit n: path n is alive.
    pub(crate) fn bits(&self) -> u16 {
        let bit = |n: u32| 1u16.checked_shl(n).unwrap_or(0);
        let alive = self.0.iter().zip(0..).filter(|(path, _)| path.alive);
        alive.fold(0, |bits, (_, n)| bits | bit(n))
    }

    pub(crate) fn heard(&mut self, id: PathId, now: Moment) -> Option<Event> {
        let path = self.0.get_mut(id.0)?;
        path.last_heard = Some(now);
        // A heartbeat is better proof than a flag that arrives late over netlink.
        let was = std::mem::replace(&mut path.alive, true);
        (!was).then_some(Event::PathUp(id))
    }

    /// A path without a carrier is down at once.
    pub(crate) fn carrier(&mut self, id: PathId, up: bool) -> Option<Event> {
        let path = self.0.get_mut(id.0)?;
        let lost = path.carrier && !up;
        path.carrier = up;
        if lost {
            path.alive = false;
        }
        lost.then_some(Event::PathNoCarrier(id))
    }

    /// Finds the paths that have been silent for too long.
    pub(crate) fn expire(&mut self, now: Moment, dead_after: Duration) -> Vec<Event> {
        let mut silent = Vec::new();
        for (index, path) in self.0.iter_mut().enumerate() {
            let overdue = path.last_heard.is_none_or(|heard| now.since(heard) >= dead_after);
            if path.alive && overdue {
                path.alive = false;
                silent.push(Event::PathSilent(PathId(index)));
            }
        }
        silent
    }

    /// The partner said goodbye: silence is what it promised.
    pub(crate) fn rest(&mut self) {
        for path in &mut self.0 {
            path.alive = false;
        }
    }

    /// The silence of paths that are alive counts from now on.
    pub(crate) fn begin_anew(&mut self, now: Moment) {
        for path in self.0.iter_mut().filter(|path| path.alive) {
            path.last_heard = Some(now);
        }
    }

    pub(crate) fn next_expiry(&self, dead_after: Duration) -> Option<Moment> {
        let alive = self.0.iter().filter(|path| path.alive);
        alive.filter_map(|path| path.last_heard).min().map(|heard| heard + dead_after)
    }
}
