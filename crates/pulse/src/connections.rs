//! Tells the partner of the open connections of a group that is handed over.
//!
//! The kernel's own connection sync copies a connection after some packets, and up to two seconds
//! late: those that are short and open at the moment of a hand-over would be lost. So they are
//! read from `/proc/net/ip_vs_conn` once the addresses are gone, and sent as the kernel's sync daemon
//! sends them (`net/netfilter/ipvs/ip_vs_sync.c`, protocol version 1). The partner's kernel takes
//! them in before the partner takes the addresses.

use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use config::model::ConnectionSync;
use socket2::{Domain, Protocol, Socket, Type};

/// The kernel's list.
const LIST: &str = "/proc/net/ip_vs_conn";
/// A hand-over waits no longer for this. A client waits longer than this for a packet, and does not
/// survive a connection that its director does not know; older ones were copied by the kernel before.
const LIMIT: Duration = Duration::from_millis(250);
/// The kernel's defaults (`ip_vs_sync.c`).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);
const PORT: u16 = 8848;
/// Connections in one message: with IPv6 it still fits an Ethernet frame.
const PER_MESSAGE: usize = 18;
/// `SYNC_PROTO_VER`.
const VERSION: u8 = 1;
/// `IP_VS_CONN_F_INACTIVE`.
const INACTIVE: u32 = 0x100;
/// States of TCP in the order of the kernel's numbers (`IP_VS_TCP_S_…`).
const TCP_STATES: [&str; 11] = [
    "NONE",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "SYNACK",
];
const ESTABLISHED: u16 = 1;
/// `IP_VS_TCP_S_SYN_RECV`. What is in a state that is not named here has nothing left to lose.
const SYN_RECEIVED: u16 = 3;
/// `IP_VS_TCP_S_CLOSE_WAIT`: with NAT, the server has ended and the client has not.
const CLOSE_WAIT: u16 = 7;

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connection {
    client: SocketAddr,
    service: SocketAddr,
    server: SocketAddr,
    state: u16,
}

impl Connection {
    fn is_open(&self) -> bool {
        matches!(self.state, ESTABLISHED | SYN_RECEIVED | CLOSE_WAIT)
    }
}

/// Sends the TCP connections to these addresses; how many. Blocks for up to [`LIMIT`].
pub(crate) fn hand_over(sync: &ConnectionSync, ips: &[IpAddr]) -> io::Result<usize> {
    let begun = Instant::now();
    let list = BufReader::new(std::fs::File::open(LIST)?);
    let socket = open(sync)?;
    let group = sync.group.unwrap_or(IpAddr::V4(GROUP));
    let target = SocketAddr::new(group, sync.port.unwrap_or(PORT));
    let (mut batch, mut count) = (Vec::with_capacity(PER_MESSAGE), 0);
    for line in list.lines() {
        let connection = parse(&line?);
        let connection =
            connection.filter(|found| found.is_open() && ips.contains(&found.service.ip()));
        batch.extend(connection);
        if batch.len() == PER_MESSAGE {
            count += batch.len();
            socket.send_to(&message(sync.id, &batch), &target.into())?;
            batch.clear();
        }
        if begun.elapsed() > LIMIT {
            let limit_ms = LIMIT.as_millis();
            tracing::warn!(
                limit_ms,
                told = count,
                "too many connections to tell the partner of all"
            );
            break;
        }
    }
    if !batch.is_empty() {
        count += batch.len();
        socket.send_to(&message(sync.id, &batch), &target.into())?;
    }
    Ok(count)
}

fn open(sync: &ConnectionSync) -> io::Result<Socket> {
    let v6 = sync.group.is_some_and(|group| group.is_ipv6());
    let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind_device(Some(sync.interface.as_bytes()))?;
    let ttl = u32::from(sync.ttl.unwrap_or(1));
    if v6 {
        socket.set_multicast_hops_v6(ttl)?;
        socket.set_multicast_loop_v6(false)?;
    } else {
        socket.set_multicast_ttl_v4(ttl)?;
        socket.set_multicast_loop_v4(false)?;
    }
    Ok(socket)
}

/// `TCP C0A801C8 9C40 C0A80101 0050 C0A80104 0050 ESTABLISHED     893`
fn parse(line: &str) -> Option<Connection> {
    let mut words = line.split_ascii_whitespace();
    if words.next()? != "TCP" {
        return None;
    }
    let mut end = || Some(SocketAddr::new(address(words.next()?)?, hex(words.next()?)?));
    let (client, service, server) = (end()?, end()?, end()?);
    let name = words.next()?;
    let state = TCP_STATES.iter().zip(0..).find(|(state, _)| **state == name)?.1;
    Some(Connection { client, service, server, state })
}

fn hex(word: &str) -> Option<u16> {
    u16::from_str_radix(word, 16).ok()
}

fn address(word: &str) -> Option<IpAddr> {
    match word.len() {
        8 => Some(Ipv4Addr::from(u32::from_str_radix(word, 16).ok()?).into()),
        32 => Some(Ipv6Addr::from(u128::from_str_radix(word, 16).ok()?).into()),
        _ => word.trim_matches(['[', ']']).parse().ok(),
    }
}

/// `struct ip_vs_sync_mesg` and its connections.
fn message(id: u8, connections: &[Connection]) -> Vec<u8> {
    let mut body = Vec::new();
    for connection in connections {
        body.extend(entry(connection));
    }
    let size = u16::try_from(body.len() + 8).unwrap_or(u16::MAX);
    let count = u8::try_from(connections.len()).unwrap_or(u8::MAX);
    let mut out = vec![0, id];
    out.extend(size.to_be_bytes());
    out.extend([count, VERSION, 0, 0]);
    out.extend(body);
    out
}

/// `struct ip_vs_sync_v4` or `ip_vs_sync_v6`. Forwarding method and time to live are the
/// receiver's own.
fn entry(connection: &Connection) -> Vec<u8> {
    let Connection { client, service, server, state } = connection;
    let v6 = client.is_ipv6();
    let size: u16 = if v6 { 72 } else { 36 };
    let tcp = 6;
    let mut out = vec![u8::from(v6), tcp];
    out.extend(size.to_be_bytes());
    let flags = if *state == ESTABLISHED { 0 } else { INACTIVE };
    out.extend(flags.to_be_bytes());
    for word in [*state, client.port(), service.port(), server.port()] {
        out.extend(word.to_be_bytes());
    }
    // Firewall mark and timeout: none, and the state's own.
    out.extend([0; 8]);
    for end in [client, service, server] {
        match end.ip() {
            IpAddr::V4(ip) => out.extend(ip.octets()),
            IpAddr::V6(ip) => out.extend(ip.octets()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "TCP C0A801C8 9C40 C0A80101 0050 C0A80104 0050 ESTABLISHED     893 -               -";

    #[test]
    fn a_line_of_the_kernel_is_a_connection() {
        let connection = parse(LINE).unwrap();
        assert_eq!(connection.client, "192.168.1.200:40000".parse().unwrap());
        assert_eq!(connection.service, "192.168.1.1:80".parse().unwrap());
        assert_eq!(connection.server, "192.168.1.4:80".parse().unwrap());
        assert!(connection.is_open());
        assert!(!parse(&LINE.replace("ESTABLISHED", "TIME_WAIT")).unwrap().is_open());
        let other = LINE.replace("TCP", "UDP");
        let head =
            "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData";
        for line in [other.as_str(), head, "", "TCP x"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_message_is_laid_out_as_the_kernel_reads_it() {
        let connection = parse(LINE).unwrap();
        let closing = Connection { state: 4, ..connection };
        let message = message(7, &[connection, closing]);
        let head = [0, 7, 0, 80, 2, 1, 0, 0];
        assert_eq!(message[..8], head);
        let first = [
            0, 6, 0, 36, 0, 0, 0, 0, 0, 1, 0x9c, 0x40, 0, 80, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 192,
            168, 1, 200, 192, 168, 1, 1, 192, 168, 1, 4,
        ];
        assert_eq!(message[8..44], first);
        assert_eq!(message[44..54], [0, 6, 0, 36, 0, 0, 1, 0, 0, 4]);
        assert_eq!(message.len(), 80);
    }

    #[test]
    fn an_ipv6_connection_has_its_own_layout() {
        let line = "TCP 20010DB8000000000000000000000001 9C40 20010DB8000000000000000000000002 0050 \
                    20010DB8000000000000000000000003 0050 SYN_RECV 59";
        let message = message(0, &[parse(line).unwrap()]);
        assert_eq!(message.len(), 80);
        assert_eq!(message[8..12], [1, 6, 0, 72]);
        assert_eq!(message[79], 3);
    }
}
