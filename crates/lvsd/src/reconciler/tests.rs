use std::net::SocketAddr;

use ipvs::fake_kernel::FakeKernel;
use ipvs::{Destination, Protocol, Scheduler, Service};
use proptest::prelude::*;

use super::*;

fn key(n: u16) -> ServiceKey {
    let address = SocketAddr::from(([192, 168, 1, 1], n));
    ServiceKey::Address { address, protocol: Protocol::Tcp }
}

fn server(n: u8) -> DestinationKey {
    SocketAddr::from(([192, 168, 1, n], 80))
}

fn destination(weight: u32) -> Destination {
    Destination {
        forwarding: ipvs::Forwarding::Direct,
        tunnel: ipvs::Tunnel::default(),
        weight,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

fn pool_with(scheduler: &str, servers: &[(u8, u32)]) -> Pool {
    let scheduler: Scheduler = scheduler.parse().unwrap();
    let service = Service {
        scheduler,
        flags: ipvs::SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    };
    let destinations = servers.iter().map(|(n, weight)| (server(*n), destination(*weight)));
    Pool { service, destinations: destinations.collect() }
}

fn pool(servers: &[(u8, u32)]) -> Pool {
    pool_with("wlc", servers)
}

/// What the kernel refuses beside its own rules: the error number.
type Mood = Box<dyn Fn(&Step) -> Option<i32>>;

/// The reconciler with a kernel; refuses whatever the test wants refused.
struct Bench {
    kernel: FakeKernel,
    refuse: Mood,
    reconciler: Reconciler,
    now: Instant,
    findings: Vec<Finding>,
    /// The table after each step.
    seen: Vec<Table>,
}

impl Bench {
    fn new(found: Table, owned: &[ServiceKey]) -> Self {
        Self {
            reconciler: Reconciler::new(found.clone(), owned.iter().copied().collect()),
            kernel: FakeKernel::holding(found),
            refuse: Box::new(|_| None),
            now: Instant::now(),
            findings: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn one_batch(&mut self) -> bool {
        let steps = self.reconciler.next_batch(self.now);
        let results: Vec<_> = steps.iter().map(|step| self.apply(step)).collect();
        self.findings.extend(self.reconciler.applied(&steps, &results, self.now));
        if self.reconciler.needs_look() {
            self.look();
        }
        !steps.is_empty()
    }

    fn apply(&mut self, step: &Step) -> Result<(), Refusal> {
        if let Some(errno) = (self.refuse)(step) {
            return Err(Refusal { errno, text: format!("errno {errno}") });
        }
        let done = self.kernel.apply(step);
        self.seen.push(self.kernel.table.clone());
        done.map_err(|refusal| Refusal { errno: refusal.errno(), text: refusal.to_string() })
    }

    fn look(&mut self) {
        self.findings.extend(self.reconciler.dumped(self.kernel.table.clone()));
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            if !self.one_batch() {
                return;
            }
        }
        panic!("it never settles");
    }

    fn want(&mut self, n: u16, servers: &[(u8, u32)]) {
        self.reconciler.want(key(n), Some(pool(servers)));
    }
}

#[test]
fn an_empty_kernel_is_filled_and_nothing_is_left_to_do() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.want(80, &[(4, 1), (5, 2)]);
    bench.settle();
    assert_eq!(&bench.kernel.table, bench.reconciler.desired());
    assert!(bench.reconciler.in_place());
    assert_eq!(bench.kernel.done, 3);
    assert_eq!(bench.findings, []);
}

#[test]
fn what_the_kernel_holds_as_wanted_is_adopted_without_a_write() {
    let found = Table::from([(key(80), pool(&[(4, 1)])), (key(443), pool(&[(4, 1)]))]);
    let mut bench = Bench::new(found, &[]);
    bench.want(80, &[(4, 1)]);
    bench.settle();
    assert_eq!(bench.kernel.done, 0);
    assert_eq!(bench.reconciler.owned_to_save(), Some(&[key(80)].into()));
    assert_eq!(bench.reconciler.owned_to_save(), None, "told once");
    assert_eq!(bench.reconciler.foreign().collect::<Vec<_>>(), [&key(443)]);
}

#[test]
fn a_service_is_ours_on_disk_before_its_first_write() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.want(80, &[]);
    let steps = bench.reconciler.next_batch(bench.now);
    assert!(matches!(steps[..], [Step::AddService(..)]));
    assert_eq!(bench.reconciler.owned_to_save(), Some(&[key(80)].into()));
}

#[test]
fn leftovers_of_ours_go_and_foreign_services_stay() {
    let found = Table::from([(key(80), pool(&[(4, 1)])), (key(443), pool(&[(4, 1)]))]);
    let mut bench = Bench::new(found, &[key(80)]);
    bench.settle();
    assert_eq!(bench.kernel.table.keys().collect::<Vec<_>>(), [&key(443)]);
    assert!(bench.reconciler.owned().is_empty());
    assert!(bench.reconciler.in_place());
}

#[test]
fn a_refusal_is_told_once_counted_and_tried_again_until_it_is_mended() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.want(80, &[(4, 1), (5, 1)]);
    bench.refuse = Box::new(|step| (step.destination() == Some(&server(5))).then_some(113));
    bench.settle();
    assert_eq!(bench.kernel.table[&key(80)].destinations.len(), 1, "the others are done");
    assert_eq!(bench.findings.len(), 1);
    assert!(matches!(&bench.findings[0], Finding::Refused { reason, .. } if reason == "errno 113"));
    assert_eq!(bench.reconciler.problem(&key(80)), Some("errno 113"));
    assert!(!bench.reconciler.in_place());

    let retry = bench.reconciler.next_retry().unwrap();
    bench.now = retry;
    bench.reconciler.retry(retry);
    bench.settle();
    assert_eq!(bench.findings.len(), 1, "told once");
    assert_eq!(bench.reconciler.counters().1, 2);
    assert!(bench.reconciler.next_retry().unwrap() - retry > FIRST, "the delay grows");

    bench.refuse = Box::new(|_| None);
    bench.now = bench.reconciler.next_retry().unwrap();
    bench.reconciler.retry(bench.now);
    bench.settle();
    assert!(matches!(bench.findings[1], Finding::Mended { .. }));
    assert!(bench.reconciler.in_place());
    assert_eq!(bench.reconciler.problem(&key(80)), None);
}

const FIRST: Duration = trouble::FIRST_DELAY;

#[test]
fn a_refused_service_is_one_finding_and_not_one_for_each_of_its_servers() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.kernel.missing_schedulers.insert("mh".parse().unwrap());
    bench.reconciler.want(key(80), Some(pool_with("mh", &[(4, 1), (5, 1)])));
    bench.want(443, &[(4, 1)]);
    bench.settle();
    assert_eq!(bench.findings.len(), 1);
    assert_eq!(bench.kernel.table.keys().collect::<Vec<_>>(), [&key(443)]);
    bench.want(80, &[(4, 1), (5, 1)]);
    bench.now = bench.reconciler.next_retry().unwrap();
    bench.settle();
    assert!(bench.reconciler.in_place(), "another scheduler mends it");
}

#[test]
fn the_last_server_stays_while_its_successor_is_refused() {
    let mut bench = Bench::new(Table::from([(key(80), pool(&[(4, 1)]))]), &[key(80)]);
    bench.refuse = Box::new(|step| matches!(step, Step::AddDestination(..)).then_some(113));
    bench.want(80, &[(5, 1)]);
    bench.settle();
    assert!(bench.kernel.table[&key(80)].destinations.contains_key(&server(4)));
    bench.refuse = Box::new(|_| None);
    bench.now = bench.reconciler.next_retry().unwrap();
    bench.reconciler.retry(bench.now);
    bench.settle();
    assert_eq!(bench.kernel.table[&key(80)], pool(&[(5, 1)]));
}

#[test]
fn a_dead_server_leaves_even_while_another_one_is_refused() {
    let mut bench = Bench::new(Table::from([(key(80), pool(&[(4, 1), (5, 1)]))]), &[key(80)]);
    bench.refuse = Box::new(|step| matches!(step, Step::AddDestination(..)).then_some(113));
    bench.want(80, &[(4, 1), (6, 1)]);
    bench.settle();
    assert_eq!(bench.kernel.table[&key(80)], pool(&[(4, 1)]));
}

#[test]
fn drift_is_found_once_and_mended() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.want(80, &[(4, 1), (5, 1)]);
    bench.settle();
    bench.kernel.table.get_mut(&key(80)).unwrap().destinations.remove(&server(5));
    bench.kernel.table.insert(key(443), pool(&[]));
    bench.look();
    assert_eq!(bench.findings, [Finding::Drift { service: key(80) }]);
    bench.settle();
    bench.look();
    assert_eq!(bench.findings.len(), 1);
    assert_eq!(bench.kernel.table[&key(80)], pool(&[(4, 1), (5, 1)]));
    assert!(bench.kernel.table.contains_key(&key(443)), "a foreign service is no drift");
    assert_eq!(bench.reconciler.counters().2, 1);
}

#[test]
fn a_table_changed_by_somebody_else_in_between_is_read_again_and_not_reported_as_refused() {
    let mut bench = Bench::new(Table::new(), &[]);
    bench.want(80, &[(4, 1)]);
    bench.settle();
    bench.kernel.table.get_mut(&key(80)).unwrap().destinations.clear();
    bench.want(80, &[(4, 5)]);
    bench.settle();
    assert_eq!(bench.kernel.table[&key(80)], pool(&[(4, 5)]));
    assert_eq!(bench.findings, []);
    assert!(bench.reconciler.in_place());
}

#[test]
fn many_changes_come_in_bounded_batches() {
    let mut bench = Bench::new(Table::new(), &[]);
    let servers: Vec<_> = (1..=10).map(|n| (n, 1)).collect();
    for n in 1..=100 {
        bench.want(n, &servers);
    }
    let first = bench.reconciler.next_batch(bench.now);
    assert!((MAX_BATCH..MAX_BATCH + 11).contains(&first.len()), "{}", first.len());
    bench.settle();
    assert_eq!(&bench.kernel.table, bench.reconciler.desired());
}

fn pools() -> impl Strategy<Value = Vec<(u8, u32)>> {
    prop::collection::btree_map(1..5_u8, 0..3_u32, 0..4).prop_map(|map| map.into_iter().collect())
}

fn tables() -> impl Strategy<Value = BTreeMap<u16, Vec<(u8, u32)>>> {
    prop::collection::btree_map(1..4_u16, pools(), 0..4)
}

fn serves(table: &Table, n: u16) -> Option<bool> {
    table.get(&key(n)).map(|pool| pool.destinations.values().any(|server| server.weight > 0))
}

proptest! {
    #[test]
    fn it_converges_whatever_is_refused_for_a_while_and_never_empties_a_pool(
        before in tables(),
        after in tables(),
        refused in prop::collection::vec(any::<bool>(), 0..12),
    ) {
        let found: Table = before.iter().map(|(n, servers)| (key(*n), pool(servers))).collect();
        let owned: Vec<_> = found.keys().copied().collect();
        let mut bench = Bench::new(found.clone(), &owned);
        let mood = std::cell::RefCell::new(refused.into_iter());
        bench.refuse = Box::new(move |_| {
            mood.borrow_mut().next().unwrap_or(false).then_some(12)
        });
        for (n, servers) in &after {
            bench.want(*n, servers);
        }
        for _ in 0..20 {
            bench.settle();
            let Some(retry) = bench.reconciler.next_retry() else { break };
            bench.now = retry;
            bench.reconciler.retry(retry);
        }
        prop_assert!(bench.reconciler.in_place());
        prop_assert_eq!(&bench.kernel.table, bench.reconciler.desired());
        for n in 1..4 {
            if serves(&found, n) == Some(true) && serves(bench.reconciler.desired(), n) == Some(true) {
                prop_assert!(bench.seen.iter().all(|table| serves(table, n) == Some(true)));
            }
        }
    }
}
