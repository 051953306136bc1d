//! Which packets are the partner's, of now, and not yet seen.
//!
//! Each start of a router has 64 random bits, its boot, and counts its packets. A partner's new
//! boot is believed only when its packet echoes a nonce that we drew since the boot before was
//! proven: then it was made after that, so it cannot be a recording, and packets of the boot before
//! can never come back. No wall clock takes part.
//!
//! The nonce is also renewed whenever it was echoed, so that each packet tells a time after which it
//! was made: that at which the nonce that it or one before it echoed was drawn.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use ring::hmac;

use crate::exchange::Exchange;
use crate::key::{KeyError, KeyRing, MAX_KEYS, SharedKey};
use crate::moment::Moment;
use crate::packet::{
    Beat, Body, DecodeError, Header, Kind, RouterId, VERSIONS, decode_any, encode, encode_exchange,
};

mod age;
mod outcome;
mod seen;
#[cfg(test)]
mod tests;

pub use outcome::{Counters, Received, Rejected};
use seen::Seen;
pub use seen::WINDOW;

/// How many boots that are not proven yet are answered in turn; older ones are forgotten.
pub const MAX_CANDIDATES: usize = 4;
/// So many nonces are remembered, for answers that take longer than the next one.
const RECENT: usize = 8;
/// Packets that are sealed within this time of each other are one heartbeat on several paths.
const ROUND: Duration = Duration::from_millis(1);
/// How long a nonce is used that nobody echoes.
pub const NONCE_LIFE: Duration = Duration::from_secs(1);

/// A boot of the partner and the nonce it wants echoed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Peer {
    boot: u64,
    nonce: u64,
    /// Newest version that it reads, as far as it has told.
    reads: u8,
    /// Newest packet that was heard of it.
    sequence: u64,
}

/// What the partner must echo.
#[derive(Clone, Copy, Debug, Default)]
struct Nonce {
    bits: u64,
    /// How many were drawn before, and this one.
    number: u64,
    drawn_at: Moment,
}

/// Seals and opens the packets of one router.
#[derive(Debug)]
pub struct Session {
    names: [String; 2],
    versions: RangeInclusive<u8>,
    keys: KeyRing,
    me: RouterId,
    partner: RouterId,
    boot: u64,
    sequence: u64,
    nonces: hmac::Key,
    drawn: u64,
    /// The present one is the last.
    recent: VecDeque<Nonce>,
    /// How many were drawn when a boot was last proven: none of those proves another one.
    spent: u64,
    /// The present nonce has come back.
    echoed: bool,
    made_after: Moment,
    /// The same as the newest heartbeat shows it.
    beat_made_after: Moment,
    proven: Option<(Peer, Seen)>,
    candidates: VecDeque<Peer>,
    latest: Option<Peer>,
    turn: usize,
    sealed_at: Moment,
    partner_keys: [u8; MAX_KEYS],
    partner_signs: Option<u8>,
    exchange: Option<Exchange>,
    counters: Counters,
}

impl Session {
    /// A new boot. `boot` and `seed` are fresh random bits; `seed` is where nonces come from.
    ///
    /// # Errors
    /// [`KeyError`] when the keys make no sense.
    pub fn new(
        me: &str,
        partner: &str,
        keys: &[SharedKey],
        boot: u64,
        seed: [u8; 32],
    ) -> Result<Self, KeyError> {
        let mut session = Self {
            names: [me.to_owned(), partner.to_owned()],
            versions: VERSIONS,
            keys: KeyRing::new(me, partner, keys)?,
            me: RouterId::of(me),
            partner: RouterId::of(partner),
            boot,
            sequence: 0,
            nonces: hmac::Key::new(hmac::HMAC_SHA256, &seed),
            drawn: 0,
            recent: VecDeque::with_capacity(RECENT),
            spent: 0,
            echoed: false,
            made_after: Moment::default(),
            beat_made_after: Moment::default(),
            proven: None,
            candidates: VecDeque::with_capacity(MAX_CANDIDATES),
            latest: None,
            turn: 0,
            sealed_at: Moment::default(),
            partner_keys: [0; MAX_KEYS],
            partner_signs: None,
            exchange: None,
            counters: Counters::default(),
        };
        session.draw_nonce(Moment::default());
        Ok(session)
    }

    /// As a program of another release, which reads and writes these versions.
    #[must_use]
    pub fn of_versions(mut self, versions: RangeInclusive<u8>) -> Self {
        self.versions = versions;
        self
    }

    /// Replaces the keys; the session goes on.
    ///
    /// # Errors
    /// [`KeyError`]; the old keys stay in use then.
    pub fn replace_keys(&mut self, keys: &[SharedKey]) -> Result<(), KeyError> {
        let [me, partner] = &self.names;
        self.keys = KeyRing::new(me, partner, keys)?;
        Ok(())
    }

    /// How many packets ended how.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Numbers of the keys that the partner says it holds; 0 fills, all 0 before it was heard.
    pub fn partner_keys(&self) -> [u8; MAX_KEYS] {
        self.partner_keys
    }

    /// Number of the key that the newest good packet was signed with.
    pub fn partner_signs(&self) -> Option<u8> {
        self.partner_signs
    }

    /// The partner's newest message about keys, once.
    pub fn take_exchange(&mut self) -> Option<Exchange> {
        self.exchange.take()
    }

    /// A packet to send now on one path. Each path gets its own, so that each counts.
    pub fn seal(&mut self, beat: &Beat, now: Moment) -> Vec<u8> {
        let header = self.next_header(now);
        match self.keys.signing(self.partner_holds()) {
            Some((id, key)) => encode(&header, beat, id, key),
            None => Vec::new(),
        }
    }

    /// A packet about keys, to send now on one path.
    pub fn seal_exchange(&mut self, exchange: &Exchange, now: Moment) -> Vec<u8> {
        let header = self.next_header(now);
        match self.keys.signing(self.partner_holds()) {
            Some((id, key)) => encode_exchange(&header, exchange, id, key),
            None => Vec::new(),
        }
    }

    /// What the partner holds, for the choice of a key. Before it has proven itself it may be somebody's
    /// recording that says so: every other time the first key signs, whatever was said.
    fn partner_holds(&self) -> [u8; MAX_KEYS] {
        let believed = self.proven.is_some() || self.turn.is_multiple_of(2);
        if believed { self.partner_keys } else { [0; MAX_KEYS] }
    }

    fn next_header(&mut self, now: Moment) -> Header {
        if self.echoed || now.since(self.nonce().drawn_at) >= NONCE_LIFE {
            self.draw_nonce(now);
        }
        self.sequence = self.sequence.saturating_add(1);
        self.counters.sealed += 1;
        let echo = self.next_echo(now);
        let mut held = [0; MAX_KEYS];
        for (slot, id) in held.iter_mut().zip(self.keys.ids()) {
            *slot = id;
        }
        Header {
            sender: self.me,
            boot: self.boot,
            sequence: self.sequence,
            nonce: self.nonce().bits,
            echo_boot: echo.map_or(0, |peer| peer.boot),
            echo_nonce: echo.map_or(0, |peer| peer.nonce),
            keys: held,
            version: self.version_for(echo),
            reads: *self.versions.end(),
        }
    }

    /// Whoever is answered must be able to read it, and who is not known may be the oldest.
    fn version_for(&self, peer: Option<Peer>) -> u8 {
        let reads = peer.map_or(0, |peer| peer.reads);
        reads.clamp(*self.versions.start(), *self.versions.end())
    }

    /// Checks a packet that arrived now.
    ///
    /// # Errors
    /// [`Rejected`]: it changes nothing. After [`Rejected::Unproven`] a packet should be sent soon:
    /// it carries the challenge.
    pub fn open(&mut self, bytes: &[u8], now: Moment) -> Result<Received, Rejected> {
        let outcome = self.check(bytes, now);
        self.counters.count(&outcome);
        outcome
    }

    fn check(&mut self, bytes: &[u8], now: Moment) -> Result<Received, Rejected> {
        let (header, body, key_id) = match decode_any(bytes, &self.keys, &self.versions) {
            Ok(good) => good,
            Err(error) if self.is_own(bytes) => return Err(own_or(error)),
            Err(error) => return Err(error.into()),
        };
        if header.sender != self.partner {
            return Err(Rejected::Stranger);
        }
        self.count_key(key_id);
        let Header { boot, nonce, reads, sequence, .. } = header;
        let peer = Peer { boot, nonce, reads, sequence };
        let mine = header.echo_boot == self.boot;
        let mut recent = self.recent.iter().filter(|_| mine);
        let echoed = recent.find(|nonce| nonce.bits == header.echo_nonce).copied();
        if let Some((proven, seen)) = &mut self.proven
            && proven.boot == header.boot
        {
            let latest = seen.admit(header.sequence).ok_or(Rejected::Replay)?;
            let beats = matches!(&body, Body::Beat(beat) if beat.kind != Kind::Letter);
            let asks = seen.admit_exchange(&body, header.sequence);
            let newest = if beats { seen.admit_beat(header.sequence) } else { latest };
            if latest {
                self.learn(peer, header.keys, &body, echoed);
                self.partner_signs = Some(key_id);
            }
            let made_after = self.shown_by(&body, latest, newest, echoed);
            if newest && beats {
                self.beat_made_after = made_after;
            }
            return match body {
                Body::Beat(beat) => Ok(Received::more(beat, newest, header.sequence, made_after)),
                Body::Exchange(exchange) => {
                    if asks {
                        self.exchange = Some(exchange);
                    }
                    Err(Rejected::AboutKeys)
                }
            };
        }
        // Who has not proven that it is of now has nothing to say about keys.
        let Body::Beat(beat) = body else { return Err(Rejected::Replay) };
        if beat.kind == Kind::Letter {
            return Err(Rejected::Unproven);
        }
        self.latest = Some(peer);
        match echoed.filter(|nonce| nonce.number > self.spent) {
            Some(echoed) => {
                self.partner_signs = Some(key_id);
                self.partner_keys = header.keys;
                self.prove(peer, echoed, now);
                Ok(Received::first(beat, header.sequence, self.made_after))
            }
            None => {
                self.remember(peer);
                if self.proven.is_none() {
                    self.partner_keys = header.keys;
                }
                Err(Rejected::Unproven)
            }
        }
    }

    /// What the newest packet of the proven boot tells beside what it is about. A letter says nothing
    /// about keys, nor about what its sender reads.
    fn learn(&mut self, peer: Peer, keys: [u8; MAX_KEYS], body: &Body, echoed: Option<Nonce>) {
        let Some((proven, _)) = &mut self.proven else { return };
        let letter = matches!(body, Body::Beat(Beat { kind: Kind::Letter, .. }));
        let reads = if letter { proven.reads } else { peer.reads };
        *proven = Peer { reads, ..peer };
        self.latest = Some(*proven);
        if !letter {
            self.partner_keys = keys;
        }
        if let Some(nonce) = echoed {
            self.echoed |= nonce.number == self.drawn;
            self.made_after = self.made_after.max(nonce.drawn_at);
        }
    }

    /// A new boot is believed.
    fn prove(&mut self, peer: Peer, echoed: Nonce, now: Moment) {
        self.made_after = echoed.drawn_at;
        self.beat_made_after = echoed.drawn_at;
        self.spent = self.drawn;
        self.draw_nonce(now);
        let before = self.forget(peer.boot);
        // What was heard before it was believed does not count later either.
        let newest = before.map_or(peer.sequence, |before| before.max(peer.sequence));
        self.proven = Some((peer, Seen::from(newest)));
    }

    fn count_key(&mut self, id: u8) {
        let first = self.keys.ids().next() == Some(id);
        let counter =
            if first { &mut self.counters.first_key } else { &mut self.counters.other_key };
        *counter += 1;
    }

    /// Whether its sender field names us. Not verified: it only chooses which counter grows.
    fn is_own(&self, bytes: &[u8]) -> bool {
        bytes.get(4..12) == Some(&self.me.0.to_be_bytes()[..])
    }

    /// Forgets a candidate; the newest packet that was heard of it.
    fn forget(&mut self, boot: u64) -> Option<u64> {
        let index = self.candidates.iter().position(|candidate| candidate.boot == boot)?;
        self.candidates.remove(index).map(|candidate| candidate.sequence)
    }

    fn remember(&mut self, peer: Peer) {
        let before = self.forget(peer.boot).unwrap_or(0);
        let peer = Peer { sequence: before.max(peer.sequence), ..peer };
        if self.candidates.len() >= MAX_CANDIDATES {
            self.candidates.pop_front();
        }
        self.candidates.push_back(peer);
    }

    /// Whom the next packet answers; the same on every path, so that one path is enough. Every other
    /// time it is the proven boot, so that it can show how fresh its packets are; else it is whom we
    /// heard last or, in turn, all that we know, so that recordings of old boots cannot keep a true
    /// one from being answered.
    fn next_echo(&mut self, now: Moment) -> Option<Peer> {
        if now.since(self.sealed_at) >= ROUND {
            self.turn = self.turn.wrapping_add(1);
        }
        self.sealed_at = now;
        let proven = self.proven.as_ref().map(|(peer, _)| *peer);
        match self.turn % 4 {
            0 | 2 if proven.is_some() => proven,
            0 | 1 => self.latest,
            _ => {
                let index = (self.turn / 4).checked_rem(self.candidates.len());
                index.and_then(|index| self.candidates.get(index)).copied().or(self.latest)
            }
        }
    }

    fn nonce(&self) -> Nonce {
        self.recent.back().copied().unwrap_or_default()
    }
}

/// Our own packets are under a key of the other direction, so they fail by their tag.
fn own_or(error: DecodeError) -> Rejected {
    if error == DecodeError::Tag { Rejected::Own } else { error.into() }
}
