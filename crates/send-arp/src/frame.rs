//! The frames: built and read, byte for byte.

mod arp;
mod neighbour;

use std::net::{IpAddr, Ipv4Addr};

pub use arp::Form;

use crate::{Link, Mac};

/// Shortest Ethernet frame without its checksum (IEEE 802.3): shorter ones are padded.
const SHORTEST: usize = 60;

/// Length of the Ethernet header.
const ETHERNET: usize = 14;

/// Says that `ip` is at `link`: the frames to send, in their order.
pub fn announcement(ip: IpAddr, link: &Link) -> Vec<Vec<u8>> {
    match ip {
        IpAddr::V4(ip) => [Form::Request, Form::Reply]
            .map(|form| arp::gratuitous(ip, link.mac, Mac::BROADCAST, form))
            .to_vec(),
        IpAddr::V6(ip) => vec![neighbour::advertisement(ip, link)],
    }
}

/// One gratuitous ARP frame to one receiver, as the old send_arp sent it.
pub fn gratuitous_arp(ip: Ipv4Addr, mac: Mac, receiver: Mac, form: Form) -> Vec<u8> {
    arp::gratuitous(ip, mac, receiver, form)
}

/// Asks who has `ip`, without claiming it or any other address (RFC 5227, section 2.1.1; RFC 4862,
/// section 5.4.2).
pub fn question(ip: IpAddr, link: &Link) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => arp::question(ip, link.mac),
        IpAddr::V6(ip) => neighbour::question(ip, link.mac),
    }
}

/// Which address a frame claims, and for whom; none for a frame that claims nothing. The frame
/// may be anything that anybody put on the wire.
pub fn claim(frame: &[u8]) -> Option<(IpAddr, Mac)> {
    arp::claim(frame).or_else(|| neighbour::claim(frame))
}

#[cfg(test)]
mod tests;
