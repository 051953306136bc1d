//! Sockets that only a privileged process may open, and pass to one that holds no privilege.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, SockFilter, Socket, Type};

/// EtherTypes (`linux/if_ether.h`).
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// One socket a family for pings, and why there is none.
pub fn icmp() -> Vec<io::Result<OwnedFd>> {
    [(Domain::IPV4, Protocol::ICMPV4), (Domain::IPV6, Protocol::ICMPV6)]
        .into_iter()
        .map(|(domain, protocol)| {
            let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        })
        .collect()
}

/// The sockets of data-path checks: one of type raw that sends frames and is given none; one of
/// type datagram a family, which is given nothing until its owner changes its filter; and a TCP
/// socket that does not listen and keeps a port.
///
/// # Errors
/// `PermissionDenied` without `CAP_NET_RAW`.
pub fn packet() -> io::Result<Vec<OwnedFd>> {
    let mut sockets = vec![Socket::new(Domain::PACKET, Type::RAW, Some(0.into()))?];
    for protocol in [IPV4, IPV6] {
        let protocol = i32::from(protocol.to_be());
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol.into()))?;
        socket.attach_filter(&nothing())?;
        sockets.push(socket);
    }
    sockets.push(held_port()?);
    sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
    Ok(sockets.into_iter().map(OwnedFd::from).collect())
}

/// A port of both families; of IPv4 where the host has no other.
fn held_port() -> io::Result<Socket> {
    let bound = |domain, any: SocketAddr| {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&any.into())?;
        Ok(socket)
    };
    bound(Domain::IPV6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)))
        .or_else(|_: io::Error| bound(Domain::IPV4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))
}

/// Classic BPF: return 0 bytes of every packet.
fn nothing() -> [SockFilter; 1] {
    const RETURN: u16 = 0x06;
    [SockFilter::new(RETURN, 0, 0, 0)]
}
