use std::time::Duration;

use config::model::{Check, CheckKind, Endpoint, OnFailure, Quorum, ServerNotify};
use ipvs::{Protocol, Scheduler, SchedulerFlags};

use super::*;
use crate::{Decided, Drain, Note};

mod fail_open;
mod places;
mod probes;
mod quorum;
mod several;
mod weights;

const WEB: &str = "192.168.1.1:80";
const SORRY: &str = "127.0.0.1:80";
const A: &str = "192.168.1.4:80";
const B: &str = "192.168.1.5:80";

const CONNECTED: Said<'_> = Said { check: "connect", fitness: Fitness::UP, reason: "connected" };

fn connect() -> Check {
    Check {
        kind: CheckKind::Connect,
        port: None,
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(3),
        fall: 3,
        rise: 2,
        reentry: Duration::ZERO,
        retry: None,
        connects: 0,
    }
}

fn server(at: &str) -> RealServer {
    let at: SocketAddr = at.parse().unwrap();
    RealServer {
        name: None,
        host: Host::Address(at.ip()),
        port: (at.port() != 0).then_some(at.port()),
        weight: 1,
        forwarding: Forwarding::Nat,
        tunnel: Tunnel::default(),
        upper_threshold: 0,
        lower_threshold: 0,
        check: None,
        also: Vec::new(),
        notify: ServerNotify::default(),
    }
}

fn listen(at: &[&str]) -> Listen {
    let endpoint = |at: &&str| Endpoint { address: at.parse().unwrap(), protocol: Protocol::Tcp };
    Listen::Addresses(at.iter().map(endpoint).collect())
}

fn www(servers: &[&str]) -> VirtualServer {
    VirtualServer {
        name: "www".into(),
        listen: listen(&[WEB]),
        scheduler: Scheduler::wlc(),
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        check: connect(),
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: OnFailure::Remove,
        servers: servers.iter().map(|at| server(at)).collect(),
        sorry: Some(SorryServer {
            host: Host::Address([127, 0, 0, 1].into()),
            port: Some(80),
            forwarding: Forwarding::Nat,
        }),
        max_down: config::Percent::HALF,
        put_back: true,
        slow_start: None,
        load: None,
        on_stop: None,
        notify: config::model::Notify::default(),
    }
}

/// Health by the address that is asked; what is not listed is unknown.
#[derive(Default)]
struct World {
    names: Names,
    up: Vec<&'static str>,
    down: Vec<&'static str>,
    decisions: Decisions,
    resting: BTreeSet<String>,
    below_quorum: BTreeSet<String>,
    load: Option<Reading>,
    risen: Option<Duration>,
    asked: Asked,
}

impl World {
    fn up(servers: &[&'static str]) -> Self {
        Self { up: servers.to_vec(), ..Self::default() }
    }

    fn wanted(&self, service: &VirtualServer) -> WantedService {
        self.wanted_with(service, |probe| {
            let at = probe.server.to_string();
            if self.up.contains(&at.as_str()) {
                Fitness { asked: self.asked, ..Fitness::UP }
            } else if self.down.contains(&at.as_str()) {
                Fitness::DOWN
            } else {
                Fitness::default()
            }
        })
    }

    fn wanted_with(
        &self,
        service: &VirtualServer,
        fitness: impl Fn(&Probe) -> Fitness,
    ) -> WantedService {
        let knowledge = Knowledge {
            names: &self.names,
            fitness: &fitness,
            load: &|_| self.load,
            risen: &|_| self.risen,
            decisions: &self.decisions,
            resting: &self.resting,
            below_quorum: &self.below_quorum,
        };
        wanted_service(service, &knowledge)
    }

    /// `address=weight` of the only pool.
    fn pool(&self, service: &VirtualServer) -> Vec<String> {
        let wanted = self.wanted(service);
        assert_eq!(wanted.pools.len(), 1);
        rows(wanted.pools.values().next().unwrap())
    }
}

fn rows(pool: &Pool) -> Vec<String> {
    pool.destinations.iter().map(|(at, server)| format!("{at}={}", server.weight)).collect()
}

#[test]
fn servers_that_are_up_are_in_and_the_sorry_server_is_out() {
    assert_eq!(World::up(&[A, B]).pool(&www(&[A, B])), [format!("{A}=1"), format!("{B}=1")]);
}

#[test]
fn a_server_is_not_in_before_its_first_check_and_the_sorry_server_serves_meanwhile() {
    let world = World::default();
    assert_eq!(world.pool(&www(&[A, B])), [format!("{SORRY}=1")]);
    let wanted = world.wanted(&www(&[A, B]));
    assert!(wanted.on_sorry);
    assert_eq!(wanted.servers[0].placement, Placement::Unchecked);
}

#[test]
fn the_sorry_server_goes_as_soon_as_one_server_is_up() {
    let mut world = World::up(&[A]);
    world.down = vec![B];
    assert_eq!(world.pool(&www(&[A, B])), [format!("{A}=1")]);
}

#[test]
fn without_a_sorry_server_a_dead_pool_is_empty_and_its_service_stays() {
    let mut service = www(&[A]);
    service.sorry = None;
    let world = World { down: vec![A], ..World::default() };
    assert!(world.pool(&service).is_empty());
    assert!(!world.wanted(&service).on_sorry);
}

#[test]
fn quiescing_keeps_a_failed_server_with_weight_0_beside_the_sorry_server() {
    let mut service = www(&[A]);
    service.on_failure = OnFailure::Quiesce;
    let world = World { down: vec![A], ..World::default() };
    assert_eq!(world.pool(&service), [format!("{SORRY}=1"), format!("{A}=0")]);
}

#[test]
fn every_decision_has_its_place_and_words() {
    let note =
        || Note { who: Some("alice".into()), reason: Some("kernel".into()), ..Note::default() };
    let drain = |done| Some(Drain { note: note(), deadline: None, done });
    let cases: [(&str, Decided, Option<u32>, &str); 5] = [
        ("nothing", Decided::default(), Some(1), "in the table with weight 1"),
        (
            "drain",
            Decided { drain: drain(false), ..Decided::default() },
            Some(0),
            "draining by alice: kernel",
        ),
        (
            "drained",
            Decided { drain: drain(true), ..Decided::default() },
            None,
            "drained by alice: kernel",
        ),
        (
            "disable",
            Decided { disabled: Some(note()), ..Decided::default() },
            None,
            "disabled by alice: kernel",
        ),
        (
            "weight",
            Decided { weight: Some((7, note())), ..Decided::default() },
            Some(7),
            "weight 7 set by alice: kernel",
        ),
    ];
    for (what, decided, weight, words) in cases {
        let mut world = World::up(&[A, B]);
        world.decisions.change("www", A, |now| *now = decided.clone());
        let wanted = world.wanted(&www(&[A, B]));
        let server = &wanted.servers[0];
        assert_eq!(server.placement.weight(), weight, "{what}");
        let because = server.because(1, &[CONNECTED], &world.decisions, "www");
        assert!(because.iter().any(|line| line == words), "{what}: {because:?}");
        assert!(because.contains(&"check: up: connected".to_owned()), "{what}: {because:?}");
        assert_eq!(wanted.servers[1].placement.weight(), Some(1), "{what}: the other one");
    }
}

#[test]
fn a_file_of_the_maintenance_folder_takes_out_whom_it_names() {
    let resting = |names: &[&str], service: &VirtualServer| {
        let resting = names.iter().map(|name| (*name).to_owned()).collect();
        World { resting, ..World::up(&[A, B]) }.wanted(service)
    };
    let service = www(&[A, "192.168.1.5:0"]);
    for name in ["192.168.1.4", A] {
        let wanted = resting(&[name], &service);
        assert_eq!(wanted.servers[0].placement, Placement::Resting(OnFailure::Remove), "{name}");
        assert_eq!(wanted.servers[1].placement.weight(), Some(1), "{name}");
        let because = wanted.servers[0].because(1, &[CONNECTED], &Decisions::default(), "www");
        assert!(because.contains(&"out by a file of the maintenance folder".to_owned()));
        assert!(because.contains(&"out of the table".to_owned()));
    }
    assert_eq!(resting(&[B], &service).servers[1].placement.weight(), None, "by its full place");
    assert_eq!(resting(&["192.168.1.4:81"], &service).servers[0].placement.weight(), Some(1));
    let quiesced = VirtualServer { on_failure: OnFailure::Quiesce, ..service };
    let wanted = resting(&["192.168.1.4"], &quiesced);
    assert_eq!(wanted.servers[0].placement.weight(), Some(0));
    let mut all = resting(&["192.168.1.4", "192.168.1.5"], &quiesced);
    assert!(all.on_sorry && !all.failing_open, "{:?}", all.pools.pop_first());
}

#[test]
fn a_failed_server_stays_out_while_it_is_drained() {
    let mut world = World::up(&[B]);
    world.down = vec![A];
    let drain = Drain { note: Note::default(), deadline: None, done: false };
    world.decisions.change("www", A, |now| now.drain = Some(drain));
    assert_eq!(world.pool(&www(&[A, B])), [format!("{B}=1")]);
}

#[test]
fn the_first_of_two_virtual_servers_keeps_a_contested_kernel_service() {
    let (first, second) = (www(&[A]), VirtualServer { name: "other".into(), ..www(&[B]) });
    let cluster = Cluster { services: vec![first, second], ..Cluster::default() };
    let knowledge = Knowledge {
        names: &Names::new(),
        fitness: &|_| Fitness::UP,
        load: &|_| None,
        risen: &|_| None,
        decisions: &Decisions::default(),
        resting: &BTreeSet::new(),
        below_quorum: &BTreeSet::new(),
    };
    let wanted = wanted(&cluster, &knowledge);
    assert_eq!(wanted.table.values().flat_map(rows).collect::<Vec<_>>(), [format!("{A}=1")]);
    assert_eq!(wanted.services.len(), 2);
}

#[test]
fn a_server_that_has_returned_gets_its_weight_in_steps() {
    let over = Duration::from_secs(160);
    let mut service = VirtualServer { slow_start: Some(over), ..www(&[A, B]) };
    service.servers[0].weight = 170;
    let pool = |up_for: u64| {
        let risen = Some(Duration::from_secs(up_for));
        World { risen, ..World::up(&[A, B]) }.pool(&service)
    };
    // B has a weight of 1, and no less.
    for (up_for, weight) in [(0, 10), (9, 10), (10, 20), (150, 160), (160, 170)] {
        assert_eq!(pool(up_for), [format!("{A}={weight}"), format!("{B}=1")], "{up_for}");
    }
    let plain = VirtualServer { slow_start: None, ..service.clone() };
    let risen = Some(Duration::ZERO);
    let world = World { risen, ..World::up(&[A, B]) };
    assert_eq!(world.pool(&plain)[0], format!("{A}=170"));
    let server = world.wanted(&service).servers.remove(0);
    let lines = server.because(170, &[], &Decisions::default(), "www");
    assert!(lines.contains(&"slow start: up again for 0 s of 160 s".to_owned()), "{lines:?}");
}
