//! Asks the witnesses: an ICMP echo each (RFC 792, RFC 4443), and some patience.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Echoes are sent so often within the patience.
const ECHOES: u32 = 3;
const REQUEST_V4: u8 = 8;
const REPLY_V4: u8 = 0;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// Whether each of the witnesses answered within `patience`, or why it could not be asked.
pub(crate) type Round = Vec<(IpAddr, Result<bool, String>)>;

/// Asks all of them, and waits for each.
pub(crate) async fn ask_all(witnesses: &[IpAddr], patience: Duration) -> Round {
    let unasked = |ip: &IpAddr| (*ip, Err("asking it ended early".to_owned()));
    let mut round: Round = witnesses.iter().map(unasked).collect();
    let mut asking = begin(witnesses, patience);
    while let Some(result) = asking.join_next().await {
        if let Ok((index, answer)) = result
            && let Some((_, slot)) = round.get_mut(index)
        {
            *slot = answer.map_err(|error| error.to_string());
        }
    }
    round
}

/// Which of the witnesses answered within `patience`. Ends as soon as one of them did: nothing is
/// known of those that were not waited for, nor of those that could not be asked.
pub(crate) async fn ask(witnesses: Vec<IpAddr>, patience: Duration) -> Vec<Option<bool>> {
    let mut answered = vec![None; witnesses.len()];
    let mut asking = begin(&witnesses, patience);
    while let Some(result) = asking.join_next().await {
        match result {
            Ok((index, Ok(answer))) => {
                if let Some(slot) = answered.get_mut(index) {
                    *slot = Some(answer);
                }
                if answer {
                    break;
                }
            }
            Ok((index, Err(error))) => {
                tracing::warn!(witness = index + 1, %error, "cannot ask a witness");
            }
            Err(error) => tracing::warn!(%error, "asking a witness ended early"),
        }
    }
    answered
}

fn begin(witnesses: &[IpAddr], patience: Duration) -> JoinSet<(usize, io::Result<bool>)> {
    let mut asking = JoinSet::new();
    for (index, ip) in witnesses.iter().copied().enumerate() {
        asking.spawn(async move { (index, answers(ip, patience).await) });
    }
    asking
}

async fn answers(ip: IpAddr, patience: Duration) -> io::Result<bool> {
    let socket = open(ip)?;
    let pause = patience / ECHOES;
    let mut identifier = [0; 2];
    let random = SystemRandom::new().fill(&mut identifier);
    random.map_err(|_| io::Error::other("the system gives no random bits"))?;
    for sequence in 0..u8::try_from(ECHOES).unwrap_or(1) {
        if !send(&socket, ip, &echo(ip, identifier, sequence))? {
            tokio::time::sleep(pause).await;
        } else if tokio::time::timeout(pause, reply(&socket, ip, identifier)).await.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sends an echo, if there is a way to the witness at this moment.
fn send(socket: &UdpSocket, ip: IpAddr, packet: &[u8]) -> io::Result<bool> {
    // Not by way of the event loop, which first has to hear of a socket that was just opened.
    let socket = SockRef::from(socket);
    // The kernel then gives us packets of this address only; and it looks for the way anew.
    let sent = socket.connect(&SocketAddr::new(ip, 0).into()).and_then(|()| socket.send(packet));
    match sent {
        Ok(_) => Ok(true),
        Err(error) if is_unreachable(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// No route, no neighbour: that is an answer, and no failure of ours.
fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::WouldBlock
    )
}

fn open(ip: IpAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match ip {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    // Only sends and receives are used, which work on any datagram socket.
    UdpSocket::from_std(socket.into())
}

fn echo(ip: IpAddr, identifier: [u8; 2], sequence: u8) -> [u8; 8] {
    let kind = if ip.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 };
    let [high, low] = identifier;
    let mut packet = [kind, 0, 0, 0, high, low, 0, sequence];
    // The kernel itself fills in the checksum of ICMPv6.
    if ip.is_ipv4() {
        let [_, _, first, second, ..] = &mut packet;
        [*first, *second] =
            checksum([u16::from(kind) << 8, u16::from_be_bytes(identifier), u16::from(sequence)])
                .to_be_bytes();
    }
    packet
}

/// RFC 1071.
fn checksum(words: [u16; 3]) -> u16 {
    let sum: u32 = words.into_iter().map(u32::from).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(u16::MAX)
}

/// Waits for our own echo to come back.
async fn reply(socket: &UdpSocket, ip: IpAddr, identifier: [u8; 2]) {
    let mut buffer = [0; 256];
    loop {
        let Ok(length) = socket.recv(&mut buffer).await else {
            // An ICMP error that came back: the silence goes on.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let packet = buffer.get(..length).unwrap_or_default();
        if is_reply(packet, ip, identifier) {
            return;
        }
    }
}

/// A raw IPv4 socket gives the IP header too, an IPv6 one does not.
fn is_reply(packet: &[u8], ip: IpAddr, identifier: [u8; 2]) -> bool {
    let (start, kind) = match ip {
        IpAddr::V4(_) => (packet.first().map_or(0, |first| usize::from(first & 0xf) * 4), REPLY_V4),
        IpAddr::V6(_) => (0, REPLY_V6),
    };
    let icmp = packet.get(start..).unwrap_or_default();
    icmp.first() == Some(&kind) && icmp.get(4..6) == Some(&identifier[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_a_good_checksum_and_its_reply_is_known() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let mut packet = echo(ip, [0xab, 0xcd], 2);
        let words = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
        let sum: u32 = words.sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        packet[0] = REPLY_V4;
        let mut with_header = vec![0x45; 20];
        with_header.extend(packet);
        assert!(is_reply(&with_header, ip, [0xab, 0xcd]));
        assert!(!is_reply(&with_header, ip, [0xab, 0xce]));
        assert!(!is_reply(&[], ip, [0xab, 0xcd]));
    }

    /// Nobody waits for the second echo, which would come much later.
    #[tokio::test]
    async fn the_first_echo_is_enough_and_who_was_not_waited_for_is_not_known() {
        let patience = Duration::from_secs(3000);
        let witnesses = ["127.0.0.1", "127.0.0.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        if let Err(error) = open(witnesses[0]) {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            return;
        }
        let mut answers = ask(witnesses.into(), patience).await;
        answers.sort();
        assert_eq!(answers, [None, Some(true)]);
    }
}
