//! Packet sockets (`packet(7)`).
//!
//! The sending one has protocol 0, so the kernel gives it no packet: one that is bound to every
//! protocol would get a copy of all traffic of a busy router, for nobody to read.

mod raw;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use socket2::{Domain, SockFilter, Socket, Type};
use tokio::io::unix::AsyncFd;

use crate::{Link, Mac};

/// EtherType of ARP.
const ARP: u16 = 0x0806;

/// EtherType of IPv6.
const IPV6: u16 = 0x86dd;

/// Longest frame that is looked at; what follows is cut off.
const LONGEST: usize = 256;

/// Sends whole frames; receives nothing.
#[derive(Debug)]
pub struct PacketSocket {
    socket: Socket,
}

impl PacketSocket {
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`.
    pub fn new() -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(0.into()))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Sends a frame, whole, on an interface.
    ///
    /// # Errors
    /// `WouldBlock` when the interface is busy; `NetworkDown` when it is down.
    pub fn send(&self, frame: &[u8], interface: u32) -> io::Result<()> {
        let receiver = frame.first_chunk().map_or(Mac::BROADCAST, |octets| Mac(*octets));
        let to = raw::address(0, interface, receiver)?;
        self.socket.send_to(frame, &to).map(drop)
    }
}

/// A socket that somebody privileged has opened as [`PacketSocket::new`] does.
impl From<OwnedFd> for PacketSocket {
    fn from(descriptor: OwnedFd) -> Self {
        Self { socket: descriptor.into() }
    }
}

/// Which claims are listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// ARP.
    V4,
    /// Neighbour advertisements.
    V6,
}

/// Receives claims on one interface, for as long as it lives.
#[derive(Debug)]
pub(crate) struct ClaimSocket {
    socket: AsyncFd<Socket>,
}

impl ClaimSocket {
    pub(crate) fn new(link: &Link, family: Family) -> io::Result<Self> {
        // Made with protocol 0 and bound only after the filter is in place: nothing else is ever
        // copied to it, nor anything of another interface.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(0.into()))?;
        socket.set_nonblocking(true)?;
        let protocol = match family {
            Family::V4 => ARP,
            Family::V6 => {
                socket.attach_filter(&neighbour_advertisements())?;
                IPV6
            }
        };
        socket.bind(&raw::address(protocol, link.index, Mac::ZERO)?)?;
        Ok(Self { socket: raw::register(socket)? })
    }

    /// The next frame. May be dropped and called again.
    pub(crate) async fn receive(&self) -> io::Result<Vec<u8>> {
        loop {
            let mut ready = self.socket.readable().await?;
            let mut buffer = [0; LONGEST];
            let received = ready.try_io(|socket| {
                rustix::io::read(socket.get_ref(), &mut buffer).map_err(io::Error::from)
            });
            match received {
                Ok(length) => return Ok(buffer.get(..length?).unwrap_or_default().to_vec()),
                Err(_would_block) => {}
            }
        }
    }
}

/// Passes IPv6 packets whose next header is ICMPv6 (58) with type 136, and nothing else.
fn neighbour_advertisements() -> [SockFilter; 6] {
    // Classic BPF: load a byte, jump if equal, return.
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, 20),
        SockFilter::new(JUMP_EQUAL, 0, 3, 58),
        SockFilter::new(LOAD_BYTE, 0, 0, 54),
        SockFilter::new(JUMP_EQUAL, 0, 1, 136),
        SockFilter::new(RETURN, 0, 0, 0xffff),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

/// The descriptor's number, for messages.
impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}
