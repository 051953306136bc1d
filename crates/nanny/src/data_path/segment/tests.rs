use std::net::{IpAddr, SocketAddr};

use pnet_packet::Packet;
use pnet_packet::ethernet::{EtherTypes, EthernetPacket};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv4::{self, Ipv4Packet};
use pnet_packet::ipv6::Ipv6Packet;
use pnet_packet::tcp::{self, TcpFlags, TcpPacket};

use super::{Answer, Says, Segment, Way, answer, frame};

const PORT: u16 = 40_000;

fn way(source: &str, virtual_server: &str, tunnel: Option<(&str, &str)>) -> Way {
    let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
    Way {
        from: [2, 0, 0, 0, 0, 1],
        to: [2, 0, 0, 0, 0, 4],
        source: SocketAddr::new(ip(source), PORT),
        virtual_server: virtual_server.parse().unwrap(),
        tunnel: tunnel.map(|(from, to)| (ip(from), ip(to))),
    }
}

fn over4() -> Way {
    way("192.168.1.2", "192.168.1.1:80", None)
}

fn over6() -> Way {
    way("2001:db8:1::2", "[2001:db8:1::1]:80", None)
}

#[test]
fn a_syn_has_the_virtual_server_as_its_destination_and_the_real_server_as_its_receiver() {
    let bytes = frame(&over4(), Segment::Syn { number: 7 }).unwrap();
    let ethernet = EthernetPacket::new(&bytes).unwrap();
    assert_eq!(ethernet.get_destination().octets(), [2, 0, 0, 0, 0, 4]);
    assert_eq!(ethernet.get_ethertype(), EtherTypes::Ipv4);
    let ip = Ipv4Packet::new(ethernet.payload()).unwrap();
    assert_eq!(
        (ip.get_source().to_string(), ip.get_destination().to_string()),
        ("192.168.1.2".to_owned(), "192.168.1.1".to_owned())
    );
    assert_eq!(ip.get_checksum(), ipv4::checksum(&ip));
    let segment = TcpPacket::new(ip.payload()).unwrap();
    assert_eq!((segment.get_source(), segment.get_destination()), (PORT, 80));
    assert_eq!((segment.get_flags(), segment.get_sequence()), (TcpFlags::SYN, 7));
    let sum = tcp::ipv4_checksum(&segment, &ip.get_source(), &ip.get_destination());
    assert_eq!(segment.get_checksum(), sum);
}

#[test]
fn over_ipv6_it_is_the_same() {
    let bytes = frame(&over6(), Segment::Reset { number: 8 }).unwrap();
    let ethernet = EthernetPacket::new(&bytes).unwrap();
    assert_eq!(ethernet.get_ethertype(), EtherTypes::Ipv6);
    let ip = Ipv6Packet::new(ethernet.payload()).unwrap();
    assert_eq!(ip.get_destination().to_string(), "2001:db8:1::1");
    let segment = TcpPacket::new(ip.payload()).unwrap();
    assert_eq!((segment.get_flags(), segment.get_sequence()), (TcpFlags::RST, 8));
    let sum = tcp::ipv6_checksum(&segment, &ip.get_source(), &ip.get_destination());
    assert_eq!(segment.get_checksum(), sum);
}

#[test]
fn a_tunnel_wraps_it_and_may_cross_families() {
    let through = way("192.168.1.2", "192.168.1.1:80", Some(("192.168.1.2", "192.168.1.5")));
    let bytes = frame(&through, Segment::Syn { number: 7 }).unwrap();
    let outer = Ipv4Packet::new(bytes.get(14..).unwrap()).unwrap();
    assert_eq!(outer.get_destination().to_string(), "192.168.1.5");
    assert_eq!(outer.get_next_level_protocol(), IpNextHeaderProtocols::Ipv4);
    let inner = Ipv4Packet::new(outer.payload()).unwrap();
    assert_eq!(inner.get_destination().to_string(), "192.168.1.1");

    let crossing = way("2001:db8:1::2", "[2001:db8:1::1]:80", Some(("192.168.1.2", "192.168.1.5")));
    let bytes = frame(&crossing, Segment::Syn { number: 7 }).unwrap();
    let ethernet = EthernetPacket::new(&bytes).unwrap();
    assert_eq!(ethernet.get_ethertype(), EtherTypes::Ipv4);
    let outer = Ipv4Packet::new(ethernet.payload()).unwrap();
    assert_eq!(outer.get_next_level_protocol(), IpNextHeaderProtocols::Ipv6);
}

#[test]
fn addresses_of_two_families_make_no_packet() {
    let mixed = way("192.168.1.2", "[2001:db8:1::1]:80", None);
    assert_eq!(frame(&mixed, Segment::Syn { number: 7 }), None);
}

/// What the server sends back: the way reversed, with these flags.
fn reply(way: &Way, flags: u8) -> Vec<u8> {
    let back = Way { source: way.virtual_server, virtual_server: way.source, ..*way };
    let mut bytes = frame(&back, Segment::Syn { number: 1 }).unwrap().split_off(14);
    let start = if way.source.is_ipv4() { 20 } else { 40 };
    bytes[start + 13] = flags;
    bytes[start + 8..start + 12].copy_from_slice(&8_u32.to_be_bytes());
    bytes
}

#[test]
fn an_answer_tells_who_answers_whom_and_how() {
    for way in [over4(), over6()] {
        let told =
            |says| Some(Answer { says, virtual_server: way.virtual_server, acknowledged: 8 });
        let accepted = reply(&way, TcpFlags::SYN | TcpFlags::ACK);
        assert_eq!(answer(&accepted, PORT), told(Says::Accepts));
        let refused = reply(&way, TcpFlags::RST | TcpFlags::ACK);
        assert_eq!(answer(&refused, PORT), told(Says::Refuses));
        assert_eq!(answer(&reply(&way, TcpFlags::ACK), PORT), told(Says::HoldsOlder));
        assert_eq!(answer(&accepted, PORT + 1), None, "somebody else's port");
        let both = TcpFlags::SYN | TcpFlags::RST | TcpFlags::ACK;
        for no_answer in [TcpFlags::SYN, TcpFlags::RST, 0, both] {
            assert_eq!(answer(&reply(&way, no_answer), PORT), None);
        }
    }
}

#[test]
fn what_is_cut_short_or_altered_is_never_a_panic() {
    for whole in [over4(), over6()].map(|way| reply(&way, TcpFlags::SYN | TcpFlags::ACK)) {
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length], PORT), None, "{length} bytes");
        }
        for bit in 0..whole.len() * 8 {
            let mut altered = whole.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let read = answer(&altered, PORT);
            assert!(read.is_none_or(|answer| answer.virtual_server.port() != 0));
        }
    }
}
