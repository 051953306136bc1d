//! Send a text, expect an answer.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::model::Expect;
use health::expect::{Ask, Mismatch, Pattern, Progress};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connect;
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// Bytes of an answer that are read at most.
const ANSWER_LIMIT: usize = 64 << 10;

/// Bytes read at a time.
const PIECE: usize = 4 << 10;

/// How long silence must last until a UDP server of which no answer is expected counts as there:
/// long enough for "port unreachable" to come back.
const UDP_SILENCE: Duration = Duration::from_secs(1);

/// The check.
#[derive(Debug)]
pub(crate) struct Dialogue {
    udp: bool,
    send: Option<Vec<u8>>,
    expect: Option<Arc<Pattern>>,
}

impl Dialogue {
    pub(crate) fn new(
        udp: bool,
        send: Option<Vec<u8>>,
        expect: Option<&Expect>,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let expect = expect.map(|expect| shared.pattern(expect)).transpose()?;
        Ok(Self { udp, send, expect })
    }

    pub(super) async fn run(
        &self,
        target: SocketAddr,
        limit: Duration,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        if self.udp {
            self.run_udp(target, limit, trace).await
        } else {
            self.run_tcp(target, trace).await
        }
    }

    async fn run_tcp(&self, target: SocketAddr, trace: &mut Trace) -> Result<Seen, Failure> {
        trace.enter(Phase::Connect);
        self.talk(connect::open(target).await?, trace).await
    }

    /// Over a connection that stands.
    pub(crate) async fn talk(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        trace.enter(Phase::Answer);
        if let Some(text) = &self.send {
            stream.write_all(text).await?;
        }
        match &self.expect {
            None => Ok(connect::CONNECTED),
            Some(pattern) => hear(&mut stream, pattern, trace).await,
        }
    }

    async fn run_udp(
        &self,
        target: SocketAddr,
        limit: Duration,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        trace.enter(Phase::Answer);
        let socket = connect::udp(target).await?;
        let question = self.send.as_deref().unwrap_or_default();
        let mut datagram = vec![0; ANSWER_LIMIT];
        let Some(pattern) = &self.expect else {
            socket.send(question).await?;
            let silence = UDP_SILENCE.min(limit / 2);
            return match tokio::time::timeout(silence, socket.recv(&mut datagram)).await {
                Ok(answered) => {
                    answered?;
                    Ok(Cow::Borrowed("answered"))
                }
                Err(_) => Ok(Cow::Borrowed("not refused")),
            };
        };
        let length = connect::ask(&socket, question, limit, &mut datagram).await?;
        let mut matcher = pattern.matcher(ANSWER_LIMIT, Ask::AtEnd);
        match matcher.push(datagram.get(..length).unwrap_or_default()) {
            Progress::Matched => Ok(MATCHED),
            Progress::Failed(mismatch) => Err(answer(mismatch)),
            Progress::More => matcher.end().map(|()| MATCHED).map_err(answer),
        }
    }
}

/// Reads until the answer is the expected one, or cannot be.
pub(super) async fn hear(
    stream: &mut (impl AsyncRead + Unpin),
    pattern: &Pattern,
    trace: &mut Trace,
) -> Result<Seen, Failure> {
    let mut matcher = pattern.matcher(ANSWER_LIMIT, Ask::EachPiece);
    let mut buffer = vec![0; PIECE];
    let mut total = 0;
    while total < ANSWER_LIMIT {
        let length = stream.read(&mut buffer).await.map_err(|error| {
            super::tls::io_failure(&error, if total == 0 { BEFORE } else { "in the answer" })
        })?;
        if length == 0 {
            break;
        }
        total += length;
        let piece = buffer.get(..length).unwrap_or_default();
        match matcher.push(piece) {
            Progress::More => trace.heard(piece),
            Progress::Matched => {
                trace.forget_heard();
                return Ok(MATCHED);
            }
            Progress::Failed(mismatch) => return Err(answer(mismatch)),
        }
    }
    match matcher.end() {
        Ok(()) => Ok(MATCHED),
        Err(Mismatch::Empty) => Err(Failure::Closed(BEFORE)),
        Err(mismatch) => Err(answer(mismatch)),
    }
}

const BEFORE: &str = "before an answer";

/// What is seen when the answer is the expected one.
const MATCHED: Seen = Cow::Borrowed("expected answer");

fn answer(mismatch: Mismatch) -> Failure {
    Failure::Mismatch { subject: "answer", mismatch }
}
