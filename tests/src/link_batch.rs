//! Link changes by netlink, without starting a process: a cable is cut in a millisecond, and
//! several in the same one.

use crate::failure::Context;
use crate::{Failure, Outcome};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// `RTM_SETLINK` of linux/rtnetlink.h.
const SET_LINK: u16 = 19;
/// `NLMSG_ERROR` of linux/netlink.h: an acknowledgement when its number is 0.
const ACKNOWLEDGEMENT: u16 = 2;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const REQUEST_WITH_ACK: u16 = 5;
/// `IFLA_MASTER` of linux/if_link.h.
const MASTER: u16 = 10;
/// `IFF_UP` of linux/if.h.
const UP: u32 = 1;
/// A request whose master changes: header, `ifinfomsg`, one attribute of four bytes.
const LONGEST: u32 = 16 + 16 + 8;

/// One change of one link, which is named by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkChange {
    /// Into the bridge with this index; 0 takes it out of its bridge.
    Master(u32),
    /// Up or down.
    Up(bool),
}

/// Makes all changes in the calling thread's network, in one write.
pub(crate) fn change(changes: &[(u32, LinkChange)]) -> Outcome {
    let mut requests = Vec::new();
    for (number, &(link, change)) in changes.iter().enumerate() {
        encode(&mut requests, u32::try_from(number).context("too many links")?, link, change);
    }
    // Protocol 0 of the family is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
        .context("opening a netlink socket")?;
    sendto(&socket, &requests, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))
        .context("changing links")?;
    let mut open = changes.len();
    let mut buffer = [0; 16384];
    while open > 0 {
        let (count, _) =
            recv(&socket, &mut buffer, RecvFlags::empty()).context("changing links")?;
        let errors = decode(buffer.get(..count).unwrap_or_default())?;
        for error in &errors {
            if *error != 0 {
                let error = std::io::Error::from_raw_os_error(error.wrapping_neg());
                return Err(Failure::of("the kernel refuses to change a link", error));
            }
        }
        open = open.saturating_sub(errors.len());
    }
    Ok(())
}

/// Appends one request.
fn encode(bytes: &mut Vec<u8>, number: u32, link: u32, change: LinkChange) {
    let (length, flags, mask) = match change {
        LinkChange::Master(_) => (LONGEST, 0, 0),
        LinkChange::Up(up) => (LONGEST - 8, if up { UP } else { 0 }, UP),
    };
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SET_LINK.to_ne_bytes());
    bytes.extend(REQUEST_WITH_ACK.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    // struct ifinfomsg: family, padding and type; index; flags; change
    for word in [0, link, flags, mask] {
        bytes.extend(word.to_ne_bytes());
    }
    if let LinkChange::Master(master) = change {
        bytes.extend(8_u16.to_ne_bytes());
        bytes.extend(MASTER.to_ne_bytes());
        bytes.extend(master.to_ne_bytes());
    }
}

/// The error numbers of all acknowledgements in what the kernel sent; 0 is success.
fn decode(mut bytes: &[u8]) -> Outcome<Vec<i32>> {
    let mut errors = Vec::new();
    while !bytes.is_empty() {
        let message = || {
            let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
            let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
            let error = i32::from_ne_bytes(bytes.get(16..20)?.try_into().ok()?);
            let length = usize::try_from(length).ok()?.next_multiple_of(4).max(20);
            Some((bytes.get(length..).unwrap_or_default(), kind, error))
        };
        let (rest, kind, error) =
            message().ok_or_else(|| Failure::new("the kernel's answer is too short"))?;
        if kind == ACKNOWLEDGEMENT {
            errors.push(error);
        }
        bytes = rest;
    }
    Ok(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_its_own_length() {
        for change in [LinkChange::Master(7), LinkChange::Up(true)] {
            let mut bytes = Vec::new();
            encode(&mut bytes, 1, 5, change);
            let length = u32::from_ne_bytes(bytes[..4].try_into().unwrap());
            assert_eq!(usize::try_from(length).unwrap(), bytes.len());
        }
    }

    #[test]
    fn every_acknowledgement_is_read() {
        let mut bytes = Vec::new();
        for error in [0_i32, -19] {
            bytes.extend(36_u32.to_ne_bytes());
            bytes.extend(ACKNOWLEDGEMENT.to_ne_bytes());
            bytes.extend([0; 10]);
            bytes.extend(error.to_ne_bytes());
            bytes.extend([0; 16]);
        }
        assert_eq!(decode(&bytes).unwrap(), [0, -19]);
        assert!(decode(&bytes[..10]).is_err());
    }
}
