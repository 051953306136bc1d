//! Protocols of numbers, and one of text in datagrams.

use std::io::{Read, Result, Write};
use std::net::TcpStream;

/// The answer to every question for an address.
const ADDRESS: [u8; 4] = [192, 168, 1, 1];

/// A name server (RFC 1035): each name has the same address.
pub fn name_server(question: &[u8]) -> Option<Vec<u8>> {
    let name = question.get(12..)?;
    let length = name.iter().position(|octet| *octet == 0)? + 1;
    let asked = question.get(12..12 + length + 4)?;
    let mut answer = question.get(..2)?.to_vec();
    // An answer with recursion, one question and one record.
    answer.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend(asked);
    // The name again, an address of the Internet, for a minute.
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    answer.extend(ADDRESS);
    Some(answer)
}

/// A telephone (SIP, RFC 3261).
pub fn telephone(request: &[u8]) -> Option<Vec<u8>> {
    request.starts_with(b"OPTIONS ").then(|| b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n".into())
}

/// A directory (RFC 4511) with one entry under whatever name.
pub fn directory(mut stream: &TcpStream) -> Result<()> {
    let mut piece = [0; 1024];
    loop {
        let count = stream.read(&mut piece)?;
        let Some(answer) = piece.get(..count).and_then(entry) else {
            return Ok(());
        };
        stream.write_all(&answer)?;
    }
}

/// The answer to a bind or a search; none to a farewell.
fn entry(message: &[u8]) -> Option<Vec<u8>> {
    let [0x30, first, ..] = message else { return None };
    // Long lengths say how many octets they have.
    let head = if *first < 0x80 { 2 } else { 2 + usize::from(first & 0x7f) };
    let number_length = usize::from(*message.get(head + 1)?) + 2;
    let number = message.get(head..head + number_length)?;
    let wrap = |value: &[u8]| tagged(0x30, &[number, value].concat());
    let good = [0x0a, 1, 0, 4, 0, 4, 0];
    match message.get(head + number_length)? {
        0x60 => Some(wrap(&tagged(0x61, &good))),
        0x63 => {
            let found = tagged(0x64, &[tagged(4, b"cn=health"), tagged(0x30, &[])].concat());
            Some([wrap(&found), wrap(&tagged(0x65, &good))].concat())
        }
        _ => None,
    }
}

/// A short value with its tag and length (BER).
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    [&[tag, length], value].concat()
}
