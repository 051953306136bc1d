//! What becomes of a packet, and how often.

use crate::moment::Moment;
use crate::packet::{Beat, DecodeError};

/// A good packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What it tells.
    pub beat: Beat,
    /// It is newer than all before it, so that its claims count; if not, only its path counts.
    pub newest: bool,
    /// It is the first of a new boot of the partner.
    pub new_session: bool,
    /// Its number: a boot counts all its packets, one for each path.
    pub sequence: u64,
    /// The partner made it later than this, on this router's clock.
    pub made_after: Moment,
}

impl Received {
    /// The first of a boot.
    pub(super) fn first(beat: Beat, sequence: u64, made_after: Moment) -> Self {
        Self { beat, newest: true, new_session: true, sequence, made_after }
    }

    /// One more of a boot.
    pub(super) fn more(beat: Beat, newest: bool, sequence: u64, made_after: Moment) -> Self {
        Self { beat, newest, new_session: false, sequence, made_after }
    }
}

/// Why a packet changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Not understood, or its tag does not verify.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Our own, come back (broadcast and multicast do that).
    #[error("our own heartbeat came back")]
    Own,
    /// Signed by a router with another name.
    #[error("heartbeat of a router that is not the partner")]
    Stranger,
    /// Seen before, or too old.
    #[error("heartbeat seen before")]
    Replay,
    /// Of a boot that has not proven itself; the answer to it carries our nonce.
    #[error("heartbeat of a boot that has not answered our challenge")]
    Unproven,
    /// Good, but about keys: [`super::Session::take_exchange`] has it.
    #[error("about keys, and no heartbeat")]
    AboutKeys,
}

/// How many packets ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sealed.
    pub sealed: u64,
    /// Good.
    pub accepted: u64,
    /// New boots of the partner.
    pub sessions: u64,
    /// Tag did not verify, unknown key, another router's.
    pub tag: u64,
    /// Seen before, or too old.
    pub replay: u64,
    /// Of an unproven boot.
    pub unproven: u64,
    /// Not understood.
    pub malformed: u64,
    /// Our own.
    pub own: u64,
    /// About keys.
    pub about_keys: u64,
    /// Of those whose tag verified: signed with our first key.
    pub first_key: u64,
    /// Of those whose tag verified: signed with another key that we hold.
    pub other_key: u64,
    /// Of `tag`: signed with a key that we do not hold.
    pub unknown_key: u64,
}

impl Counters {
    /// Counts an outcome of [`super::Session::open`].
    pub fn count(&mut self, outcome: &Result<Received, Rejected>) {
        let counter = match outcome {
            Ok(received) => {
                self.sessions += u64::from(received.new_session);
                &mut self.accepted
            }
            Err(Rejected::Decode(DecodeError::UnknownKey(_))) => {
                self.unknown_key += 1;
                &mut self.tag
            }
            Err(Rejected::Decode(DecodeError::Tag)) => &mut self.tag,
            Err(Rejected::AboutKeys) => &mut self.about_keys,
            Err(Rejected::Stranger) => &mut self.tag,
            Err(Rejected::Decode(_)) => &mut self.malformed,
            Err(Rejected::Own) => &mut self.own,
            Err(Rejected::Replay) => &mut self.replay,
            Err(Rejected::Unproven) => &mut self.unproven,
        };
        *counter += 1;
    }
}
