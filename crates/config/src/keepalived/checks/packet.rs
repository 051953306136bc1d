//! `DNS_CHECK` and `UDP_CHECK`: one packet, and what must come back.

use super::super::report::Report;
use super::super::tree::Node;
use crate::model::{CheckKind, Expect};

/// The number of every query: one packet is on its way at a time.
const QUERY: [u8; 2] = *b"lb";
/// A flag that asks for recursion.
const RECURSION_DESIRED: u8 = 1;
/// An answer to that query without an error: the number, the answer bit, and code 0.
const ANSWER: &str =
    r"(?s-u)\Alb[\x80-\xff][\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0]";
/// Longest answer whose length can be asked for.
const LONGEST_REPLY: u32 = 1024;
/// Types of records, and their numbers.
const TYPES: [(&str, u8); 7] =
    [("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("MX", 15), ("TXT", 16), ("AAAA", 28)];

/// A query of DNS, which has to be answered without an error.
pub(super) fn dns(report: &mut Report, own: &[&Node]) -> Option<CheckKind> {
    let (mut kind, mut name) = (6, String::from("."));
    for inner in own {
        match inner.name.text.as_str() {
            "type" => {
                let word = report.value(inner, "A")?;
                let found = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word.text));
                let Some((_, number)) = found else {
                    let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                    let help = format!("write one of {}", names.join(", "));
                    report.error(&word.at, format!("`{}` is no type of record", word.text), help);
                    return None;
                };
                kind = *number;
            }
            "name" => {
                let word = report.value(inner, "example.com")?;
                let labels = word.text.trim_end_matches('.').split('.');
                if word.text != "." && labels.into_iter().any(|l| l.is_empty() || l.len() > 63)
                    || word.text.len() > 253
                {
                    let help = "write a name such as www.example.com";
                    report.error(&word.at, format!("`{}` is no name", word.text), help);
                    return None;
                }
                name = word.text.clone();
            }
            _ => {}
        }
    }
    let mut query = QUERY.to_vec();
    query.extend([RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        query.push(u8::try_from(label.len()).unwrap_or_default());
        query.extend(label.bytes());
    }
    query.extend([0, 0, kind, 0, 1]);
    let expect = Some(Expect::Regex(ANSWER.to_string()));
    Some(CheckKind::SendExpect { udp: true, send: Some(query), expect })
}

/// A packet that must not be refused, or has to be answered.
pub(super) fn udp(report: &mut Report, own: &[&Node]) -> Option<CheckKind> {
    let (mut send, mut expect) = (None, None);
    let (mut shortest, mut longest) = (None, None);
    for inner in own {
        match inner.name.text.as_str() {
            "payload" => send = Some(bytes(&hexadecimal(report, inner)?)),
            "require_reply" => expect = Some(hexadecimal(report, inner)?),
            "min_reply_length" => shortest = report.number(inner, 0, LONGEST_REPLY),
            "max_reply_length" => longest = report.number(inner, 0, LONGEST_REPLY),
            _ => {}
        }
    }
    // keepalived sends chance where nothing is said; a byte does as well.
    let send = Some(send.unwrap_or_else(|| vec![0]));
    let expect = expect.map(|digits| answer(&digits, shortest.unwrap_or(0), longest));
    Some(CheckKind::SendExpect { udp: true, send, expect })
}

/// What an answer has to be: as long as is said, and as far as it goes the bytes that are said.
fn answer(digits: &[(char, char)], shortest: u32, longest: Option<u32>) -> Expect {
    if digits.is_empty() && shortest == 0 && longest.is_none() {
        return Expect::Anything;
    }
    if shortest == 0 && longest.is_none() && !digits.iter().any(is_open) {
        return Expect::Prefix(bytes(digits));
    }
    let mut pattern = String::from(r"(?s-u)\A");
    pattern.extend(digits.iter().map(byte_pattern));
    let known = u32::try_from(digits.len()).unwrap_or(u32::MAX);
    let least = shortest.saturating_sub(known);
    match longest.map(|longest| longest.saturating_sub(known).max(least)) {
        Some(most) => pattern.push_str(&format!(r".{{{least},{most}}}\z")),
        None if least > 0 => pattern.push_str(&format!(".{{{least}}}")),
        None => {}
    }
    Expect::Regex(pattern)
}

fn is_open(digits: &(char, char)) -> bool {
    digits.0 == 'x' || digits.1 == 'x'
}

fn byte_pattern(digits: &(char, char)) -> String {
    match digits {
        ('x', 'x') => ".".to_string(),
        (high, 'x') => format!(r"[\x{high}0-\x{high}f]"),
        ('x', low) => {
            let each = "0123456789abcdef".chars().map(|high| format!(r"\x{high}{low}"));
            format!("[{}]", each.collect::<String>())
        }
        (high, low) => format!(r"\x{high}{low}"),
    }
}

fn bytes(digits: &[(char, char)]) -> Vec<u8> {
    let value = |digit: char| digit.to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
    digits.iter().map(|(high, low)| value(*high) << 4 | value(*low)).collect()
}

/// Pairs of digits: `Ab12f 3` is AB 12 0F 03; `X` is any digit.
fn hexadecimal(report: &mut Report, node: &Node) -> Option<Vec<(char, char)>> {
    let mut found = Vec::new();
    for word in
        node.words.iter().flat_map(|word| word.text.split_whitespace().map(move |t| (t, word)))
    {
        let (text, place) = word;
        let digits: Vec<char> = text.to_ascii_lowercase().chars().collect();
        if !digits.iter().all(|digit| digit.is_ascii_hexdigit() || *digit == 'x') {
            let help = "write pairs of the digits 0 to 9 and a to f";
            report.error(&place.at, format!("`{text}` is not hexadecimal"), help);
            return None;
        }
        found.extend(digits.chunks(2).map(|pair| match pair {
            [high, low] => (*high, *low),
            [low] => ('0', *low),
            _ => ('0', '0'),
        }));
    }
    Some(found)
}
