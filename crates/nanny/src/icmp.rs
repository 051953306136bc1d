//! Echo requests and replies on the wire (RFC 792, RFC 4443), without sockets.

/// A request's and a reply's payload: who asked, and which request it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Chosen by chance once a process, so that nobody else's reply is taken for ours.
    pub nonce: u64,
    /// Number of the request.
    pub number: u64,
}

/// Address family of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// ICMP over IPv4.
    V4,
    /// ICMPv6.
    V6,
}

/// Bytes before the payload.
const HEAD: usize = 8;

/// Bytes of a request.
pub const REQUEST: usize = HEAD + 16;

/// An echo request. Its checksum is right for IPv4; that of IPv6 covers addresses and is written
/// by the kernel.
pub fn request(family: Family, tag: Tag) -> [u8; REQUEST] {
    let [.., id_high, id_low] = tag.nonce.to_be_bytes();
    let [.., sequence_high, sequence_low] = tag.number.to_be_bytes();
    let kind = match family {
        Family::V4 => 8,
        Family::V6 => 128,
    };
    let mut packet = [0; REQUEST];
    let head = [kind, 0, 0, 0, id_high, id_low, sequence_high, sequence_low];
    let payload = tag.nonce.to_be_bytes().into_iter().chain(tag.number.to_be_bytes());
    for (place, byte) in packet.iter_mut().zip(head.into_iter().chain(payload)) {
        *place = byte;
    }
    let [high, low] = checksum(&packet).to_be_bytes();
    for (place, byte) in packet.iter_mut().skip(2).zip([high, low]) {
        *place = byte;
    }
    packet
}

/// The type of an echo reply.
pub fn reply_type(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 129,
    }
}

/// The tag of an echo reply; none when the packet is something else. `ip_header` tells that the
/// IPv4 header comes first, as on a raw socket.
pub fn reply(family: Family, ip_header: bool, packet: &[u8]) -> Option<Tag> {
    let packet = if ip_header {
        let words = usize::from(*packet.first()? & 0x0f);
        packet.get(words * 4..)?
    } else {
        packet
    };
    if *packet.first()? != reply_type(family) || *packet.get(1)? != 0 {
        return None;
    }
    let nonce = u64::from_be_bytes(packet.get(HEAD..HEAD + 8)?.try_into().ok()?);
    let number = u64::from_be_bytes(packet.get(HEAD + 8..HEAD + 16)?.try_into().ok()?);
    Some(Tag { nonce, number })
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(packet: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in packet.chunks_exact(2) {
        if let [high, low] = pair {
            sum += u32::from(u16::from_be_bytes([*high, *low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: Tag = Tag { nonce: 0x1122_3344_5566_7788, number: 0x0102 };

    #[test]
    fn a_request_is_what_the_rfc_says() {
        let packet = request(Family::V4, TAG);
        assert_eq!(packet[..2], [8, 0]);
        assert_eq!(packet[4..8], [0x77, 0x88, 0x01, 0x02]);
        assert_eq!(packet[8..16], TAG.nonce.to_be_bytes());
        // A right checksum makes the sum over everything come out as zero.
        assert_eq!(checksum(&packet), 0);
        assert_eq!(request(Family::V6, TAG)[..2], [128, 0]);
    }

    #[test]
    fn a_reply_is_known_by_its_tag() {
        let mut packet = request(Family::V4, TAG).to_vec();
        assert_eq!(reply(Family::V4, false, &packet), None, "a request is no reply");
        packet[0] = 0;
        assert_eq!(reply(Family::V4, false, &packet), Some(TAG));
        assert_eq!(reply(Family::V6, false, &packet), None);
        let mut with_header = vec![0x46; 24];
        with_header.extend_from_slice(&packet);
        assert_eq!(reply(Family::V4, true, &with_header), Some(TAG));
    }

    #[test]
    fn a_short_packet_is_no_reply() {
        let mut packet = request(Family::V4, TAG).to_vec();
        packet[0] = 0;
        for length in 0..packet.len() {
            assert_eq!(reply(Family::V4, false, &packet[..length]), None);
        }
        assert_eq!(reply(Family::V4, true, &[0x4f]), None);
    }
}
