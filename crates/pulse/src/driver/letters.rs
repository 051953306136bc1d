//! Letters between the two lvsds: carried, not read.

use control::letter::MAX_LETTER;
use control::worker::ToLvsd;
use heartbeat::packet::FEATURE_LETTERS;
use heartbeat::{Beat, PathId, Presence};

use super::Driver;

const _: () = assert!(MAX_LETTER <= heartbeat::packet::MAX_LETTER, "a letter fits a packet");

impl Driver {
    /// Our lvsd writes to the partner's. Without a partner that reads letters it is dropped: lvsd
    /// writes again as long as the two do not know the same.
    pub(super) fn send_letter(&mut self, text: String) {
        let reads = |beat: &Beat| beat.features & FEATURE_LETTERS != 0;
        let there = self.failover.presence() == Presence::Alive
            && self.failover.partner_beat().is_some_and(reads);
        if !there || text.len() > MAX_LETTER || self.stopped {
            return;
        }
        let letter = Beat::letter(text.into_bytes());
        for path in 0..self.plan.paths.len() {
            self.send(PathId(path), &letter);
        }
    }

    /// The partner's lvsd has written to ours.
    pub(super) fn letter_came(&mut self, content: Vec<u8>) {
        let Ok(text) = String::from_utf8(content) else { return };
        if let Some(child) = self.child.as_ref().filter(|_| self.worker.letters) {
            child.say(ToLvsd::Letter { text });
        }
    }
}
