//! The protocol of MySQL and MariaDB: a login, and a query that has to give a row.

use config::model::Query;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::{Asked, MESSAGE, Refused, Step, Talk};

/// What a client can, as flags of the handshake.
mod can {
    pub(super) const LONG_PASSWORD: u32 = 1;
    pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const TLS: u32 = 1 << 11;
    pub(super) const TRANSACTIONS: u32 = 1 << 13;
    pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
}

/// Logins that are known here.
const NATIVE: &[u8] = b"mysql_native_password";
const CACHING: &[u8] = b"caching_sha2_password";
/// Bytes of the server's challenge.
const CHALLENGE: usize = 20;
/// Characters: utf8, which each version knows.
const UTF8: u8 = 33;
/// Bytes before a packet.
const HEAD: usize = 4;
/// The first byte of a packet that says what it is.
const OK: u8 = 0;
const MORE: u8 = 1;
const FILE: u8 = 0xfb;
const SWITCH: u8 = 0xfe;
const ERROR: u8 = 0xff;
/// What caching_sha2_password says: the server remembers us, or it wants the whole password.
const REMEMBERED: u8 = 3;
const WHOLE: u8 = 4;

/// A database.
pub(super) struct Mysql {
    name: String,
    password: String,
    asked: Query,
    /// TLS is wanted in any case.
    wants_tls: bool,
    is_secure: bool,
    /// Number of the next packet of ours.
    number: u8,
    plugin: Vec<u8>,
    challenge: Vec<u8>,
    state: State,
}

/// What the next packet is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    /// The rest of the handshake, inside TLS, which the client begins.
    Secured,
    Login,
    Count,
    /// So many columns are still described, and then comes an end.
    Columns(u64),
    Row,
}

impl Mysql {
    pub(super) fn new(name: &str, password: &str, asked: &Query, wants_tls: bool) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            asked: asked.clone(),
            wants_tls,
            is_secure: false,
            number: 0,
            plugin: Vec::new(),
            challenge: Vec::new(),
            state: State::Greeting,
        }
    }

    fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap_or(0).to_le_bytes();
        let mut packet = length.get(..3).unwrap_or_default().to_vec();
        packet.push(self.number);
        self.number = self.number.wrapping_add(1);
        packet.extend_from_slice(payload);
        packet
    }

    fn greeted(&mut self, payload: &[u8]) -> Result<Step, Refused> {
        let greeting = Greeting::read(payload).ok_or_else(|| foreign(payload))?;
        self.plugin = greeting.plugin.to_vec();
        self.challenge = greeting.challenge;
        let offers_tls = greeting.can & can::TLS != 0;
        if self.wants_tls && !offers_tls {
            return Err(Refused::Empty("the server knows no TLS"));
        }
        // This login may want the whole password, which goes through TLS alone.
        if self.wants_tls || offers_tls && self.plugin == CACHING {
            self.state = State::Secured;
            let head = self.hello(can::TLS);
            return Ok(Step::Secure(self.packet(&head)));
        }
        self.log_in(0)
    }

    /// What both packets of a login begin with.
    fn hello(&self, more: u32) -> Vec<u8> {
        let database = if self.asked.database.is_some() { can::CONNECT_WITH_DB } else { 0 };
        let can = can::LONG_PASSWORD
            | can::PROTOCOL_41
            | can::TRANSACTIONS
            | can::SECURE_CONNECTION
            | can::PLUGIN_AUTH
            | database
            | more;
        let mut hello = can.to_le_bytes().to_vec();
        hello.extend((1_u32 << 24).to_le_bytes());
        hello.push(UTF8);
        hello.extend([0; 23]);
        hello
    }

    fn log_in(&mut self, more: u32) -> Result<Step, Refused> {
        let proof = self.proof()?;
        let mut login = self.hello(more);
        login.extend(self.name.as_bytes());
        login.push(0);
        login.push(u8::try_from(proof.len()).unwrap_or(0));
        login.extend(proof);
        if let Some(database) = &self.asked.database {
            login.extend(database.as_bytes());
            login.push(0);
        }
        login.extend(&self.plugin);
        login.push(0);
        self.state = State::Login;
        Ok(Step::Say(self.packet(&login)))
    }

    /// What shows that we know the password.
    fn proof(&self) -> Result<Vec<u8>, Refused> {
        let password = self.password.as_bytes();
        if password.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self.plugin.as_slice() {
            NATIVE | b"" => {
                let sha = |parts: &[&[u8]]| hash(&SHA1_FOR_LEGACY_USE_ONLY, parts);
                let once = sha(&[password]);
                mixed(&once, &sha(&[&self.challenge, &sha(&[&once])]))
            }
            CACHING => {
                let sha = |parts: &[&[u8]]| hash(&SHA256, parts);
                let once = sha(&[password]);
                mixed(&once, &sha(&[&sha(&[&once]), &self.challenge]))
            }
            other => {
                return Err(Refused::Foreign {
                    protocol: "login known here",
                    said: other.to_vec(),
                });
            }
        })
    }

    fn during_login(&mut self, payload: &[u8]) -> Result<Step, Refused> {
        match payload.split_first() {
            Some((&OK, _)) => self.logged_in(),
            Some((&SWITCH, rest)) => {
                let end =
                    rest.iter().position(|byte| *byte == 0).ok_or_else(|| foreign(payload))?;
                let (plugin, challenge) = rest.split_at(end);
                self.plugin = plugin.to_vec();
                self.challenge = challenge.iter().skip(1).take(CHALLENGE).copied().collect();
                let proof = self.proof()?;
                Ok(Step::Say(self.packet(&proof)))
            }
            Some((&MORE, [REMEMBERED])) => Ok(Step::Hear),
            Some((&MORE, [WHOLE])) if self.is_secure => {
                let whole = [self.password.as_bytes(), &[0]].concat();
                Ok(Step::Say(self.packet(&whole)))
            }
            Some((&MORE, [WHOLE])) => Err(Refused::Empty(
                "the server wants the whole password, which goes through TLS alone",
            )),
            _ => Err(foreign(payload)),
        }
    }

    fn logged_in(&mut self) -> Result<Step, Refused> {
        self.number = 0;
        let Some(query) = &self.asked.query else { return Ok(Step::Done(self.quit())) };
        let query = [&[3], query.as_bytes()].concat();
        self.state = State::Count;
        Ok(Step::Say(self.packet(&query)))
    }

    fn quit(&mut self) -> Vec<u8> {
        self.number = 0;
        self.packet(&[1])
    }

    fn counted(&mut self, payload: &[u8]) -> Result<Step, Refused> {
        let count = match payload {
            [OK, ..] => return Err(Refused::Empty(Asked::NO_ROW)),
            [FILE, ..] => return Err(Refused::Empty("the server wants a file of ours")),
            [0xfc, low, high, ..] => u64::from(u16::from_le_bytes([*low, *high])),
            [count, ..] if *count < FILE => u64::from(*count),
            _ => return Err(foreign(payload)),
        };
        self.state = State::Columns(count);
        Ok(Step::Hear)
    }
}

fn hash(how: &'static ring::digest::Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(how);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

fn mixed(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}

fn foreign(said: &[u8]) -> Refused {
    Refused::Foreign { protocol: "MySQL", said: said.to_vec() }
}

/// What a server says first.
struct Greeting<'a> {
    can: u32,
    plugin: &'a [u8],
    challenge: Vec<u8>,
}

impl<'a> Greeting<'a> {
    fn read(payload: &'a [u8]) -> Option<Self> {
        let (&[10], rest) = payload.split_first_chunk::<1>()? else { return None };
        let version = rest.iter().position(|byte| *byte == 0)?;
        let rest = rest.get(version + 1..)?;
        // The number of the connection, the first part of the challenge, and a zero.
        let first = rest.get(4..12)?;
        let rest = rest.get(13..)?;
        let (low, rest) = rest.split_first_chunk::<2>()?;
        // Characters and status.
        let (high, rest) = rest.get(3..)?.split_first_chunk::<2>()?;
        let can = u32::from(u16::from_le_bytes(*low)) | u32::from(u16::from_le_bytes(*high)) << 16;
        let length = usize::from(*rest.first()?);
        let rest = rest.get(11..)?;
        let second = length.saturating_sub(8).max(13);
        let challenge = first.iter().chain(rest).take(CHALLENGE).copied().collect();
        let plugin = if can & can::PLUGIN_AUTH == 0 { NATIVE } else { rest.get(second..)? };
        let end = plugin.iter().position(|byte| *byte == 0).unwrap_or(plugin.len());
        Some(Self { can, plugin: plugin.get(..end)?, challenge })
    }
}

/// `#28000Access denied …`, without the number before it.
fn error(payload: &[u8]) -> Vec<u8> {
    let words = payload.get(3..).unwrap_or_default();
    let words = if words.first() == Some(&b'#') { words.get(6..) } else { Some(words) };
    words.unwrap_or_default().to_vec()
}

impl Talk for Mysql {
    fn secured(&mut self) -> Result<Step, Refused> {
        self.is_secure = true;
        self.log_in(can::TLS)
    }

    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        let Some((&[a, b, c, _], _)) = heard.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or(usize::MAX);
        let is_row = self.state == State::Row && length > 0;
        // The first byte of a row tells enough.
        let wanted = HEAD + if is_row { length.min(9) } else { length };
        if wanted > MESSAGE {
            return Err(if self.state == State::Greeting {
                foreign(heard)
            } else {
                Refused::TooLong
            });
        }
        Ok(Some(wanted).filter(|wanted| *wanted <= heard.len()))
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        let (&[a, b, c, number], payload) =
            message.split_first_chunk::<HEAD>().ok_or_else(|| foreign(message))?;
        self.number = number.wrapping_add(1);
        if payload.first() == Some(&ERROR) {
            let what = match self.state {
                State::Greeting => "connection",
                State::Secured | State::Login => "login",
                _ => "query",
            };
            return Err(Refused::Said { what, said: error(payload) });
        }
        match self.state {
            State::Greeting => self.greeted(payload),
            State::Secured => Err(foreign(payload)),
            State::Login => self.during_login(payload),
            State::Count => self.counted(payload),
            State::Columns(0) => {
                self.state = State::Row;
                Ok(Step::Hear)
            }
            State::Columns(left) => {
                self.state = State::Columns(left - 1);
                Ok(Step::Hear)
            }
            State::Row => {
                let is_end = payload.first() == Some(&SWITCH) && (b, c) == (0, 0) && a < 9;
                if is_end {
                    return Err(Refused::Empty(Asked::NO_ROW));
                }
                Ok(Step::Done(self.quit()))
            }
        }
    }
}
