//! Logging in.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::model::{Expect, LoginCheck, LoginService, Tls};
use health::body::Body;
use health::expect::{Ask, Pattern, Progress};
use health::login::radius::Request;
use health::login::{Session, Step};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{connect, tls};
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// Bytes read at a time.
const PIECE: usize = 4 << 10;

/// What is seen when the server takes the login.
const TAKEN: Seen = Cow::Borrowed("login taken");
/// The same where it was asked something then.
const ANSWERED: Seen = Cow::Borrowed("login taken, expected answer");

/// The check.
#[derive(Debug)]
pub(crate) struct Login {
    check: LoginCheck,
    tls: Option<tls::Side>,
    expect: Option<Arc<Pattern>>,
}

/// How far a talk went over one connection.
enum Part {
    Over(Seen),
    /// It goes on inside TLS.
    Secure,
    /// It goes on with another connection, to this port, and with these words.
    Open(u16, Vec<u8>),
    /// What comes over the other connection decides, and then these are the last words.
    Fetch(Vec<u8>),
}

impl Login {
    pub(crate) fn new(
        target: SocketAddr,
        check: &LoginCheck,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        // MySQL may want TLS by itself; then nobody has said whom to believe.
        let anybody = Tls { verify: false, ca_file: None, name: None };
        let tls = match &check.service {
            LoginService::Mysql(_) => Some(check.tls.as_ref().unwrap_or(&anybody)),
            _ => check.tls.as_ref(),
        };
        let tls = tls.map(|tls| tls::Side::new(target.ip(), None, tls)).transpose()?;
        let expect = wanted(&check.service).map(|expect| shared.pattern(expect)).transpose()?;
        Ok(Self { check: check.clone(), tls, expect })
    }

    pub(super) async fn run(
        &self,
        target: SocketAddr,
        limit: Duration,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        match &self.check.service {
            LoginService::Radius { secret } => {
                trace.enter(Phase::Answer);
                self.ask(target, limit, secret.expose()).await
            }
            LoginService::Mysql(_) | LoginService::Postgresql(_) => {
                self.run_database(target, shared, trace).await
            }
            _ => {
                let stream = connect::reach(self.tls.as_ref(), target, shared, trace).await?;
                self.run_over(stream, target, trace).await
            }
        }
    }

    async fn run_over(
        &self,
        mut stream: Box<dyn connect::Stream>,
        target: SocketAddr,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        trace.enter(Phase::Answer);
        let mut session = Session::new(&self.check, random()?)?;
        let mut other = None;
        loop {
            match self.talk(&mut stream, &mut session, trace).await? {
                Part::Over(seen) => return Ok(seen),
                Part::Open(port, bytes) => {
                    other = Some(connect::open(SocketAddr::new(target.ip(), port)).await?);
                    say(&mut stream, &bytes).await?;
                }
                Part::Fetch(bytes) => {
                    trace.enter(Phase::Body);
                    if let (Some(pattern), Some(other)) = (&self.expect, &mut other) {
                        fetch(other, pattern).await?;
                    }
                    farewell(&mut stream, &bytes).await;
                    return Ok(ANSWERED);
                }
                Part::Secure => return Err(Failure::Closed("before TLS")),
            }
        }
    }

    /// Databases begin TLS in the middle of the talk.
    async fn run_database(
        &self,
        target: SocketAddr,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let config = match &self.tls {
            Some(side) => Some((side, shared.tls(side).await?)),
            None => None,
        };
        trace.enter(Phase::Connect);
        let mut stream = connect::open(target).await?;
        trace.enter(Phase::Answer);
        let mut session = Session::new(&self.check, random()?)?;
        match (self.talk(&mut stream, &mut session, trace).await?, config) {
            (Part::Over(seen), _) => Ok(seen),
            (Part::Secure, Some((side, config))) => {
                trace.enter(Phase::Handshake);
                let mut stream = side.handshake(config, stream).await?;
                trace.enter(Phase::Answer);
                session.secured();
                match self.talk(&mut stream, &mut session, trace).await? {
                    Part::Over(seen) => Ok(seen),
                    _ => Err(Failure::Closed("before an answer")),
                }
            }
            _ => Err(Failure::Closed("before TLS")),
        }
    }

    /// Over one connection, until something else than that is needed.
    async fn talk(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        session: &mut Session,
        trace: &mut Trace,
    ) -> Result<Part, Failure> {
        let mut buffer = vec![0; PIECE];
        loop {
            match session.next_step()? {
                Step::Say(bytes) => {
                    trace.enter(Phase::Login);
                    say(stream, &bytes).await?;
                }
                Step::Hear => {
                    let length = stream.read(&mut buffer).await.map_err(|error| {
                        tls::io_failure(&error, "before an answer to the login")
                    })?;
                    if length == 0 {
                        return Err(Failure::Closed("before the login was taken"));
                    }
                    session.hear(buffer.get(..length).unwrap_or_default())?;
                }
                Step::Secure(bytes) => {
                    say(stream, &bytes).await?;
                    return Ok(Part::Secure);
                }
                Step::Open { port, say } => return Ok(Part::Open(port, say)),
                Step::Fetch(bytes) => return Ok(Part::Fetch(bytes)),
                Step::Judge { text, say } => {
                    farewell(stream, &say).await;
                    return self.judge(&text).map(Part::Over);
                }
                Step::Done(bytes) => {
                    farewell(stream, &bytes).await;
                    let asked = matches!(
                        &self.check.service,
                        LoginService::Mysql(asked) | LoginService::Postgresql(asked)
                            if asked.query.is_some()
                    );
                    return Ok(Part::Over(if asked { ANSWERED } else { TAKEN }));
                }
            }
        }
    }

    fn judge(&self, text: &[u8]) -> Result<Seen, Failure> {
        let Some(pattern) = &self.expect else { return Ok(ANSWERED) };
        let mut matcher = pattern.matcher(PIECE, Ask::AtEnd);
        let judged = match matcher.push(text) {
            Progress::Matched => Ok(()),
            Progress::Failed(mismatch) => Err(mismatch),
            Progress::More => matcher.end(),
        };
        let judged = judged.map(|()| ANSWERED);
        judged.map_err(|mismatch| Failure::Mismatch { subject: "name of the entry", mismatch })
    }

    /// One question in a datagram.
    async fn ask(
        &self,
        target: SocketAddr,
        limit: Duration,
        secret: &str,
    ) -> Result<Seen, Failure> {
        let login = self.check.login.as_ref();
        let login = login.map(|login| (login.name.as_str(), login.password.expose()));
        let socket = connect::udp(target).await?;
        // What the kernel chose as our port is as good a number as any.
        let [_, id] = socket.local_addr()?.port().to_be_bytes();
        let request = Request::new(login.unwrap_or_default(), secret, id, random()?)?;
        let mut datagram = vec![0; PIECE];
        let length = connect::ask(&socket, request.packet(), limit, &mut datagram).await?;
        request.answer(datagram.get(..length).unwrap_or_default())?;
        Ok(TAKEN)
    }
}

/// What a file holds, as far as a page would be looked into.
async fn fetch(stream: &mut (impl AsyncRead + Unpin), pattern: &Pattern) -> Result<(), Failure> {
    let wrong = |mismatch| Failure::Mismatch { subject: "file", mismatch };
    let mut file = Body::new(Some(pattern), None);
    let mut buffer = vec![0; PIECE];
    loop {
        let length = stream.read(&mut buffer).await;
        let length = length.map_err(|error| tls::io_failure(&error, "in the file"))?;
        if length == 0 {
            return file.end().map_err(wrong);
        }
        match file.push(buffer.get(..length).unwrap_or_default()) {
            Progress::Matched => return Ok(()),
            Progress::Failed(mismatch) => return Err(wrong(mismatch)),
            Progress::More => {}
        }
    }
}

fn wanted(service: &LoginService) -> Option<&Expect> {
    match service {
        LoginService::Ftp { expect, .. } | LoginService::Ldap { expect, .. } => expect.as_ref(),
        _ => None,
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

/// The last words need no answer, and the server may have gone already.
async fn farewell(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    let _sent = say(stream, bytes).await;
}

/// Bytes that nobody can guess.
fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Failure::Here(std::io::Error::other("the system gives no random bytes")))?;
    Ok(bytes)
}
