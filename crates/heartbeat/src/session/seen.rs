//! Which packets of a boot were seen.

use crate::packet::Body;

/// How far behind the newest packet one may arrive, for paths of different speed.
pub const WINDOW: u64 = 64;

/// Sequence numbers of the proven boot (the sliding window of RFC 4303, appendix A2).
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) newest: u64,
    pub(super) mask: u64,
    /// The newest heartbeat. A letter that overtakes it says nothing that would make it old.
    pub(super) newest_beat: u64,
    /// The newest packet about keys: an older one is of an exchange that its sender has given up.
    pub(super) newest_exchange: u64,
}

impl Seen {
    /// Nothing up to this number counts any more.
    pub(super) fn from(newest: u64) -> Self {
        Self { newest, mask: u64::MAX, newest_beat: newest, newest_exchange: newest }
    }

    /// Whether a number is new, and if so whether it is the newest.
    pub(super) fn admit(&mut self, sequence: u64) -> Option<bool> {
        if sequence > self.newest {
            let shift = sequence - self.newest;
            self.mask = if shift >= WINDOW { 0 } else { self.mask << shift };
            self.mask |= 1;
            self.newest = sequence;
            return Some(true);
        }
        let behind = self.newest - sequence;
        let bit = 1u64.checked_shl(u32::try_from(behind).unwrap_or(u32::MAX))?;
        if self.mask & bit != 0 {
            return None;
        }
        self.mask |= bit;
        Some(false)
    }

    /// Whether a packet, which is new, is about keys and newer than every other one of the kind.
    pub(super) fn admit_exchange(&mut self, body: &Body, sequence: u64) -> bool {
        if !matches!(body, Body::Exchange(_)) {
            return false;
        }
        let newest = sequence > self.newest_exchange;
        self.newest_exchange = self.newest_exchange.max(sequence);
        newest
    }

    /// Whether a heartbeat, which is new, is newer than every other one.
    pub(super) fn admit_beat(&mut self, sequence: u64) -> bool {
        let newest = sequence > self.newest_beat;
        self.newest_beat = self.newest_beat.max(sequence);
        newest
    }
}
