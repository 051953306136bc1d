//! What this host has: interfaces and addresses.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use netlink::{Addresses, HostAddress, HostLink, KernelError, LinkMonitor, Links};
use runtime::ExitError;

use crate::clock;
use crate::notice::{Notice, Notices};

/// Least time between two readings.
pub(crate) const PAUSE: Duration = Duration::from_millis(80);

/// Addresses with the numbers of their interfaces.
pub(crate) type Places = HashSet<(IpAddr, u32)>;

/// Interfaces and addresses at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) links: Vec<HostLink>,
    pub(crate) addresses: Vec<HostAddress>,
}

impl Host {
    /// Asks the kernel.
    pub(crate) async fn read() -> Result<Self, KernelError> {
        let links = Links::open()?.list().await?;
        let addresses = Addresses::open()?.list().await?;
        Ok(Self { links, addresses })
    }

    pub(crate) fn named(&self, name: &str) -> Option<&HostLink> {
        self.links.iter().find(|link| link.name == name)
    }

    pub(crate) fn numbered(&self, index: u32) -> Option<&HostLink> {
        self.links.iter().find(|link| link.index == index)
    }

    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip == ip)
    }

    /// Every address with the number of its interface: a thousand of them are looked for in it.
    pub(crate) fn places(&self) -> Places {
        self.addresses.iter().map(|address| (address.ip, address.interface)).collect()
    }

    /// The interface that bears an address.
    pub(crate) fn bearing(&self, ip: IpAddr) -> Option<&HostLink> {
        let found = self.addresses.iter().find(|address| address.ip == ip)?;
        self.numbered(found.interface)
    }

    /// The address of this host whose network holds `ip`: the narrowest network wins. `ip` itself
    /// does not count, nor does a network of one address.
    pub(crate) fn network_holding(&self, ip: IpAddr) -> Option<&HostAddress> {
        let holds = |address: &&HostAddress| {
            address.ip != ip
                && IpNet::new(address.ip, address.prefix_length)
                    .is_ok_and(|net| net.prefix_len() < net.max_prefix_len() && net.contains(&ip))
        };
        self.addresses.iter().filter(holds).max_by_key(|address| address.prefix_length)
    }

    /// Whether an address that is none of the `moving` ones has the same network on the same
    /// interface, and with it the route there.
    pub(crate) fn shares_route(
        &self,
        ip: IpAddr,
        prefix_length: u8,
        interface: u32,
        moving: &HashSet<IpAddr>,
    ) -> bool {
        self.addresses.iter().any(|address| {
            address.interface == interface
                && address.prefix_length == prefix_length
                && !moving.contains(&address.ip)
                && IpNet::new(address.ip, prefix_length).is_ok_and(|net| net.contains(&ip))
        })
    }
}

/// Reads the host anew at each change, and not much more than ten times a second. On a thread of
/// its own: to read a thousand addresses takes longer than a heartbeat may wait.
///
/// # Errors
/// The kernel gives no socket, or no thread.
pub(crate) fn watch(notices: Notices) -> Result<(), ExitError> {
    let fail =
        |error: String| ExitError::internal(format!("cannot watch this host's links: {error}"));
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let own = own.map_err(|error| fail(error.to_string()))?;
    let entered = own.enter();
    let monitor = LinkMonitor::open().map_err(|error| fail(error.to_string()))?;
    drop(entered);
    let thread = std::thread::Builder::new().name("host".to_owned());
    let started = thread.spawn(move || own.block_on(follow(monitor, notices)));
    started.map(drop).map_err(|error| fail(error.to_string()))
}

/// Until nobody wants to know any more.
async fn follow(mut monitor: LinkMonitor, notices: Notices) {
    // What changed since it was read for the start, before anybody watched.
    let mut unread = true;
    loop {
        if !unread && let Err(error) = monitor.changed().await {
            tracing::error!(%error, "cannot watch this host's links");
        }
        let begun = clock::now();
        let read = Host::read().await;
        unread = read.is_err();
        match read {
            Ok(host) => {
                let notice = Notice::HostChanged(Box::new(host), begun);
                if notices.send(notice).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot list this host's interfaces"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn link(index: u32, name: &str, carrier: bool) -> HostLink {
        HostLink {
            index,
            name: name.to_owned(),
            mac: Some([2, 0, 0, 0, 0, 1]),
            up: true,
            carrier,
            loopback: false,
            silent: false,
        }
    }

    pub(crate) fn address(ip: &str, prefix_length: u8, interface: u32) -> HostAddress {
        HostAddress {
            ip: ip.parse().unwrap(),
            prefix_length,
            interface,
            label: None,
            broadcast: None,
        }
    }

    pub(crate) fn host() -> Host {
        Host {
            links: vec![link(2, "eth0", true), link(3, "eth1", true)],
            addresses: vec![
                address("192.168.1.2", 24, 2),
                address("192.168.1.1", 32, 2),
                address("192.168.0.9", 16, 3),
            ],
        }
    }

    #[test]
    fn a_route_is_shared_with_an_address_that_stays() {
        let host = host();
        let ip = |text: &str| text.parse().unwrap();
        let floating = ip("192.168.1.7");
        let alone = HashSet::from([floating]);
        assert!(host.shares_route(floating, 24, 2, &alone));
        let both = HashSet::from([floating, ip("192.168.1.2")]);
        assert!(!host.shares_route(floating, 24, 2, &both));
        assert!(!host.shares_route(floating, 25, 2, &alone));
        assert!(!host.shares_route(floating, 24, 3, &alone));
    }

    #[test]
    fn the_narrowest_network_that_holds_an_address_is_found() {
        let host = host();
        let held = |ip: &str| host.network_holding(ip.parse().unwrap()).map(|a| a.interface);
        assert_eq!(held("192.168.1.1"), Some(2));
        assert_eq!(held("192.168.7.7"), Some(3));
        assert_eq!(held("10.0.0.1"), None);
    }
}
