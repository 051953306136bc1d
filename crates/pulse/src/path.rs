//! Heartbeat paths: between which addresses, on which interface. Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use config::model::{Heartbeat, Router, SharedPath};

use netlink::HostLink;

use crate::host::Host;

/// One path, placed on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPlan {
    /// `172.16.1.2 -> 172.16.1.3`, `broadcast eth1`.
    pub(crate) name: String,
    /// Where the socket is bound. That of a shared path takes only what is sent to all: bound to
    /// any address, it could not be beside a unicast one on the same port.
    pub(crate) local: SocketAddr,
    /// Where heartbeats go.
    pub(crate) remote: SocketAddr,
    /// What kind.
    pub(crate) kind: PathKind,
    /// The line of the configuration that it comes from, where that is not a pair of addresses.
    pub(crate) from: Option<SharedPath>,
    /// Why it has no place on this host at the moment, and so no socket.
    pub(crate) absent: Option<String>,
}

/// What the configuration says about paths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sources {
    own: Router,
    other: Router,
    beat: Heartbeat,
}

/// How heartbeats go over a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathKind {
    /// From one address to another.
    Unicast,
    /// To everybody on an interface.
    Broadcast {
        /// Its name.
        interface: String,
        /// Its number.
        index: u32,
    },
    /// To a group on an interface.
    Multicast {
        /// Its name.
        interface: String,
        /// Its number.
        index: u32,
        /// Time to live.
        ttl: u8,
    },
}

impl Sources {
    pub(crate) fn new(own: &Router, other: &Router, beat: &Heartbeat) -> Self {
        Self { own: own.clone(), other: other.clone(), beat: beat.clone() }
    }

    /// Every path, in the order of the configuration. One that has no place on this host says why.
    pub(crate) fn paths(&self, host: &Host) -> Vec<PathPlan> {
        let Self { own, other, beat } = self;
        let facing = own.paths.iter().zip(&other.paths);
        let unicast = facing.map(|(local, remote)| unicast(*local, *remote, beat.port, host));
        let shared = beat.shared_paths.iter().flat_map(|path| {
            let from = Some(path.clone());
            let paths = shared(path, beat.port, host).into_iter();
            paths.map(move |path| PathPlan { from: from.clone(), ..path })
        });
        unicast.chain(shared).collect()
    }

    /// The same, where each of `known` that has its place keeps it: what becomes of it later is
    /// seen by its carrier.
    pub(crate) fn paths_beside(&self, known: &[PathPlan], host: &Host) -> Vec<PathPlan> {
        let mut placed: Vec<&PathPlan> =
            known.iter().filter(|path| path.absent.is_none()).collect();
        let keep = |path: PathPlan| {
            let at = placed.iter().position(|old| old.name == path.name);
            at.map_or(path, |at| placed.remove(at).clone())
        };
        self.paths(host).into_iter().map(keep).collect()
    }
}

impl PathPlan {
    /// Why it has no place, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        self.absent.as_ref().map(|absent| format!("heartbeat path {}: {absent}", self.name))
    }

    /// It is the path that `old` is, wherever either has its place.
    pub(crate) fn is(&self, old: &Self) -> bool {
        self.name == old.name || (self.from.is_some() && self.from == old.from)
    }

    /// The interface under it has a carrier. One that nobody knows yet counts as without.
    pub(crate) fn carrier(&self, host: &Host) -> bool {
        if self.absent.is_some() {
            return false;
        }
        let link = match &self.kind {
            PathKind::Unicast => host.bearing(self.local.ip()),
            PathKind::Broadcast { interface, .. } | PathKind::Multicast { interface, .. } => {
                host.named(interface)
            }
        };
        link.is_some_and(|link| link.carrier || link.loopback)
    }

    /// Interfaces can be made anew with another number: look them up again. One that is away is
    /// waited for.
    pub(crate) fn placed_again(&self, host: &Host) -> Self {
        let mut path = self.clone();
        if path.absent.is_some() {
            return path;
        }
        match &mut path.kind {
            PathKind::Unicast => {
                if let Some(link) = host.bearing(self.local.ip()) {
                    rescope(&mut path.local, link.index);
                    rescope(&mut path.remote, link.index);
                }
            }
            PathKind::Broadcast { interface, index }
            | PathKind::Multicast { interface, index, .. } => {
                if let Some(link) = host.named(interface) {
                    *index = link.index;
                    rescope(&mut path.local, link.index);
                    rescope(&mut path.remote, link.index);
                }
            }
        }
        path
    }
}

/// Gives an address the number of its interface, if it has one.
fn rescope(address: &mut SocketAddr, index: u32) {
    if let SocketAddr::V6(address) = address
        && address.scope_id() != 0
    {
        address.set_scope_id(index);
    }
}

fn unicast(local: IpAddr, remote: IpAddr, port: u16, host: &Host) -> PathPlan {
    let link = host.bearing(local);
    let scope = link.map_or(0, |link| link.index);
    let at = |ip: IpAddr| match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope))
        }
        ip => SocketAddr::new(ip, port),
    };
    let absent = link.is_none().then(|| {
        format!(
            "this host does not have the address {local}; give it to an interface, or mend the \
             router's paths"
        )
    });
    PathPlan {
        name: format!("{local} -> {remote}"),
        local: at(local),
        remote: at(remote),
        kind: PathKind::Unicast,
        from: None,
        absent,
    }
}

/// A path that the file describes without saying whose address is whose.
fn shared(path: &SharedPath, port: u16, host: &Host) -> Vec<PathPlan> {
    let (SharedPath::Unicast { interface, .. }
    | SharedPath::Broadcast { interface }
    | SharedPath::Multicast { interface, .. }) = path;
    let link = host.named(interface);
    let index = link.map_or(0, |link| link.index);
    let absent =
        link.is_none().then(|| format!("this host has no interface {interface}; name another one"));
    match path {
        SharedPath::Unicast { peers, .. } => match link {
            Some(link) => {
                let partners = peers.iter().filter(|peer| !host.has(**peer));
                partners.map(|peer| from_interface(*peer, link, port, host)).collect()
            }
            // Which of them is ours cannot be known before it is there.
            None => vec![nowhere(format!("unicast {interface}"), port, absent)],
        },
        SharedPath::Broadcast { interface } => vec![PathPlan {
            name: format!("broadcast {interface}"),
            local: SocketAddr::from((Ipv4Addr::BROADCAST, port)),
            remote: SocketAddr::from((Ipv4Addr::BROADCAST, port)),
            kind: PathKind::Broadcast { interface: interface.clone(), index },
            from: None,
            absent,
        }],
        SharedPath::Multicast { group, port, ttl, .. } => {
            let path = multicast(*group, *port, *ttl, interface, index);
            vec![PathPlan { absent, ..path }]
        }
    }
}

/// To a partner of whom only the address is known: from our own address beside it.
fn from_interface(peer: IpAddr, link: &HostLink, port: u16, host: &Host) -> PathPlan {
    let mut own = host.addresses.iter().filter(|address| {
        address.interface == link.index && address.ip.is_ipv4() == peer.is_ipv4()
    });
    let near = host.network_holding(peer).filter(|near| near.interface == link.index);
    match near.or_else(|| own.next()) {
        Some(local) => unicast(local.ip, peer, port, host),
        None => {
            let name = format!("unicast {} -> {peer}", link.name);
            let absent = format!("{} has no address to send from; give it one", link.name);
            nowhere(name, port, Some(absent))
        }
    }
}

/// A path that has no end yet.
fn nowhere(name: String, port: u16, absent: Option<String>) -> PathPlan {
    let at = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    PathPlan { name, local: at, remote: at, kind: PathKind::Unicast, from: None, absent }
}

fn multicast(group: IpAddr, port: u16, ttl: u8, interface: &str, index: u32) -> PathPlan {
    let at = match group {
        IpAddr::V4(group) => SocketAddr::from((group, port)),
        IpAddr::V6(group) => SocketAddr::V6(SocketAddrV6::new(group, port, 0, index)),
    };
    PathPlan {
        name: format!("multicast {group} {interface}"),
        local: at,
        remote: at,
        kind: PathKind::Multicast { interface: interface.to_owned(), index, ttl },
        from: None,
        absent: None,
    }
}
