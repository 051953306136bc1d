//! A question to a name server.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::model::DnsCheck;
use health::dns::{Question, questions};
use health::expect::{Ask, Mismatch, Pattern, Progress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connect;
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// Bytes of an answer: the length stands in two bytes.
const ANSWER_LIMIT: usize = 64 << 10;

/// The check.
#[derive(Debug)]
pub(crate) struct Dns {
    questions: Vec<Question>,
    tcp: bool,
    expect: Option<Arc<Pattern>>,
}

impl Dns {
    pub(super) fn new(check: &DnsCheck, shared: &Shared) -> Result<Self, Failure> {
        let questions = questions(&check.name)
            .ok_or_else(|| Failure::Other(format!("{:?} can be no name", check.name)))?;
        let expect = check.expect.as_ref().map(|expect| shared.pattern(expect)).transpose()?;
        Ok(Self { questions, tcp: check.tcp, expect })
    }

    /// Asks one question after the other until an answer is good.
    pub(super) async fn run(
        &self,
        target: SocketAddr,
        limit: Duration,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let mut wrong = Failure::Closed("before an answer");
        for question in &self.questions {
            let answers = if self.tcp {
                over_tcp(question, target, trace).await?
            } else {
                over_udp(question, target, limit, trace).await?
            };
            match self.judge(&answers) {
                Ok(seen) => return Ok(seen),
                Err(failure) => wrong = failure,
            }
        }
        Err(wrong)
    }

    fn judge(&self, answers: &[String]) -> Result<Seen, Failure> {
        let mut mismatch = Mismatch::Empty;
        for answer in answers {
            let Some(pattern) = &self.expect else {
                return Ok(Cow::Owned(format!("answered {}", health::escape::one_line(answer))));
            };
            let mut matcher = pattern.matcher(ANSWER_LIMIT, Ask::AtEnd);
            mismatch = match matcher.push(answer.as_bytes()) {
                Progress::Matched => return Ok(Cow::Borrowed("expected answer")),
                Progress::Failed(mismatch) => mismatch,
                Progress::More => match matcher.end() {
                    Ok(()) => return Ok(Cow::Borrowed("expected answer")),
                    Err(mismatch) => mismatch,
                },
            };
        }
        Err(Failure::Mismatch { subject: "answer", mismatch })
    }
}

/// What the kernel chose as our port is as good a number as any.
async fn over_udp(
    question: &Question,
    target: SocketAddr,
    limit: Duration,
    trace: &mut Trace,
) -> Result<Vec<String>, Failure> {
    trace.enter(Phase::Answer);
    let socket = connect::udp(target).await?;
    let id = socket.local_addr()?.port();
    let mut datagram = vec![0; ANSWER_LIMIT];
    let length = connect::ask(&socket, &question.packet(id), limit, &mut datagram).await?;
    read(question, id, datagram.get(..length).unwrap_or_default())
}

async fn over_tcp(
    question: &Question,
    target: SocketAddr,
    trace: &mut Trace,
) -> Result<Vec<String>, Failure> {
    trace.enter(Phase::Connect);
    let mut stream = connect::open(target).await?;
    trace.enter(Phase::Answer);
    let id = stream.local_addr()?.port();
    let packet = question.packet(id);
    stream.write_u16(u16::try_from(packet.len()).unwrap_or(u16::MAX)).await?;
    stream.write_all(&packet).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    read(question, id, &answer)
}

fn read(question: &Question, id: u16, packet: &[u8]) -> Result<Vec<String>, Failure> {
    question.answers(id, packet).map_err(|bad| Failure::Other(format!("answer {bad}")))
}
