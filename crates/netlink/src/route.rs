//! Where packets to an address would go, and who answers for it there.

use std::net::IpAddr;

use ipvs::wire::{Attributes, Payload, WireError};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::Channel;
use crate::route_wire::{address_of, family_number, put_address};

/// `RTM_GETROUTE`.
const GET_ROUTE: u16 = 26;
/// `RTM_GETNEIGH`.
const GET_NEIGHBOUR: u16 = 30;

/// `RTA_DST`.
const DESTINATION: u16 = 1;
/// `RTA_OIF`.
const INTERFACE: u16 = 4;
/// `RTA_GATEWAY`.
const GATEWAY: u16 = 5;
/// `RTA_PREFSRC`.
const SOURCE: u16 = 7;
/// `RTN_LOCAL`: this host itself.
const KIND_LOCAL: u8 = 2;

/// `NDA_DST`.
const NEIGHBOUR_IP: u16 = 1;
/// `NDA_LLADDR`.
const NEIGHBOUR_MAC: u16 = 2;

/// The way to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Index of the interface that packets leave by.
    pub interface: u32,
    /// The next router; none when the address is on the wire itself.
    pub gateway: Option<IpAddr>,
    /// The source that the kernel would choose.
    pub source: Option<IpAddr>,
    /// The address is this host's own.
    pub local: bool,
}

/// Who answers for an address on a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Index of the interface.
    pub interface: u32,
    /// The address.
    pub ip: IpAddr,
    /// The hardware address, once it is known.
    pub mac: Option<[u8; 6]>,
}

/// A socket that asks for routes and neighbours.
pub struct Routes {
    channel: Channel,
}

impl Routes {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn open() -> Result<Self, KernelError> {
        Ok(Self { channel: Channel::open(NlFamily::Route)? })
    }

    /// The way to an address.
    ///
    /// # Errors
    /// `ENETUNREACH` when there is none.
    pub async fn to(&mut self, ip: IpAddr) -> Result<Route, KernelError> {
        let length = if ip.is_ipv4() { 32 } else { 128 };
        let mut question = vec![family_number(ip), length, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut attributes = Payload::default();
        put_address(&mut attributes, DESTINATION, ip);
        question.extend(attributes.into_bytes());
        let answers = self.channel.request(GET_ROUTE, 0, &question).await?;
        let answer = answers.first().ok_or(WireError::Missing("route"))?;
        Ok(decode_route(answer)?)
    }

    /// The neighbours that the kernel knows now.
    ///
    /// # Errors
    /// As the kernel answers.
    pub async fn neighbours(&mut self) -> Result<Vec<Neighbour>, KernelError> {
        let answers = self.channel.dump(GET_NEIGHBOUR, &[0; 12]).await?; // struct ndmsg
        let decoded = answers.iter().map(|message| decode_neighbour(message));
        Ok(decoded.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }
}

pub(crate) fn decode_route(message: &[u8]) -> Result<Route, WireError> {
    // struct rtmsg: family, lengths, type of service, table, protocol, scope, type, flags.
    let (head, rest) = message.split_first_chunk::<12>().ok_or(WireError::Truncated)?;
    let [family, _, _, _, _, _, _, kind, ..] = *head;
    let mut route = Route { interface: 0, gateway: None, source: None, local: kind == KIND_LOCAL };
    for attribute in Attributes::new(rest) {
        let attribute = attribute?;
        match attribute.kind {
            INTERFACE => route.interface = attribute.u32()?,
            GATEWAY => route.gateway = Some(address_of(family, &attribute)?),
            SOURCE => route.source = Some(address_of(family, &attribute)?),
            _ => {}
        }
    }
    Ok(route)
}

/// None for entries of other families (a bridge lists hardware addresses in the same table).
pub(crate) fn decode_neighbour(message: &[u8]) -> Result<Option<Neighbour>, WireError> {
    // struct ndmsg: family, padding, index, state, flags, type.
    let (head, rest) = message.split_first_chunk::<12>().ok_or(WireError::Truncated)?;
    let [family, _, _, _, i0, i1, i2, i3, ..] = *head;
    if !matches!(i32::from(family), libc::AF_INET | libc::AF_INET6) {
        return Ok(None);
    }
    let (mut ip, mut mac) = (None, None);
    for attribute in Attributes::new(rest) {
        let attribute = attribute?;
        match attribute.kind {
            NEIGHBOUR_IP => ip = Some(address_of(family, &attribute)?),
            NEIGHBOUR_MAC => mac = attribute.value.try_into().ok(),
            _ => {}
        }
    }
    let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
    Ok(ip.map(|ip| Neighbour { interface, ip, mac }))
}
