//! Junk on the heartbeat port, in the name of the partner: from any other sender the kernel drops it
//! before a daemon sees it, and nothing would be shown.

use super::SPELL;
use lab::failure::Context;
use lab::{Node, Outcome, Run, ensure, pair};
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sendto, socket_with,
};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Instant;

/// Packets at most, for each path.
const MOST: usize = 300_000;
/// Fewer than these have shown nothing.
const LEAST: u64 = 1_000;
/// Where heartbeats go.
const PORT: u16 = 539;
/// The path between the addresses of the routers.
const FROM: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 3);
const TO: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 2);
/// The path that everybody on the second wire may send to.
const WIRE: Ipv4Addr = Ipv4Addr::new(172, 16, 1, 3);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 0, 0, 42);
/// Their names in the status.
const PATHS: [&str; 2] = ["192.168.1.2 -> 192.168.1.3", "multicast 239.0.0.42 eth1"];
/// A heartbeat of one group is as long.
const LENGTH: usize = 109;

/// For two paths of the active router, as fast as a host can send: in the partner's name from a
/// third host, and to a multicast group. The router has looked at each packet, and refused it.
pub(super) fn at_line_rate(run: &Run, active: &Node, partner: &Node, third: &Node) -> Outcome {
    let before = refused(active)?;
    let forged = third.run(forged)?.context("sending in the name of the partner")?;
    let shared = partner.run(shared)?.context("sending to a multicast group")?;
    let after = refused(active)?;
    let [one, two] = [after[0] - before[0], after[1] - before[1]];
    run.step(format!("{forged} and {shared} packets of junk, {one} and {two} reached pulse"));
    ensure!(one >= LEAST && two >= LEAST, "junk did not reach pulse: {one} and {two}");
    Ok(())
}

/// What a router refused on each of the two paths so far.
fn refused(router: &Node) -> Outcome<[u64; 2]> {
    let status = pair::status(router)?;
    let paths = status.pointer("/pulse/paths").and_then(serde_json::Value::as_array);
    let sum = |name: &str| {
        let named = |path: &&serde_json::Value| path["name"] == name;
        let path = paths.into_iter().flatten().find(named)?;
        let kinds = ["rejected_tag", "rejected_replay", "rejected_malformed"];
        kinds.iter().map(|kind| path[*kind].as_u64()).sum::<Option<u64>>()
    };
    let [Some(one), Some(two)] = PATHS.map(sum) else {
        return Err(lab::Failure::new(format!("the status has not both paths: {status}")));
    };
    Ok([one, two])
}

/// As the partner would send them: its address and its port.
fn forged() -> std::io::Result<usize> {
    // The header comes from us; the kernel fills in length and checksum (raw(7)).
    let kind = SocketType::RAW;
    let socket = socket_with(AddressFamily::INET, kind, SocketFlags::CLOEXEC, Some(ipproto::RAW))?;
    let to = SocketAddrV4::new(TO, 0);
    flood(|junk| {
        let _full = sendto(&socket, &datagram(junk), SendFlags::empty(), &to);
    })
}

fn shared() -> std::io::Result<usize> {
    let socket = UdpSocket::bind((WIRE, 0))?;
    flood(|junk| {
        let _full = socket.send_to(junk, (GROUP, PORT));
    })
}

/// Every second packet begins as a heartbeat does. A full queue loses packets, as a wire does.
fn flood(mut send: impl FnMut(&[u8])) -> std::io::Result<usize> {
    let begun = Instant::now();
    let mut junk = [0_u8; LENGTH];
    let mut sent = 0;
    while sent < MOST && begun.elapsed() < SPELL {
        for byte in junk.iter_mut().step_by(1 + sent % 7) {
            *byte = byte.wrapping_add(89);
        }
        if sent % 2 == 0 {
            junk[..4].copy_from_slice(&[0xca, 0xb1, 1, 1]);
        }
        send(&junk);
        sent += 1;
    }
    Ok(sent)
}

/// IPv4 (RFC 791) and UDP (RFC 768) around it; UDP's checksum is 0, which is none.
fn datagram(junk: &[u8]) -> Vec<u8> {
    let length =
        |header: usize| u16::try_from(header + junk.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![0x45, 0];
    packet.extend(length(28));
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(FROM.octets());
    packet.extend(TO.octets());
    packet.extend(PORT.to_be_bytes());
    packet.extend(PORT.to_be_bytes());
    packet.extend(length(8));
    packet.extend([0, 0]);
    packet.extend(junk);
    packet
}
