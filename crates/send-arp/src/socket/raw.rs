//! The two calls around packet sockets that have no safe wrapper.
#![expect(unsafe_code, reason = "sockaddr_ll and the registration of a foreign socket")]

use std::io;

use socket2::{SockAddr, SockAddrStorage, Socket, socklen_t};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::Mac;

/// The address of an interface: where to bind, or where to send to.
pub(super) fn address(protocol: u16, interface: u32, receiver: Mac) -> io::Result<SockAddr> {
    let wrong = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of the platform's `sockaddr_*` types, all of whose bit
    // patterns are valid, and the storage is larger.
    let link: &mut libc::sockaddr_ll = unsafe { storage.view_as() };
    link.sll_family = libc::AF_PACKET.try_into().map_err(wrong)?;
    link.sll_protocol = protocol.to_be();
    link.sll_ifindex = interface.try_into().map_err(wrong)?;
    link.sll_halen = 6;
    for (to, from) in link.sll_addr.iter_mut().zip(receiver.0) {
        *to = from;
    }
    let length = socklen_t::try_from(size_of::<libc::sockaddr_ll>()).map_err(wrong)?;
    // SAFETY: the storage holds a whole `sockaddr_ll` with its family set, and `length` is its
    // size.
    Ok(unsafe { SockAddr::new(storage, length) })
}

/// Lets tokio wait for the socket.
pub(super) fn register(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: the socket owns an open descriptor, is moved into the `AsyncFd`, is reached through
    // shared references only, and returns the same descriptor for as long as it lives.
    unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }.map_err(io::Error::from)
}
