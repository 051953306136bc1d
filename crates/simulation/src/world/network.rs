//! The networks between the routers.

use std::rc::Rc;

use super::World;
use crate::fault::{Index, Micros};
use crate::release::Release;
use crate::router::Router;
use crate::schedule::micros;

/// A packet that somebody has recorded on the wire.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) from: Index,
    pub(crate) bytes: Rc<[u8]>,
    /// Which life of its router made it, and when.
    pub(crate) life: u64,
    pub(crate) made: Micros,
    /// Its router heard its partner then.
    pub(crate) hears: bool,
    /// It is a heartbeat, and no goodbye.
    pub(crate) beats: bool,
    /// It has arrived: coming again it must change nothing.
    pub(crate) arrived: bool,
}

/// What the networks do to packets.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    /// By sender and path.
    pub(super) cut: [[bool; 3]; 2],
    pub(super) addresses_cut: bool,
    pub(super) witness_cut: [bool; 2],
    pub(super) fence_cut: [bool; 2],
    pub(super) lose: u64,
    pub(super) duplicate: u64,
    pub(super) corrupt: u64,
    pub(super) delay: Micros,
    pub(super) hold: [Micros; 2],
}

impl World {
    pub(crate) fn works_from(&self, index: Index) -> bool {
        let cut = self.network.cut.get(index).copied().unwrap_or_default();
        cut.iter().take(self.shape.paths).any(|cut| !cut)
    }

    pub(crate) fn reaches(&self, index: Index) -> bool {
        !self.network.witness_cut.get(index).copied().unwrap_or(false)
    }

    pub(crate) fn addresses_join(&self) -> bool {
        !self.network.addresses_cut
    }

    /// Packets may still come that do not show how old they are: whoever sent them heard nobody.
    pub(crate) fn deaf_speak(&self) -> bool {
        self.now < self.deaf_until
    }

    /// Packets are lost, altered or held back by chance.
    pub(crate) fn noisy(&self) -> bool {
        let Network { lose, corrupt, hold, .. } = &self.network;
        *lose > 0 || *corrupt > 0 || *hold != [0; 2]
    }

    /// The longest that a packet is held back now.
    pub(crate) fn held_back(&self) -> Micros {
        self.network.hold.into_iter().max().unwrap_or(0)
    }

    /// When something last changed around the routers.
    pub(crate) fn changed_at(&self) -> Micros {
        self.steady_since
    }

    /// Since when nothing has arrived.
    pub(crate) fn silent_since(&self) -> Micros {
        self.last_arrival
    }

    /// For a while nothing has kept heartbeats from arriving at once, and both routers live.
    pub(crate) fn calm(&self) -> bool {
        let (_, dead_after) = self.shape.shortest();
        self.now.saturating_sub(self.rough_since) >= micros(self.shape.dead_after) * 2
            && !self.noisy()
            && self.network.delay < micros(dead_after) / 4
            && self.works_from(0)
            && self.works_from(1)
            && self.routers.iter().all(Router::awake)
    }

    /// One goes by times that the other one never had, and by a release that does not tell them.
    pub(super) fn times_unknown(&self) -> bool {
        let nodes = || self.routers.iter().filter_map(|router| router.node.as_ref());
        self.strangers && nodes().any(|node| node.release == Release::Previous)
    }

    /// Something has just changed.
    pub(crate) fn unsettled(&self) -> bool {
        self.now.saturating_sub(self.steady_since) < micros(self.shape.dead_after) / 2
    }
}
