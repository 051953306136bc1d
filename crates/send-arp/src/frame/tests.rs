use proptest::prelude::*;

use super::*;

const LINK: Link = Link { index: 2, mac: Mac([0x52, 0x54, 0, 0, 0, 2]), router: false };

fn hex(frame: &[u8]) -> String {
    frame.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn padded(hex: &str) -> String {
    format!("{hex:0<120}")
}

#[test]
fn an_ipv4_address_is_announced_as_request_and_as_reply() {
    let frames = announcement("192.168.1.1".parse().unwrap(), &LINK);
    let request = "ffffffffffff525400000002 0806 0001 0800 06 04 0001 \
                   525400000002 c0a80101 000000000000 c0a80101";
    let reply = "ffffffffffff525400000002 0806 0001 0800 06 04 0002 \
                 525400000002 c0a80101 525400000002 c0a80101";
    let wanted = [request, reply].map(|frame| padded(&frame.replace(' ', "")));
    assert_eq!(frames.iter().map(|frame| hex(frame)).collect::<Vec<_>>(), wanted);
}

#[test]
fn an_ipv6_address_is_announced_to_all_nodes_with_override() {
    let frames = announcement("2001:db8::1".parse().unwrap(), &LINK);
    // The checksum was worked out by hand from RFC 4443, section 2.3.
    let wanted = "333300000001525400000002 86dd 60000000 0020 3a ff \
                  20010db8000000000000000000000001 ff020000000000000000000000000001 \
                  88 00 CCCC 20000000 20010db8000000000000000000000001 0201 525400000002";
    let sum = {
        let mut words: u32 = 0;
        for word in [
            0x2001, 0x0db8, 1, 0xff02, 1, 0x20, 0x3a, 0x8800, 0x2000, 0x2001, 0x0db8, 1, 0x0201,
            0x5254, 0, 2,
        ] {
            words += word;
        }
        !((words & 0xffff) + (words >> 16)) & 0xffff
    };
    let wanted = wanted.replace(' ', "").replace("CCCC", &format!("{sum:04x}"));
    assert_eq!(frames.iter().map(|frame| hex(frame)).collect::<Vec<_>>(), [wanted]);
}

#[test]
fn a_router_says_so_or_hosts_would_drop_it_as_their_gateway() {
    let frames = announcement("fe80::1".parse().unwrap(), &Link { router: true, ..LINK });
    assert_eq!(frames[0][58], 0xa0);
}

#[test]
fn a_question_names_no_address_of_ours() {
    let v4 = question("192.168.1.1".parse().unwrap(), &LINK);
    assert_eq!(hex(&v4[28..32]), "00000000");
    assert_eq!(hex(&v4[38..42]), "c0a80101");
    let v6 = question("2001:db8::12:3456".parse().unwrap(), &LINK);
    assert_eq!(hex(&v6[..6]), "3333ff123456");
    assert_eq!(hex(&v6[22..38]), "0".repeat(32));
    assert_eq!(hex(&v6[38..54]), "ff0200000000000000000001ff123456");
    assert_eq!(v6.len(), 78, "without an option, as the source is no address");
}

#[test]
fn an_announcement_claims_its_address_and_a_question_claims_none() {
    for ip in ["192.168.1.1", "2001:db8::1"] {
        let ip = ip.parse().unwrap();
        for frame in announcement(ip, &LINK) {
            assert_eq!(claim(&frame), Some((ip, LINK.mac)));
        }
        assert_eq!(claim(&question(ip, &LINK)), None);
    }
}

#[test]
fn the_old_form_goes_to_the_receiver_that_was_named() {
    let receiver = Mac([2, 0, 0, 0, 0, 9]);
    let frame = gratuitous_arp("192.168.1.1".parse().unwrap(), LINK.mac, receiver, Form::Reply);
    assert_eq!(frame[..6], receiver.0);
    assert_eq!(hex(&frame[20..22]), "0002");
}

#[test]
fn an_altered_advertisement_or_one_from_far_away_claims_nothing() {
    let frame = announcement("2001:db8::1".parse().unwrap(), &LINK).remove(0);
    let far = |at: usize| {
        let mut frame = frame.clone();
        frame[at] ^= 1;
        claim(&frame)
    };
    for at in [12, 20, 21, 54, 56, 70, 85] {
        assert_eq!(far(at), None, "byte {at}");
    }
}

#[test]
fn a_missing_option_is_replaced_by_the_sender_of_the_frame() {
    let mut frame = announcement("2001:db8::1".parse().unwrap(), &LINK).remove(0);
    frame.truncate(78);
    frame[19] = 24;
    let sum = |frame: &[u8]| -> u16 {
        let pseudo = [&frame[22..54], &[0, 0, 0, 24, 0, 0, 0, 58][..], &frame[54..78]].concat();
        let sum: u32 =
            pseudo.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
    };
    frame[56..58].copy_from_slice(&[0, 0]);
    let checksum = sum(&frame);
    frame[56..58].copy_from_slice(&checksum.to_be_bytes());
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
    let claimed = claim(&frame).unwrap();
    assert_eq!(claimed.1, Mac([2, 0, 0, 0, 0, 7]));
}

proptest! {
    #[test]
    fn no_bytes_from_the_wire_end_the_program(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        claim(&bytes);
    }

    #[test]
    fn no_altered_frame_ends_the_program(
        at in 0usize..86, value in any::<u8>(), length in 0usize..=86, v6 in any::<bool>(),
    ) {
        let ip: IpAddr = if v6 { "2001:db8::1" } else { "192.168.1.1" }.parse().unwrap();
        let mut frame = announcement(ip, &LINK).remove(0);
        if let Some(byte) = frame.get_mut(at) {
            *byte = value;
        }
        frame.truncate(length);
        claim(&frame);
    }
}
