//! What the routers balance over: real servers, and the configurations that name them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use config::model::{
    Check, CheckKind, Endpoint, Failback, FloatingAddress, Group, Heartbeat, Host, KeySource,
    Listen, Notify, OnFailure, OnStop, Pair, Quorum, RealServer, Router, ServerNotify, SorryServer,
    VirtualServer,
};
use config::{Cluster, Percent};
use ipvs::{
    Forwarding, Pool, Protocol, Scheduler, SchedulerFlags, Service, ServiceKey, Table, Tunnel,
};

use crate::node::NAMES;
use crate::world::GROUP_NAMES;

use crate::fault::Micros;

/// Real servers that there are.
pub(crate) const SERVERS: usize = 6;
/// Ports of the two virtual servers.
const WWW: u16 = 80;
const MAIL: u16 = 25;
/// The configuration that takes away everything: no router may take it by itself.
pub(crate) const EMPTY: u64 = 4;

/// All real servers, as they truly are.
#[derive(Clone, Debug)]
pub(crate) struct Farm {
    pub(crate) up: [bool; SERVERS],
    /// Connections that each has open.
    pub(crate) open: [u32; SERVERS],
    /// When that last changed.
    pub(crate) changed_at: [Micros; SERVERS],
    /// By number of the configuration.
    clusters: Vec<Arc<Cluster>>,
}

impl Farm {
    /// Everybody is well; lvsd leaves its table behind when it is stopped, or not.
    pub(crate) fn new(groups: usize, on_stop: OnStop) -> Self {
        let clusters = (0..=EMPTY).map(|variant| Arc::new(cluster(groups, on_stop, variant)));
        Self {
            up: [true; SERVERS],
            open: [0; SERVERS],
            changed_at: [0; SERVERS],
            clusters: clusters.collect(),
        }
    }

    /// A configuration.
    pub(crate) fn cluster(&self, variant: u64) -> Arc<Cluster> {
        let index = usize::try_from(variant).unwrap_or(0);
        self.clusters.get(index).or_else(|| self.clusters.first()).cloned().unwrap_or_default()
    }

    /// Whether whoever is at an address is well.
    pub(crate) fn is_up(&self, at: SocketAddr) -> bool {
        number(at.ip()).and_then(|number| self.up.get(number)).copied().unwrap_or(false)
    }

    /// Open connections of whoever is at an address.
    pub(crate) fn connections(&self, at: SocketAddr) -> u32 {
        number(at.ip()).and_then(|number| self.open.get(number)).copied().unwrap_or(0)
    }
}

/// The address of a real server.
fn address(number: usize) -> IpAddr {
    let last = u8::try_from(number + 1).unwrap_or(u8::MAX);
    IpAddr::from([10, 0, 0, last])
}

/// Which real server has an address.
pub(crate) fn number(ip: IpAddr) -> Option<usize> {
    (0..SERVERS).find(|number| address(*number) == ip)
}

/// The floating address of a group.
fn floating(group: usize) -> IpAddr {
    let last = u8::try_from(group + 1).unwrap_or(u8::MAX);
    IpAddr::from([192, 168, 1, last])
}

fn check(seconds: u64) -> Check {
    Check::plain(CheckKind::Connect, Duration::from_secs(seconds), Duration::from_secs(1))
}

fn server(number: usize, port: u16, weight: u32) -> RealServer {
    RealServer {
        name: None,
        host: Host::Address(address(number)),
        port: Some(port),
        weight,
        forwarding: Forwarding::Nat,
        tunnel: Tunnel::default(),
        upper_threshold: 0,
        lower_threshold: 0,
        check: None,
        also: Vec::new(),
        notify: ServerNotify::default(),
    }
}

fn service(name: &str, group: usize, port: u16, servers: &[(usize, u32)]) -> VirtualServer {
    let address = SocketAddr::new(floating(group), port);
    VirtualServer {
        name: name.to_owned(),
        listen: Listen::Addresses(vec![Endpoint { address, protocol: Protocol::Tcp }]),
        scheduler: Scheduler::wlc(),
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        check: check(5),
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: OnFailure::Remove,
        put_back: true,
        servers: servers.iter().map(|(number, weight)| server(*number, port, *weight)).collect(),
        sorry: None,
        slow_start: None,
        max_down: Percent::HALF,
        load: None,
        notify: Notify::default(),
        on_stop: None,
    }
}

/// One that has a sorry server, and whose failed real servers stay with weight 0.
fn mail(name: &str, group: usize) -> VirtualServer {
    let host = Host::Address(IpAddr::from([127, 0, 0, 1]));
    VirtualServer {
        on_failure: OnFailure::Quiesce,
        sorry: Some(SorryServer { host, port: Some(MAIL), forwarding: Forwarding::Nat }),
        ..service(name, group, MAIL, &[(1, 1), (4, 1)])
    }
}

/// The first configuration, or one of its edits.
fn cluster(groups: usize, on_stop: OnStop, variant: u64) -> Cluster {
    let second = groups.min(2) - 1;
    let mut services =
        vec![service("www", 0, WWW, &[(0, 1), (1, 1), (2, 2), (3, 1)]), mail("mail", second)];
    match variant {
        // Another weight, and one server more.
        1 => {
            services = vec![
                service("www", 0, WWW, &[(0, 3), (1, 1), (2, 2), (3, 1), (5, 1)]),
                mail("mail", second),
            ]
        }
        // One server fewer, and another check.
        2 => {
            services = vec![
                service("www", 0, WWW, &[(0, 1), (1, 1), (2, 2)]),
                VirtualServer { check: check(7), ..mail("mail", second) },
            ]
        }
        // Another name, another order.
        3 => {
            services = vec![
                mail("post", second),
                service("www", 0, WWW, &[(3, 1), (2, 2), (1, 1), (0, 1)]),
            ]
        }
        EMPTY => services.clear(),
        _ => {}
    }
    Cluster { pair: Some(pair(groups)), services, on_stop, ..Cluster::default() }
}

fn pair(groups: usize) -> Pair {
    let second = Duration::from_secs(1);
    let group = |(number, name): (usize, &&str)| Group {
        name: (*name).to_owned(),
        preferred: None,
        failback: Failback::Manual,
        addresses: vec![FloatingAddress {
            ip: floating(number),
            prefix_length: None,
            interface: None,
            label: None,
            broadcast: None,
        }],
        hooks: Vec::new(),
    };
    Pair {
        routers: NAMES.map(|name| Router { name: name.to_owned(), paths: Vec::new() }),
        heartbeat: Heartbeat {
            interval: second / 5,
            dead_after: second,
            warn_after: None,
            listen_first: second,
            port: 539,
            shared_paths: Vec::new(),
            keys: KeySource::Default,
            witness: Vec::new(),
            yield_on_fewer_witnesses: false,
        },
        groups: GROUP_NAMES.iter().take(groups).enumerate().map(group).collect(),
        fence: None,
    }
}

/// A service of somebody else, which nobody of ours may touch.
pub(crate) fn foreign() -> (ServiceKey, Pool) {
    let address = SocketAddr::new(IpAddr::from([192, 168, 1, 99]), 443);
    let key = ServiceKey::Address { address, protocol: Protocol::Tcp };
    let service = Service {
        scheduler: Scheduler::wlc(),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    };
    (key, Pool { service, destinations: std::collections::BTreeMap::new() })
}

/// What a machine's kernel holds when it starts.
pub(crate) fn fresh() -> Table {
    Table::from([foreign()])
}
