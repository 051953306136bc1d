//! What is on this host, and the sockets that change it.

use std::net::IpAddr;

use netlink::{AddressChange, Addresses, HostAddress, HostLink, KernelError, LinkChange, Links};
use runtime::ExitError;

/// Interfaces and addresses, as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    pub(crate) links: Vec<HostLink>,
    pub(crate) addresses: Vec<HostAddress>,
}

impl Host {
    pub(crate) fn link(&self, name: &str) -> Option<&HostLink> {
        self.links.iter().find(|link| link.name == name)
    }

    /// Whether an interface carries an address.
    pub(crate) fn has(&self, ip: IpAddr, link: &str) -> bool {
        let index = self.link(link).map(|link| link.index);
        self.addresses.iter().any(|one| one.ip == ip && Some(one.interface) == index)
    }

    /// Interfaces with a link-layer address on which others would be told of this one.
    pub(crate) fn heard_on(&self, ip: IpAddr) -> Vec<String> {
        let carries = |link: &&HostLink| self.has(ip, &link.name);
        let wired = self.links.iter().filter(|link| link.is_wired());
        wired.filter(carries).map(|link| link.name.clone()).collect()
    }

    /// The addresses by which others know this host.
    pub(crate) fn own_addresses(&self) -> Vec<IpAddr> {
        let all = self.addresses.iter().map(|address| address.ip);
        all.filter(|ip| !ip.is_loopback()).collect()
    }
}

/// Reads and changes a host.
pub(crate) trait Hands {
    /// What is there now.
    async fn read(&mut self) -> Result<Host, ExitError>;
    /// Makes an interface.
    async fn make(&mut self, name: &str, kind: &'static str) -> Result<(), KernelError>;
    /// Sets one up or down, or deletes it.
    async fn change_link(&mut self, change: &LinkChange) -> Result<(), ExitError>;
    /// Adds or removes an address.
    async fn change_address(&mut self, change: AddressChange) -> Result<(), ExitError>;
}

/// The kernel of this host.
pub(crate) struct Kernel {
    links: Links,
    addresses: Addresses,
}

impl Kernel {
    pub(crate) fn open() -> Result<Self, ExitError> {
        let failed = |error| refused("read this host's interfaces", &error);
        Ok(Self {
            links: Links::open().map_err(failed)?,
            addresses: Addresses::open().map_err(failed)?,
        })
    }
}

impl Hands for Kernel {
    async fn read(&mut self) -> Result<Host, ExitError> {
        let failed = |error| refused("read this host's interfaces", &error);
        Ok(Host {
            links: self.links.list().await.map_err(failed)?,
            addresses: self.addresses.list().await.map_err(failed)?,
        })
    }

    async fn make(&mut self, name: &str, kind: &'static str) -> Result<(), KernelError> {
        self.links.change(&LinkChange::Make { name: name.to_owned(), kind }).await
    }

    async fn change_link(&mut self, change: &LinkChange) -> Result<(), ExitError> {
        let changed = self.links.change(change).await;
        changed.map_err(|error| refused(&format!("change an interface ({change})"), &error))
    }

    async fn change_address(&mut self, change: AddressChange) -> Result<(), ExitError> {
        let failed = |error| refused("change an address", &error);
        let results = self.addresses.change(&[change]).await;
        results.into_iter().try_for_each(|result| result.map(drop)).map_err(failed)
    }
}

pub(crate) fn refused(tried: &str, error: &KernelError) -> ExitError {
    let message = format!("cannot {tried}: {error}");
    match error {
        KernelError::NotPermitted => ExitError::privilege(message),
        _ => ExitError::internal(message),
    }
}

/// An address as it stands alone on an interface.
pub(crate) fn alone(ip: IpAddr, interface: u32) -> HostAddress {
    let prefix_length = if ip.is_ipv4() { 32 } else { 128 };
    HostAddress { ip, prefix_length, interface, label: None, broadcast: None }
}
