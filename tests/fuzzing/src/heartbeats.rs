//! Packets from the network.

use std::time::Duration;

use heartbeat::key::KeyRing;
use heartbeat::packet::{Kind, decode, encode};
use heartbeat::{Beat, Moment, Rejected, Session, SharedKey};

/// Magic, version and key number, as a packet begins.
fn begin() -> Vec<u8> {
    let packet = sessions().0.seal(&beat(), Moment::default());
    packet.get(..4).unwrap().to_vec()
}

fn keys() -> [SharedKey; 2] {
    [1, 2].map(|id| SharedKey { id, secret: vec![id; 32] })
}

fn sessions() -> (Session, Session) {
    let session = |me, partner, boot| Session::new(me, partner, &keys(), boot, [7; 32]).unwrap();
    (session("a", "b", 10), session("b", "a", 20))
}

fn ring(me: &str, partner: &str) -> KeyRing {
    KeyRing::new(me, partner, &keys()).unwrap()
}

fn beat() -> Beat {
    Beat {
        kind: Kind::Beat,
        table_in_place: true,
        checks_warm: true,
        features: 0,
        config_hash: 1,
        heard_paths: 1,
        groups: Vec::new(),
        letter: Vec::new(),
    }
}

/// The packet with these bytes as its content and a tag that verifies.
fn signed(content: &[u8]) -> Vec<u8> {
    let mut packet = begin();
    packet.extend_from_slice(content);
    let tag = ring("a", "b").tag(&packet).unwrap();
    packet.extend_from_slice(tag.as_ref());
    packet
}

/// Bytes as they are never verify. With a true tag over them, whatever is accepted is written
/// again as the same bytes' meaning.
pub fn packet(data: &[u8]) {
    let receiver = ring("b", "a");
    assert!(decode(data, &receiver).is_err());
    let packet = signed(data);
    let Ok((header, beat)) = decode(&packet, &receiver) else { return };
    // Under a key that only this test holds, the tag differs and nothing else may.
    let key = ring_key();
    let again = encode(&header, &beat, 1, &key);
    assert_eq!(again.len(), packet.len());
    let content = |packet: &[u8]| packet.get(..packet.len() - 32).unwrap_or_default().to_vec();
    let resigned = signed(content(&again).get(4..).unwrap_or_default());
    assert_eq!(decode(&resigned, &receiver), Ok((header, beat)));
    for place in [0, 4, packet.len() / 2, packet.len() - 1] {
        let mut damaged = packet.clone();
        if let Some(byte) = damaged.get_mut(place) {
            *byte ^= 1;
        }
        assert!(decode(&damaged, &receiver).is_err());
    }
}

fn ring_key() -> ring::hmac::Key {
    ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[1; 32])
}

/// Time between two steps of [`session`].
const STEP: Duration = Duration::from_millis(40);

/// Two sessions, and a wire on which somebody puts what they like: true packets in any order and
/// number, cut ones, signed nonsense. Nothing is accepted twice, and nothing that is not signed.
pub fn session(data: &[u8]) {
    let (mut one, mut other) = sessions();
    let mut wire: Vec<Vec<u8>> = Vec::new();
    let mut accepted: Vec<usize> = Vec::new();
    let mut rest = data;
    let mut now = Moment::default();
    while let Some((&step, after)) = rest.split_first() {
        rest = after;
        now = now + STEP;
        match step % 6 {
            0 => wire.push(one.seal(&beat(), now)),
            1 => {
                let answer = other.seal(&beat(), now);
                let outcome = one.open(&answer, now);
                assert!(!matches!(outcome, Err(Rejected::Replay)));
            }
            2 | 3 if !wire.is_empty() => {
                let place = usize::from(step / 6) % wire.len();
                let opened = other.open(wire.get(place).unwrap(), now);
                if opened.is_ok() {
                    assert!(!accepted.contains(&place), "a packet was accepted twice");
                    accepted.push(place);
                }
            }
            4 => {
                let length = usize::from(step / 6).min(rest.len());
                let (content, after) = rest.split_at(length);
                rest = after;
                assert!(other.open(content, now).is_err());
            }
            _ => {
                let length = rest.len().min(128);
                let (content, after) = rest.split_at(length);
                rest = after;
                let packet = signed(content);
                if other.open(&packet, now).is_ok() {
                    assert!(other.open(&packet, now).is_err(), "a packet was accepted twice");
                }
            }
        }
    }
}
