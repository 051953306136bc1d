//! The packets of a data-path check: built and read, byte for byte.

use std::net::{IpAddr, SocketAddr};

use pnet_packet::ethernet::{EtherType, EtherTypes, MutableEthernetPacket};
use pnet_packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet_packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet_packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet_packet::tcp::{self, MutableTcpPacket, TcpFlags, TcpPacket};

use pnet_packet::MutablePacket;

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;
/// Hops that a packet may take, as the kernel's default.
const HOPS: u8 = 64;

/// Where the packets of one check go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Link-layer address of this router's interface.
    pub(crate) from: [u8; 6],
    /// Link-layer address of the real server, or of the router that leads to it.
    pub(crate) to: [u8; 6],
    /// This router's own address, and the port that answers come to.
    pub(crate) source: SocketAddr,
    /// The virtual server, of the same family.
    pub(crate) virtual_server: SocketAddr,
    /// Both ends of the tunnel to the real server, when the packets go through one: this router's
    /// address and the real server's.
    pub(crate) tunnel: Option<(IpAddr, IpAddr)>,
}

/// What this router sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Asks for a connection.
    Syn {
        /// Its sequence number.
        number: u32,
    },
    /// Gives it up again, so that the server keeps nothing.
    Reset {
        /// The sequence number that the server waits for.
        number: u32,
    },
}

/// What a real server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What it says to the SYN.
    pub(crate) says: Says,
    /// The address and the port that it answers for.
    pub(crate) virtual_server: SocketAddr,
    /// What it has received, which tells whom it answers.
    pub(crate) acknowledged: u32,
}

/// What a real server makes of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It accepts.
    Accepts,
    /// It has the address, and nobody listens there.
    Refuses,
    /// It still holds an older connection half open, and acknowledges only that one (RFC 9293,
    /// 3.5.1 and 3.10.7.4).
    HoldsOlder,
}

/// The whole frame of a segment.
pub(crate) fn frame(way: &Way, segment: Segment) -> Option<Vec<u8>> {
    let inner = packet(
        (way.source.ip(), way.virtual_server.ip()),
        IpNextHeaderProtocols::Tcp,
        &tcp(way, segment)?,
    )?;
    let packet = match way.tunnel {
        None => inner,
        Some(ends) => packet(ends, protocol_inside(way.virtual_server.ip()), &inner)?,
    };
    let mut frame = vec![0; ETHERNET + packet.len()];
    let mut ethernet = MutableEthernetPacket::new(&mut frame)?;
    ethernet.set_source(way.from.into());
    ethernet.set_destination(way.to.into());
    ethernet.set_ethertype(ether_type(way.tunnel.map_or(way.source.ip(), |(from, _)| from)));
    ethernet.set_payload(&packet);
    Some(frame)
}

fn ether_type(ip: IpAddr) -> EtherType {
    if ip.is_ipv4() { EtherTypes::Ipv4 } else { EtherTypes::Ipv6 }
}

/// IPv4 in IP (RFC 2003), or IPv6 in IP (RFC 2473).
fn protocol_inside(ip: IpAddr) -> IpNextHeaderProtocol {
    if ip.is_ipv4() { IpNextHeaderProtocols::Ipv4 } else { IpNextHeaderProtocols::Ipv6 }
}

fn tcp(way: &Way, segment: Segment) -> Option<Vec<u8>> {
    let mut bytes = vec![0; TCP];
    let mut header = MutableTcpPacket::new(&mut bytes)?;
    header.set_source(way.source.port());
    header.set_destination(way.virtual_server.port());
    header.set_data_offset(5);
    header.set_window(1024);
    let (flags, number) = match segment {
        Segment::Syn { number } => (TcpFlags::SYN, number),
        Segment::Reset { number } => (TcpFlags::RST, number),
    };
    header.set_flags(flags);
    header.set_sequence(number);
    let sum = match (way.source.ip(), way.virtual_server.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            tcp::ipv4_checksum(&header.to_immutable(), &from, &to)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            tcp::ipv6_checksum(&header.to_immutable(), &from, &to)
        }
        _ => return None,
    };
    header.set_checksum(sum);
    Some(bytes)
}

/// One IP packet; none when the two addresses are not of one family.
fn packet(
    (from, to): (IpAddr, IpAddr),
    protocol: IpNextHeaderProtocol,
    payload: &[u8],
) -> Option<Vec<u8>> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut bytes = vec![0; IPV4 + payload.len()];
            let length = u16::try_from(bytes.len()).ok()?;
            let mut packet = MutableIpv4Packet::new(&mut bytes)?;
            packet.set_version(4);
            packet.set_header_length(5);
            packet.set_total_length(length);
            packet.set_ttl(HOPS);
            packet.set_next_level_protocol(protocol);
            packet.set_source(from);
            packet.set_destination(to);
            packet.payload_mut().get_mut(..payload.len())?.copy_from_slice(payload);
            packet.set_checksum(ipv4::checksum(&packet.to_immutable()));
            Some(bytes)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut bytes = vec![0; IPV6 + payload.len()];
            let mut packet = MutableIpv6Packet::new(&mut bytes)?;
            packet.set_version(6);
            packet.set_payload_length(u16::try_from(payload.len()).ok()?);
            packet.set_next_header(protocol);
            packet.set_hop_limit(HOPS);
            packet.set_source(from);
            packet.set_destination(to);
            packet.payload_mut().get_mut(..payload.len())?.copy_from_slice(payload);
            Some(bytes)
        }
        _ => None,
    }
}

/// Reads a packet, which may be anything that anybody put on the wire; none when it answers
/// nobody on `port`.
pub(crate) fn answer(packet: &[u8], port: u16) -> Option<Answer> {
    let (from, segment) = match packet.first()? >> 4 {
        4 => {
            let ip = Ipv4Packet::new(packet)?;
            let is_whole = ip.get_fragment_offset() == 0;
            let is_tcp = ip.get_next_level_protocol() == IpNextHeaderProtocols::Tcp;
            let header = usize::from(ip.get_header_length()) * 4;
            let rest = packet.get(header.max(IPV4)..)?;
            (IpAddr::V4(ip.get_source()), (is_whole && is_tcp).then_some(rest)?)
        }
        6 => {
            let ip = Ipv6Packet::new(packet)?;
            let is_tcp = ip.get_next_header() == IpNextHeaderProtocols::Tcp;
            (IpAddr::V6(ip.get_source()), is_tcp.then_some(packet.get(IPV6..)?)?)
        }
        _ => return None,
    };
    let segment = TcpPacket::new(segment)?;
    let flags = segment.get_flags();
    let says = match (flags & TcpFlags::SYN != 0, flags & TcpFlags::RST != 0) {
        (true, false) => Says::Accepts,
        (false, true) => Says::Refuses,
        (false, false) => Says::HoldsOlder,
        (true, true) => return None,
    };
    let is_ack = flags & TcpFlags::ACK != 0;
    (segment.get_destination() == port && is_ack).then(|| Answer {
        says,
        virtual_server: SocketAddr::new(from, segment.get_source()),
        acknowledged: segment.get_acknowledgement(),
    })
}

#[cfg(test)]
mod tests;
