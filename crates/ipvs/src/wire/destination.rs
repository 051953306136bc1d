//! Real servers on the wire (`IPVS_DEST_ATTR_*`).

use std::net::SocketAddr;

use super::service::{family_number, family_of, put_address};
use super::{Attribute, Attributes, Payload, WireError, stats, top};
use crate::{
    Connections, Destination, DestinationKey, DestinationStats, Family, Forwarding, Tunnel,
    TunnelChecksum,
};

const ADDR: u16 = 1;
/// In network byte order.
const PORT: u16 = 2;
const FWD_METHOD: u16 = 3;
const WEIGHT: u16 = 4;
const U_THRESH: u16 = 5;
const L_THRESH: u16 = 6;
const ACTIVE_CONNS: u16 = 7;
const INACT_CONNS: u16 = 8;
const PERSIST_CONNS: u16 = 9;
const STATS: u16 = 10;
const ADDR_FAMILY: u16 = 11;
const STATS64: u16 = 12;
const TUN_TYPE: u16 = 13;
/// In network byte order.
const TUN_PORT: u16 = 14;
const TUN_FLAGS: u16 = 15;

/// `IP_VS_CONN_F_*` below `IP_VS_CONN_F_FWD_MASK`.
const MASQ: u32 = 0;
const LOCALNODE: u32 = 1;
const TUNNEL: u32 = 2;
const DROUTE: u32 = 3;
const FWD_MASK: u32 = 7;

/// `IP_VS_CONN_F_TUNNEL_TYPE_*`.
const IPIP: u8 = 0;
const GUE: u8 = 1;
const GRE: u8 = 2;

/// `IP_VS_TUNNEL_ENCAP_FLAG_*`.
const NOCSUM: u16 = 0;
const CSUM: u16 = 1;
const REMCSUM: u16 = 2;

pub(super) fn put_key(payload: &mut Payload, real: &DestinationKey) {
    payload.u16(ADDR_FAMILY, family_number(Family::of(real.ip())));
    put_address(payload, ADDR, real.ip());
    payload.u16_be(PORT, real.port());
}

pub(super) fn put(payload: &mut Payload, real: &DestinationKey, destination: &Destination) {
    put_key(payload, real);
    let method = match destination.forwarding {
        Forwarding::Nat => MASQ,
        Forwarding::Tunnel => TUNNEL,
        Forwarding::Direct => DROUTE,
    };
    payload.u32(FWD_METHOD, method);
    payload.u32(WEIGHT, destination.weight);
    let wrapped = destination.forwarding == Forwarding::Tunnel;
    let (kind, port, flags) = match destination.tunnel {
        Tunnel::Gue { port, checksum } if wrapped => (GUE, port, checksum_bits(checksum)),
        Tunnel::Gre { checksum } if wrapped => (GRE, 0, checksum_bits(checksum)),
        _ => (IPIP, 0, NOCSUM),
    };
    payload.u8(TUN_TYPE, kind);
    payload.u16_be(TUN_PORT, port);
    payload.u16(TUN_FLAGS, flags);
    payload.u32(U_THRESH, destination.upper_threshold);
    payload.u32(L_THRESH, destination.lower_threshold);
}

fn checksum_bits(checksum: TunnelChecksum) -> u16 {
    match checksum {
        TunnelChecksum::None => NOCSUM,
        TunnelChecksum::Full => CSUM,
        TunnelChecksum::Remote => REMCSUM,
    }
}

fn checksum_of(flags: u16) -> TunnelChecksum {
    match flags {
        flags if flags & REMCSUM != 0 => TunnelChecksum::Remote,
        flags if flags & CSUM != 0 => TunnelChecksum::Full,
        _ => TunnelChecksum::None,
    }
}

/// The attributes as found, before they are put together.
#[derive(Default)]
struct Found<'a> {
    family: Option<u16>,
    address: Option<Attribute<'a>>,
    port: u16,
    method: u32,
    weight: u32,
    upper_threshold: u32,
    lower_threshold: u32,
    connections: Connections,
    tunnel_type: u8,
    tunnel_port: u16,
    tunnel_flags: u16,
    stats: Option<Attribute<'a>>,
    stats64: Option<Attribute<'a>>,
}

impl<'a> Found<'a> {
    fn read(attributes: Attributes<'a>) -> Result<Self, WireError> {
        let mut found = Self::default();
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ADDR => found.address = Some(attribute),
                PORT => found.port = attribute.u16_be()?,
                FWD_METHOD => found.method = attribute.u32()?,
                WEIGHT => found.weight = attribute.u32()?,
                U_THRESH => found.upper_threshold = attribute.u32()?,
                L_THRESH => found.lower_threshold = attribute.u32()?,
                ACTIVE_CONNS => found.connections.active = attribute.u32()?,
                INACT_CONNS => found.connections.inactive = attribute.u32()?,
                PERSIST_CONNS => found.connections.persistent = attribute.u32()?,
                STATS => found.stats = Some(attribute),
                ADDR_FAMILY => found.family = Some(attribute.u16()?),
                STATS64 => found.stats64 = Some(attribute),
                TUN_TYPE => found.tunnel_type = attribute.u8()?,
                TUN_PORT => found.tunnel_port = attribute.u16_be()?,
                TUN_FLAGS => found.tunnel_flags = attribute.u16()?,
                _ => {}
            }
        }
        Ok(found)
    }

    /// A local real server is delivered to this host whatever method was asked for.
    fn forwarding(&self) -> Result<Forwarding, WireError> {
        match self.method & FWD_MASK {
            MASQ => Ok(Forwarding::Nat),
            TUNNEL => Ok(Forwarding::Tunnel),
            DROUTE | LOCALNODE => Ok(Forwarding::Direct),
            value => Err(WireError::Unknown { what: "forwarding method", value }),
        }
    }

    fn tunnel(&self) -> Result<Tunnel, WireError> {
        let checksum = checksum_of(self.tunnel_flags);
        match self.tunnel_type {
            IPIP => Ok(Tunnel::Ipip),
            GUE => Ok(Tunnel::Gue { port: self.tunnel_port, checksum }),
            GRE => Ok(Tunnel::Gre { checksum }),
            other => Err(WireError::Unknown { what: "tunnel type", value: other.into() }),
        }
    }
}

/// Reads one answer to [`list_destinations`](super::list_destinations). `family` is that of the
/// virtual server, for kernels before 3.18, which do not tell the real server's.
pub fn decode_destination(
    message: &[u8],
    family: Family,
) -> Result<(DestinationKey, Destination, DestinationStats), WireError> {
    let outer = Attributes::new(message).find_kind(top::DEST)?;
    let found = Found::read(outer.ok_or(WireError::Missing("real server"))?.nested())?;
    let family = found.family.map_or(Ok(family), family_of)?;
    let address = found.address.ok_or(WireError::Missing("address"))?;
    let ip = match family {
        Family::Inet => address.ipv4()?,
        Family::Inet6 => address.ipv6()?,
    };
    let destination = Destination {
        forwarding: found.forwarding()?,
        tunnel: found.tunnel()?,
        weight: found.weight,
        upper_threshold: found.upper_threshold,
        lower_threshold: found.lower_threshold,
    };
    let counters = stats::decode(found.stats, found.stats64)?;
    let stats = DestinationStats { connections: found.connections, counters };
    Ok((SocketAddr::new(ip, found.port), destination, stats))
}
