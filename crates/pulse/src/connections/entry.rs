//! A connection as the kernel lists it, and as its sync daemon tells it
//! (`net/netfilter/ipvs/ip_vs_conn.c` and `ip_vs_sync.c`, protocol version 1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Connections in one message: with IPv6 it still fits an Ethernet frame.
pub(super) const PER_MESSAGE: usize = 18;
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
/// Its place in a line.
const STATE_COLUMN: usize = 7;
/// What is in another state has nothing left to lose. In the last one, with NAT, the server has ended
/// and the client has not.
const OPEN_STATES: [&[u8]; 3] = [b"ESTABLISHED", b"SYN_RECV", b"CLOSE_WAIT"];

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    client: SocketAddr,
    pub(super) service: SocketAddr,
    server: SocketAddr,
    state: u16,
}

/// Whether a line is of a connection that is open. Most are not, so this is cheap.
pub(super) fn is_open(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.nth(STATE_COLUMN).is_some_and(|state| OPEN_STATES.contains(&state))
}

/// `TCP C0A801C8 9C40 C0A80101 0050 C0A80104 0050 ESTABLISHED     893`
pub(super) fn parse(line: &str) -> Option<Connection> {
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
pub(super) fn message(id: u8, connections: &[Connection]) -> Vec<u8> {
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
        let other = LINE.replace("TCP", "UDP");
        let head =
            "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData";
        for line in [other.as_str(), head, "", "TCP x"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_connection_is_open_until_its_client_ends_it() {
        for (state, open) in [
            ("ESTABLISHED", true),
            ("SYN_RECV   ", true),
            ("CLOSE_WAIT ", true),
            ("TIME_WAIT  ", false),
            ("FIN_WAIT   ", false),
            ("SYN_RECVX  ", false),
        ] {
            assert_eq!(is_open(LINE.replace("ESTABLISHED", state).as_bytes()), open, "{state}");
        }
        assert!(!is_open(b"") && !is_open(b"TCP x\n"));
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
