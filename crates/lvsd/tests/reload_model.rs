//! Random configurations, one after the other, through the real core: after each the kernel's table
//! is as wanted, what is known of real servers is kept, and whoever is meant to stay as it is is
//! never touched, whatever was added, removed, moved, renamed or swapped around it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model::{
    Check, CheckKind, Endpoint, Host, Listen, Notify, OnFailure, Quorum, RealServer, ServerNotify,
    VirtualServer,
};
use config::{Cluster, Percent};
use health::Verdict;
use ipvs::fake_kernel::FakeKernel;
use ipvs::{
    Destination, DestinationKey, Forwarding, Pool, Protocol, SchedulerFlags, Service, ServiceKey,
    Step, Table, TableStats, Tunnel,
};
use lvsd::core::{Core, KernelWork, Memory, Now};
use lvsd::reconciler::Refusal;
use proptest::prelude::*;

/// Real servers of which a configuration may name any.
const SERVERS: u8 = 6;

/// One virtual server as it is drawn.
#[derive(Clone, Debug)]
struct Drawn {
    name: u8,
    port: u16,
    servers: BTreeMap<u8, u32>,
    /// Seconds between two checks: other seconds are another check.
    check: u64,
    scheduler: &'static str,
    on_failure: OnFailure,
}

/// One edit: what the file says then, who fails or returns before it is read, and who does while the
/// kernel is still being changed.
#[derive(Clone, Debug)]
struct Edit {
    services: Vec<Drawn>,
    before: BTreeSet<u8>,
    during: BTreeSet<u8>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let servers = prop::collection::btree_map(0..SERVERS, 1u32..3, 0..5);
    let on_failure = prop_oneof![Just(OnFailure::Remove), Just(OnFailure::Quiesce)];
    let scheduler = prop_oneof![3 => Just("wlc"), 1 => Just("rr")];
    (0u8..4, 80u16..84, servers, 5u64..7, scheduler, on_failure).prop_map(
        |(name, port, servers, check, scheduler, on_failure)| Drawn {
            name,
            port,
            servers,
            check,
            scheduler,
            on_failure,
        },
    )
}

fn edit() -> impl Strategy<Value = Edit> {
    let flips = || prop::collection::btree_set(0..SERVERS, 0..3);
    (prop::collection::vec(drawn(), 0..5), flips(), flips()).prop_map(
        |(mut services, before, during)| {
            let mut names = BTreeSet::new();
            services.retain(|service| names.insert(service.name));
            Edit { services, before, during }
        },
    )
}

fn key(port: u16) -> ServiceKey {
    let address = SocketAddr::from(([192, 168, 1, 1], port));
    ServiceKey::Address { address, protocol: Protocol::Tcp }
}

fn at(number: u8) -> DestinationKey {
    SocketAddr::from(([10, 0, 0, number], 80))
}

fn configured(drawn: &Drawn) -> VirtualServer {
    let address = SocketAddr::from(([192, 168, 1, 1], drawn.port));
    let server = |(number, weight): (&u8, &u32)| RealServer {
        name: None,
        host: Host::Address(at(*number).ip()),
        port: Some(80),
        weight: *weight,
        forwarding: Forwarding::Nat,
        tunnel: Tunnel::default(),
        upper_threshold: 0,
        lower_threshold: 0,
        check: None,
        also: Vec::new(),
        notify: ServerNotify::default(),
    };
    let interval = Duration::from_secs(drawn.check);
    VirtualServer {
        name: format!("service{}", drawn.name),
        listen: Listen::Addresses(vec![Endpoint { address, protocol: Protocol::Tcp }]),
        scheduler: drawn.scheduler.parse().unwrap(),
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        check: Check::plain(CheckKind::Connect, interval, Duration::from_secs(1)),
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: drawn.on_failure,
        put_back: true,
        servers: drawn.servers.iter().map(server).collect(),
        sorry: None,
        // The limit is a story of its own.
        slow_start: None,
        max_down: Percent::ALL,
        load: None,
        notify: Notify::default(),
        on_stop: None,
    }
}

/// What the kernel must hold, from the file and from who is up alone.
fn expected(services: &[Drawn], up: &[bool]) -> Table {
    let mut table = Table::new();
    for drawn in services {
        let service = Service {
            scheduler: drawn.scheduler.parse().unwrap(),
            flags: SchedulerFlags::default(),
            persistence: None,
            one_packet: false,
        };
        let serving = drawn.servers.iter().filter_map(|(number, weight)| {
            let weight = match (up[usize::from(*number)], drawn.on_failure) {
                (true, _) => *weight,
                (false, OnFailure::Quiesce) => 0,
                (false, OnFailure::Remove) => return None,
            };
            let (forwarding, tunnel) = (Forwarding::Nat, Tunnel::default());
            let (upper_threshold, lower_threshold) = (0, 0);
            Some((
                at(*number),
                Destination { forwarding, tunnel, weight, upper_threshold, lower_threshold },
            ))
        });
        let destinations = serving.collect();
        // The first of two that listen on one port has it.
        table.entry(key(drawn.port)).or_insert(Pool { service, destinations });
    }
    table
}

/// The core, its kernel, and the truth.
struct Bench {
    core: Core,
    kernel: FakeKernel,
    now: Now,
    up: Vec<bool>,
    steps: Vec<Step>,
}

impl Bench {
    fn new() -> Self {
        let boot = Duration::from_secs(1000);
        let now = Now { instant: Instant::now(), boot, unix_ms: 5 };
        let core = Core::new(Memory::default(), Table::new(), TableStats::new(), now);
        let up = vec![true; usize::from(SERVERS)];
        Self { core, kernel: FakeKernel::default(), now, up, steps: Vec::new() }
    }

    fn work(&mut self, work: KernelWork) {
        match work {
            KernelWork::Dump => {
                self.core.dumped(self.kernel.table.clone(), TableStats::new(), self.now);
            }
            KernelWork::Apply(steps) => {
                let results = steps.iter().map(|step| {
                    let done = self.kernel.apply(step);
                    done.map_err(|no| Refusal { errno: no.errno(), text: no.to_string() })
                });
                let results: Vec<_> = results.collect();
                self.core.applied(&steps, &results, self.now);
                self.steps.extend(steps);
            }
        }
    }

    fn settle(&mut self) {
        while let Some(work) = self.core.kernel_work(self.now) {
            self.work(work);
        }
        self.core.entries();
    }

    /// Some real servers turn over, and every check says how it is.
    fn flip(&mut self, servers: &BTreeSet<u8>) {
        for server in servers {
            let up = &mut self.up[usize::from(*server)];
            *up = !*up;
        }
        for (id, watch) in self.core.checks() {
            let number = (0..SERVERS).find(|number| at(*number) == watch.server).unwrap();
            let verdict = if self.up[usize::from(number)] { Verdict::Up } else { Verdict::Down };
            self.core.judged(id, verdict, "as it is", 1, self.now);
        }
    }

    /// Whoever lingers after an edit has left by then.
    fn pass(&mut self) {
        for _ in 0..3 {
            self.now.instant += Duration::from_secs(1);
            self.now.boot += Duration::from_secs(1);
            self.core.tick(self.now);
            self.settle();
        }
    }

    fn edit(&mut self, edit: &Edit) {
        self.flip(&edit.before);
        self.settle();
        let (before, up) = (self.kernel.table.clone(), self.up.clone());
        self.steps.clear();
        let services = edit.services.iter().map(configured).collect();
        let cluster = Cluster { services, ..Cluster::default() };
        self.core.configure(Arc::new(cluster), self.now);
        // Somebody fails while the kernel is asked for the first changes.
        if let Some(work) = self.core.kernel_work(self.now) {
            self.flip(&edit.during);
            self.work(work);
        }
        self.settle();
        self.flip(&BTreeSet::new());
        self.pass();
        let after = expected(&edit.services, &self.up);
        assert_eq!(self.kernel.table, after);
        self.untouched(&before, &after, &up);
        assert!(self.core.readiness(0).table_in_place && self.core.readiness(0).checks_warm);
        self.steps.clear();
        self.pass();
        assert_eq!(self.steps, [], "nothing is left to do");
    }

    /// No step was about a real server that stays as it was, or about the attributes of a service that
    /// has the same ones.
    fn untouched(&self, before: &Table, after: &Table, up: &[bool]) {
        let stays = |number: u8| up[usize::from(number)] == self.up[usize::from(number)];
        for step in &self.steps {
            let pools = (before.get(step.service()), after.get(step.service()));
            let (Some(old), Some(new)) = pools else { continue };
            match step.destination() {
                Some(to) => {
                    let same = old.destinations.get(to) == new.destinations.get(to);
                    let number = (0..SERVERS).find(|number| at(*number) == *to).unwrap();
                    let there = old.destinations.contains_key(to);
                    assert!(!(same && there && stays(number)), "{step} touches who stays");
                }
                None => assert_ne!(old.service, new.service, "{step} touches what stays"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// 128 times eight reloads.
    #[test]
    fn random_reloads_change_only_what_they_are_about(edits in prop::collection::vec(edit(), 8)) {
        let mut bench = Bench::new();
        for edit in &edits {
            bench.edit(edit);
        }
    }
}

/// Found by the test above: the check of a healthy server is edited, and a new virtual server that
/// stands before it in the file asks the same of the same server.
#[test]
fn who_serves_keeps_its_place_when_a_new_service_shares_its_edited_check() {
    let service = |name, port, check| Drawn {
        name,
        port,
        servers: BTreeMap::from([(4, 1)]),
        check,
        scheduler: "wlc",
        on_failure: OnFailure::Remove,
    };
    let edit = |services| Edit { services, before: BTreeSet::new(), during: BTreeSet::new() };
    let mut bench = Bench::new();
    bench.edit(&edit(vec![service(0, 83, 6)]));
    bench.edit(&edit(vec![service(2, 80, 5), service(0, 83, 5)]));
}
