//! Logging in.

use std::borrow::Cow;
use std::net::SocketAddr;

use config::model::LoginCheck;
use health::login::{Session, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{connect, tls};
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// Bytes read at a time.
const PIECE: usize = 4 << 10;

/// What is seen when the server takes the login.
const TAKEN: Seen = Cow::Borrowed("login taken");

/// The check.
#[derive(Debug)]
pub(crate) struct Login {
    check: LoginCheck,
    tls: Option<tls::Side>,
}

impl Login {
    pub(crate) fn new(target: SocketAddr, check: &LoginCheck) -> Result<Self, Failure> {
        let tls = check.tls.as_ref().map(|tls| tls::Side::new(target.ip(), None, tls));
        Ok(Self { check: check.clone(), tls: tls.transpose()? })
    }

    pub(super) async fn run(
        &self,
        target: SocketAddr,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let mut stream = connect::reach(self.tls.as_ref(), target, shared, trace).await?;
        self.talk(&mut stream, trace).await
    }

    /// Over a connection that stands.
    pub(crate) async fn talk(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        trace.enter(Phase::Answer);
        let mut session = Session::new(&self.check);
        let mut buffer = vec![0; PIECE];
        loop {
            match session.next_step()? {
                Step::Say(bytes) => {
                    stream.write_all(&bytes).await?;
                    stream.flush().await?;
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
                Step::Done(bytes) => {
                    // A farewell: the server may have gone already.
                    let _sent = stream.write_all(&bytes).await;
                    let _sent = stream.flush().await;
                    return Ok(TAKEN);
                }
            }
        }
    }
}
