//! Logging in at a server, without a socket: what it says comes in, what is to be done comes out.
//!
//! Answers are hostile input: every message has a limit, and so has all that is heard. No reason
//! that comes out of here holds a password, even where a server repeats it.

mod ber;
mod ftp;
mod imap;
mod ldap;
mod mysql;
mod pop;
mod postgresql;
pub mod radius;
mod scram;

use config::model::{LoginCheck, LoginService};
use thiserror::Error;

use crate::escape::show;

/// Longest message of a server, in bytes.
const MESSAGE: usize = 64 << 10;
/// All that one server may say, in bytes.
const ALL: usize = 256 << 10;
/// What stands where a server repeats a password.
const HIDDEN: &[u8] = b"***";

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for more of what the server says.
    Hear,
    /// Send this.
    Say(Vec<u8>),
    /// Send this, and then go on inside TLS.
    Secure(Vec<u8>),
    /// Open another connection, to this port of the same server, and then send this.
    Open {
        /// The port.
        port: u16,
        /// What is sent over the first connection.
        say: Vec<u8>,
    },
    /// Read the other connection to its end: what comes there decides. Then send this.
    Fetch(Vec<u8>),
    /// The server is well if this text is as expected. Then send `say`.
    Judge {
        /// The text.
        text: Vec<u8>,
        /// The farewell, which needs no answer.
        say: Vec<u8>,
    },
    /// The server is well. The farewell needs no answer.
    Done(Vec<u8>),
}

/// Why a server is not well.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It says no.
    #[error("{what} refused: {}", show(.said))]
    Said {
        /// What it says no to.
        what: &'static str,
        /// Its words.
        said: Vec<u8>,
    },
    /// It speaks something else.
    #[error("{} is no {protocol}", show(.said))]
    Foreign {
        /// What was wanted.
        protocol: &'static str,
        /// Its words.
        said: Vec<u8>,
    },
    /// It says yes, and gives nothing.
    #[error("{0}")]
    Empty(&'static str),
    /// What it says has no end.
    #[error("the answer is too long")]
    TooLong,
    /// This cannot be sent to any server.
    #[error("{0}")]
    Unsayable(&'static str),
}

/// What is said of databases.
struct Asked;

impl Asked {
    const NO_ROW: &str = "the query gives no row";
}

/// One protocol.
trait Talk: Send {
    /// What is done first.
    fn begin(&mut self) -> Result<Step, Refused> {
        Ok(Step::Hear)
    }

    /// What is done once the connection is inside TLS.
    fn secured(&mut self) -> Result<Step, Refused> {
        Ok(Step::Hear)
    }

    /// How long the first message is; none while its end has not come.
    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused>;

    /// What follows from one message.
    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused>;
}

/// One talk with one server.
pub struct Session {
    talk: Box<dyn Talk>,
    secrets: Vec<Vec<u8>>,
    heard: Vec<u8>,
    all: usize,
    /// A step of the client's own comes next: at first, and after TLS.
    next: Option<Own>,
}

#[derive(Clone, Copy)]
enum Own {
    Begin,
    Secured,
}

impl Session {
    /// The talk of a check, except of RADIUS, which is no talk but one question: see [`radius`].
    /// Nobody may be able to guess `random`.
    ///
    /// # Errors
    /// There is none.
    pub fn new(check: &LoginCheck, random: [u8; 16]) -> Result<Self, Refused> {
        let login =
            check.login.as_ref().map(|login| (login.name.as_str(), login.password.expose()));
        let (name, password) = login.unwrap_or_default();
        let tls = check.tls.is_some();
        let talk: Box<dyn Talk> = match &check.service {
            LoginService::Pop => Box::new(pop::Pop::new(name, password)),
            LoginService::Imap => Box::new(imap::Imap::new(name, password)),
            LoginService::Ftp { path, .. } => Box::new(ftp::Ftp::new(login, path.as_deref())),
            LoginService::Ldap { base, .. } => Box::new(ldap::Ldap::new(name, password, base)),
            LoginService::Mysql(asked) => Box::new(mysql::Mysql::new(name, password, asked, tls)),
            LoginService::Postgresql(asked) => {
                let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
                Box::new(postgresql::Postgresql::new(name, password, asked, (tls, nonce)))
            }
            LoginService::Radius { .. } => {
                return Err(Refused::Unsayable("RADIUS has no connection"));
            }
        };
        let secrets = [password].map(|secret| secret.as_bytes().to_vec());
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        let next = Some(Own::Begin);
        Ok(Self { talk, secrets, heard: Vec::new(), all: 0, next })
    }

    /// The connection is inside TLS now. What came before was not, and is forgotten.
    pub fn secured(&mut self) {
        self.heard.clear();
        self.next = Some(Own::Secured);
    }

    /// The server said this.
    ///
    /// # Errors
    /// It says too much.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.all = self.all.saturating_add(bytes.len());
        if self.all > ALL {
            return Err(Refused::TooLong);
        }
        self.heard.extend_from_slice(bytes);
        Ok(())
    }

    /// What is to be done, after all that was heard so far.
    ///
    /// # Errors
    /// The server is not well.
    pub fn next_step(&mut self) -> Result<Step, Refused> {
        let step = self.step();
        step.map_err(|refused| self.without_secrets(refused))
    }

    fn step(&mut self) -> Result<Step, Refused> {
        let own = match self.next.take() {
            Some(Own::Begin) => self.talk.begin()?,
            Some(Own::Secured) => self.talk.secured()?,
            None => Step::Hear,
        };
        if own != Step::Hear {
            return Ok(own);
        }
        while let Some(length) = self.talk.length(&self.heard)? {
            let rest = self.heard.split_off(length.min(self.heard.len()));
            let message = std::mem::replace(&mut self.heard, rest);
            let step = self.talk.answer(&message)?;
            if step != Step::Hear {
                return Ok(step);
            }
        }
        if self.heard.len() > MESSAGE { Err(Refused::TooLong) } else { Ok(Step::Hear) }
    }

    fn without_secrets(&self, refused: Refused) -> Refused {
        let clean =
            |said: Vec<u8>| self.secrets.iter().fold(said, |said, secret| hide(&said, secret));
        match refused {
            Refused::Said { what, said } => Refused::Said { what, said: clean(said) },
            Refused::Foreign { protocol, said } => Refused::Foreign { protocol, said: clean(said) },
            other => other,
        }
    }
}

/// A text without another one.
fn hide(said: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(said.len());
    let mut rest = said;
    if secret.is_empty() {
        return said.to_vec();
    }
    while let Some((first, after)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(secret) {
            clean.extend_from_slice(HIDDEN);
            rest = behind;
        } else {
            clean.push(*first);
            rest = after;
        }
    }
    clean
}

/// The length of a line, with its end.
fn line(heard: &[u8]) -> Option<usize> {
    heard.iter().position(|byte| *byte == b'\n').map(|end| end + 1)
}

/// A line without its end.
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// A command whose words cannot end its line.
fn command(words: &[&str]) -> Result<Step, Refused> {
    let text = words.concat();
    if text.contains(char::is_control) {
        return Err(Refused::Unsayable("the login holds a control character"));
    }
    Ok(Step::Say(format!("{text}\r\n").into_bytes()))
}

#[cfg(test)]
mod tests;
