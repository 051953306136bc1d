//! Interfaces of this host: numbers, names, link-layer addresses, carriers.

use std::fmt;

use ipvs::wire::{Attributes, Payload, WireError};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::Channel;

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;
/// `NLM_F_CREATE | NLM_F_EXCL`.
const CREATE_NEW: u16 = 0x400 | 0x200;
/// `struct ifinfomsg`.
const HEADER: usize = 16;
const LINK_ADDRESS: u16 = 1;
const NAME: u16 = 3;
/// `IFLA_LINKINFO`, and `IFLA_INFO_KIND` in it.
const INFO: u16 = 18;
const INFO_KIND: u16 = 1;
/// `IFF_UP`, `IFF_LOOPBACK`, `IFF_NOARP`, `IFF_LOWER_UP` of `net/if.h`.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;
const NO_ARP: u32 = 0x80;
const LOWER_UP: u32 = 0x1_0000;

/// An interface of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLink {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its link-layer address, when that is one of six bytes.
    pub mac: Option<[u8; 6]>,
    /// Somebody set it up.
    pub up: bool,
    /// It is up and has a carrier.
    pub carrier: bool,
    /// It leads to this host only.
    pub loopback: bool,
    /// Nobody asks there for link-layer addresses (`IFF_NOARP`), as on dummies and tunnels.
    pub silent: bool,
}

impl HostLink {
    /// Whether it leads to other hosts that ask for addresses: dummies and tunnels do not.
    pub fn is_wired(&self) -> bool {
        self.mac.is_some() && !self.loopback && !self.silent
    }
}

/// What is to happen to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// It is made, without settings of its own.
    Make {
        /// Its name.
        name: String,
        /// `dummy`, `ipip`, `sit`, `ip6tnl`.
        kind: &'static str,
    },
    /// It is set up.
    Up(u32),
    /// It is set down.
    Down(u32),
    /// It is deleted.
    Remove(u32),
}

impl fmt::Display for LinkChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { name, kind } => write!(f, "make {name} of kind {kind}"),
            Self::Up(index) => write!(f, "set number {index} up"),
            Self::Down(index) => write!(f, "set number {index} down"),
            Self::Remove(index) => write!(f, "remove number {index}"),
        }
    }
}

/// Lists and changes interfaces. Changing needs `CAP_NET_ADMIN`.
pub struct Links {
    channel: Channel,
}

impl Links {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the kernel has no sockets to give.
    pub fn open() -> Result<Self, KernelError> {
        Ok(Self { channel: Channel::open(NlFamily::Route)? })
    }

    /// Every interface of this host.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub async fn list(&mut self) -> Result<Vec<HostLink>, KernelError> {
        let answers = self.channel.dump(GET_LINK, &[0; HEADER]).await?;
        answers.iter().map(|answer| decode(answer)).collect()
    }

    /// Changes an interface.
    ///
    /// # Errors
    /// As the kernel answers.
    pub async fn change(&mut self, change: &LinkChange) -> Result<(), KernelError> {
        let (kind, flags, payload) = encode(change);
        self.channel.request(kind, flags, &payload).await.map(drop)
    }
}

fn encode(change: &LinkChange) -> (u16, u16, Vec<u8>) {
    let header = |index: u32, flags: u32, mask: u32| {
        [0, index, flags, mask].into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>()
    };
    match change {
        LinkChange::Make { name, kind } => {
            let mut attributes = Payload::default();
            attributes.text(NAME, name);
            attributes.nested(INFO, |info| info.text(INFO_KIND, kind));
            let mut payload = header(0, 0, 0);
            payload.extend(attributes.into_bytes());
            (NEW_LINK, CREATE_NEW, payload)
        }
        LinkChange::Up(index) => (NEW_LINK, 0, header(*index, UP, UP)),
        LinkChange::Down(index) => (NEW_LINK, 0, header(*index, 0, UP)),
        LinkChange::Remove(index) => (DELETE_LINK, 0, header(*index, 0, 0)),
    }
}

pub(crate) fn decode(answer: &[u8]) -> Result<HostLink, KernelError> {
    let (header, rest) = answer.split_first_chunk::<HEADER>().ok_or(WireError::Truncated)?;
    let [_, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let name = Attributes::new(rest).find_kind(NAME)?.map(|name| name.text());
    let mac = Attributes::new(rest).find_kind(LINK_ADDRESS)?;
    let up = flags & UP != 0;
    Ok(HostLink {
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        name: name.unwrap_or_default(),
        mac: mac.and_then(|found| <[u8; 6]>::try_from(found.value).ok()),
        up,
        carrier: up && flags & LOWER_UP != 0,
        loopback: flags & LOOPBACK != 0,
        silent: flags & NO_ARP != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_is_a_link_that_leads_to_this_host_only() {
        let all = Links::open().unwrap().list().await.unwrap();
        let loopback = all.iter().find(|link| link.name == "lo").unwrap();
        assert!(loopback.loopback);
        assert_eq!(loopback.index, 1);
    }

    #[test]
    fn a_truncated_answer_is_an_error() {
        assert!(decode(&[0; 7]).is_err());
    }
}
