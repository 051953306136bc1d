//! A dialogue of several turns, with or without TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use config::model;
use health::expect::Pattern;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::dialogue::hear;
use super::{connect, tls};
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// The check.
#[derive(Debug)]
pub(crate) struct Conversation {
    tls: Option<tls::Side>,
    turns: Vec<Turn>,
}

#[derive(Debug)]
struct Turn {
    send: Option<Vec<u8>>,
    expect: Option<Arc<Pattern>>,
}

impl Conversation {
    pub(super) fn new(
        target: SocketAddr,
        dialogue: &model::Dialogue,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let turn = |step: &model::Exchange| {
            let expect = step.expect.as_ref().map(|expect| shared.pattern(expect)).transpose()?;
            Ok(Turn { send: step.send.clone(), expect })
        };
        let tls = dialogue.tls.as_ref().map(|tls| tls::Side::new(target.ip(), None, tls));
        Ok(Self {
            tls: tls.transpose()?,
            turns: dialogue.steps.iter().map(turn).collect::<Result<_, Failure>>()?,
        })
    }

    pub(super) async fn run(
        &self,
        target: SocketAddr,
        shared: &Shared,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        let stream = connect::reach(self.tls.as_ref(), target, shared, trace).await?;
        self.talk(stream, trace).await
    }

    /// Over a connection that stands.
    async fn talk(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        trace: &mut Trace,
    ) -> Result<Seen, Failure> {
        trace.enter(Phase::Answer);
        let mut seen = connect::CONNECTED;
        for turn in &self.turns {
            if let Some(text) = &turn.send {
                stream.write_all(text).await?;
                stream.flush().await?;
            }
            if let Some(pattern) = &turn.expect {
                seen = hear(&mut stream, pattern, trace).await?;
            }
        }
        Ok(seen)
    }
}
