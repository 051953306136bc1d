//! POP3 (RFC 1939).

use super::{Refused, Step, Talk, command, line, trimmed};

/// A mailbox.
pub(super) struct Pop {
    name: String,
    password: String,
    state: State,
}

/// What the next answer is one to.
enum State {
    Greeting,
    User,
    Password,
}

impl Pop {
    pub(super) fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), state: State::Greeting }
    }
}

impl Talk for Pop {
    fn length(&self, heard: &[u8]) -> Result<Option<usize>, Refused> {
        Ok(line(heard))
    }

    fn answer(&mut self, message: &[u8]) -> Result<Step, Refused> {
        let said = trimmed(message);
        let what = match self.state {
            State::Greeting => "connection",
            State::User => "user",
            State::Password => "login",
        };
        if said.starts_with(b"-ERR") {
            return Err(Refused::Said { what, said: said.to_vec() });
        }
        if !said.starts_with(b"+OK") {
            return Err(Refused::Foreign { protocol: "POP3", said: said.to_vec() });
        }
        match self.state {
            State::Greeting => {
                self.state = State::User;
                command(&["USER ", &self.name])
            }
            State::User => {
                self.state = State::Password;
                command(&["PASS ", &self.password])
            }
            State::Password => Ok(Step::Done(b"QUIT\r\n".to_vec())),
        }
    }
}
