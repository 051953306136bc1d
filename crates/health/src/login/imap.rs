//! IMAP (RFC 9051), as far as a login goes.

use std::collections::VecDeque;

use super::{Refused, Step, Talk, line, trimmed};

/// The tag of the one command that is answered.
const TAG: &str = "a1";

/// A mailbox.
pub(super) struct Imap {
    /// What is said, each piece when the server asks for it.
    pieces: VecDeque<Vec<u8>>,
    greeted: bool,
}

impl Imap {
    pub(super) fn new(name: &str, password: &str) -> Self {
        let mut pieces = VecDeque::new();
        let mut piece = format!("{TAG} LOGIN").into_bytes();
        for text in [name, password] {
            piece.push(b' ');
            if is_quotable(text) {
                piece.extend(quoted(text));
            } else {
                // A literal: its length first, and the rest once the server is ready for it.
                piece.extend(format!("{{{}}}\r\n", text.len()).into_bytes());
                pieces.push_back(std::mem::replace(&mut piece, text.as_bytes().to_vec()));
            }
        }
        piece.extend(b"\r\n");
        pieces.push_back(piece);
        Self { pieces, greeted: false }
    }

    fn say(&mut self) -> Step {
        self.pieces.pop_front().map_or(Step::Hear, Step::Say)
    }
}

fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn quoted(text: &str) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    quoted
}

impl Talk for Imap {
    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        Ok(line(heard))
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        let said = trimmed(message);
        let foreign = || Refused::Foreign { protocol: "IMAP", said: said.to_vec() };
        let refused = |what| Refused::Said { what, said: said.to_vec() };
        if !self.greeted {
            self.greeted = true;
            return match word(said, 1) {
                b"OK" if said.starts_with(b"* ") => Ok(self.say()),
                // It knows us already, and takes no login.
                b"PREAUTH" if said.starts_with(b"* ") => Ok(Step::Done(b"a2 LOGOUT\r\n".to_vec())),
                b"BYE" if said.starts_with(b"* ") => Err(refused("connection")),
                _ => Err(foreign()),
            };
        }
        match (word(said, 0), word(said, 1)) {
            (b"+", _) if !self.pieces.is_empty() => Ok(self.say()),
            (b"*", b"BYE") => Err(refused("login")),
            (b"*", _) => Ok(Step::Hear),
            (tag, b"OK") if tag == TAG.as_bytes() => Ok(Step::Done(b"a2 LOGOUT\r\n".to_vec())),
            (tag, b"NO" | b"BAD") if tag == TAG.as_bytes() => Err(refused("login")),
            _ => Err(foreign()),
        }
    }
}

/// The word at a place of a line; empty when there is none.
fn word(line: &[u8], place: usize) -> &[u8] {
    line.split(|byte| *byte == b' ').nth(place).unwrap_or_default()
}
