//! Heartbeat keys: our own key file, and heartbeat's authkeys.
//!
//! Secrets are no part of the model, and no diagnostic shows the line that holds one.

use std::fmt;

use crate::diagnostic::{Diagnostic, Severity};

/// Bytes of a key in our own file.
pub const KEY_BYTES: usize = 32;

/// A secret. Its debug form says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever signs with them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a key stands in a rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// In none.
    #[default]
    InUse,
    /// Believed, and not signed with before the partner does.
    New,
    /// Believed, until the partner signs with the first key.
    Old,
}

impl Stage {
    /// The word in the file; empty for a key in use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "",
            Self::New => "new",
            Self::Old => "old",
        }
    }
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMaterial {
    /// Its number on the wire, 1 to 255.
    pub id: u8,
    /// The secret.
    pub secret: Secret,
    /// Where it was read: `/etc/caribe/heartbeat.key:2`.
    pub origin: String,
    /// In our own file, where it stands in a rotation.
    pub stage: Stage,
}

/// Why somebody could guess a secret: `every byte is the same`; none for a good one. It finds
/// what people type, and lets everything pass that chance makes.
pub fn weakness(secret: &[u8]) -> Option<&'static str> {
    let steps: Vec<u8> = secret
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.wrapping_sub(*pair.first()?)))
        .collect();
    let half = secret.len() / 2;
    let distinct: std::collections::BTreeSet<&u8> = secret.iter().collect();
    if secret.len() < LEAST {
        Some("it is short")
    } else if distinct.len() == 1 {
        Some("every byte is the same")
    } else if steps.iter().all(|step| Some(step) == steps.first()) {
        Some("its bytes count up or down")
    } else if distinct.len() < 8 || secret.get(..half) == secret.get(half..half * 2) {
        Some("it repeats itself")
    } else if secret.iter().all(u8::is_ascii_alphabetic) {
        Some("it is made of letters only")
    } else {
        None
    }
}

/// Bytes of a secret that nobody guesses.
const LEAST: usize = 16;

/// The text of our own key file; the inverse of [`parse_key_file`].
pub fn write_key_file(keys: &[KeyMaterial]) -> String {
    use fmt::Write;
    let mut text = "# Keys of the heartbeats, the same on both routers: a number and 64 hexadecimal\n\
                    # digits a line. The first key signs, every key is believed. A key that is marked\n\
                    # new or old is being rotated.\n"
        .to_owned();
    for key in keys {
        // Writing to a string cannot fail.
        let _written = write!(text, "{} ", key.id);
        for byte in key.secret.expose() {
            let _written = write!(text, "{byte:02x}");
        }
        let mark = key.stage.as_str();
        text.push_str(if mark.is_empty() { "" } else { " " });
        text.push_str(mark);
        text.push('\n');
    }
    text
}

/// Reads our own key file: `NUMBER HEX` on each line, 1 to 255 and 64 hexadecimal digits; a
/// line that begins with `#` is a comment. The first key signs, all of them verify. `new` or `old`
/// behind a key says where it stands in a rotation. A key that somebody could guess is refused.
///
/// # Errors
/// Every problem of the file.
pub fn parse_key_file(file: &str, text: &[u8]) -> Result<Vec<KeyMaterial>, Vec<Diagnostic>> {
    let mut reading = Reading::new(file);
    for (number, words) in lines(text) {
        match words.as_slice() {
            [id, secret, mark @ ..] => match (key_number(id), hex(secret), stage(mark)) {
                (None, _, _) => reading.number(number),
                (_, None, _) => reading.error(
                    number,
                    "a key of this file is 64 hexadecimal digits",
                    "make one with: lvsctl keygen",
                ),
                (_, _, None) => reading.error(
                    number,
                    "behind a key stands nothing, or `new` or `old` while it is rotated",
                    "remove what stands there",
                ),
                (Some(id), Some(secret), Some(stage)) => match weakness(&secret) {
                    Some(why) => reading.error(
                        number,
                        &format!("this key can be guessed: {why}"),
                        "make one with: lvsctl keygen",
                    ),
                    None => reading.key(number, id, secret, stage),
                },
            },
            _ => reading.error(
                number,
                "a line of a key file is a number and a key",
                "make one with: lvsctl keygen",
            ),
        }
    }
    reading.finish(None)
}

/// Reads heartbeat's authkeys: `auth NUMBER` names the key that signs, and each `NUMBER METHOD
/// SECRET` is a key. The method is not used: every heartbeat of ours is signed with HMAC-SHA256.
/// Numbers are 0 to 15; 0, which is no number on the wire, becomes 16 there.
///
/// # Errors
/// Every problem of the file.
pub fn parse_authkeys(file: &str, text: &[u8]) -> Result<Vec<KeyMaterial>, Vec<Diagnostic>> {
    let mut reading = Reading::new(file);
    let mut signing = None;
    for (number, words) in lines(text) {
        match words.as_slice() {
            ["auth", id] => match authkeys_number(id) {
                Some(id) => signing = Some((number, id)),
                None => reading.authkeys_number(number),
            },
            [_, "crc", ..] => reading.error(
                number,
                "crc has no secret, so anybody could send heartbeats",
                "write `sha1` and a long secret, the same on both routers",
            ),
            [id, "md5" | "sha1", secret] => match authkeys_number(id) {
                Some(id) => reading.key(number, id, secret.as_bytes().to_vec(), Stage::InUse),
                None => reading.authkeys_number(number),
            },
            _ => reading.error(
                number,
                "a line of authkeys is `auth NUMBER` or `NUMBER sha1 SECRET`",
                AUTHKEYS_FORM,
            ),
        }
    }
    if signing.is_none() && reading.problems.is_empty() {
        let (message, help) = match reading.keys.first() {
            Some(_) => (
                "no line says which key signs",
                "write `auth 1` as the first line, for the key that begins with 1",
            ),
            None => ("there is no key in this file", AUTHKEYS_FORM),
        };
        reading.error(1, message, help);
    }
    reading.finish(signing)
}

/// What a file of heartbeat has to hold.
const AUTHKEYS_FORM: &str =
    "write two lines, `auth 1` and `1 sha1 SECRET`, with a long secret, the same on both routers";

/// Numbered lines that are neither empty nor comments, as words. A secret may begin with `#`, so
/// a comment has its own line.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, Vec<&str>)> {
    text.split(|byte| *byte == b'\n').zip(1..).filter_map(|(line, number)| {
        // Bytes that are no text make no word that is known.
        let line = std::str::from_utf8(line).unwrap_or("\u{fffd}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let comment = words.first().is_none_or(|word| word.starts_with('#'));
        (!comment).then_some((number, words))
    })
}

fn stage(words: &[&str]) -> Option<Stage> {
    match words {
        [] => Some(Stage::InUse),
        ["new"] => Some(Stage::New),
        ["old"] => Some(Stage::Old),
        _ => None,
    }
}

fn key_number(word: &str) -> Option<u8> {
    word.parse().ok().filter(|id| *id > 0)
}

/// heartbeat's numbers, and the number on the wire for its 0.
const AUTHKEYS_MAX: u8 = 15;
const AUTHKEYS_ZERO: u8 = 16;

fn authkeys_number(word: &str) -> Option<u8> {
    let number = word.parse().ok().filter(|id| *id <= AUTHKEYS_MAX)?;
    Some(if number == 0 { AUTHKEYS_ZERO } else { number })
}

fn hex(word: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = word.as_bytes().chunks(2).map(pair).collect();
    bytes.filter(|bytes| bytes.len() == KEY_BYTES)
}

struct Reading {
    file: String,
    keys: Vec<KeyMaterial>,
    problems: Vec<Diagnostic>,
}

impl Reading {
    fn new(file: &str) -> Self {
        Self { file: file.to_owned(), keys: Vec::new(), problems: Vec::new() }
    }

    fn key(&mut self, line: usize, id: u8, secret: Vec<u8>, stage: Stage) {
        if self.keys.iter().any(|key| key.id == id) {
            self.error(line, "this key number was used before", "give each key its own number");
            return;
        }
        let origin = format!("{}:{line}", self.file);
        self.keys.push(KeyMaterial { id, secret: Secret(secret), origin, stage });
    }

    fn number(&mut self, line: usize) {
        self.error(line, "a key's number is 1 to 255", "number the keys 1, 2, 3");
    }

    fn authkeys_number(&mut self, line: usize) {
        self.error(line, "a key's number is 0 to 15 in authkeys", "number the keys 1, 2, 3");
    }

    /// The line itself stays out of it.
    fn error(&mut self, line: usize, message: &str, help: &str) {
        self.problems.push(Diagnostic {
            severity: Severity::Error,
            file: self.file.clone(),
            line,
            column: 1,
            length: 1,
            source_line: String::new(),
            message: message.to_owned(),
            help: Some(help.to_owned()),
        });
    }

    /// The key that signs comes first.
    fn finish(mut self, signing: Option<(usize, u8)>) -> Result<Vec<KeyMaterial>, Vec<Diagnostic>> {
        if self.keys.is_empty() && self.problems.is_empty() {
            self.error(1, "there is no key in this file", "make one with: lvsctl keygen");
        }
        if let Some((line, id)) = signing {
            match self.keys.iter().position(|key| key.id == id) {
                Some(place) => {
                    let key = self.keys.remove(place);
                    self.keys.insert(0, key);
                }
                None if self.problems.is_empty() => {
                    self.error(line, "the key that is to sign is not in this file", "add its line");
                }
                None => {}
            }
        }
        if self.problems.is_empty() { Ok(self.keys) } else { Err(self.problems) }
    }
}

#[cfg(test)]
mod tests;
