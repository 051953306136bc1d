//! The heartbeat on the wire.
//!
//! ```text
//! offset size field                    offset size field
//!      0    2 magic CA B1                  52    1 kind: 1 beat, 2 goodbye, 3 key, 4 letter
//!      2    1 version 1                    53    1 flags: 1 table in place, 2 checks warm
//!      3    1 key number                   54    2 newest version read less 1 (4 bits), features
//!                                                  (12 bits): 1 pinned, 2 reads letters,
//!                                                  bits 4 to 7 interval, 8 to 11 witnesses
//!      4    8 sender                       56    8 configuration hash
//!     12    8 sender's boot                64    4 numbers of the keys held, 0 fills
//!     20    8 sequence                     68    2 paths on which the receiver is heard, bits
//!     28    8 sender's nonce               70    2 number of groups
//!     36    8 echo: receiver's boot        72  5*n groups: name hash (4), claim (1)
//!     44    8 echo: receiver's nonce     72+5n  32 HMAC-SHA256 over everything before it
//! ```
//! A packet about keys (kind 3) has no groups: an [`Exchange`] stands in their place, and a version
//! that does not know it drops the packet whole.
//! A letter (kind 4) has the same first 53 bytes, then what it says, then its tag. It goes only to a
//! partner that has told by its features that it reads letters.
//!
//! What is optional is a feature; whoever does not know one ignores it. What changes this layout is a
//! new version: a program reads every version from the oldest to the newest of [`VERSIONS`], tells
//! the newest one, and writes the newest that the router it answers has told to read.
//!
//! All integers are big-endian. The largest packet fits an IPv6 minimum MTU (RFC 8200, 1280
//! bytes) with its IP and UDP headers, so no heartbeat is ever fragmented.

use std::ops::RangeInclusive;
use std::time::Duration;

use ring::hmac;

use crate::exchange::{self, Exchange};
use crate::key::{KeyRing, MAX_KEYS};

mod beat;
#[cfg(test)]
mod tests;

pub use beat::{Beat, Claim, GroupId, Kind, Role, RouterId};

/// Versions of the wire format that this program reads and writes.
pub const VERSIONS: RangeInclusive<u8> = 1..=1;
/// Most groups that a heartbeat can carry.
pub const MAX_GROUPS: usize = 220;
/// Ability: it understands [`Claim::pinned`].
pub const FEATURE_PINNED: u16 = 1;
/// Longest packet in bytes.
pub const MAX_PACKET: usize = FIXED + MAX_GROUPS * GROUP + TAG;

/// Bit of [`Beat::features`]: the sender reads letters.
pub const FEATURE_LETTERS: u16 = 2;
/// Where in [`Beat::features`] the sender's interval stands.
const INTERVAL_AT: u32 = 4;
/// The shortest interval that can be told; a shorter one is told as this one.
pub const SHORTEST_TOLD: Duration = Duration::from_millis(32);
/// Where in [`Beat::features`] the number of witnesses stands that the sender reaches.
const WITNESSES_AT: u32 = 8;
/// Most witnesses that can be told; whoever reaches more tells this many.
pub const MAX_WITNESSES: u8 = 14;

/// Longest content of a letter in bytes: it is never fragmented either.
pub const MAX_LETTER: usize = MAX_PACKET - START - TAG;

/// Where a letter's content begins.
const START: usize = 53;
/// Bits of the features; those above tell the newest version that the sender reads.
const FEATURE_BITS: u32 = 12;
const FEATURES: u16 = (1 << FEATURE_BITS) - 1;
/// Kind of a letter.
const LETTER: u8 = 4;
const MAGIC: [u8; 2] = [0xca, 0xb1];
const FIXED: usize = 72;
const GROUP: usize = 5;
const TAG: usize = 32;
/// The kind of a packet about keys.
const EXCHANGE: u8 = 3;
const _: () = assert!(FIXED + exchange::LENGTH + TAG <= MAX_PACKET);

/// What makes a packet one of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Sender.
    pub sender: RouterId,
    /// Random bits of the sender's start.
    pub boot: u64,
    /// Grows with every packet of that start.
    pub sequence: u64,
    /// What the receiver must echo to prove that it is of now.
    pub nonce: u64,
    /// The receiver's boot that the sender last heard of; 0 for none.
    pub echo_boot: u64,
    /// The nonce that came with it.
    pub echo_nonce: u64,
    /// Numbers of the keys that the sender holds; 0 fills.
    pub keys: [u8; MAX_KEYS],
    /// Version that the packet is written in.
    pub version: u8,
    /// Newest version that the sender reads; a letter does not tell it, and has 0.
    pub reads: u8,
}

/// Why a packet was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not a heartbeat at all.
    #[error("not a heartbeat of this program")]
    Magic,
    /// Another wire format.
    #[error("heartbeat of version {0}, which this program does not read")]
    Version(u8),
    /// Shorter or longer than it can be, or than it says.
    #[error("heartbeat of a wrong length: {0} bytes")]
    Length(usize),
    /// Signed with a key that we do not hold.
    #[error("heartbeat signed with key {0}, which this router does not hold")]
    UnknownKey(u8),
    /// The tag does not verify.
    #[error("heartbeat whose tag does not verify")]
    Tag,
    /// The tag verifies, but the content makes no sense: another program has our key.
    #[error("heartbeat with a value out of range")]
    Value,
}

/// Writes a packet. Groups beyond [`MAX_GROUPS`] are not written; the configuration's check and
/// the state machine refuse such a number before.
pub fn encode(header: &Header, beat: &Beat, key_id: u8, key: &hmac::Key) -> Vec<u8> {
    let kind = match beat.kind {
        Kind::Beat => 1,
        Kind::Goodbye => 2,
        Kind::Letter => LETTER,
    };
    if beat.kind == Kind::Letter {
        let mut out = start_of(header, kind, key_id);
        out.extend(beat.letter.iter().take(MAX_LETTER));
        return sign(out, key);
    }
    let mut out = head_of(header, kind, beat, key_id);
    for (id, claim) in beat.groups.iter().take(MAX_GROUPS) {
        out.extend(id.0.to_be_bytes());
        out.push(claim.to_byte());
    }
    sign(out, key)
}

/// Writes a packet about keys.
pub fn encode_exchange(
    header: &Header,
    exchange: &Exchange,
    key_id: u8,
    key: &hmac::Key,
) -> Vec<u8> {
    let mut out = head_of(header, EXCHANGE, &Beat::default(), key_id);
    exchange.write(&mut out);
    sign(out, key)
}

fn sign(mut out: Vec<u8>, key: &hmac::Key) -> Vec<u8> {
    let tag = hmac::sign(key, &out);
    out.extend(tag.as_ref());
    out
}

/// Everything up to the kind.
fn start_of(header: &Header, kind: u8, key_id: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAX_PACKET);
    out.extend(MAGIC);
    out.extend([header.version, key_id]);
    for word in [
        header.sender.0,
        header.boot,
        header.sequence,
        header.nonce,
        header.echo_boot,
        header.echo_nonce,
    ] {
        out.extend(word.to_be_bytes());
    }
    out.push(kind);
    out
}

/// Everything before the groups.
fn head_of(header: &Header, kind: u8, beat: &Beat, key_id: u8) -> Vec<u8> {
    let groups = beat.groups.iter().take(MAX_GROUPS);
    let mut out = start_of(header, kind, key_id);
    out.push(u8::from(beat.table_in_place) | u8::from(beat.checks_warm) << 1);
    let reads = u16::from(header.reads.saturating_sub(1)) << FEATURE_BITS;
    out.extend((beat.features & FEATURES | reads).to_be_bytes());
    out.extend(beat.config_hash.to_be_bytes());
    out.extend(header.keys);
    out.extend(beat.heard_paths.to_be_bytes());
    out.extend(u16::try_from(groups.len()).unwrap_or(0).to_be_bytes());
    out
}

/// What a packet is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A heartbeat.
    Beat(Beat),
    /// A new key.
    Exchange(Exchange),
}

/// Reads a heartbeat; as [`decode_any`], and a packet about keys is [`DecodeError::Value`].
///
/// # Errors
/// [`DecodeError`]; nothing of a packet in error may be used.
pub fn decode(bytes: &[u8], keys: &KeyRing) -> Result<(Header, Beat), DecodeError> {
    match decode_any(bytes, keys, &VERSIONS)? {
        (header, Body::Beat(beat), _) => Ok((header, beat)),
        _ => Err(DecodeError::Value),
    }
}

/// Reads a packet of one of these versions, and the number of the key that signed it. Before the tag
/// is verified, magic, version and key number only choose how to verify it, and nothing else is
/// looked at.
///
/// # Errors
/// [`DecodeError`]; nothing of a packet in error may be used.
pub fn decode_any(
    bytes: &[u8],
    keys: &KeyRing,
    versions: &RangeInclusive<u8>,
) -> Result<(Header, Body, u8), DecodeError> {
    let wrong_length = DecodeError::Length(bytes.len());
    let [magic_0, magic_1, version, key_id, ..] = *bytes else {
        return Err(wrong_length);
    };
    if [magic_0, magic_1] != MAGIC {
        return Err(DecodeError::Magic);
    }
    if !versions.contains(&version) {
        return Err(DecodeError::Version(version));
    }
    if bytes.len() < START + TAG || bytes.len() > MAX_PACKET {
        return Err(wrong_length);
    }
    let (signed, tag) = bytes.split_at_checked(bytes.len() - TAG).ok_or(wrong_length)?;
    let key = keys.verifying(key_id).ok_or(DecodeError::UnknownKey(key_id))?;
    hmac::verify(key, signed, tag).map_err(|_| DecodeError::Tag)?;
    let mut reader = Reader(signed.get(4..).unwrap_or_default());
    let (header, body) = read(&mut reader, version).ok_or(DecodeError::Value)?;
    Ok((header, body, key_id))
}

/// Takes fixed-size fields off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }
}

/// The verified part after the key number.
fn read(from: &mut Reader<'_>, version: u8) -> Option<(Header, Body)> {
    let mut header = Header {
        sender: RouterId(from.u64()?),
        boot: from.u64()?,
        sequence: from.u64()?,
        nonce: from.u64()?,
        echo_boot: from.u64()?,
        echo_nonce: from.u64()?,
        keys: [0; MAX_KEYS],
        version,
        reads: 0,
    };
    let kind = match from.take::<1>()? {
        [1] => Some(Kind::Beat),
        [2] => Some(Kind::Goodbye),
        [EXCHANGE] => None,
        [LETTER] => return Some((header, Body::Beat(Beat::letter(from.0.to_vec())))),
        _ => return None,
    };
    let [flags] = from.take()?;
    let features = from.u16()?;
    let config_hash = from.u64()?;
    header.keys = from.take()?;
    header.reads = u8::try_from(features >> FEATURE_BITS).ok()? + 1;
    let heard_paths = from.u16()?;
    let count = usize::from(from.u16()?);
    let Some(kind) = kind else {
        let exchange = Exchange::read(from.0).filter(|_| count == 0)?;
        return Some((header, Body::Exchange(exchange)));
    };
    if from.0.len() != count * GROUP {
        return None;
    }
    let mut groups = Vec::with_capacity(count);
    while let Some(id) = from.take() {
        let [claim] = from.take()?;
        groups.push((GroupId(u32::from_be_bytes(id)), Claim::from_byte(claim)?));
    }
    let beat = Beat {
        kind,
        table_in_place: flags & 1 == 1,
        checks_warm: flags & 2 == 2,
        features: features & FEATURES,
        config_hash,
        heard_paths,
        groups,
        letter: Vec::new(),
    };
    Some((header, Body::Beat(beat)))
}
