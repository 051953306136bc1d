//! Neighbour discovery (RFC 4861) for IPv6 on Ethernet.

use std::net::{IpAddr, Ipv6Addr};

use pnet_packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet_packet::icmpv6::{Icmpv6Packet, Icmpv6Type, Icmpv6Types, MutableIcmpv6Packet, checksum};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet_packet::{MutablePacket, Packet};

use super::ETHERNET;
use crate::{Link, Mac};

/// Length of the IPv6 header.
const IPV6: usize = 40;

/// Length of a solicitation or advertisement before its options.
const MESSAGE: usize = 24;

/// Proves that the packet comes from this wire: no router forwards it (RFC 4861, section 7.1).
const HOP_LIMIT: u8 = 255;

/// Option that tells the target's link-layer address, and its length in units of 8 bytes.
const TARGET_LINK_LAYER: [u8; 2] = [2, 1];

const ROUTER: u8 = 0x80;
const OVERRIDE: u8 = 0x20;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// To all nodes; whoever knows the address at another place is to forget that.
pub(super) fn advertisement(ip: Ipv6Addr, link: &Link) -> Vec<u8> {
    let flags = if link.router { ROUTER | OVERRIDE } else { OVERRIDE };
    let mut message = vec![0; MESSAGE];
    put(&mut message, 4, &[flags]);
    put(&mut message, 8, &ip.octets());
    message.extend(TARGET_LINK_LAYER);
    message.extend(link.mac.0);
    build(Icmpv6Types::NeighborAdvert, link.mac, ip, ALL_NODES, message)
}

/// From no address, as a host asks before it takes one: the answer goes to all nodes.
pub(super) fn question(ip: Ipv6Addr, mac: Mac) -> Vec<u8> {
    let mut message = vec![0; MESSAGE];
    put(&mut message, 8, &ip.octets());
    let receiver = solicited_node(ip);
    build(Icmpv6Types::NeighborSolicit, mac, Ipv6Addr::UNSPECIFIED, receiver, message)
}

/// An advertisement claims its target. Options are optional in a multicast answer, so the sender
/// of the frame stands for a missing one.
pub(super) fn claim(frame: &[u8]) -> Option<(IpAddr, Mac)> {
    let ethernet = EthernetPacket::new(frame)?;
    if ethernet.get_ethertype() != EtherTypes::Ipv6 {
        return None;
    }
    let ip = Ipv6Packet::new(ethernet.payload())?;
    let is_icmp = ip.get_next_header() == IpNextHeaderProtocols::Icmpv6;
    if !is_icmp || ip.get_hop_limit() != HOP_LIMIT {
        return None;
    }
    let bytes = ip.packet().get(IPV6..)?.get(..usize::from(ip.get_payload_length()))?;
    let message = Icmpv6Packet::new(bytes)?;
    let whole =
        message.get_checksum() == checksum(&message, &ip.get_source(), &ip.get_destination());
    if !whole || message.get_icmpv6_type() != Icmpv6Types::NeighborAdvert {
        return None;
    }
    let target: [u8; 16] = bytes.get(8..MESSAGE)?.try_into().ok()?;
    let mac =
        target_link_layer(bytes.get(MESSAGE..)?).unwrap_or(Mac(ethernet.get_source().octets()));
    Some((IpAddr::from(target), mac))
}

/// The target's link-layer address among the options. pnet's own reading of options overflows on
/// a hostile length, so they are walked here.
fn target_link_layer(mut options: &[u8]) -> Option<Mac> {
    while let [kind, units, ..] = *options
        && units > 0
    {
        let option = options.get(..usize::from(units) * 8)?;
        if [kind, units] == TARGET_LINK_LAYER {
            return option.get(2..)?.try_into().ok().map(Mac);
        }
        options = options.get(option.len()..)?;
    }
    None
}

/// ff02::1:ff and the last three bytes (RFC 4291, section 2.7.1).
fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = ip.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// 33:33 and the last four bytes (RFC 2464, section 7).
fn multicast(ip: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = ip.octets();
    Mac([0x33, 0x33, a, b, c, d])
}

fn build(kind: Icmpv6Type, mac: Mac, from: Ipv6Addr, to: Ipv6Addr, message: Vec<u8>) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET + IPV6];
    frame.extend(&message);
    if let Some(mut ethernet) = MutableEthernetPacket::new(&mut frame) {
        ethernet.set_destination(multicast(to).0.into());
        ethernet.set_source(mac.0.into());
        ethernet.set_ethertype(EtherTypes::Ipv6);
        if let Some(mut ip) = MutableIpv6Packet::new(ethernet.payload_mut()) {
            ip.set_version(6);
            ip.set_payload_length(u16::try_from(message.len()).unwrap_or(u16::MAX));
            ip.set_next_header(IpNextHeaderProtocols::Icmpv6);
            ip.set_hop_limit(HOP_LIMIT);
            ip.set_source(from);
            ip.set_destination(to);
            if let Some(mut icmp) = MutableIcmpv6Packet::new(ip.payload_mut()) {
                icmp.set_icmpv6_type(kind);
                let sum = checksum(&icmp.to_immutable(), &from, &to);
                icmp.set_checksum(sum);
            }
        }
    }
    frame
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (byte, value) in bytes.iter_mut().skip(at).zip(what) {
        *byte = *value;
    }
}
