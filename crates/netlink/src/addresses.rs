//! Addresses of this host, and the floating ones that come and go.

use std::net::{IpAddr, Ipv4Addr};

use ipvs::wire::{Attributes, Payload, WireError};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::{Channel, Outgoing};
use crate::route_wire::{family_number, put_address};

pub(crate) const NEW_ADDRESS: u16 = 20;
pub(crate) const DELETE_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;
/// `RTM_DELNEIGH`.
const DELETE_NEIGHBOUR: u16 = 29;
/// `NLM_F_CREATE | NLM_F_EXCL`.
const CREATE_NEW: u16 = 0x400 | 0x200;
/// `NLM_F_CREATE | NLM_F_REPLACE`.
const RENEW: u16 = 0x400 | 0x100;
/// `struct ifaddrmsg`.
const HEADER: usize = 8;
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const LABEL: u16 = 3;
const BROADCAST: u16 = 4;
const CACHE_INFO: u16 = 6;
const FLAGS: u16 = 8;
/// `NDA_DST`.
const NEIGHBOUR_IP: u16 = 1;
/// The address is used at once: the partner has just given it up, or is dead (RFC 4862 would
/// have us wait for a second).
const NO_DUPLICATE_DETECTION: u32 = 0x02;
/// `IFA_F_NOPREFIXROUTE`: its network's route belongs to another address.
const NO_PREFIX_ROUTE: u32 = 0x200;

/// An address of this host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostAddress {
    /// The address.
    pub ip: IpAddr,
    /// Its network's length.
    pub prefix_length: u8,
    /// Number of its interface.
    pub interface: u32,
    /// Label of an old alias (`eth0:1`); the interface's name when it has none of its own.
    pub label: Option<String>,
    /// Broadcast address of its network.
    pub broadcast: Option<Ipv4Addr>,
}

/// How long the kernel keeps an address that nobody renews: `ifa_valid` of `struct
/// ifa_cacheinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whole seconds, as the kernel counts them; it looks about once a second.
    pub seconds: u32,
    /// Another address has the route of the network. An IPv6 address would take it along when
    /// its lease ends.
    pub shares_route: bool,
}

/// What is to happen to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressChange {
    /// It comes, for a time.
    Add(HostAddress, Lease),
    /// It comes for good.
    Stay(HostAddress),
    /// Its time begins anew; it comes back if it was lost.
    Renew(HostAddress, Lease),
    /// It goes.
    Remove(HostAddress),
}

/// Lists and changes addresses. Changing needs `CAP_NET_ADMIN`.
pub struct Addresses {
    channel: Channel,
}

impl Addresses {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the kernel has no sockets to give.
    pub fn open() -> Result<Self, KernelError> {
        Ok(Self { channel: Channel::open(NlFamily::Route)? })
    }

    /// Every address of this host.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub async fn list(&mut self) -> Result<Vec<HostAddress>, KernelError> {
        let answers = self.channel.dump(GET_ADDRESS, &[0; HEADER]).await?;
        let mut addresses = Vec::with_capacity(answers.len());
        for answer in &answers {
            addresses.extend(decode(answer)?);
        }
        Ok(addresses)
    }

    /// Makes the changes in order, many to a write, and answers each with what became of it:
    /// whether it changed anything. Adding what is there and removing what is not is no failure.
    pub async fn change(&mut self, changes: &[AddressChange]) -> Vec<Result<bool, KernelError>> {
        let requests: Vec<Outgoing> = changes.iter().map(encode).collect();
        let answers = self.channel.batch(&requests).await;
        let settle = |answer: Result<(), KernelError>| match answer {
            Ok(()) => Ok(true),
            Err(error) if is_as_wanted(error.errno()) => Ok(false),
            Err(error) => Err(error),
        };
        answers.into_iter().map(settle).collect()
    }

    /// Forgets who else answered for these addresses. Once they leave again, packets for them wait
    /// until it is known who has them then, instead of going where they were before.
    ///
    /// # Errors
    /// The first one; that nothing was known is none.
    pub async fn forget_neighbours(&mut self, all: &[HostAddress]) -> Result<(), KernelError> {
        let requests: Vec<Outgoing> = all.iter().map(forget).collect();
        let failed = |answer: Result<(), KernelError>| {
            answer.err().filter(|error| error.errno() != Some(libc::ENOENT))
        };
        let answers = self.channel.batch(&requests).await;
        answers.into_iter().find_map(failed).map_or(Ok(()), Err)
    }
}

/// `struct ndmsg` and `NDA_DST`.
fn forget(address: &HostAddress) -> Outgoing {
    let mut payload = vec![family_number(address.ip), 0, 0, 0];
    payload.extend(address.interface.to_ne_bytes());
    payload.extend([0; 4]);
    let mut attributes = Payload::default();
    put_address(&mut attributes, NEIGHBOUR_IP, address.ip);
    payload.extend(attributes.into_bytes());
    Outgoing { kind: DELETE_NEIGHBOUR, flags: 0, payload }
}

/// It is there already, or is not there any more, or its interface is gone with it.
fn is_as_wanted(errno: Option<i32>) -> bool {
    matches!(errno, Some(libc::EEXIST | libc::EADDRNOTAVAIL))
}

fn encode(change: &AddressChange) -> Outgoing {
    match change {
        AddressChange::Add(address, lease) => Outgoing {
            kind: NEW_ADDRESS,
            flags: CREATE_NEW,
            payload: payload(address, Some(*lease)),
        },
        AddressChange::Stay(address) => {
            let mut payload = payload(address, None);
            if address.ip.is_ipv6() {
                let mut attributes = Payload::default();
                attributes.u32(FLAGS, NO_DUPLICATE_DETECTION);
                payload.extend(attributes.into_bytes());
            }
            Outgoing { kind: NEW_ADDRESS, flags: CREATE_NEW, payload }
        }
        AddressChange::Renew(address, lease) => {
            Outgoing { kind: NEW_ADDRESS, flags: RENEW, payload: payload(address, Some(*lease)) }
        }
        AddressChange::Remove(address) => {
            Outgoing { kind: DELETE_ADDRESS, flags: 0, payload: payload(address, None) }
        }
    }
}

fn payload(address: &HostAddress, lease: Option<Lease>) -> Vec<u8> {
    let mut attributes = Payload::default();
    let (family, bytes) = match address.ip {
        IpAddr::V4(ip) => (libc::AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (libc::AF_INET6, ip.octets().to_vec()),
    };
    attributes.bytes(LOCAL, &bytes);
    attributes.bytes(ADDRESS, &bytes);
    if let Some(lease) = lease {
        // Only for an address that comes: the kernel gives another label to the addresses of an
        // interface that is renamed, and would not find the one to remove.
        if let Some(label) = address.label.as_ref().filter(|_| address.ip.is_ipv4()) {
            attributes.text(LABEL, label);
        }
        if let Some(broadcast) = address.broadcast {
            attributes.bytes(BROADCAST, &broadcast.octets());
        }
        put_lease(&mut attributes, address.ip.is_ipv6(), lease);
    }
    let family = u8::try_from(family).unwrap_or(0);
    let mut payload = vec![family, address.prefix_length, 0, 0];
    payload.extend(address.interface.to_ne_bytes());
    payload.extend(attributes.into_bytes());
    payload
}

fn put_lease(attributes: &mut Payload, is_ipv6: bool, lease: Lease) {
    // An IPv6 address is preferred for no time: it answers, but no connection of this host begins
    // from it.
    let preferred = if is_ipv6 { 0 } else { lease.seconds };
    let lifetimes: Vec<u8> =
        [preferred, lease.seconds, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
    attributes.bytes(CACHE_INFO, &lifetimes);
    if is_ipv6 {
        let route = if lease.shares_route { NO_PREFIX_ROUTE } else { 0 };
        attributes.u32(FLAGS, NO_DUPLICATE_DETECTION | route);
    }
}

/// One address of a dump; none of a family that is neither IPv4 nor IPv6.
pub(crate) fn decode(answer: &[u8]) -> Result<Option<HostAddress>, KernelError> {
    let (header, rest) = answer.split_first_chunk::<HEADER>().ok_or(WireError::Truncated)?;
    let [family, prefix_length, _, _, index @ ..] = *header;
    let attributes = || Attributes::new(rest);
    // On a point-to-point link LOCAL is ours and ADDRESS is the other end's; IPv6 has often only
    // the latter.
    let local = attributes().find_kind(LOCAL)?;
    let Some(address) = local.map_or_else(|| attributes().find_kind(ADDRESS), |a| Ok(Some(a)))?
    else {
        return Ok(None);
    };
    let ip = match i32::from(family) {
        libc::AF_INET => address.ipv4()?,
        libc::AF_INET6 => address.ipv6()?,
        _ => return Ok(None),
    };
    let broadcast = attributes().find_kind(BROADCAST)?.map(|found| found.ipv4()).transpose()?;
    Ok(Some(HostAddress {
        ip,
        prefix_length,
        interface: u32::from_ne_bytes(index),
        label: attributes().find_kind(LABEL)?.map(|label| label.text()),
        broadcast: match broadcast {
            Some(IpAddr::V4(broadcast)) => Some(broadcast),
            _ => None,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_was_written() {
        let v4 = HostAddress {
            ip: "192.168.1.1".parse().unwrap(),
            prefix_length: 24,
            interface: 3,
            label: Some("eth0:1".to_owned()),
            broadcast: Some(Ipv4Addr::new(192, 168, 1, 255)),
        };
        let v6 = HostAddress {
            ip: "2001:db8::1".parse().unwrap(),
            prefix_length: 64,
            interface: 4,
            label: None,
            broadcast: None,
        };
        for address in [v4, v6] {
            let lease = Lease { seconds: 3, shares_route: true };
            let change = encode(&AddressChange::Add(address.clone(), lease));
            assert_eq!(decode(&change.payload), Ok(Some(address)));
        }
    }

    #[test]
    fn a_lease_is_written_as_the_kernel_reads_it() {
        let lifetimes = |ip: &str, shares_route| {
            let mut attributes = Payload::default();
            let is_ipv6 = ip.parse::<IpAddr>().unwrap().is_ipv6();
            put_lease(&mut attributes, is_ipv6, Lease { seconds: 3, shares_route });
            let bytes = attributes.into_bytes();
            let found = |kind| Attributes::new(&bytes).find_kind(kind).unwrap();
            let times = found(CACHE_INFO).unwrap();
            let words: Vec<u32> = times
                .value
                .chunks_exact(4)
                .map(|word| u32::from_ne_bytes(word.try_into().unwrap()))
                .collect();
            (words, found(FLAGS).map(|flags| flags.u32().unwrap()))
        };
        assert_eq!(lifetimes("192.168.1.1", true), (vec![3, 3, 0, 0], None));
        assert_eq!(lifetimes("2001:db8::1", true), (vec![0, 3, 0, 0], Some(0x202)));
        assert_eq!(lifetimes("2001:db8::1", false), (vec![0, 3, 0, 0], Some(0x02)));
    }

    #[test]
    fn an_address_is_removed_whatever_its_label_is_by_now() {
        let address = HostAddress {
            ip: "192.168.1.1".parse().unwrap(),
            prefix_length: 24,
            interface: 3,
            label: Some("eth0:1".to_owned()),
            broadcast: None,
        };
        let change = encode(&AddressChange::Remove(address.clone()));
        assert_eq!(decode(&change.payload), Ok(Some(HostAddress { label: None, ..address })));
    }

    #[test]
    fn a_truncated_answer_is_an_error() {
        assert!(decode(&[2, 24, 0]).is_err());
        assert_eq!(decode(&[0; HEADER]), Ok(None));
    }

    #[tokio::test]
    async fn loopback_has_its_address() {
        let mut addresses = Addresses::open().unwrap();
        let all = addresses.list().await.unwrap();
        assert!(all.iter().any(|address| address.ip == IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
}
