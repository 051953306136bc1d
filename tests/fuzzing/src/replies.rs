//! Single packets that come back from real servers, or from whoever pretends to be one.

use health::dns::{Question, questions};
use nanny::answers::segment;
use nanny::icmp::{Family, REQUEST, reply};

/// The number that every question here has, and the port that every segment comes to.
const NUMBER: u16 = 0x1234;
/// A message of DNS is no longer.
const LONGEST: usize = 0xffff;
/// Bytes of a name as it is shown: of each byte on the wire a sign of three at most, and dots.
const NAME: usize = 255 * 4;

/// The first byte chooses who reads the rest: a name server's answer as it is, or behind a head that
/// fits the question; an echo reply of either family, with an IPv4 header or without; a segment for
/// the data-path check.
pub fn replies(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let data = data.get(..data.len().min(LONGEST)).unwrap_or_default();
    match kind {
        b'd' => dns(data, data.first().copied().unwrap_or(0)),
        b'D' => fitting(data),
        b'i' => icmp(data),
        _ => tcp(data),
    }
}

fn asked(which: u8) -> Question {
    let name = if which & 2 == 0 { "www.example.com" } else { "192.168.1.4" };
    let mut questions = questions(name).unwrap();
    let last = questions.len() - 1;
    questions.swap_remove(usize::from(which & 1).min(last))
}

fn dns(packet: &[u8], which: u8) {
    let count = packet.get(6..).and_then(|rest| rest.first_chunk());
    let count = count.map_or(0, |count| usize::from(u16::from_be_bytes(*count)));
    if let Ok(found) = asked(which).answers(NUMBER, packet) {
        assert!(packet.starts_with(&NUMBER.to_be_bytes()) && found.len() <= count);
        assert!(found.iter().all(|text| text.len() <= NAME), "{found:?}");
    }
}

/// Number of records, code and records are the input's.
fn fitting(data: &[u8]) {
    let Some((&[which, code, count], records)) = data.split_first_chunk::<3>() else { return };
    let mut packet = asked(which).packet(NUMBER);
    for (at, byte) in [(2, 0x81), (3, code), (7, count)] {
        *packet.get_mut(at).unwrap() = byte;
    }
    packet.extend_from_slice(records);
    dns(&packet, which);
}

/// Whatever is read stands in the packet, and nothing is read of a shorter one.
fn icmp(packet: &[u8]) {
    for (family, header) in [(Family::V4, false), (Family::V4, true), (Family::V6, false)] {
        let Some(tag) = reply(family, header, packet) else { continue };
        let said = [tag.nonce.to_be_bytes(), tag.number.to_be_bytes()].concat();
        assert!(packet.windows(said.len()).any(|window| window == said));
        assert!(packet.len() >= REQUEST);
        assert_eq!(reply(family, header, packet.get(..REQUEST - 1).unwrap()), None);
    }
}

/// Who is answered for is who sent it, whatever else the packet says.
fn tcp(packet: &[u8]) {
    let Some((from, _, acknowledged)) = segment(packet, NUMBER) else { return };
    let address: Vec<u8> = match from.ip() {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let at = if from.is_ipv4() { 12 } else { 8 };
    assert_eq!(packet.get(at..at + address.len()), Some(address.as_slice()));
    assert!(packet.windows(4).any(|window| window == acknowledged.to_be_bytes()));
    assert_eq!(segment(packet, NUMBER + 1), None, "it is for one port alone");
}
