//! ARP (RFC 826) for IPv4 on Ethernet.

use std::net::{IpAddr, Ipv4Addr};

use pnet_packet::arp::{
    ArpHardwareTypes, ArpOperation, ArpOperations, ArpPacket, MutableArpPacket,
};
use pnet_packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet_packet::{MutablePacket, Packet};

use super::SHORTEST;
use crate::Mac;

/// The two forms of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A request for our own address.
    Request,
    /// An answer that nobody asked for.
    Reply,
}

/// Sender and target are both `ip`. The target's link-layer address means nothing in a request
/// and is ours in a reply.
pub(super) fn gratuitous(ip: Ipv4Addr, mac: Mac, receiver: Mac, form: Form) -> Vec<u8> {
    let (operation, target) = match form {
        Form::Request => (ArpOperations::Request, Mac::ZERO),
        Form::Reply => (ArpOperations::Reply, mac),
    };
    build(receiver, operation, (mac, ip), (target, ip))
}

/// The sender's address is none, so that nobody's table is changed by asking.
pub(super) fn question(ip: Ipv4Addr, mac: Mac) -> Vec<u8> {
    let sender = (mac, Ipv4Addr::UNSPECIFIED);
    build(Mac::BROADCAST, ArpOperations::Request, sender, (Mac::ZERO, ip))
}

/// Any ARP packet with a sender address claims that address (RFC 5227, section 2.1.1).
pub(super) fn claim(frame: &[u8]) -> Option<(IpAddr, Mac)> {
    let ethernet = EthernetPacket::new(frame)?;
    if ethernet.get_ethertype() != EtherTypes::Arp {
        return None;
    }
    let arp = ArpPacket::new(ethernet.payload())?;
    let is_ipv4_on_ethernet = arp.get_hardware_type() == ArpHardwareTypes::Ethernet
        && arp.get_protocol_type() == EtherTypes::Ipv4
        && (arp.get_hw_addr_len(), arp.get_proto_addr_len()) == (6, 4);
    let ip = arp.get_sender_proto_addr();
    (is_ipv4_on_ethernet && !ip.is_unspecified())
        .then(|| (IpAddr::V4(ip), Mac(arp.get_sender_hw_addr().octets())))
}

fn build(
    receiver: Mac,
    operation: ArpOperation,
    sender: (Mac, Ipv4Addr),
    target: (Mac, Ipv4Addr),
) -> Vec<u8> {
    let mut frame = vec![0; SHORTEST];
    if let Some(mut ethernet) = MutableEthernetPacket::new(&mut frame) {
        ethernet.set_destination(receiver.0.into());
        ethernet.set_source(sender.0.0.into());
        ethernet.set_ethertype(EtherTypes::Arp);
        if let Some(mut arp) = MutableArpPacket::new(ethernet.payload_mut()) {
            arp.set_hardware_type(ArpHardwareTypes::Ethernet);
            arp.set_protocol_type(EtherTypes::Ipv4);
            arp.set_hw_addr_len(6);
            arp.set_proto_addr_len(4);
            arp.set_operation(operation);
            arp.set_sender_hw_addr(sender.0.0.into());
            arp.set_sender_proto_addr(sender.1);
            arp.set_target_hw_addr(target.0.0.into());
            arp.set_target_proto_addr(target.1);
        }
    }
    frame
}
