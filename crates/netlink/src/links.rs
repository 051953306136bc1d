//! Interfaces of this host: numbers, names, link-layer addresses, carriers.

use ipvs::wire::{Attributes, WireError};
use neli::consts::socket::NlFamily;

use crate::KernelError;
use crate::channel::Channel;

const GET_LINK: u16 = 18;
/// `struct ifinfomsg`.
const HEADER: usize = 16;
const LINK_ADDRESS: u16 = 1;
const NAME: u16 = 3;
/// `IFF_UP`, `IFF_LOWER_UP`, `IFF_LOOPBACK` of `net/if.h`.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;
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
}

/// Lists interfaces.
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
