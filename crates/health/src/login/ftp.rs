//! FTP (RFC 959), passive (RFC 2428 and, for old servers, as before it).

use super::{Refused, Step, Talk, command, line, trimmed};

/// Who asks for what is for everybody.
const ANONYMOUS: &str = "anonymous";
/// What such a one gives as a password.
const PASSWORD: &str = "caribe@localhost";

/// Files.
pub(super) struct Ftp {
    name: String,
    password: String,
    path: Option<String>,
    state: State,
}

/// What the next answer is one to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    User,
    Password,
    Type,
    Extended,
    Passive,
    Retrieve,
}

impl Ftp {
    pub(super) fn new(login: Option<(&str, &str)>, path: Option<&str>) -> Self {
        let (name, password) = login.unwrap_or((ANONYMOUS, PASSWORD));
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            path: path.map(str::to_owned),
            state: State::Greeting,
        }
    }

    fn go(&mut self, state: State, words: &[&str]) -> Result<Step, Refused> {
        self.state = state;
        command(words)
    }

    fn taken(&mut self) -> Result<Step, Refused> {
        match self.path {
            Some(_) => self.go(State::Type, &["TYPE I"]),
            None => Ok(Step::Done(quit())),
        }
    }

    /// Where the file is to be fetched from. Only the port counts: another address than that of
    /// the real server would be somebody else.
    fn open(&mut self, port: Option<u16>, said: &[u8]) -> Result<Step, Refused> {
        let Some(port) = port.filter(|port| *port > 0) else {
            return Err(Refused::Foreign { protocol: "answer with a port", said: said.to_vec() });
        };
        let path = self.path.clone().unwrap_or_default();
        match self.go(State::Retrieve, &["RETR ", &path])? {
            Step::Say(say) => Ok(Step::Open { port, say }),
            other => Ok(other),
        }
    }
}

fn is_code(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn quit() -> Vec<u8> {
    b"QUIT\r\n".to_vec()
}

impl Talk for Ftp {
    /// A reply, whose last line begins with its code and a blank.
    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        let mut end = 0;
        let mut code = None;
        while let Some(length) = heard.get(end..).and_then(line) {
            let this = heard.get(end..end + length).unwrap_or_default();
            end += length;
            let (begin, mark) = (this.get(..3), this.get(3));
            match code {
                None if mark == Some(&b'-') && begin.is_some_and(is_code) => code = begin,
                Some(_) if begin != code || mark == Some(&b'-') => {}
                _ => return Ok(Some(end)),
            }
        }
        Ok(None)
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        let said = trimmed(message);
        let code = said.get(..3).filter(|code| is_code(code));
        let Some(code) = code else {
            return Err(Refused::Foreign { protocol: "FTP", said: said.to_vec() });
        };
        let refused = |what| Err(Refused::Said { what, said: said.to_vec() });
        match (self.state, code) {
            // It asks for patience.
            (State::Greeting, b"120") => Ok(Step::Hear),
            (State::Greeting, b"220") => {
                let name = self.name.clone();
                self.go(State::User, &["USER ", &name])
            }
            (State::User, b"331") => {
                let password = self.password.clone();
                self.go(State::Password, &["PASS ", &password])
            }
            (State::User | State::Password, b"230") | (State::Password, b"202") => self.taken(),
            (State::Type, b"200") => self.go(State::Extended, &["EPSV"]),
            (State::Extended, b"229") => self.open(extended(said), said),
            (State::Extended, _) => self.go(State::Passive, &["PASV"]),
            (State::Passive, b"227") => self.open(passive(said), said),
            (State::Retrieve, b"125" | b"150") => Ok(Step::Fetch(quit())),
            (State::Greeting, _) => refused("connection"),
            (State::User | State::Password, _) => refused("login"),
            _ => refused("file"),
        }
    }
}

/// `229 Entering Extended Passive Mode (|||6446|)`.
fn extended(said: &[u8]) -> Option<u16> {
    let inner = std::str::from_utf8(said).ok()?.rsplit_once('(')?.1;
    let mut parts = inner.split(inner.chars().next()?);
    parts.nth(3)?.parse().ok()
}

/// `227 Entering Passive Mode (192,168,1,4,25,46)`, with or without brackets.
fn passive(said: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(said.get(3..)?).ok()?;
    let is_part = |c: char| c.is_ascii_digit() || c == ',';
    let numbers = text.split(|c: char| !is_part(c)).find(|run| run.contains(','))?;
    let mut numbers = numbers.split(',').map(|number| number.parse::<u8>().ok());
    let (high, low) = (numbers.nth(4)??, numbers.next()??);
    Some(u16::from_be_bytes([high, low]))
}
