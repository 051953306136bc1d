//! One socket a family for all pings.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::SocketType;
use rustix::net::sockopt::{socket_domain, socket_type};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::icmp::{self, Family, Tag};

/// Sends echo requests and hands each reply to whoever waits for it.
#[derive(Debug, Default)]
pub struct Pinger {
    v4: Mutex<Slot>,
    v6: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    /// A raw socket that a privileged parent has opened for us.
    passed: Option<OwnedFd>,
    open: Option<Arc<Open>>,
}

/// A socket that is in use.
#[derive(Debug)]
struct Open {
    socket: Arc<UdpSocket>,
    nonce: u64,
    next: AtomicU64,
    waiting: Arc<Waiting>,
    reader: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Who waits for which reply, and from whom. Bounded by the number of watches, as each waits for
/// one reply at most.
#[derive(Debug, Default)]
struct Waiting(Mutex<HashMap<u64, (IpAddr, oneshot::Sender<()>)>>);

impl Pinger {
    /// With raw ICMP sockets that a parent has passed, in any order. A family without one uses an
    /// unprivileged socket, where `net.ipv4.ping_group_range` allows that.
    pub fn new(passed: Vec<OwnedFd>) -> Self {
        let pinger = Self::default();
        for descriptor in passed {
            let slot = match socket_domain(&descriptor) {
                Ok(rustix::net::AddressFamily::INET) => &pinger.v4,
                Ok(rustix::net::AddressFamily::INET6) => &pinger.v6,
                _ => continue,
            };
            slot.lock().unwrap_or_else(PoisonError::into_inner).passed = Some(descriptor);
        }
        pinger
    }

    /// Sends one request and waits for its reply, as long as the caller lets it.
    ///
    /// # Errors
    /// There is no socket for it, or the kernel knows no way to the server.
    pub async fn ping(&self, server: IpAddr) -> Result<(), Failure> {
        let (family, slot) = match server {
            IpAddr::V4(_) => (Family::V4, &self.v4),
            IpAddr::V6(_) => (Family::V6, &self.v6),
        };
        let open = slot.lock().unwrap_or_else(PoisonError::into_inner).open(family)?;
        let tag = Tag { nonce: open.nonce, number: open.next.fetch_add(1, Ordering::Relaxed) };
        let (reply, answered) = oneshot::channel();
        open.waiting.add(tag.number, server, reply);
        let _ticket = Ticket { waiting: &open.waiting, number: tag.number };
        open.socket.send_to(&icmp::request(family, tag), SocketAddr::new(server, 0)).await?;
        answered.await.map_err(|_| Failure::Here(io::Error::other("the ICMP socket was lost")))
    }
}

impl Slot {
    fn open(&mut self, family: Family) -> Result<Arc<Open>, Failure> {
        if let Some(open) = &self.open
            && !open.reader.is_finished()
        {
            return Ok(Arc::clone(open));
        }
        // The passed socket is kept for good, so that a lost reader can be replaced.
        let (socket, raw) = match &self.passed {
            Some(passed) => {
                let raw = socket_type(passed).map_err(io::Error::from)? == SocketType::RAW;
                let socket = Socket::from(passed.try_clone()?);
                if raw {
                    socket.attach_filter(&replies_only(family))?;
                }
                (socket, raw)
            }
            None => (unprivileged(family)?, false),
        };
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        let nonce = RandomState::new().build_hasher().finish();
        let waiting = Arc::new(Waiting::default());
        let ip_header = raw && family == Family::V4;
        let reader =
            tokio::spawn(read(Arc::clone(&socket), family, ip_header, nonce, Arc::clone(&waiting)));
        let next = AtomicU64::new(0);
        let open = Arc::new(Open { socket, nonce, next, waiting, reader });
        self.open = Some(Arc::clone(&open));
        Ok(open)
    }
}

/// A raw socket is given every ICMP packet that reaches this router. This program of the kernel's
/// packet filter (classic BPF) lets only echo replies through, so that a flood of anything else
/// costs nanny nothing.
fn replies_only(family: Family) -> Vec<SockFilter> {
    // Codes of linux/bpf_common.h.
    /// Load the byte at X + k.
    const LOAD_BYTE_AT_X: u16 = 0x50;
    /// Load the byte at k.
    const LOAD_BYTE: u16 = 0x30;
    /// X becomes the length of the IPv4 header at k.
    const HEADER_LENGTH_TO_X: u16 = 0xb1;
    /// Skip so many instructions when the byte equals k, or does not.
    const JUMP_IF_EQUAL: u16 = 0x15;
    /// Keep k bytes of the packet.
    const RETURN: u16 = 0x06;
    /// Longer than any packet that is kept.
    const ALL: u32 = 0xffff;
    let mut program = match family {
        Family::V4 => vec![
            SockFilter::new(HEADER_LENGTH_TO_X, 0, 0, 0),
            SockFilter::new(LOAD_BYTE_AT_X, 0, 0, 0),
        ],
        Family::V6 => vec![SockFilter::new(LOAD_BYTE, 0, 0, 0)],
    };
    program.extend([
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, u32::from(icmp::reply_type(family))),
        SockFilter::new(RETURN, 0, 0, ALL),
        SockFilter::new(RETURN, 0, 0, 0),
    ]);
    program
}

/// The kernel gives such a socket only to the groups that its administrator chose.
fn unprivileged(family: Family) -> Result<Socket, Failure> {
    let (domain, protocol) = match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    Socket::new(domain, Type::DGRAM, Some(protocol)).map_err(|error| {
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Failure::from(error);
        }
        Failure::Here(io::Error::other(
            "no ICMP socket: lvsd passed none, and net.ipv4.ping_group_range leaves our group out",
        ))
    })
}

/// Hands out replies until the socket fails.
async fn read(
    socket: Arc<UdpSocket>,
    family: Family,
    ip_header: bool,
    nonce: u64,
    waiting: Arc<Waiting>,
) {
    // A header of 60 bytes at most, and our own payload: what is longer is not ours.
    let mut packet = [0; 128];
    loop {
        let (length, from) = match socket.recv_from(&mut packet).await {
            Ok(received) => received,
            // The kernel reports here that an earlier request could not be delivered.
            Err(error) if is_passing(&error) => continue,
            Err(error) => {
                tracing::warn!(reason = %error, "ICMP socket failed");
                return;
            }
        };
        let packet = packet.get(..length).unwrap_or_default();
        if let Some(tag) = icmp::reply(family, ip_header, packet)
            && tag.nonce == nonce
        {
            waiting.answer(tag.number, from.ip());
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

impl Waiting {
    fn add(&self, number: u64, server: IpAddr, reply: oneshot::Sender<()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (server, reply));
    }

    /// Only the server that was asked may answer.
    fn answer(&self, number: u64, from: IpAddr) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&number).is_some_and(|(server, _)| *server == from)
            && let Some((_, reply)) = waiting.remove(&number)
        {
            let _gone = reply.send(());
        }
    }

    fn forget(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// Stops waiting when the check is given up.
struct Ticket<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.waiting.forget(self.number);
    }
}
