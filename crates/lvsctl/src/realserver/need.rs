//! What a real server needs to answer for floating addresses. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use runtime::sysctl::Values;

use super::host::Host;

/// How packets for a floating address reach this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// As they are.
    Direct,
    /// Wrapped, by a packet of IPv6 if so.
    Tunnel { outer_v6: bool },
}

/// A floating address that this host is to answer for.
pub(crate) type Asked = BTreeSet<(IpAddr, Way)>;

/// Everything that is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Interfaces by name, and of which kind they are made where they are not there.
    pub(crate) links: Vec<(String, Option<&'static str>)>,
    /// Settings below `/proc/sys/net`.
    pub(crate) settings: Values,
    /// The addresses, and the interface that carries each.
    pub(crate) addresses: Vec<(IpAddr, String)>,
}

/// One thing that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A setting has this value.
    Setting(String, String),
    /// An interface is there and up.
    Link(String),
    /// An address is on an interface.
    Address(IpAddr, String),
    /// An address is on no other interface, where others would hear of it.
    Nowhere(IpAddr, String),
}

impl Need {
    /// What these addresses need; `interface` carries those that packets reach as they are.
    pub(crate) fn of(asked: &Asked, interface: &str) -> Self {
        let mut need = Self::default();
        for (ip, way) in asked {
            let link = match way {
                Way::Direct => (interface.to_owned(), made(interface)),
                Way::Tunnel { outer_v6 } => tunnel(*ip, *outer_v6),
            };
            let name = link.0.clone();
            if !need.links.contains(&link) {
                need.links.push(link);
            }
            if ip.is_ipv4() {
                need.be_silent(&name);
            }
            if matches!(way, Way::Tunnel { outer_v6: false }) && ip.is_ipv4() {
                // Clients are reached another way than their packets came. Of this setting and
                // that of `all`, the greater one holds.
                need.settings.insert(format!("ipv4/conf/{name}/rp_filter"), "2".to_owned());
            }
            if !need.addresses.iter().any(|(known, _)| known == ip) {
                need.addresses.push((*ip, name));
            }
        }
        need
    }

    fn be_silent(&mut self, interface: &str) {
        for name in ["all", interface] {
            for (setting, value) in [("arp_ignore", "1"), ("arp_announce", "2")] {
                self.settings.insert(format!("ipv4/conf/{name}/{setting}"), value.to_owned());
            }
        }
    }

    /// The files of the settings.
    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        self.settings.keys()
    }

    /// Everything, and whether it is there.
    pub(crate) fn pieces(&self, host: &Host, now: &Values) -> Vec<(Piece, bool)> {
        let settings = self.settings.iter().map(|(file, value)| {
            (Piece::Setting(file.clone(), value.clone()), now.get(file) == Some(value))
        });
        let links = self.links.iter().map(|(name, _)| {
            (Piece::Link(name.clone()), host.link(name).is_some_and(|link| link.up))
        });
        let addresses = self
            .addresses
            .iter()
            .map(|(ip, link)| (Piece::Address(*ip, link.clone()), host.has(*ip, link)));
        let elsewhere = self.addresses.iter().flat_map(|(ip, _)| {
            let heard = host.heard_on(*ip).into_iter();
            heard.map(|link| (Piece::Nowhere(*ip, link), false))
        });
        settings.chain(links).chain(addresses).chain(elsewhere).collect()
    }
}

/// Interfaces of this name are made where they are not there.
fn made(interface: &str) -> Option<&'static str> {
    (interface != "lo").then_some("dummy")
}

/// The end of the tunnel, by the families within and without.
fn tunnel(ip: IpAddr, outer_v6: bool) -> (String, Option<&'static str>) {
    let (name, kind) = match (ip, outer_v6) {
        (IpAddr::V4(_), false) => ("tunl0", "ipip"),
        (IpAddr::V6(_), false) => ("sit0", "sit"),
        (_, true) => ("ip6tnl0", "ip6tnl"),
    };
    (name.to_owned(), Some(kind))
}

impl Piece {
    /// What it is for.
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Self::Setting(file, _) if file.ends_with("arp_ignore") => {
                "without it this host answers when others ask who has the floating address"
            }
            Self::Setting(file, _) if file.ends_with("arp_announce") => {
                "without it this host tells others the floating address when it asks for theirs"
            }
            Self::Setting(..) => "without it packets out of the tunnel are thrown away",
            Self::Link(_) => "without it the address has no place, or packets stay wrapped",
            Self::Address(..) => {
                "without it packets for the floating address are not for this host"
            }
            Self::Nowhere(..) => {
                "others reach it there past the routers: remove it by hand, whoever put it there"
            }
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(file, value) => write!(f, "net.{} is {value}", file.replace('/', ".")),
            Self::Link(name) => write!(f, "interface {name} is up"),
            Self::Address(ip, link) => write!(f, "{ip} is on {link}"),
            Self::Nowhere(ip, link) => write!(f, "{ip} is not on {link}"),
        }
    }
}
