//! How many witnesses each router reaches: who reaches fewer for a while gives its groups away.

use crate::moment::Moment;
use crate::packet::Beat;
use crate::timing::Timing;

/// How many witnesses this router reaches, beside what the partner tells.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Not known before the first round of pings, nor where pinging failed.
    mine: Option<u8>,
    fewer_since: Option<Moment>,
}

impl Reach {
    pub(crate) fn mine(&self) -> Option<u8> {
        self.mine
    }

    /// Takes a count; whether it is another one than before.
    pub(crate) fn counted(&mut self, mine: Option<u8>) -> bool {
        std::mem::replace(&mut self.mine, mine) != mine
    }

    /// Compares it with what the partner tells, if the two counts are of the same witnesses.
    pub(crate) fn compare(&mut self, partner: Option<&Beat>, now: Moment) {
        let theirs = partner.and_then(Beat::witnesses);
        if self.mine.zip(theirs).is_some_and(|(mine, theirs)| mine < theirs) {
            self.fewer_since.get_or_insert(now);
        } else {
            self.fewer_since = None;
        }
    }

    /// The partner reaches more.
    pub(crate) fn is_fewer(&self) -> bool {
        self.fewer_since.is_some()
    }

    /// … and has for so long that it is not only the first to notice that a witness is back, or the
    /// last to notice that one is gone.
    pub(crate) fn stays_fewer(&self, timing: &Timing, now: Moment) -> bool {
        self.fewer_since.is_some_and(|since| now.since(since) >= timing.witness_patience())
    }
}
