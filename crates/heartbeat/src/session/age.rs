//! How old a packet is at most: it was made after the nonce was drawn that it echoes.

use ring::hmac;

use super::{Nonce, RECENT, Session};
use crate::moment::Moment;
use crate::packet::{Body, Kind};

impl Session {
    /// After when a packet was made. The newest was made after all that was heard before it. One that
    /// was overtaken shows its own age alone: a heartbeat, by what it echoes and the heartbeats before
    /// it; a letter, which may have waited for longer than any nonce is remembered, by what it echoes.
    pub(super) fn shown_by(
        &self,
        body: &Body,
        latest: bool,
        newest: bool,
        echoed: Option<Nonce>,
    ) -> Moment {
        let drawn_at = echoed.map_or_else(Moment::default, |nonce| nonce.drawn_at);
        match body {
            Body::Beat(beat) if beat.kind == Kind::Letter && !latest => drawn_at,
            _ if newest && !latest => drawn_at.max(self.beat_made_after),
            _ => self.made_after,
        }
    }

    /// The next nonce: a keyed hash of a counter, so that nobody can foresee it.
    pub(super) fn draw_nonce(&mut self, now: Moment) {
        self.drawn += 1;
        let tag = hmac::sign(&self.nonces, &self.drawn.to_be_bytes());
        let bits = tag.as_ref().first_chunk().copied().map_or(0, u64::from_be_bytes);
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Nonce { bits, number: self.drawn, drawn_at: now });
        self.echoed = false;
    }
}
