//! One JSON object a line, over the socket between a parent and its child.
//!
//! The end of the stream is the sign to end: a child whose parent is gone reads end of file.

use std::io::ErrorKind;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;

use control::MAX_LINE;
use futures_util::{SinkExt, StreamExt};
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::UnixStream;
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};

/// Why the other side can no longer be talked to.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The socket failed.
    #[error("the socket to the other process failed: {0}")]
    Socket(#[from] std::io::Error),
    /// A line is longer than [`MAX_LINE`]: a defect of whoever wrote it.
    #[error("a message is longer than {MAX_LINE} bytes")]
    TooLong,
    /// A line is not the JSON that is expected: two builds were mixed, or a defect.
    #[error("a message cannot be understood: {0}")]
    Malformed(serde_json::Error),
    /// A message cannot be written as JSON: a defect.
    #[error("a message cannot be written: {0}")]
    Unwritable(serde_json::Error),
    /// Standard input is not the socket that a parent would have given.
    #[error("standard input is not a socket: this is started by its parent daemon, not by hand")]
    NoSocket,
}

impl From<LinesCodecError> for LineError {
    fn from(error: LinesCodecError) -> Self {
        match error {
            LinesCodecError::MaxLineLengthExceeded => Self::TooLong,
            LinesCodecError::Io(error) => Self::Socket(error),
        }
    }
}

/// Both directions: messages `In` arrive, messages `Out` leave.
pub struct JsonLines<In, Out> {
    reader: LineReader<In>,
    writer: LineWriter<Out>,
}

/// The arriving direction.
pub struct LineReader<In> {
    lines: FramedRead<ReadHalf<UnixStream>, LinesCodec>,
    message: PhantomData<fn() -> In>,
}

/// The leaving direction.
pub struct LineWriter<Out> {
    lines: FramedWrite<WriteHalf<UnixStream>, LinesCodec>,
    message: PhantomData<fn(Out)>,
}

impl<In: DeserializeOwned, Out: Serialize> JsonLines<In, Out> {
    /// Over a connected socket.
    pub fn new(stream: UnixStream) -> Self {
        let (read, write) = tokio::io::split(stream);
        let codec = LinesCodec::new_with_max_length(MAX_LINE);
        Self {
            reader: LineReader {
                lines: FramedRead::new(read, codec.clone()),
                message: PhantomData,
            },
            writer: LineWriter { lines: FramedWrite::new(write, codec), message: PhantomData },
        }
    }

    /// A child's side: over the socket that is its standard input.
    pub fn from_stdin() -> Result<Self, LineError> {
        stdin_socket().map(Self::new)
    }

    /// See [`LineReader::next`].
    pub async fn next(&mut self) -> Result<Option<In>, LineError> {
        self.reader.next().await
    }

    /// See [`LineWriter::send`].
    pub async fn send(&mut self, message: &Out) -> Result<(), LineError> {
        self.writer.send(message).await
    }

    /// Both directions apart, so that each can be waited for on its own. A side that only sends
    /// while the other one only sends as well would wait for ever: read in another task.
    pub fn split(self) -> (LineReader<In>, LineWriter<Out>) {
        (self.reader, self.writer)
    }
}

impl<In: DeserializeOwned> LineReader<In> {
    /// The next message; none when the other side has closed. May be dropped and called again
    /// without losing one. After an error nothing more can be understood.
    pub async fn next(&mut self) -> Result<Option<In>, LineError> {
        match self.lines.next().await {
            None => Ok(None),
            // It was killed before it had read all that we said.
            Some(Err(LinesCodecError::Io(error))) if error.kind() == ErrorKind::ConnectionReset => {
                Ok(None)
            }
            Some(line) => serde_json::from_str(&line?).map(Some).map_err(LineError::Malformed),
        }
    }
}

impl<Out: Serialize> LineWriter<Out> {
    /// Sends a message; waits while the other side does not read.
    pub async fn send(&mut self, message: &Out) -> Result<(), LineError> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Adds a message to what the next [`flush`](Self::flush) sends: many in one write.
    pub async fn feed(&mut self, message: &Out) -> Result<(), LineError> {
        let line = serde_json::to_string(message).map_err(LineError::Unwritable)?;
        if line.len() > MAX_LINE {
            return Err(LineError::TooLong);
        }
        Ok(self.lines.feed(line).await?)
    }

    /// Sends what was fed.
    pub async fn flush(&mut self) -> Result<(), LineError> {
        Ok(SinkExt::<String>::flush(&mut self.lines).await?)
    }
}

/// Whether a parent gave us a socket as standard input.
pub fn stdin_is_socket() -> bool {
    rustix::net::sockopt::socket_type(rustix::stdio::stdin()).is_ok()
}

/// Takes the socket that is our standard input, and leaves /dev/null in its place, so that no
/// program we start can reach it.
pub fn stdin_socket() -> Result<UnixStream, LineError> {
    if !stdin_is_socket() {
        return Err(LineError::NoSocket);
    }
    let io = |error: rustix::io::Errno| LineError::Socket(error.into());
    let socket: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).map_err(io)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(io)?;
    rustix::stdio::dup2_stdin(null).map_err(io)?;
    let stream = std::os::unix::net::UnixStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(UnixStream::from_std(stream)?)
}

#[cfg(test)]
mod tests {
    use control::worker::{FromLvsd, ToLvsd};
    use tokio::io::AsyncWriteExt;

    use super::*;

    type Parent = JsonLines<FromLvsd, ToLvsd>;

    #[tokio::test]
    async fn messages_arrive_whole_and_in_order() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut parent = Parent::new(ours);
        let mut child = JsonLines::<ToLvsd, FromLvsd>::new(theirs);
        parent.send(&ToLvsd::Hello { version: 1, router: None }).await.unwrap();
        parent.send(&ToLvsd::Reload).await.unwrap();
        assert_eq!(child.next().await.unwrap(), Some(ToLvsd::Hello { version: 1, router: None }));
        assert_eq!(child.next().await.unwrap(), Some(ToLvsd::Reload));
        drop(parent);
        assert_eq!(child.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_side_that_is_killed_before_it_has_read_all_has_ended() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut parent = Parent::new(ours);
        parent.send(&ToLvsd::Reload).await.unwrap();
        drop(theirs);
        assert_eq!(parent.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_message_in_two_pieces_survives_being_given_up_in_between() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut parent = Parent::new(ours);
        theirs.write_all(b"{\"type\":\"hello\",").await.unwrap();
        tokio::select! {
            biased;
            _ = parent.next() => panic!("half a message is no message"),
            () = tokio::task::yield_now() => {}
        }
        theirs.write_all(b"\"version\":1}\n").await.unwrap();
        assert_eq!(
            parent.next().await.unwrap(),
            Some(FromLvsd::Hello { version: 1, letters: false })
        );
    }

    #[tokio::test]
    async fn what_is_not_a_message_is_an_error() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"{\"type\":\"hullo\"}\n").await.unwrap();
        assert!(matches!(Parent::new(ours).next().await, Err(LineError::Malformed(_))));
    }

    #[tokio::test]
    async fn an_endless_line_is_refused_at_the_limit() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let writer = tokio::spawn(async move {
            let block = vec![b'x'; 64 * 1024];
            while theirs.write_all(&block).await.is_ok() {}
        });
        assert!(matches!(Parent::new(ours).next().await, Err(LineError::TooLong)));
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn a_message_too_long_to_be_read_is_not_sent() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut parent = Parent::new(ours);
        let long = ToLvsd::Roles { active: vec!["x".repeat(MAX_LINE)] };
        assert!(matches!(parent.send(&long).await, Err(LineError::TooLong)));
        drop(parent);
        let mut child = JsonLines::<ToLvsd, FromLvsd>::new(theirs);
        assert_eq!(child.next().await.unwrap(), None);
    }
}
