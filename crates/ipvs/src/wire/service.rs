//! Virtual servers on the wire (`IPVS_SVC_ATTR_*`).

use std::net::{IpAddr, SocketAddr};

use super::{Attribute, Attributes, Payload, WireError, stats, top};
use crate::ipvsadm::netmask;
use crate::{Counters, Family, Persistence, Protocol, SchedulerFlags, Service, ServiceKey};

const AF: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDR: u16 = 3;
/// In network byte order.
const PORT: u16 = 4;
const FWMARK: u16 = 5;
const SCHED_NAME: u16 = 6;
/// Bits, and a mask of the bits that are meant.
const FLAGS: u16 = 7;
const TIMEOUT: u16 = 8;
/// IPv4: a netmask in network byte order. IPv6: a prefix length in the host's.
const NETMASK: u16 = 9;
const STATS: u16 = 10;
const PE_NAME: u16 = 11;
const STATS64: u16 = 12;

const F_PERSISTENT: u32 = 0x01;
const F_ONEPACKET: u32 = 0x04;
const F_SCHED1: u32 = 0x08;
const F_SCHED2: u32 = 0x10;
const F_SCHED3: u32 = 0x20;

/// `AF_INET` and `AF_INET6` of Linux, which this crate without libc has to name itself.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

pub(super) fn family_number(family: Family) -> u16 {
    match family {
        Family::Inet => AF_INET,
        Family::Inet6 => AF_INET6,
    }
}

pub(super) fn family_of(number: u16) -> Result<Family, WireError> {
    match number {
        AF_INET => Ok(Family::Inet),
        AF_INET6 => Ok(Family::Inet6),
        other => Err(WireError::Unknown { what: "address family", value: other.into() }),
    }
}

/// `IPPROTO_*`.
fn protocol_number(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}

fn protocol_of(number: u16) -> Result<Protocol, WireError> {
    match number {
        6 => Ok(Protocol::Tcp),
        17 => Ok(Protocol::Udp),
        132 => Ok(Protocol::Sctp),
        other => Err(WireError::Unknown { what: "protocol", value: other.into() }),
    }
}

/// Addresses take 16 bytes, IPv4 too, as `union nf_inet_addr` does.
pub(super) fn put_address(payload: &mut Payload, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            for (to, from) in bytes.iter_mut().zip(address.octets()) {
                *to = from;
            }
            payload.bytes(kind, &bytes);
        }
        IpAddr::V6(address) => payload.bytes(kind, &address.octets()),
    }
}

pub(super) fn put_key(payload: &mut Payload, key: &ServiceKey) {
    payload.u16(AF, family_number(key.family()));
    match key {
        ServiceKey::Address { address, protocol } => {
            payload.u16(PROTOCOL, protocol_number(*protocol));
            put_address(payload, ADDR, address.ip());
            payload.u16_be(PORT, address.port());
        }
        ServiceKey::Mark { mark, .. } => payload.u32(FWMARK, *mark),
    }
}

pub(super) fn put(payload: &mut Payload, key: &ServiceKey, service: &Service) {
    put_key(payload, key);
    payload.text(SCHED_NAME, service.scheduler.name());
    let persistence = service.persistence.as_ref();
    if let Some(engine) = persistence.and_then(|persistence| persistence.engine.as_deref()) {
        payload.text(PE_NAME, engine);
    }
    let mut flags = [0; 8];
    let bits_and_mask = flag_bits(service).to_ne_bytes().into_iter().chain(u32::MAX.to_ne_bytes());
    for (to, from) in flags.iter_mut().zip(bits_and_mask) {
        *to = from;
    }
    payload.bytes(FLAGS, &flags);
    payload.u32(TIMEOUT, persistence.map_or(0, |persistence| persistence.timeout_seconds));
    let length = persistence.map(|persistence| persistence.prefix_length);
    match key.family() {
        Family::Inet => payload.bytes(NETMASK, &netmask(length.unwrap_or(32)).octets()),
        Family::Inet6 => payload.u32(NETMASK, length.unwrap_or(128).into()),
    }
}

fn flag_bits(service: &Service) -> u32 {
    let SchedulerFlags { fallback, port, third } = service.flags;
    [
        (service.persistence.is_some(), F_PERSISTENT),
        (service.one_packet, F_ONEPACKET),
        (fallback, F_SCHED1),
        (port, F_SCHED2),
        (third, F_SCHED3),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .fold(0, |bits, (_, bit)| bits | bit)
}

/// The attributes as found, before they are put together.
#[derive(Default)]
struct Found<'a> {
    family: Option<u16>,
    protocol: Option<u16>,
    address: Option<Attribute<'a>>,
    port: u16,
    mark: u32,
    scheduler: Option<String>,
    flags: u32,
    timeout: u32,
    netmask: Option<Attribute<'a>>,
    engine: Option<String>,
    stats: Option<Attribute<'a>>,
    stats64: Option<Attribute<'a>>,
}

impl<'a> Found<'a> {
    fn read(attributes: Attributes<'a>) -> Result<Self, WireError> {
        let mut found = Self::default();
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                AF => found.family = Some(attribute.u16()?),
                PROTOCOL => found.protocol = Some(attribute.u16()?),
                ADDR => found.address = Some(attribute),
                PORT => found.port = attribute.u16_be()?,
                FWMARK => found.mark = attribute.u32()?,
                SCHED_NAME => found.scheduler = Some(attribute.text()),
                FLAGS => found.flags = attribute.u32_pair()?.0,
                TIMEOUT => found.timeout = attribute.u32()?,
                NETMASK => found.netmask = Some(attribute),
                PE_NAME => found.engine = Some(attribute.text()),
                STATS => found.stats = Some(attribute),
                STATS64 => found.stats64 = Some(attribute),
                _ => {}
            }
        }
        Ok(found)
    }

    fn key(&self) -> Result<ServiceKey, WireError> {
        let family = family_of(self.family.ok_or(WireError::Missing("address family"))?)?;
        if self.mark != 0 {
            return Ok(ServiceKey::Mark { mark: self.mark, family });
        }
        let address = self.address.ok_or(WireError::Missing("address"))?;
        let protocol = protocol_of(self.protocol.ok_or(WireError::Missing("protocol"))?)?;
        let ip = match family {
            Family::Inet => address.ipv4()?,
            Family::Inet6 => address.ipv6()?,
        };
        Ok(ServiceKey::Address { address: SocketAddr::new(ip, self.port), protocol })
    }

    /// A mask with gaps, which only other programs set, counts up to its first gap.
    fn prefix_length(&self, family: Family) -> Result<u8, WireError> {
        let Some(mask) = self.netmask else {
            return Ok(if family == Family::Inet { 32 } else { 128 });
        };
        let length = match family {
            Family::Inet => mask.u32_be()?.leading_ones(),
            Family::Inet6 => mask.u32()?,
        };
        u8::try_from(length)
            .map_err(|_| WireError::Unknown { what: "prefix length", value: length })
    }

    fn service(&self, family: Family) -> Result<Service, WireError> {
        let name = self.scheduler.as_deref().ok_or(WireError::Missing("scheduler"))?;
        let set = |bit| self.flags & bit != 0;
        let persistence = if set(F_PERSISTENT) {
            Some(Persistence {
                timeout_seconds: self.timeout,
                prefix_length: self.prefix_length(family)?,
                engine: self.engine.clone().filter(|engine| !engine.is_empty()),
            })
        } else {
            None
        };
        Ok(Service {
            scheduler: name.parse().map_err(|_| WireError::Name(name.to_owned()))?,
            flags: SchedulerFlags {
                fallback: set(F_SCHED1),
                port: set(F_SCHED2),
                third: set(F_SCHED3),
            },
            persistence,
            one_packet: set(F_ONEPACKET),
        })
    }
}

/// Reads one answer to [`list_services`](super::list_services).
pub fn decode_service(message: &[u8]) -> Result<(ServiceKey, Service, Counters), WireError> {
    let outer = Attributes::new(message).find_kind(top::SERVICE)?;
    let found = Found::read(outer.ok_or(WireError::Missing("virtual server"))?.nested())?;
    let key = found.key()?;
    Ok((key, found.service(key.family())?, stats::decode(found.stats, found.stats64)?))
}

/// Reads the key alone, as requests about real servers carry it.
#[cfg(test)]
pub(super) fn decode_key(message: &[u8]) -> Result<ServiceKey, WireError> {
    let outer = Attributes::new(message).find_kind(top::SERVICE)?;
    Found::read(outer.ok_or(WireError::Missing("virtual server"))?.nested())?.key()
}
