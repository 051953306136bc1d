//! LDAP (RFC 4511): a simple bind, and a search for one entry.

use super::ber::{ENUMERATED, INTEGER, SEQUENCE, TEXT, head, of, tagged, value};
use super::{MESSAGE, Refused, Step, Talk};

const BIND: u8 = 0x60;
const BOUND: u8 = 0x61;
const UNBIND: u8 = 0x42;
const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const FOUND: u8 = 0x65;
const REFERENCE: u8 = 0x73;
/// A simple password.
const SIMPLE: u8 = 0x80;
/// A filter: the attribute is there.
const PRESENT: u8 = 0x87;

/// Numbers of our messages.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const THIRD: u8 = 3;

/// A directory.
pub(super) struct Ldap {
    name: String,
    password: String,
    base: String,
    is_bound: bool,
    entries: Vec<Vec<u8>>,
}

impl Ldap {
    pub(super) fn new(name: &str, password: &str, base: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            base: base.to_owned(),
            is_bound: false,
            entries: Vec::new(),
        }
    }

    fn search(&self) -> Vec<u8> {
        let search = tagged(
            SEARCH,
            &[
                tagged(TEXT, &[self.base.as_bytes()]).as_slice(),
                // The entry itself, no aliases, no limit, no names of attributes without values.
                &[10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0],
                &tagged(PRESENT, &[b"objectClass"]),
                // No attributes.
                &tagged(SEQUENCE, &[&tagged(TEXT, &[b"1.1"])]),
            ],
        );
        message(SECOND, &search)
    }

    fn end(&mut self) -> Result<Step, Refused> {
        match self.entries.len() {
            1 => {
                let text = self.entries.pop().unwrap_or_default();
                Ok(Step::Judge { text, say: message(THIRD, &[UNBIND, 0]) })
            }
            0 => Err(Refused::Empty("no such entry")),
            _ => Err(Refused::Empty("more than one entry")),
        }
    }
}

fn message(number: u8, what: &[u8]) -> Vec<u8> {
    tagged(SEQUENCE, &[&[INTEGER, 1, number], what])
}

impl Talk for Ldap {
    fn begin(&mut self) -> Result<Step, Refused> {
        let bind = [
            &[INTEGER, 1, 3],
            tagged(TEXT, &[self.name.as_bytes()]).as_slice(),
            &tagged(SIMPLE, &[self.password.as_bytes()]),
        ]
        .concat();
        Ok(Step::Say(message(FIRST, &tagged(BIND, &[&bind]))))
    }

    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        match head(heard) {
            Some((SEQUENCE, _, length)) if length > MESSAGE => Err(Refused::TooLong),
            Some((SEQUENCE, begin, length)) => {
                Ok(Some(begin + length).filter(|end| *end <= heard.len()))
            }
            None if heard.len() < 6 && heard.first().is_none_or(|tag| *tag == SEQUENCE) => Ok(None),
            _ => Err(foreign(heard)),
        }
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        let (number, tag, content) = parts(message).ok_or_else(|| foreign(message))?;
        match (number, tag, self.is_bound) {
            ([FIRST], BOUND, false) => {
                well(content, "login", message)?;
                self.is_bound = true;
                Ok(Step::Say(self.search()))
            }
            ([SECOND], ENTRY, true) => {
                let (name, _) = of(TEXT, content).ok_or_else(|| foreign(message))?;
                self.entries.push(name.to_vec());
                Ok(Step::Hear)
            }
            ([SECOND], REFERENCE, true) => Ok(Step::Hear),
            ([SECOND], FOUND, true) => {
                well(content, "entry", message)?;
                self.end()
            }
            _ => Err(foreign(message)),
        }
    }
}

/// The number of a message, and what it holds.
fn parts(message: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (inner, _) = of(SEQUENCE, message)?;
    let (number, rest) = of(INTEGER, inner)?;
    let (tag, content, _) = value(rest)?;
    Some((number, tag, content))
}

/// Whether a result is a good one.
fn well(result: &[u8], what: &'static str, message: &[u8]) -> Result<(), Refused> {
    let found = || {
        let (code, rest) = of(ENUMERATED, result)?;
        let (_, rest) = of(TEXT, rest)?;
        let (words, _) = of(TEXT, rest)?;
        Some((code, words))
    };
    let (code, words) = found().ok_or_else(|| foreign(message))?;
    if code == [0] {
        return Ok(());
    }
    let number = code.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let name = match number {
        32 => "no such object".to_owned(),
        49 => "invalid credentials".to_owned(),
        50 => "insufficient access".to_owned(),
        53 => "unwilling to perform".to_owned(),
        _ => format!("result {number}"),
    };
    let said =
        if words.is_empty() { name.into_bytes() } else { [name.as_bytes(), b": ", words].concat() };
    Err(Refused::Said { what, said })
}

fn foreign(said: &[u8]) -> Refused {
    Refused::Foreign { protocol: "LDAP", said: said.to_vec() }
}
