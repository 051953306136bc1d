use std::time::Duration;

use config::model::{Check, CheckKind, Endpoint, LoadMonitor, OnFailure, Quorum, ServerNotify};
use ipvs::{Protocol, Scheduler, SchedulerFlags};

use super::*;
use crate::load::Meter;
use crate::tests::clock::origin;

mod fail_open;
mod quorum;
mod several;
use crate::{Decided, Drain, Note};

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
fn the_weight_follows_the_load_but_not_over_the_operators_word() {
    let mut meter = Meter::default();
    meter.measured(3.2, origin());
    let mut service = www(&[A, B]);
    service.servers[0].weight = 100;
    let run = vec!["rup".into(), "%h".into()];
    let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
    service.load = Some(LoadMonitor { run, interval, timeout });
    let mut world = World { load: meter.reading(), ..World::up(&[A, B]) };
    let server = world.wanted(&service).servers.remove(0);
    assert_eq!(server.placement, Placement::Serving(35));
    let because = server.because(100, &[CONNECTED], &world.decisions, "www");
    assert!(because.contains(&"load 3.2: weight 35 of 100".to_owned()), "{because:?}");
    world.decisions.change("www", A, |now| now.weight = Some((7, Note::default())));
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Serving(7));
    let unknown = World::up(&[A, B]).wanted(&service).servers.remove(0);
    assert_eq!(unknown.placement, Placement::Serving(100));
    let because = unknown.because(100, &[CONNECTED], &Decisions::default(), "www");
    assert!(because.contains(&"load not known: the configured weight".to_owned()), "{because:?}");
}

#[test]
fn the_weight_is_what_a_program_asks_for_and_the_load_is_on_top_of_it() {
    let mut meter = Meter::default();
    meter.measured(2.0, origin());
    let mut service = www(&[A, B]);
    let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
    let mut world = World { asked: Asked::of(Some(10)), ..World::up(&[A, B]) };
    assert_eq!(world.pool(&service), [format!("{A}=10"), format!("{B}=10")]);
    service.load = Some(LoadMonitor { run: vec!["rup".into()], interval, timeout });
    world.load = meter.reading();
    let server = world.wanted(&service).servers.remove(0);
    let because = server.because(1, &[CONNECTED], &world.decisions, "www");
    let lines = ["weight 10 asked for by its check", "load 2.0: weight 5 of 10"];
    assert_eq!(because[1..3], lines, "{because:?}");
    assert_eq!(server.placement, Placement::Serving(5));
    world.decisions.change("www", A, |now| now.weight = Some((7, Note::default())));
    assert_eq!(world.pool(&service)[0], format!("{A}=7"));
}

#[test]
fn a_server_that_is_held_has_the_weight_that_it_asked_for() {
    let asked = Asked::of(Some(10));
    let down = Fitness { last_up: 1, asked, ..Fitness::DOWN };
    let mut service = www(&[A, B]);
    service.sorry = None;
    let wanted = World::default().wanted_with(&service, |_| down);
    assert_eq!(wanted.servers.iter().filter(|s| s.placement == Placement::Held(10)).count(), 1);
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
fn several_listening_addresses_are_several_services_with_the_same_servers() {
    let mut service = www(&["192.168.1.4:0"]);
    service.listen = listen(&[WEB, "192.168.1.1:443"]);
    let wanted = World::up(&[A, "192.168.1.4:443"]).wanted(&service);
    let all: Vec<_> = wanted.pools.values().flat_map(rows).collect();
    assert_eq!(all, [format!("{A}=1"), "192.168.1.4:443=1".to_owned()]);
    assert_eq!(wanted.servers.len(), 2);
    service.servers[0].port = Some(80);
    let wanted = World::up(&[A]).wanted(&service);
    assert_eq!(wanted.servers.len(), 1, "one place to ask, one server to show");
    assert_eq!(wanted.servers[0].places.len(), 2);
}

#[test]
fn direct_routing_keeps_the_virtual_servers_port_and_asks_the_real_one() {
    let mut service = www(&["192.168.1.4:53"]);
    service.servers[0].forwarding = Forwarding::Direct;
    let world = World::up(&["192.168.1.4:53"]);
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
}

#[test]
fn a_mark_keeps_the_clients_port() {
    let mut service = www(&["192.168.1.4:0"]);
    service.listen = Listen::Mark { mark: 7, family: Family::Inet, marked: Vec::new() };
    service.check.port = Some(80);
    assert_eq!(World::up(&[A]).pool(&service), ["192.168.1.4:0=1"]);
}

#[test]
fn a_name_gives_the_address_of_the_virtual_servers_family_or_leaves_the_server_out() {
    let mut service = www(&[A]);
    service.servers[0].host = Host::Name("web1".into());
    let mut world = World::up(&[A]);
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Unresolved);
    assert_eq!(world.pool(&service), [format!("{SORRY}=1")]);
    let addresses = vec!["2001:db8::4".parse().unwrap(), "192.168.1.4".parse().unwrap()];
    world.names.insert("web1".into(), addresses);
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
}

#[test]
fn only_a_tunnel_crosses_families() {
    let mut service = www(&["[2001:db8::4]:80"]);
    let world = World::up(&["[2001:db8::4]:80"]);
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Unresolved);
    service.servers[0].forwarding = Forwarding::Tunnel;
    assert_eq!(world.pool(&service), ["[2001:db8::4]:80=1"]);
}

#[test]
fn checks_on_and_off_need_no_probe() {
    let mut service = www(&[A, B]);
    service.servers[1].check = Some(Check { kind: CheckKind::Off, ..connect() });
    service.check.kind = CheckKind::On;
    let world = World::default();
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
    assert!(world.wanted(&service).servers.iter().all(|server| server.probes.is_empty()));
}

#[test]
fn one_probe_serves_all_who_ask_the_same_place_the_same_way() {
    let at: SocketAddr = A.parse().unwrap();
    let other: SocketAddr = "192.168.1.4:8080".parse().unwrap();
    let asks_80 = Check { port: Some(80), ..connect() };
    assert_eq!(
        Probe::new(at, None, &connect(), Forwarding::Direct),
        Probe::new(other, None, &asks_80, Forwarding::Direct)
    );
    assert_ne!(
        Probe::new(at, None, &connect(), Forwarding::Direct),
        Probe::new(other, None, &connect(), Forwarding::Direct)
    );
    let ping = Check { kind: CheckKind::Ping, ..connect() };
    assert_eq!(
        Probe::new(at, None, &ping, Forwarding::Direct),
        Probe::new(other, None, &ping, Forwarding::Direct)
    );
    let program = |word: &str| Check {
        kind: CheckKind::External {
            argv: vec!["/bin/check".into(), word.into()],
            expect: None,
            sets_weight: false,
        },
        ..connect()
    };
    let (web, tls) = ("192.168.1.1:80".parse().ok(), "192.168.1.1:443".parse().ok());
    assert_eq!(
        Probe::new(at, web, &program("%h"), Forwarding::Direct),
        Probe::new(at, tls, &program("%h"), Forwarding::Direct)
    );
    assert_ne!(
        Probe::new(at, web, &program("%H"), Forwarding::Direct),
        Probe::new(at, tls, &program("%H"), Forwarding::Direct)
    );
}

#[test]
fn the_first_of_two_virtual_servers_keeps_a_contested_kernel_service() {
    let (first, second) = (www(&[A]), VirtualServer { name: "other".into(), ..www(&[B]) });
    let cluster = Cluster { services: vec![first, second], ..Cluster::default() };
    let knowledge = Knowledge {
        names: &Names::new(),
        fitness: &|_| Fitness::UP,
        load: &|_| None,
        decisions: &Decisions::default(),
        resting: &BTreeSet::new(),
        below_quorum: &BTreeSet::new(),
    };
    let wanted = wanted(&cluster, &knowledge);
    assert_eq!(wanted.table.values().flat_map(rows).collect::<Vec<_>>(), [format!("{A}=1")]);
    assert_eq!(wanted.services.len(), 2);
}
