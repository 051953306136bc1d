//! The interface for an address, when none is given.

use std::net::IpAddr;

use netlink::{Addresses, HostAddress, HostLink, KernelError, Links};

use crate::{Link, Mac};

/// The interfaces of this host and their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    links: Vec<HostLink>,
    addresses: Vec<HostAddress>,
}

/// Why there is no interface to announce an address on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoInterface {
    /// Nothing bears this name.
    #[error("there is no interface {0}: `ip link` lists them")]
    Unknown(String),
    /// It is not an Ethernet.
    #[error("interface {0} has no link-layer address: nothing can be announced on it")]
    NotEthernet(String),
    /// No interface that is up has a network that holds the address.
    #[error("no interface that is up has a network with {0}: name one with -i")]
    NoneFor(IpAddr),
}

impl Interfaces {
    /// Asks the kernel.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of_this_host() -> Result<Self, KernelError> {
        let links = Links::open()?.list().await?;
        let addresses = Addresses::open()?.list().await?;
        Ok(Self { links, addresses })
    }

    /// From lists that the caller has already.
    pub fn new(links: Vec<HostLink>, addresses: Vec<HostAddress>) -> Self {
        Self { links, addresses }
    }

    /// The interface of this name.
    ///
    /// # Errors
    /// It is unknown, or not an Ethernet.
    pub fn named(&self, name: &str) -> Result<Link, NoInterface> {
        let link = self.links.iter().find(|link| link.name == name);
        let link = link.ok_or_else(|| NoInterface::Unknown(name.escape_debug().to_string()))?;
        to_link(link)
    }

    /// The interface that has the address, else the one with the smallest network that holds it.
    /// Interfaces that are down or have no link-layer address do not count.
    ///
    /// # Errors
    /// There is none.
    pub fn for_address(&self, ip: IpAddr) -> Result<Link, NoInterface> {
        let usable = |index: u32| {
            let link = self.links.iter().find(|link| link.index == index)?;
            (link.up && !link.loopback && link.mac.is_some()).then_some(link)
        };
        let best = self
            .addresses
            .iter()
            .filter(|address| holds(address, ip))
            .filter_map(|address| {
                let rank = (address.ip == ip, address.prefix_length);
                Some((rank, usable(address.interface)?))
            })
            .max_by_key(|(rank, link)| (*rank, std::cmp::Reverse(link.index)));
        match best {
            Some((_, link)) => to_link(link),
            None => Err(NoInterface::NoneFor(ip)),
        }
    }
}

fn to_link(link: &HostLink) -> Result<Link, NoInterface> {
    let mac = link.mac.ok_or_else(|| NoInterface::NotEthernet(link.name.clone()))?;
    Ok(Link { index: link.index, mac: Mac(mac), router: forwards_ipv6(&link.name) })
}

/// What the kernel's own advertisements on this interface would say.
fn forwards_ipv6(interface: &str) -> bool {
    let path = format!("/proc/sys/net/ipv6/conf/{interface}/forwarding");
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() == "1")
}

/// Whether the address's network holds `ip`.
fn holds(address: &HostAddress, ip: IpAddr) -> bool {
    let same = |ours: u128, theirs: u128, width: u32| {
        let host_bits = width.saturating_sub(address.prefix_length.into());
        ours.checked_shr(host_bits).unwrap_or(0) == theirs.checked_shr(host_bits).unwrap_or(0)
    };
    match (address.ip, ip) {
        (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
            same(u32::from(ours).into(), u32::from(theirs).into(), 32)
        }
        (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.into(), theirs.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, mac: Option<[u8; 6]>, up: bool) -> HostLink {
        HostLink {
            index,
            name: name.into(),
            mac,
            up,
            carrier: up,
            loopback: name == "lo",
            silent: false,
        }
    }

    fn address(network: &str, interface: u32) -> HostAddress {
        let (ip, length) = network.split_once('/').unwrap();
        HostAddress {
            ip: ip.parse().unwrap(),
            prefix_length: length.parse().unwrap(),
            interface,
            label: None,
            broadcast: None,
        }
    }

    fn host() -> Interfaces {
        let mac = |last| Some([2, 0, 0, 0, 0, last]);
        Interfaces::new(
            vec![
                link(1, "lo", Some([0; 6]), true),
                link(2, "eth0", mac(2), true),
                link(3, "eth1", mac(3), true),
                link(4, "eth2", mac(4), false),
                link(5, "tun0", None, true),
            ],
            vec![
                address("127.0.0.1/8", 1),
                address("192.168.1.77/32", 1),
                address("192.168.1.2/24", 2),
                address("192.168.0.2/16", 3),
                address("2001:db8::2/64", 3),
                address("10.0.0.2/8", 4),
                address("10.8.0.2/16", 5),
            ],
        )
    }

    fn index(ip: &str) -> Result<u32, NoInterface> {
        host().for_address(ip.parse().unwrap()).map(|link| link.index)
    }

    #[test]
    fn the_smallest_network_that_holds_the_address_decides() {
        assert_eq!(index("192.168.1.1"), Ok(2));
        assert_eq!(index("192.168.7.1"), Ok(3));
        assert_eq!(index("2001:db8::77"), Ok(3));
    }

    #[test]
    fn an_address_on_loopback_is_announced_where_its_network_is() {
        assert_eq!(index("192.168.1.77"), Ok(2));
    }

    #[test]
    fn interfaces_that_are_down_or_have_no_link_layer_address_do_not_count() {
        for ip in ["10.0.0.1", "10.8.0.1", "172.16.1.1", "fe80::1"] {
            assert_eq!(index(ip), Err(NoInterface::NoneFor(ip.parse().unwrap())));
        }
    }

    #[test]
    fn a_named_interface_is_taken_or_its_fault_is_told() {
        assert_eq!(host().named("eth2").unwrap().mac, Mac([2, 0, 0, 0, 0, 4]));
        assert_eq!(host().named("eth9"), Err(NoInterface::Unknown("eth9".into())));
        assert_eq!(host().named("tun0"), Err(NoInterface::NotEthernet("tun0".into())));
    }

    #[test]
    fn a_network_of_everything_holds_everything_of_its_family() {
        assert!(holds(&address("10.0.0.1/0", 1), "192.168.1.1".parse().unwrap()));
        assert!(!holds(&address("10.0.0.1/0", 1), "::1".parse().unwrap()));
    }
}
