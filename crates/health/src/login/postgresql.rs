//! The protocol of PostgreSQL: a login, and a query that has to give a row.

use config::model::Query;
use md5::{Digest, Md5};

use super::scram::Scram;
use super::{Asked, MESSAGE, Refused, Step, Talk};

/// Version 3.0 of the protocol.
const VERSION: u32 = 3 << 16;
/// "Do you speak TLS?"
const TLS: u32 = 80_877_103;
/// Bytes before a message: its kind and its length.
const HEAD: usize = 5;
/// Kinds of logins.
const DONE: u32 = 0;
const PLAIN: u32 = 3;
const MD5: u32 = 5;
const SASL: u32 = 10;
const SASL_GO_ON: u32 = 11;
const SASL_END: u32 = 12;
/// The way of SASL that is known here.
const WAY: &[u8] = b"SCRAM-SHA-256";

/// A database.
pub(super) struct Postgresql {
    name: String,
    password: String,
    asked: Query,
    nonce: String,
    scram: Option<Scram>,
    state: State,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server says in one byte whether it speaks TLS.
    Tls,
    /// The client begins.
    Beginning,
    Login,
    /// Logged in; the server says what it likes until it is ready.
    Settling,
    Row,
}

impl Postgresql {
    pub(super) fn new(
        name: &str,
        password: &str,
        asked: &Query,
        (wants_tls, nonce): (bool, String),
    ) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            asked: asked.clone(),
            nonce,
            scram: None,
            state: if wants_tls { State::Tls } else { State::Beginning },
        }
    }

    fn hello(&mut self) -> Result<Step, Refused> {
        self.state = State::Login;
        let database = self.asked.database.as_deref().unwrap_or(&self.name);
        let words = ["user", &self.name, "database", database, "application_name", "caribe"];
        if words.iter().any(|word| word.contains('\0')) {
            return Err(Refused::Unsayable("the login holds a control character"));
        }
        let mut hello = VERSION.to_be_bytes().to_vec();
        for word in words {
            hello.extend(word.as_bytes());
            hello.push(0);
        }
        hello.push(0);
        Ok(Step::Say(long(&hello)))
    }

    fn login(&mut self, content: &[u8]) -> Result<Step, Refused> {
        let (kind, rest) = content.split_first_chunk::<4>().ok_or_else(|| foreign(content))?;
        match u32::from_be_bytes(*kind) {
            DONE => {
                self.state = State::Settling;
                Ok(Step::Hear)
            }
            PLAIN => Ok(self.password_message(self.password.as_bytes())),
            MD5 => {
                let inner = hex(&[self.password.as_bytes(), self.name.as_bytes()]);
                let outer = hex(&[inner.as_bytes(), rest]);
                Ok(self.password_message(format!("md5{outer}").as_bytes()))
            }
            SASL if rest.split(|byte| *byte == 0).any(|way| way == WAY) => {
                let scram = Scram::new(&self.password, &self.nonce);
                let first = scram.first();
                let length = u32::try_from(first.len()).unwrap_or(0).to_be_bytes();
                self.scram = Some(scram);
                Ok(Step::Say(message(b'p', &[WAY, &[0], &length, first.as_bytes()])))
            }
            SASL_GO_ON => {
                let scram = self.scram.as_mut().ok_or_else(|| foreign(content))?;
                let proof = scram.proof(rest)?;
                Ok(Step::Say(message(b'p', &[proof.as_bytes()])))
            }
            SASL_END => {
                let scram = self.scram.as_ref().ok_or_else(|| foreign(content))?;
                scram.verify(rest)?;
                Ok(Step::Hear)
            }
            other => {
                let said = other.to_string().into_bytes();
                Err(Refused::Foreign { protocol: "login known here", said })
            }
        }
    }

    fn password_message(&self, password: &[u8]) -> Step {
        Step::Say(message(b'p', &[password, &[0]]))
    }

    fn ready(&mut self) -> Step {
        let Some(query) = &self.asked.query else { return Step::Done(quit()) };
        self.state = State::Row;
        Step::Say(message(b'Q', &[query.as_bytes(), &[0]]))
    }
}

fn quit() -> Vec<u8> {
    message(b'X', &[])
}

fn foreign(said: &[u8]) -> Refused {
    Refused::Foreign { protocol: "PostgreSQL", said: said.to_vec() }
}

/// A length, which counts itself, and what it is the length of.
fn long(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).unwrap_or(0).to_be_bytes();
    [length.as_slice(), content].concat()
}

fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[kind], long(&parts.concat()).as_slice()].concat()
}

fn hex(parts: &[&[u8]]) -> String {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The words of an error: its fields are a letter, a text and a zero each.
fn words(content: &[u8]) -> Vec<u8> {
    let mut fields = content.split(|byte| *byte == 0);
    let message = fields.find_map(|field| field.strip_prefix(b"M"));
    message.unwrap_or(content).to_vec()
}

impl Talk for Postgresql {
    fn begin(&mut self) -> Result<Step, Refused> {
        match self.state {
            State::Tls => Ok(Step::Say(long(&TLS.to_be_bytes()))),
            _ => self.hello(),
        }
    }

    fn secured(&mut self) -> Result<Step, Refused> {
        self.hello()
    }

    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        if self.state == State::Tls {
            return Ok(Some(1).filter(|_| !heard.is_empty()));
        }
        let Some((&[kind, a, b, c, d], _)) = heard.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        // Its head is enough to know a row.
        if kind == b'D' && self.state == State::Row {
            return Ok(Some(HEAD));
        }
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if !(4..=MESSAGE).contains(&length) {
            return Err(if self.state == State::Login { foreign(heard) } else { Refused::TooLong });
        }
        Ok(Some(length + 1).filter(|end| *end <= heard.len()))
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        if self.state == State::Tls {
            return match message {
                b"S" => {
                    self.state = State::Beginning;
                    Ok(Step::Secure(Vec::new()))
                }
                b"N" => Err(Refused::Empty("the server knows no TLS")),
                _ => Err(foreign(message)),
            };
        }
        let content = message.get(HEAD..).unwrap_or_default();
        match (self.state, message.first().copied().unwrap_or_default()) {
            (state, b'E') => {
                let what = if state == State::Row { "query" } else { "login" };
                Err(Refused::Said { what, said: words(content) })
            }
            // Notices, settings, and what versions have in common.
            (_, b'N' | b'S' | b'v') => Ok(Step::Hear),
            (State::Login, b'R') => self.login(content),
            (State::Settling, b'K') => Ok(Step::Hear),
            (State::Settling, b'Z') => Ok(self.ready()),
            (State::Row, b'T') => Ok(Step::Hear),
            (State::Row, b'D') => Ok(Step::Done(quit())),
            (State::Row, b'C' | b'I') => Err(Refused::Empty(Asked::NO_ROW)),
            _ => Err(foreign(message)),
        }
    }
}
