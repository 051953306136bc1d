//! Questions to a name server, and what it answers (RFC 1035).
//!
//! Answers are hostile input: every length is checked, and names may point back only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Kinds of records.
const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const AAAA: u16 = 28;

/// Bytes of a message's head.
const HEAD: usize = 12;
/// Jumps within one name; more than this go in circles.
const JUMPS: usize = 32;
/// Longest name.
const NAME: usize = 255;

/// A question: a name, and the kind of record that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    labels: Vec<String>,
    kind: u16,
}

/// Why an answer is no good one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadAnswer {
    /// It is no answer to this question.
    #[error("is no answer to the question")]
    Foreign,
    /// It ends in the middle, or points out of itself.
    #[error("cannot be read")]
    Broken,
    /// The server says why it has none.
    #[error("is {0}")]
    Refused(&'static str),
}

/// The questions of one check, in the order of asking: the addresses of a name, or the name of an
/// address. None when this can be no name.
pub fn questions(name: &str) -> Option<Vec<Question>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(vec![Question { labels: reverse(address), kind: PTR }]);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels: Vec<String> = name.split('.').map(str::to_owned).collect();
    let legal = |label: &String| !label.is_empty() && label.len() <= 63;
    if name.len() > NAME - 2 || !labels.iter().all(legal) {
        return None;
    }
    Some([A, AAAA].map(|kind| Question { labels: labels.clone(), kind }).to_vec())
}

fn reverse(address: IpAddr) -> Vec<String> {
    let (digits, zone): (Vec<String>, [&str; 2]) = match address {
        IpAddr::V4(ip) => (ip.octets().iter().map(u8::to_string).collect(), ["in-addr", "arpa"]),
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            (nibbles.map(|nibble| format!("{nibble:x}")).collect(), ["ip6", "arpa"])
        }
    };
    digits.into_iter().rev().chain(zone.map(str::to_owned)).collect()
}

impl Question {
    /// The packet to send; an answer carries the same number.
    pub fn packet(&self, id: u16) -> Vec<u8> {
        let mut packet = id.to_be_bytes().to_vec();
        // Recursion is desired; one question.
        packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        packet.extend(self.asked());
        packet
    }

    fn asked(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for label in &self.labels {
            bytes.push(u8::try_from(label.len()).unwrap_or(0));
            bytes.extend(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend(self.kind.to_be_bytes());
        bytes.extend([0, 1]);
        bytes
    }

    /// The records of an answer as text: addresses and names.
    ///
    /// # Errors
    /// It is no good answer to this question.
    pub fn answers(&self, id: u16, packet: &[u8]) -> Result<Vec<String>, BadAnswer> {
        let asked = self.asked();
        let echoed = packet.get(HEAD..HEAD + asked.len()).ok_or(BadAnswer::Foreign)?;
        let is_answer = packet.get(2).is_some_and(|flags| flags & 0x80 != 0);
        if number(packet, 0) != Some(id) || !is_answer || !echoed.eq_ignore_ascii_case(&asked) {
            return Err(BadAnswer::Foreign);
        }
        match packet.get(3).map(|flags| flags & 15) {
            Some(0) => {}
            code => return Err(BadAnswer::Refused(code.map_or("no code", words))),
        }
        let count = number(packet, 6).ok_or(BadAnswer::Broken)?;
        let mut at = HEAD + asked.len();
        let mut found = Vec::new();
        for _ in 0..count {
            let (_, after) = name(packet, at).ok_or(BadAnswer::Broken)?;
            let kind = number(packet, after).ok_or(BadAnswer::Broken)?;
            let length = usize::from(number(packet, after + 8).ok_or(BadAnswer::Broken)?);
            let start = after + 10;
            let data = packet.get(start..start + length).ok_or(BadAnswer::Broken)?;
            found.extend(record(packet, kind, start, data));
            at = start + length;
        }
        Ok(found)
    }
}

fn record(packet: &[u8], kind: u16, start: usize, data: &[u8]) -> Option<String> {
    match kind {
        A => <[u8; 4]>::try_from(data).ok().map(|bytes| Ipv4Addr::from(bytes).to_string()),
        AAAA => <[u8; 16]>::try_from(data).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
        PTR | CNAME => name(packet, start).map(|(name, _)| name),
        _ => None,
    }
}

fn words(code: u8) -> &'static str {
    match code {
        1 => "format error",
        2 => "server failure",
        3 => "no such name",
        4 => "not implemented",
        5 => "refused",
        _ => "an unknown code",
    }
}

fn number(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..at.checked_add(2)?)?;
    <[u8; 2]>::try_from(bytes).ok().map(u16::from_be_bytes)
}

/// A name, and where what follows it begins.
fn name(packet: &[u8], from: usize) -> Option<(String, usize)> {
    let (mut text, mut at, mut after) = (String::new(), from, None);
    for _ in 0..=JUMPS {
        loop {
            let length = usize::from(*packet.get(at)?);
            if length == 0 {
                return Some((text, after.unwrap_or(at + 1)));
            }
            if length >= 0xc0 {
                break;
            }
            let label = packet.get(at + 1..at + 1 + length)?;
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&String::from_utf8_lossy(label));
            if length > 63 || text.len() > NAME * 3 {
                return None;
            }
            at += length + 1;
        }
        let target = usize::from(number(packet, at)? & 0x3fff);
        after.get_or_insert(at + 2);
        // Names point back only: what points on could go in circles.
        if target >= at {
            return None;
        }
        at = target;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question() -> Question {
        questions("www.example.com").unwrap().remove(0)
    }

    /// An answer to a question with these records: kind and data, named by a pointer.
    fn answer(question: &Question, code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut packet = question.packet(7);
        packet[2] |= 0x80;
        packet[3] = 0x80 | code;
        packet[7] = u8::try_from(records.len()).unwrap();
        for (kind, data) in records {
            packet.extend([0xc0, 12]);
            packet.extend(kind.to_be_bytes());
            packet.extend([0, 1, 0, 0, 0, 60]);
            packet.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            packet.extend(*data);
        }
        packet
    }

    #[test]
    fn a_question_is_as_the_protocol_has_it() {
        let packet = question().packet(0x1234);
        let mut wanted = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        wanted.extend(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
        assert_eq!(packet, wanted);
        assert_eq!(questions("www.example.com.").unwrap()[1].kind, AAAA);
        let of = |text: &str| questions(text).unwrap()[0].labels.join(".");
        assert_eq!(of("192.0.2.4"), "4.2.0.192.in-addr.arpa");
        assert!(
            of("2001:db8::1").starts_with("1.0.0.0") && of("2001:db8::1").ends_with("ip6.arpa")
        );
        assert!(questions("").is_none() && questions("a..b").is_none());
    }

    #[test]
    fn records_are_read_as_text() {
        let question = question();
        let records: [(u16, &[u8]); 4] =
            [(CNAME, b"\x03web\xc0\x10"), (A, &[192, 0, 2, 4]), (AAAA, &[0; 16]), (15, b"x")];
        let found = question.answers(7, &answer(&question, 0, &records));
        assert_eq!(found.unwrap(), ["web.example.com", "192.0.2.4", "::"]);
        assert_eq!(question.answers(7, &answer(&question, 0, &[])).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_good_answer_says_why() {
        let question = question();
        let good = answer(&question, 0, &[(A, &[192, 0, 2, 4])]);
        assert_eq!(question.answers(8, &good), Err(BadAnswer::Foreign));
        assert_eq!(question.answers(7, &question.packet(7)), Err(BadAnswer::Foreign));
        let other = questions("www.example.org").unwrap().remove(0);
        assert_eq!(other.answers(7, &good), Err(BadAnswer::Foreign));
        let missing = question.answers(7, &answer(&question, 3, &[]));
        assert_eq!(missing.unwrap_err().to_string(), "is no such name");
        let cut = good.get(..good.len() - 1).unwrap();
        assert_eq!(question.answers(7, cut), Err(BadAnswer::Broken));
        let circle: [(u16, &[u8]); 1] = [(PTR, b"\x01a\xc0\x2d")];
        assert_eq!(question.answers(7, &answer(&question, 0, &circle)).unwrap(), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_bytes_behind_a_good_head_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let question = question();
            let mut packet = answer(&question, 0, &[]);
            packet[6] = 255;
            packet.extend(bytes);
            let _ = question.answers(7, &packet);
        }
    }
}
