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

impl PathPlan {
    /// Every path; the error is a line for each that has no place on this host.
    pub(crate) fn all(
        own: &Router,
        other: &Router,
        beat: &Heartbeat,
        host: &Host,
    ) -> Result<Vec<Self>, Vec<String>> {
        let facing = own.paths.iter().zip(&other.paths);
        let unicast = facing.map(|(local, remote)| unicast(*local, *remote, beat.port, host));
        let shared = beat.shared_paths.iter().flat_map(|path| shared(path, beat.port, host));
        let (paths, problems): (Vec<_>, Vec<_>) = unicast.chain(shared).partition(Result::is_ok);
        let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
        let paths: Vec<Self> = paths.into_iter().flatten().collect();
        if problems.is_empty() { Ok(paths) } else { Err(problems) }
    }

    /// The interface under it has a carrier. One that nobody knows yet counts as without.
    pub(crate) fn carrier(&self, host: &Host) -> bool {
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

fn unicast(local: IpAddr, remote: IpAddr, port: u16, host: &Host) -> Result<PathPlan, String> {
    let link = host.bearing(local).ok_or_else(|| {
        format!(
            "heartbeat path {local} -> {remote}: this host does not have the address {local}; give \
             it to an interface, or mend the router's paths"
        )
    })?;
    let at = |ip: IpAddr| match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddr::V6(SocketAddrV6::new(ip, port, 0, link.index))
        }
        ip => SocketAddr::new(ip, port),
    };
    Ok(PathPlan {
        name: format!("{local} -> {remote}"),
        local: at(local),
        remote: at(remote),
        kind: PathKind::Unicast,
    })
}

/// A path that the file describes without saying whose address is whose.
fn shared(path: &SharedPath, port: u16, host: &Host) -> Vec<Result<PathPlan, String>> {
    let (SharedPath::Unicast { interface, .. }
    | SharedPath::Broadcast { interface }
    | SharedPath::Multicast { interface, .. }) = path;
    let Some(link) = host.named(interface) else {
        return vec![Err(format!(
            "heartbeat path on {interface}: this host has no such interface; name another one"
        ))];
    };
    match path {
        SharedPath::Unicast { peers, .. } => {
            let partners = peers.iter().filter(|peer| !host.has(**peer));
            partners.map(|peer| from_interface(*peer, link, port, host)).collect()
        }
        SharedPath::Broadcast { interface } => vec![Ok(PathPlan {
            name: format!("broadcast {interface}"),
            local: SocketAddr::from((Ipv4Addr::BROADCAST, port)),
            remote: SocketAddr::from((Ipv4Addr::BROADCAST, port)),
            kind: PathKind::Broadcast { interface: interface.clone(), index: link.index },
        })],
        SharedPath::Multicast { group, port, ttl, .. } => {
            vec![Ok(multicast(*group, *port, *ttl, link))]
        }
    }
}

/// To a partner of whom only the address is known: from our own address beside it.
fn from_interface(
    peer: IpAddr,
    link: &HostLink,
    port: u16,
    host: &Host,
) -> Result<PathPlan, String> {
    let mut own = host.addresses.iter().filter(|address| {
        address.interface == link.index && address.ip.is_ipv4() == peer.is_ipv4()
    });
    let near = host.network_holding(peer).filter(|near| near.interface == link.index);
    match near.or_else(|| own.next()) {
        Some(local) => unicast(local.ip, peer, port, host),
        None => Err(format!(
            "heartbeat path to {peer} on {}: that interface has no address to send from; give it \
             one",
            link.name
        )),
    }
}

fn multicast(group: IpAddr, port: u16, ttl: u8, link: &HostLink) -> PathPlan {
    let at = match group {
        IpAddr::V4(group) => SocketAddr::from((group, port)),
        IpAddr::V6(group) => SocketAddr::V6(SocketAddrV6::new(group, port, 0, link.index)),
    };
    PathPlan {
        name: format!("multicast {group} {}", link.name),
        local: at,
        remote: at,
        kind: PathKind::Multicast { interface: link.name.clone(), index: link.index, ttl },
    }
}
