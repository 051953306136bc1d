//! What has truly arrived. Where packets are lost by chance, a promise counts from here on: nobody can
//! know what was never heard, and whatever was heard has to count.

use std::collections::VecDeque;

use heartbeat::session::WINDOW;
use heartbeat::{Moment, Presence, Received, Rejected};

use super::World;
use std::time::Duration;

use crate::fault::{Index, Micros};
use crate::invariants::Invariant;
use crate::schedule::micros;

/// Nonces of its own that a router is sure to remember: two fewer than it does.
const NONCES: usize = 6;
/// Where the header of a packet has what; `heartbeat::packet` says so.
const KEY: usize = 3;
const BOOT: usize = 12;
const SEQUENCE: usize = 20;
const NONCE: usize = 28;
const ECHO_BOOT: usize = 36;
const ECHO_NONCE: usize = 44;

/// What one router has truly heard of its partner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    /// When the newest heartbeat that counted was made, and when it arrived.
    pub(crate) made: Option<Micros>,
    counted_at: Option<Moment>,
    counts: Unbroken,
    /// The same of all that arrive in order, whether they count or not.
    arrives: Unbroken,
    /// Boot and number of the newest heartbeat that arrived.
    newest: Option<(u64, u64)>,
    /// The same of packets of all kinds: what is more than a window behind may be a recording.
    highest: Option<(u64, u64)>,
    /// What it asked its partner to echo of late, and since when.
    nonces: VecDeque<(u64, Micros)>,
    /// The first one after a break, which may have been drawn before it.
    old: Option<u64>,
    /// So often it was given up for its silence in calm, since either router started.
    pub(crate) given_up: u32,
}

/// Since when something has happened again and again.
#[derive(Clone, Copy, Debug, Default)]
struct Unbroken {
    since: Micros,
    last: Option<Micros>,
}

impl Unbroken {
    fn again(&mut self, now: Micros, pause: Micros) {
        if self.since(now, pause).is_none() {
            self.since = now;
        }
        self.last = Some(now);
    }

    /// Since when, without a pause that is longer.
    fn since(&self, now: Micros, pause: Micros) -> Option<Micros> {
        self.last.filter(|last| now.saturating_sub(*last) < pause).map(|_| self.since)
    }
}

impl Arrivals {
    /// It was away, or its clock leapt: what it asked before counts no more.
    pub(crate) fn ask_anew(&mut self) {
        self.nonces.clear();
        self.old = None;
    }

    /// It sends this.
    pub(super) fn asks(&mut self, bytes: &[u8], now: Micros) {
        let Some(nonce) = word(bytes, NONCE) else { return };
        if *self.old.get_or_insert(nonce) == nonce {
            return;
        }
        if self.nonces.back().is_none_or(|(last, _)| *last != nonce) {
            if self.nonces.len() >= NONCES {
                self.nonces.pop_front();
            }
            self.nonces.push_back((nonce, now));
        }
    }

    /// Since when it has asked for what a packet echoes.
    fn echoed(&self, bytes: &[u8]) -> Option<Micros> {
        let echo = word(bytes, ECHO_NONCE)?;
        self.nonces.iter().find(|(nonce, _)| *nonce == echo).map(|(_, since)| *since)
    }

    /// The newest of the partner's present start so far, if this is it.
    fn is_newest(&mut self, bytes: &[u8]) -> bool {
        let Some((boot, sequence)) = word(bytes, BOOT).zip(word(bytes, SEQUENCE)) else {
            return false;
        };
        let newest = self.newest.is_none_or(|(of, last)| of != boot || last < sequence);
        if newest {
            self.newest = Some((boot, sequence));
        }
        newest
    }

    /// A packet of any kind of the partner's present start arrived. Whether it is so far behind the
    /// newest one that nobody can tell it from a recording.
    fn is_far_behind(&mut self, bytes: &[u8]) -> bool {
        let Some((boot, sequence)) = word(bytes, BOOT).zip(word(bytes, SEQUENCE)) else {
            return true;
        };
        let before = self.highest.filter(|(of, _)| *of == boot).map_or(0, |(_, last)| last);
        self.highest = Some((boot, before.max(sequence)));
        sequence + WINDOW <= before
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_be_bytes)
}

impl World {
    /// The longest silence after which nobody may take the partner for lost, whatever the clocks.
    fn pause(&self) -> Micros {
        micros(self.shape.shortest().1) * 93 / 100
    }

    /// How old a packet may be that counts: three times the silence that makes a partner dead, but
    /// two seconds at least.
    pub(crate) fn max_age(&self) -> Micros {
        micros(self.shape.dead_after * 3).max(2_000_000)
    }

    /// A packet reaches a program that reads it. Whether it has to count: it is the newest of the
    /// partner's present start, and echoes what this router has asked for a short while ago.
    pub(super) fn must_count(&mut self, to: Index, bytes: &[u8], record: usize) -> bool {
        let (now, pause) = (self.now, self.pause());
        let age = micros(self.shape.shortest().1 * 3).max(2_000_000) * 93 / 100;
        let age = age.saturating_sub(micros(self.shape.interval) * 2);
        let Some(recorded) = self.recorded.get(record) else {
            return false;
        };
        let present = self.routers.get(1 - to).is_some_and(|from| from.life == recorded.life);
        // A release that does not know what it is told drops it.
        let reads = !self.shape.mixed;
        let beats = recorded.beats;
        let Some(router) = self.routers.get_mut(to) else { return false };
        let held = bytes.get(KEY).is_some_and(|id| router.keys.iter().any(|key| key.id == *id));
        let boot = word(bytes, ECHO_BOOT);
        let mine = boot.is_some() && boot == router.boot;
        let far = present && router.arrivals.is_far_behind(bytes);
        let newest = present && beats && router.arrivals.is_newest(bytes);
        if newest {
            router.arrivals.arrives.again(now, pause);
        }
        let asked = router.arrivals.echoed(bytes);
        let fresh = asked.is_some_and(|since| now.saturating_sub(since) < age);
        newest && !far && mine && fresh && reads && held
    }

    /// What became of a packet that arrived.
    pub(super) fn has_arrived(
        &mut self,
        to: Index,
        record: usize,
        must: bool,
        outcome: Result<&Received, Rejected>,
    ) {
        let (now, pause) = (self.now, self.pause());
        let made = self.recorded.get(record).map(|packet| packet.made);
        let Some(router) = self.routers.get_mut(to) else { return };
        let moment = router.clock.at(now);
        let counts = outcome.is_ok_and(|received| received.newest)
            && router.node.as_ref().is_some_and(|node| {
                node.failover.presence() == Presence::Alive
                    && node
                        .failover
                        .partner_last_heard()
                        .is_some_and(|at| at + node.forgotten == moment)
            });
        if outcome.is_ok_and(|received| received.new_session) {
            router.arrivals.ask_anew();
        }
        if counts {
            router.arrivals.made = made.max(router.arrivals.made);
            router.arrivals.counted_at = Some(moment);
            router.arrivals.counts.again(now, pause);
        }
        self.last_arrival = now;
        self.arm(Invariant::Heard, must, 1);
        if must && !counts {
            let detail = format!("router {to} takes no notice of a good heartbeat: {outcome:?}");
            self.violate(Invariant::Heard, detail);
        }
    }

    /// A router says that its partner is lost: nothing of it has counted for `dead_after`.
    pub(super) fn lost(&mut self, index: Index) {
        self.arm(Invariant::Lost, true, 1);
        let (calm, untold) = (self.calm(), self.times_unknown());
        let Some(router) = self.routers.get_mut(index) else { return };
        let Some(heard) = router.arrivals.counted_at else { return };
        let silent = router.clock.at(self.now).since(heard);
        router.arrivals.given_up += u32::from(calm);
        // Times that nobody tells are seen in the silence before it comes back, twice.
        let borne = if untold { 2 } else { 0 };
        if silent < self.shape.shortest().1 || router.arrivals.given_up > borne {
            let detail = format!("router {index} gives its partner up after {silent:?}");
            self.violate(Invariant::Lost, detail);
        }
    }

    /// A router believes that it has stood still.
    pub(super) fn paused(&mut self, index: Index, lasted: Duration) {
        self.arm(Invariant::Awake, true, 1);
        if self.calm() {
            let detail = format!("router {index} says that it stood still for {lasted:?}");
            self.violate(Invariant::Awake, detail);
        }
    }

    /// Both have heard what the other one said after `since`.
    pub(crate) fn both_have_heard(&self, since: Micros) -> bool {
        self.routers.iter().all(|router| router.arrivals.made.is_some_and(|made| made > since))
    }

    /// Since when both have heard each other without a silence that could be taken for a loss.
    pub(crate) fn hear_each_other_since(&self) -> Option<Micros> {
        let (now, pause) = (self.now, self.pause());
        let since = self.routers.iter().map(|router| router.arrivals.counts.since(now, pause));
        since.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Since when something has arrived at a router, without such a silence.
    pub(crate) fn arrives_since(&self, to: Index) -> Option<Micros> {
        let router = self.routers.get(to)?;
        router.arrivals.arrives.since(self.now, self.pause())
    }
}
