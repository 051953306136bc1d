//! What the messages of the route family have in common.

use std::net::IpAddr;

use ipvs::wire::{Attribute, Payload, WireError};

/// `AF_INET` or `AF_INET6`, which are below 256.
pub(crate) fn family_number(ip: IpAddr) -> u8 {
    u8::try_from(if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }).unwrap_or_default()
}

pub(crate) fn put_address(payload: &mut Payload, kind: u16, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => payload.bytes(kind, &ip.octets()),
        IpAddr::V6(ip) => payload.bytes(kind, &ip.octets()),
    }
}

pub(crate) fn address_of(family: u8, attribute: &Attribute<'_>) -> Result<IpAddr, WireError> {
    match i32::from(family) {
        libc::AF_INET => attribute.ipv4(),
        libc::AF_INET6 => attribute.ipv6(),
        _ => Err(WireError::Unknown { what: "address family", value: family.into() }),
    }
}
