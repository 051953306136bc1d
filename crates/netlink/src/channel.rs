//! A netlink socket with one owner, who asks one thing at a time.

use std::io;
use std::time::Duration;

use neli::consts::socket::{Msg, NlFamily};
use neli::socket::NlSocket;
use neli::utils::Groups;
use rustix::net::sockopt;
use tokio::io::unix::AsyncFd;

use crate::KernelError;
use crate::message::{ACK, DUMP, DUMP_INTERRUPTED, Meaning, Message, Messages, REQUEST, append};

#[cfg(test)]
mod tests;

/// How long the kernel may take for one datagram.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Room for one datagram; the kernel makes them of 32 KiB at most.
const DATAGRAM: usize = 64 * 1024;
/// Requests in one write. Their acknowledgements wait in the socket all at once, at up to 1,280
/// bytes of kernel memory each, and must fit its default of 212,992 bytes: what does not is lost.
const REQUESTS_PER_WRITE: usize = 128;
/// Bytes in one write; the kernel takes no more than the send buffer, 212,992 bytes by default.
const BYTES_PER_WRITE: usize = 64 * 1024;
/// What the kernel wants free in the send buffer beside a write, and more (`netlink_sendmsg`).
const WRITE_OVERHEAD: usize = 1024;
/// What is asked for as receive buffer; the kernel grants up to `net.core.rmem_max`.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// Times that a dump is begun again because the table changed under it.
const DUMP_ATTEMPTS: usize = 5;

/// One request of a batch.
pub(crate) struct Outgoing {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) payload: Vec<u8>,
}

/// The socket, its sequence numbers and its buffer.
pub(crate) struct Channel {
    family: NlFamily,
    socket: AsyncFd<NlSocket>,
    sequence: u32,
    buffer: Vec<u8>,
    /// A request was begun and its answers were not all read: it was cut off or timed out.
    in_flight: bool,
}

impl Channel {
    pub(crate) fn open(family: NlFamily) -> Result<Self, KernelError> {
        Self::open_with(family, Groups::empty())
    }

    pub(crate) fn open_with(family: NlFamily, groups: Groups) -> Result<Self, KernelError> {
        Ok(Self {
            family,
            socket: connect(family, groups)?,
            sequence: 0,
            buffer: vec![0; DATAGRAM],
            in_flight: false,
        })
    }

    /// Sends one request and returns the answers that come before its acknowledgement.
    pub(crate) async fn request(
        &mut self,
        kind: u16,
        flags: u16,
        payload: &[u8],
    ) -> Result<Vec<Vec<u8>>, KernelError> {
        let mut answers = Vec::new();
        self.ask(kind, flags | ACK, payload, &mut answers).await?;
        Ok(answers)
    }

    /// Lists something whole. A list that changed under way is read again.
    pub(crate) async fn dump(
        &mut self,
        kind: u16,
        payload: &[u8],
    ) -> Result<Vec<Vec<u8>>, KernelError> {
        for _ in 0..DUMP_ATTEMPTS {
            let mut answers = Vec::new();
            if self.ask(kind, DUMP, payload, &mut answers).await? {
                return Ok(answers);
            }
        }
        Err(KernelError::Unsteady)
    }

    /// Whether the answer is consistent.
    async fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        payload: &[u8],
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<bool, KernelError> {
        let sequence = self.begin(1)?;
        let mut bytes = Vec::with_capacity(payload.len() + 16);
        append(&mut bytes, kind, flags | REQUEST, sequence, payload);
        self.send(&bytes).await?;
        let mut consistent = true;
        loop {
            let length = self.receive().await?;
            for message in Messages(self.buffer.get(..length).unwrap_or_default()) {
                let message = message?;
                if message.sequence != sequence {
                    continue;
                }
                consistent &= message.flags & DUMP_INTERRUPTED == 0;
                match message.meaning()? {
                    Meaning::Data(data) => answers.push(data.to_vec()),
                    Meaning::Acknowledged | Meaning::Done => {
                        self.in_flight = false;
                        return Ok(consistent);
                    }
                    Meaning::Refused(error) => {
                        self.in_flight = false;
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Sends many requests, many to a write, and answers each with what became of it, in order.
    /// After a failure of the socket the rest is not sent, and each of it fails with that.
    pub(crate) async fn batch(&mut self, requests: &[Outgoing]) -> Vec<Result<(), KernelError>> {
        let mut results = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(one_write(rest).min(rest.len()));
            let mut fates = vec![None; now.len()];
            let failure = self.write_batch(now, &mut fates).await.err();
            let unknown = failure.clone().unwrap_or(KernelError::Timeout);
            results.extend(fates.into_iter().map(|fate| fate.unwrap_or(Err(unknown.clone()))));
            rest = later;
            if let Some(failure) = failure {
                results.extend(rest.iter().map(|_| Err(failure.clone())));
                break;
            }
        }
        results
    }

    /// Sends messages that the kernel takes whole or not at all, in one write: those between a
    /// border at each end. Only the last of them is acknowledged; a refusal of any ends it.
    pub(crate) async fn transaction(&mut self, messages: &[Outgoing]) -> Result<(), KernelError> {
        let first = self.begin(u32::try_from(messages.len()).unwrap_or(u32::MAX))?;
        let answered = messages.len().saturating_sub(2);
        let mut bytes = Vec::new();
        let mut last = first;
        for (place, message) in messages.iter().enumerate() {
            let sequence = first.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
            let ack = if place == answered { ACK } else { 0 };
            last = if place == answered { sequence } else { last };
            let flags = message.flags | REQUEST | ack;
            append(&mut bytes, message.kind, flags, sequence, &message.payload);
        }
        self.make_room(bytes.len())?;
        self.send(&bytes).await?;
        loop {
            let length = self.receive().await?;
            for message in Messages(self.buffer.get(..length).unwrap_or_default()) {
                let message = message?;
                match message.meaning()? {
                    _ if message.sequence < first => {}
                    // Others may follow: the next request begins with a new socket.
                    Meaning::Refused(error) => return Err(error),
                    Meaning::Acknowledged if message.sequence == last => {
                        self.in_flight = false;
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    }

    async fn write_batch(
        &mut self,
        requests: &[Outgoing],
        fates: &mut [Option<Result<(), KernelError>>],
    ) -> Result<(), KernelError> {
        let first = self.begin(u32::try_from(requests.len()).unwrap_or(u32::MAX))?;
        let mut bytes = Vec::new();
        for (sequence, request) in (first..).zip(requests) {
            let flags = request.flags | REQUEST | ACK;
            append(&mut bytes, request.kind, flags, sequence, &request.payload);
        }
        self.send(&bytes).await?;
        let mut waiting = fates.len();
        while waiting > 0 {
            let length = self.receive().await?;
            for message in Messages(self.buffer.get(..length).unwrap_or_default()) {
                waiting -= usize::from(note(&message?, first, fates)?);
            }
        }
        self.in_flight = false;
        Ok(())
    }

    /// Takes `count` sequence numbers. Leftovers of a request that was cut off would mix with the
    /// answers to come, and a cut-off dump would block the next one, so then the socket is renewed.
    fn begin(&mut self, count: u32) -> Result<u32, KernelError> {
        if self.in_flight {
            self.socket = connect(self.family, Groups::empty())?;
        }
        self.in_flight = true;
        // 0 is the number of notices that nobody asked for.
        let first = self.sequence.checked_add(1).filter(|first| first.checked_add(count).is_some());
        let first = first.unwrap_or(1);
        self.sequence = first.saturating_add(count.saturating_sub(1));
        Ok(first)
    }

    /// Makes the send buffer large enough for one write of so many bytes, if it is not: the kernel
    /// takes no write that is larger.
    fn make_room(&self, bytes: usize) -> Result<(), KernelError> {
        let wanted = bytes.saturating_add(WRITE_OVERHEAD);
        if sockopt::socket_send_buffer_size(&self.socket)? >= wanted {
            return Ok(());
        }
        // Beyond `net.core.wmem_max` needs a capability in the first user namespace.
        sockopt::set_socket_send_buffer_size_force(&self.socket, wanted)
            .or_else(|_| sockopt::set_socket_send_buffer_size(&self.socket, wanted))?;
        Ok(())
    }

    async fn send(&self, bytes: &[u8]) -> Result<(), KernelError> {
        loop {
            let writable = tokio::time::timeout(ANSWER_WITHIN, self.socket.writable()).await;
            let mut guard = writable.map_err(|_| KernelError::Timeout)??;
            match guard.try_io(|socket| socket.get_ref().send(bytes, Msg::empty())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(sent) => return Ok(sent.map(drop)?),
                Err(_would_block) => {}
            }
        }
    }

    async fn receive(&mut self) -> Result<usize, KernelError> {
        let received = tokio::time::timeout(ANSWER_WITHIN, self.next_datagram()).await;
        received.map_err(|_| KernelError::Timeout)?
    }

    /// Waits for notices of the groups that the socket was opened with: a datagram of them.
    pub(crate) async fn notice(&mut self) -> Result<&[u8], KernelError> {
        let length = self.next_datagram().await?;
        Ok(self.buffer.get(..length).unwrap_or_default())
    }

    /// A datagram of notices that is there already, if there is one.
    pub(crate) fn waiting_notice(&mut self) -> Result<Option<&[u8]>, KernelError> {
        let Self { socket, buffer, .. } = self;
        match socket.get_ref().recv(&mut *buffer, Msg::empty()) {
            Ok((length, _)) => Ok(Some(buffer.get(..length).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the next datagram without a limit, and returns its length in the buffer.
    async fn next_datagram(&mut self) -> Result<usize, KernelError> {
        let Self { socket, buffer, .. } = self;
        loop {
            let mut guard = socket.readable().await?;
            match guard.try_io(|socket| socket.get_ref().recv(&mut *buffer, Msg::empty())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(received) => return Ok(received?.0),
                Err(_would_block) => {}
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "the socket owns its descriptor until it is dropped; what replaces `new` is unsafe"
)]
fn connect(family: NlFamily, groups: Groups) -> Result<AsyncFd<NlSocket>, KernelError> {
    let socket = NlSocket::connect(family, None, groups)?;
    socket.nonblock()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.enable_ext_ack(true)?;
    Ok(AsyncFd::new(socket)?)
}

/// How many of the requests go into the next write.
fn one_write(requests: &[Outgoing]) -> usize {
    let mut bytes = 0;
    let fits = requests.iter().take(REQUESTS_PER_WRITE).take_while(|request| {
        bytes += request.payload.len() + 20;
        bytes <= BYTES_PER_WRITE
    });
    fits.count().max(1)
}

/// Notes what became of a request; whether it is one that was waited for.
fn note(
    message: &Message<'_>,
    first: u32,
    fates: &mut [Option<Result<(), KernelError>>],
) -> Result<bool, KernelError> {
    let place = message.sequence.checked_sub(first).and_then(|at| usize::try_from(at).ok());
    let Some(fate) = place.and_then(|at| fates.get_mut(at)) else { return Ok(false) };
    let result = match message.meaning()? {
        Meaning::Acknowledged => Ok(()),
        Meaning::Refused(error) => Err(error),
        Meaning::Data(_) | Meaning::Done => return Ok(false),
    };
    Ok(fate.replace(result).is_none())
}
