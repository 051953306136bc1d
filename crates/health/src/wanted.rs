//! The wanted table: configuration × resolved names × verdicts × the operator's decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use config::model::{Cluster, Host, Listen, RealServer, SorryServer, VirtualServer};
use ipvs::{
    Destination, DestinationKey, Family, Forwarding, Pool, Service, ServiceKey, Table, Tunnel,
};

use crate::load::{Reading, weigh};
use crate::weight::slow_start;
use crate::{Asked, Decisions, Probe, Verdict};

mod fail_open;
mod placement;
mod probes;
mod quorum;
#[cfg(test)]
mod tests;

pub use placement::{Placement, Said};
use placement::{because, place};

/// The sorry server stands alone in its pool, so any weight above 0 would do.
const SORRY_WEIGHT: u32 = 1;

/// Host names that have been resolved; the first address of the right family is used.
pub type Names = BTreeMap<String, Vec<IpAddr>>;

/// What is known about a real server's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fitness {
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict was taken from the kernel's table or from before a restart: its own check has
    /// not answered yet.
    pub provisional: bool,
    /// When it was last up, as a number that rises with each server that stops being up; 0 when
    /// it was never seen up. Whoever is up need not have one.
    pub last_up: u64,
    /// The weights that its programs ask for.
    pub asked: Asked,
}

impl Fitness {
    /// It was checked and serves.
    pub const UP: Self = Self::checked(Verdict::Up);
    /// It was checked and does not serve, and never did.
    pub const DOWN: Self = Self::checked(Verdict::Down);

    const fn checked(verdict: Verdict) -> Self {
        Self { verdict, provisional: false, last_up: 0, asked: Asked::NONE }
    }
}

/// Everything that is known beside the configuration.
pub struct Knowledge<'a> {
    /// Resolved names.
    pub names: &'a Names,
    /// Health by probe.
    pub fitness: &'a dyn Fn(&Probe) -> Fitness,
    /// Loads by the probe that measures them.
    pub load: &'a dyn Fn(&Probe) -> Option<Reading>,
    /// For how long a probe that was down has been up again; none when that is long ago, or it was
    /// never down.
    pub risen: &'a dyn Fn(&Probe) -> Option<Duration>,
    /// The operator's decisions.
    pub decisions: &'a Decisions,
    /// Names of the files in the maintenance folder.
    pub resting: &'a BTreeSet<String>,
    /// Virtual servers that were below their quorum.
    pub below_quorum: &'a BTreeSet<String>,
}

/// What the kernel should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The table.
    pub table: Table,
    /// How each virtual server came to its pool, in the order of the configuration.
    pub services: Vec<WantedService>,
}

/// One virtual server.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedService {
    /// Its name.
    pub name: String,
    /// What it is in the kernel: one pool each.
    pub pools: BTreeMap<ServiceKey, Pool>,
    /// The sorry server carries the traffic of a pool.
    pub on_sorry: bool,
    /// What is up of a pool is not enough.
    pub below_quorum: bool,
    /// More servers of a pool are down than checks may take out: some of those stay in.
    pub failing_open: bool,
    /// Its real servers; one that has a port for each of several listening ports appears with each.
    pub servers: Vec<WantedServer>,
}

/// One real server of one virtual server.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedServer {
    /// Its [label].
    pub label: String,
    /// Its place in the configuration's list.
    pub index: usize,
    /// Address and port; none while its name does not resolve.
    pub address: Option<SocketAddr>,
    /// Where it stands, or would stand, in the kernel.
    pub places: Vec<(ServiceKey, DestinationKey)>,
    /// The checks that answer for it, all of which it has to pass; none when it needs no answer.
    pub probes: Vec<Probe>,
    /// What they say together.
    pub fitness: Fitness,
    /// What measures its load, and what was measured, where its weight follows that.
    pub load: Option<(Probe, Option<Reading>)>,
    /// It has returned of late, for so long, and reaches its whole weight after so long.
    pub rising: Option<Rising>,
    /// A file of the maintenance folder names it.
    pub resting: bool,
    /// Where it belongs, and by which rule.
    pub placement: Placement,
}

/// A real server on its way to its whole weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rising {
    /// How long it has been up.
    pub up_for: Duration,
    /// When it has its whole weight.
    pub over: Duration,
}

impl Rising {
    /// Of a real server that has to pass these checks.
    fn of(service: &VirtualServer, probes: &[Probe], knowledge: &Knowledge<'_>) -> Option<Self> {
        let over = service.slow_start?;
        let up_for = probes.iter().filter_map(knowledge.risen).min()?;
        (up_for < over).then_some(Self { up_for, over })
    }

    fn weight(self, weight: u32) -> u32 {
        slow_start(weight, self.up_for, self.over)
    }
}

/// The whole wanted table. Where two virtual servers claim one kernel service, the first has it.
pub fn wanted(cluster: &Cluster, knowledge: &Knowledge<'_>) -> Wanted {
    let mut wanted = Wanted::default();
    for service in &cluster.services {
        let service = wanted_service(service, knowledge);
        for (key, pool) in &service.pools {
            wanted.table.entry(*key).or_insert_with(|| pool.clone());
        }
        wanted.services.push(service);
    }
    wanted
}

/// The wanted pools of one virtual server.
pub fn wanted_service(service: &VirtualServer, knowledge: &Knowledge<'_>) -> WantedService {
    let mut wanted = WantedService {
        name: service.name.clone(),
        pools: keys(&service.listen).into_iter().map(|key| (key, empty_pool(service))).collect(),
        on_sorry: false,
        below_quorum: false,
        failing_open: false,
        servers: Vec::with_capacity(service.servers.len()),
    };
    for (index, server) in service.servers.iter().enumerate() {
        place_server(&mut wanted, service, (index, server), knowledge);
    }
    let given_up = quorum::give_up(&mut wanted, service, knowledge);
    fail_open::fail_open(&mut wanted, service, knowledge, &given_up);
    for (key, pool) in &mut wanted.pools {
        if pool.destinations.values().any(|destination| destination.weight > 0) {
            continue;
        }
        let Some((at, sorry)) = sorry_in(service, *key, knowledge) else { continue };
        pool.destinations.insert(at, sorry);
        wanted.on_sorry = true;
    }
    wanted
}

/// The sorry server of a pool, and where it stands there.
fn sorry_in(
    service: &VirtualServer,
    key: ServiceKey,
    knowledge: &Knowledge<'_>,
) -> Option<(DestinationKey, Destination)> {
    let sorry = service.sorry.as_ref()?;
    let ip = resolve(&sorry.host, key.family(), sorry.forwarding, knowledge.names)?;
    Some((destination_key(key, ip, sorry.port, sorry.forwarding), sorry_destination(sorry)))
}

/// How people call a real server: its name, or its host with the port when it has one of its own.
pub fn label(server: &RealServer) -> String {
    if let Some(name) = &server.name {
        return name.clone();
    }
    match (&server.host, server.port) {
        (Host::Address(ip), Some(port)) => SocketAddr::new(*ip, port).to_string(),
        (Host::Address(ip), None) => ip.to_string(),
        (Host::Name(name), Some(port)) => format!("{name}:{port}"),
        (Host::Name(name), None) => name.clone(),
    }
}

/// The services in the kernel that a virtual server becomes.
pub fn keys(listen: &Listen) -> Vec<ServiceKey> {
    match listen {
        Listen::Mark { mark, family, .. } => {
            vec![ServiceKey::Mark { mark: *mark, family: *family }]
        }
        Listen::Addresses(endpoints) => endpoints
            .iter()
            .map(|at| ServiceKey::Address { address: at.address, protocol: at.protocol })
            .collect(),
    }
}

impl WantedServer {
    /// Why its weight is what it is, with what its checks said last.
    pub fn because(
        &self,
        configured_weight: u32,
        said: &[Said<'_>],
        decisions: &Decisions,
        service: &str,
    ) -> Vec<String> {
        let decided = decisions.of(service, &self.label);
        because(self, configured_weight, said, decided)
    }
}

fn place_server(
    wanted: &mut WantedService,
    service: &VirtualServer,
    (index, server): (usize, &RealServer),
    knowledge: &Knowledge<'_>,
) {
    let label = label(server);
    let first = wanted.servers.len();
    for (key, pool) in &mut wanted.pools {
        let family = key.family();
        let ip = resolve(&server.host, family, server.forwarding, knowledge.names);
        let Some(ip) = ip else { continue };
        let at = destination_key(*key, ip, server.port, server.forwarding);
        let address = SocketAddr::new(ip, server.port.unwrap_or(at.port()));
        let asked = SocketAddr::new(ip, server.port.unwrap_or(first_port(service, at)));
        let probes = probes::probes(
            service.checks_of(server),
            asked,
            listening_address(*key),
            server.forwarding,
        );
        let known = wanted
            .servers
            .iter()
            .skip(first)
            .position(|other| other.address == Some(address) && other.probes == probes);
        let position = known.map_or(wanted.servers.len(), |offset| first + offset);
        if known.is_none() {
            let fitness = probes::fitness(service.checks_of(server), &probes, knowledge);
            let decided = knowledge.decisions.of(&wanted.name, &label);
            let resting = rests(server, &label, address, knowledge.resting);
            let load = load_of(service, asked, *key, knowledge);
            let weight = weight_under(load.as_ref(), fitness.asked.weight(server.weight));
            let rising = Rising::of(service, &probes, knowledge);
            let weight = rising.map_or(weight, |rising| rising.weight(weight));
            wanted.servers.push(WantedServer {
                label: label.clone(),
                index,
                address: Some(address),
                places: Vec::with_capacity(1),
                probes,
                fitness,
                load,
                rising,
                resting,
                placement: place(weight, service.on_failure, fitness, decided, resting),
            });
        }
        let Some(entry) = wanted.servers.get_mut(position) else { continue };
        entry.places.push((*key, at));
        if let Some(weight) = entry.placement.weight() {
            pool.destinations.entry(at).or_insert_with(|| destination(server, weight));
        }
    }
    if wanted.servers.len() == first {
        wanted.servers.push(unresolved(label, index));
    }
}

/// Whether a file names this real server: by what it is called, by its host, or by its address,
/// with the port or without.
fn rests(server: &RealServer, label: &str, address: SocketAddr, names: &BTreeSet<String>) -> bool {
    if names.is_empty() {
        return false;
    }
    let host = match &server.host {
        Host::Name(name) => name.clone(),
        Host::Address(IpAddr::V6(ip)) => format!("[{ip}]"),
        Host::Address(ip) => ip.to_string(),
    };
    let with_port = format!("{host}:{}", address.port());
    let plain = [label.to_owned(), host, with_port, address.to_string(), address.ip().to_string()];
    plain.iter().any(|name| names.contains(name))
}

/// What measures the load of a real server, and what is known of it.
fn load_of(
    service: &VirtualServer,
    server: SocketAddr,
    key: ServiceKey,
    knowledge: &Knowledge<'_>,
) -> Option<(Probe, Option<Reading>)> {
    let check = service.load.as_ref()?.check();
    let probe = Probe::new(server, listening_address(key), &check, Forwarding::default())?;
    let reading = (knowledge.load)(&probe);
    Some((probe, reading))
}

/// A weight as the load has it; without a load it stays.
fn weight_under(load: Option<&(Probe, Option<Reading>)>, weight: u32) -> u32 {
    let reading = load.and_then(|(_, reading)| reading.as_ref());
    reading.map_or(weight, |reading| weigh(weight, reading.share))
}

fn unresolved(label: String, index: usize) -> WantedServer {
    WantedServer {
        label,
        index,
        address: None,
        places: Vec::new(),
        probes: Vec::new(),
        fitness: Fitness::default(),
        load: None,
        rising: None,
        resting: false,
        placement: Placement::Unresolved,
    }
}

/// The port that is asked where the real server has none of its own: of those that are marked, the
/// first one of the list.
fn first_port(service: &VirtualServer, at: DestinationKey) -> u16 {
    match &service.listen {
        Listen::Mark { marked, .. } => marked.first().map_or(at.port(), |ports| ports.first),
        Listen::Addresses(_) => at.port(),
    }
}

fn listening_address(key: ServiceKey) -> Option<SocketAddr> {
    match key {
        ServiceKey::Address { address, .. } => Some(address),
        ServiceKey::Mark { .. } => None,
    }
}

/// The address to use for packets of one family. Only a tunnel may cross families.
fn resolve(host: &Host, family: Family, forwarding: Forwarding, names: &Names) -> Option<IpAddr> {
    let known = match host {
        Host::Address(ip) => std::slice::from_ref(ip),
        Host::Name(name) => names.get(name)?.as_slice(),
    };
    let same = known.iter().find(|ip| Family::of(**ip) == family);
    let other = || known.first().filter(|_| forwarding == Forwarding::Tunnel);
    same.or_else(other).copied()
}

/// Where a real server stands in the kernel. With direct routing and tunnelling the packet's port
/// cannot be changed, and ipvsadm writes the virtual server's.
fn destination_key(
    key: ServiceKey,
    ip: IpAddr,
    port: Option<u16>,
    forwarding: Forwarding,
) -> DestinationKey {
    let port = match key {
        ServiceKey::Address { address, .. } if forwarding != Forwarding::Nat => address.port(),
        ServiceKey::Address { address, .. } => port.unwrap_or(address.port()),
        ServiceKey::Mark { .. } => port.unwrap_or(0),
    };
    SocketAddr::new(ip, port)
}

fn destination(server: &RealServer, weight: u32) -> Destination {
    Destination {
        forwarding: server.forwarding,
        tunnel: server.tunnel,
        weight,
        upper_threshold: server.upper_threshold,
        lower_threshold: server.lower_threshold,
    }
}

fn sorry_destination(sorry: &SorryServer) -> Destination {
    Destination {
        forwarding: sorry.forwarding,
        tunnel: Tunnel::default(),
        weight: SORRY_WEIGHT,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

fn empty_pool(service: &VirtualServer) -> Pool {
    Pool {
        service: Service {
            scheduler: service.scheduler.clone(),
            flags: service.scheduler_flags,
            persistence: service.persistence.clone(),
            one_packet: service.one_packet,
        },
        destinations: BTreeMap::new(),
    }
}
