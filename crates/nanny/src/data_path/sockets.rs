//! The packet sockets: one to send frames, one a family to see the answers.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;
use send_arp::PacketSocket;
use socket2::{SockFilter, Socket};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::segment;
use super::waiting::Waiting;
use crate::failure::Failure;

/// Headers of a TCP segment over IP, with all their options.
const LONGEST: usize = 160;

#[derive(Debug)]
pub(super) struct Sockets {
    sender: Arc<PacketSocket>,
    waiting: Arc<Waiting>,
    /// Keeps the port from everybody else; nobody ever listens there.
    _held: Socket,
    port: u16,
    readers: Vec<JoinHandle<()>>,
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

impl Sockets {
    /// Takes what [`runtime::raw_sockets::packet`] opens, in any order.
    pub(super) fn open(passed: Vec<OwnedFd>) -> Result<Self, Failure> {
        let (mut sender, mut held, mut receivers) = (None, None, Vec::new());
        for descriptor in passed {
            match socket_type(&descriptor).map_err(io::Error::from)? {
                SocketType::RAW => sender = Some(Arc::new(PacketSocket::from(descriptor))),
                SocketType::STREAM => held = Some(Socket::from(descriptor)),
                _ => receivers.push(Socket::from(descriptor)),
            }
        }
        let (Some(sender), Some(held)) = (sender, held) else {
            return Err(Failure::Here(io::Error::other("lvsd passed no packet socket")));
        };
        let port = held.local_addr()?.as_socket().map_or(0, |address| address.port());
        let waiting = Arc::new(Waiting::default());
        let mut readers = Vec::new();
        for socket in receivers {
            socket.attach_filter(&answers_to(port))?;
            // Only its descriptor and its readiness are used: tokio has no type for packets.
            let socket = UdpSocket::from_std(socket.into())?;
            readers.push(tokio::spawn(read(socket, port, Arc::clone(&waiting))));
        }
        Ok(Self { sender, waiting, _held: held, port, readers })
    }

    /// What one check needs.
    pub(super) fn handles(&self) -> (Arc<PacketSocket>, Arc<Waiting>, u16) {
        (Arc::clone(&self.sender), Arc::clone(&self.waiting), self.port)
    }
}

async fn read(socket: UdpSocket, port: u16, waiting: Arc<Waiting>) {
    let mut packet = [0; LONGEST];
    loop {
        match socket.recv(&mut packet).await {
            Ok(length) => {
                let packet = packet.get(..length).unwrap_or_default();
                if let Some(answer) = segment::answer(packet, port) {
                    waiting.answer(answer);
                }
            }
            // An interface of this host went down: the others go on.
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => {}
            Err(error) => {
                tracing::warn!(reason = %error, "packet socket failed");
                return;
            }
        }
    }
}

/// TCP to our port over either family, and nothing else: a busy router's traffic costs nothing
/// here. Fragments and extension headers carry no answer to a SYN.
fn answers_to(port: u16) -> [SockFilter; 15] {
    // Codes of linux/bpf_common.h.
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_HALF: u16 = 0x28;
    const LOAD_HALF_AT_X: u16 = 0x48;
    const HEADER_LENGTH_TO_X: u16 = 0xb1;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const TCP: u32 = 6;
    let port = u32::from(port);
    [
        SockFilter::new(LOAD_BYTE, 0, 0, 0),
        SockFilter::new(AND, 0, 0, 0xf0),
        SockFilter::new(JUMP_IF_EQUAL, 0, 5, 0x40),
        SockFilter::new(LOAD_BYTE, 0, 0, 9),
        SockFilter::new(JUMP_IF_EQUAL, 0, 9, TCP),
        SockFilter::new(HEADER_LENGTH_TO_X, 0, 0, 0),
        SockFilter::new(LOAD_HALF_AT_X, 0, 0, 2),
        SockFilter::new(JUMP_IF_EQUAL, 5, 6, port),
        SockFilter::new(JUMP_IF_EQUAL, 0, 5, 0x60),
        SockFilter::new(LOAD_BYTE, 0, 0, 6),
        SockFilter::new(JUMP_IF_EQUAL, 0, 3, TCP),
        SockFilter::new(LOAD_HALF, 0, 0, 42),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, port),
        SockFilter::new(RETURN, 0, 0, 0xffff),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}
