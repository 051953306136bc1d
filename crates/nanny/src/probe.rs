//! One check of one server.

mod connect;
mod conversation;
mod data_path;
mod dialogue;
mod dns;
mod external;
mod http;
mod login;
mod ping;
mod tls;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use config::model::{Check, CheckKind};

use conversation::Conversation;
use data_path::DataPath;
pub(crate) use dialogue::Dialogue;
use dns::Dns;
pub(crate) use external::External;
pub(crate) use http::Http;
use login::Login;
pub(crate) use tls::{Side as TlsSide, TlsConfigs};
use tokio::time::timeout;

use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// A check, ready to be done again and again.
#[derive(Debug)]
pub struct Probe {
    target: SocketAddr,
    timeout: Duration,
    kind: Kind,
    /// Connections that are opened between two checks that ask everything.
    connects: u32,
    /// How many of them are left.
    left: AtomicU32,
}

#[derive(Debug)]
enum Kind {
    On,
    Off,
    Connect,
    Dialogue(Dialogue),
    Conversation(Box<Conversation>),
    Dns(Box<Dns>),
    Login(Box<Login>),
    Http(Box<Http>),
    External(Box<External>),
    Ping,
    DataPath(DataPath),
    /// It cannot be done as it is written; each run says why.
    Broken(String),
    /// A defect of ours, to see what becomes of it.
    #[cfg(test)]
    Panics,
}

impl Probe {
    /// Makes a check ready. What cannot be done as written fails at each run and says why, so
    /// that one bad check is one server's trouble.
    pub fn new(
        server: SocketAddr,
        virtual_server: Option<SocketAddr>,
        check: &Check,
        shared: &Shared,
    ) -> Self {
        let target = SocketAddr::new(server.ip(), check.port.unwrap_or(server.port()));
        let kind = Self::kind(target, server, virtual_server, &check.kind, shared)
            .unwrap_or_else(|failure| Kind::Broken(failure.to_string()));
        Self { target, timeout: check.timeout, kind, connects: check.connects, left: 0.into() }
    }

    fn kind(
        target: SocketAddr,
        server: SocketAddr,
        virtual_server: Option<SocketAddr>,
        kind: &CheckKind,
        shared: &Shared,
    ) -> Result<Kind, Failure> {
        let needs_port = matches!(
            kind,
            CheckKind::Connect
                | CheckKind::SendExpect { .. }
                | CheckKind::Http(_)
                | CheckKind::Dialogue(_)
                | CheckKind::Dns(_)
                | CheckKind::Login(_)
        );
        if needs_port && target.port() == 0 {
            return Err(Failure::Other("the check has no port to ask".to_owned()));
        }
        Ok(match kind {
            CheckKind::On => Kind::On,
            CheckKind::Off => Kind::Off,
            CheckKind::Connect => Kind::Connect,
            CheckKind::Ping => Kind::Ping,
            CheckKind::DataPath { tunnel } => {
                Kind::DataPath(DataPath::new(server, virtual_server, *tunnel)?)
            }
            CheckKind::SendExpect { udp, send, expect } => {
                Kind::Dialogue(Dialogue::new(*udp, send.clone(), expect.as_ref(), shared)?)
            }
            CheckKind::Http(http) => Kind::Http(Box::new(Http::new(target, http, shared)?)),
            CheckKind::Dialogue(dialogue) => {
                Kind::Conversation(Box::new(Conversation::new(target, dialogue, shared)?))
            }
            CheckKind::Dns(dns) => Kind::Dns(Box::new(Dns::new(dns, shared)?)),
            CheckKind::Login(check) => Kind::Login(Box::new(Login::new(target, check, shared)?)),
            CheckKind::External { argv, expect, sets_weight } => {
                let expect = expect.as_ref();
                let mut program = External::new(argv, server, virtual_server, expect, shared)?;
                program.sets_weight = *sets_weight;
                Kind::External(Box::new(program))
            }
        })
    }

    /// The same; where it runs a program, a good result is what that printed.
    pub(crate) fn printing(mut self) -> Self {
        if let Kind::External(external) = &mut self.kind {
            external.prints = true;
        }
        self
    }

    /// Does it once. The limit of the check holds over everything, except the wait of a program
    /// for its turn.
    ///
    /// # Errors
    /// The server is not well, or [`Failure::Here`].
    pub async fn run(&self, shared: &Arc<Shared>, trace: &mut Trace) -> Result<Seen, Failure> {
        let left = self.left.load(Ordering::Relaxed);
        let kind = if left > 0 { &Kind::Connect } else { &self.kind };
        let outcome = self.once(kind, shared, trace).await;
        // After a failure everything is asked, and so it is at first.
        let next = match (&outcome, left) {
            (Err(_), _) => 0,
            (Ok(_), 0) => self.connects,
            (Ok(_), left) => left - 1,
        };
        self.left.store(next, Ordering::Relaxed);
        outcome
    }

    async fn once(
        &self,
        kind: &Kind,
        shared: &Arc<Shared>,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let limit = self.timeout;
        // Large futures are boxed: a watch waits most of its life, and should be small then.
        let outcome = match kind {
            Kind::On => return Ok(Cow::Borrowed("always up")),
            Kind::Off => return Err(Failure::Other("always down".to_owned())),
            Kind::DataPath(path) => return Box::pin(path.run(limit, shared, trace)).await,
            Kind::Broken(why) => return Err(Failure::Other(why.clone())),
            #[cfg(test)]
            Kind::Panics => panic!("on purpose"),
            Kind::Connect => match connect::start(self.target)? {
                connect::Started::Done => return Ok(connect::CONNECTED),
                connect::Started::Pending(socket) => timeout(limit, connect::finish(socket)).await,
            },
            Kind::Dialogue(dialogue) => {
                timeout(limit, Box::pin(dialogue.run(self.target, limit, trace))).await
            }
            Kind::Http(http) => {
                timeout(limit, Box::pin(http.run(self.target, shared, trace))).await
            }
            Kind::Conversation(conversation) => {
                timeout(limit, Box::pin(conversation.run(self.target, shared, trace))).await
            }
            Kind::Dns(dns) => timeout(limit, Box::pin(dns.run(self.target, limit, trace))).await,
            Kind::Login(login) => {
                timeout(limit, Box::pin(login.run(self.target, limit, shared, trace))).await
            }
            Kind::External(external) => {
                let _turn = shared.program_turn().await;
                trace.enter(Phase::Program);
                timeout(limit, Box::pin(external.run(trace))).await
            }
            Kind::Ping => {
                trace.enter(Phase::Echo);
                timeout(limit, Box::pin(ping::run(self.target.ip(), shared))).await
            }
        };
        outcome.unwrap_or_else(|_| {
            Err(match trace.unexpected() {
                Some(heard) => Failure::Unexpected { heard: heard.to_vec(), limit },
                None => Failure::TooSlow { phase: trace.phase(), limit },
            })
        })
    }
}

#[cfg(test)]
impl Probe {
    /// A probe that is a defect.
    pub(crate) fn panicking() -> Self {
        let target = SocketAddr::from(([127, 0, 0, 1], 0));
        let timeout = Duration::from_secs(1);
        Self { target, timeout, kind: Kind::Panics, connects: 0, left: 0.into() }
    }
}

#[cfg(test)]
mod tests;
