//! The reconciler against a model of the kernel that refuses, is edited by strangers, and from
//! which it is torn away at every step: all small tables, then large random ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipvs::fake_kernel::FakeKernel;
use ipvs::{Destination, DestinationKey, Pool, Protocol, Service, ServiceKey, Step, Table};
use lvsd::reconciler::{Reconciler, Refusal};
use proptest::prelude::*;

/// What befalls one run: refusals and edits come before the step of that number is done, the
/// interruption after it.
#[derive(Clone, Debug, Default)]
struct Fate {
    refuse: Option<usize>,
    edit: Option<(usize, ServiceKey, Option<Pool>)>,
    interrupt: Option<usize>,
}

fn key(n: u16) -> ServiceKey {
    let address = SocketAddr::from(([192, 168, 1, 1], n));
    ServiceKey::Address { address, protocol: Protocol::Tcp }
}

fn pool(servers: &[(u8, u32)]) -> Pool {
    let service = Service {
        scheduler: "wlc".parse().unwrap(),
        flags: ipvs::SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    };
    let server = |(n, weight): &(u8, u32)| {
        let at: DestinationKey = SocketAddr::from(([192, 168, 1, *n], 80));
        let destination = Destination {
            forwarding: ipvs::Forwarding::Direct,
            tunnel: ipvs::Tunnel::default(),
            weight: *weight,
            upper_threshold: 0,
            lower_threshold: 0,
        };
        (at, destination)
    };
    Pool { service, destinations: servers.iter().map(server).collect() }
}

fn serves(pool: Option<&Pool>) -> bool {
    pool.is_some_and(|pool| pool.destinations.values().any(|server| server.weight > 0))
}

/// The reconciler at work, and the laws that hold after each step.
struct Bench<'a> {
    kernel: FakeKernel,
    desired: &'a Table,
    /// Ours when it all began.
    owned: BTreeSet<ServiceKey>,
    /// Services of somebody else, as they were last left.
    foreign: Table,
    /// Pools that serve and are to serve: they must never stop.
    serving: BTreeSet<ServiceKey>,
    fate: Fate,
    edited: Option<ServiceKey>,
    unseen: Option<ServiceKey>,
    done: usize,
    now: Instant,
}

impl<'a> Bench<'a> {
    fn new(desired: &'a Table, actual: &Table, owned: BTreeSet<ServiceKey>, fate: Fate) -> Self {
        let strange = |key: &ServiceKey| !owned.contains(key) && !desired.contains_key(key);
        let foreign = actual.iter().filter(|(key, _)| strange(key));
        let lasting = |key: &&ServiceKey| serves(actual.get(key)) && serves(desired.get(key));
        Self {
            foreign: foreign.map(|(key, pool)| (*key, pool.clone())).collect(),
            serving: desired.keys().filter(lasting).copied().collect(),
            kernel: FakeKernel::holding(actual.clone()),
            desired,
            owned,
            fate,
            edited: None,
            unseen: None,
            done: 0,
            now: Instant::now(),
        }
    }

    fn reconciler(&self) -> Reconciler {
        let mut reconciler = Reconciler::new(self.kernel.table.clone(), self.owned.clone());
        for (key, pool) in self.desired {
            reconciler.want(*key, Some(pool.clone()));
        }
        reconciler
    }

    /// Somebody else edits the table.
    fn edit(&mut self, key: ServiceKey, pool: Option<Pool>) {
        // Nobody knows of it before the next look.
        self.serving.remove(&key);
        self.unseen = Some(key);
        self.edited = Some(key);
        let ours = self.owned.contains(&key) || self.desired.contains_key(&key);
        match pool {
            Some(pool) => {
                if !ours {
                    self.foreign.insert(key, pool.clone());
                }
                self.kernel.table.insert(key, pool);
            }
            None => {
                self.kernel.table.remove(&key);
                self.foreign.remove(&key);
            }
        }
    }

    fn look(&mut self, reconciler: &mut Reconciler) {
        reconciler.dumped(self.kernel.table.clone());
        self.unseen = None;
    }

    fn step(&mut self, step: &Step) -> Result<(), Refusal> {
        let number = self.done;
        self.done += 1;
        if let Some((_, key, pool)) = self.fate.edit.take_if(|(at, ..)| *at == number) {
            self.edit(key, pool);
        }
        if self.fate.refuse == Some(number) {
            return Err(Refusal { errno: 12, text: "out of memory".to_owned() });
        }
        let result = self.kernel.apply(step);
        self.laws(step);
        result.map_err(|refusal| Refusal { errno: refusal.errno(), text: refusal.to_string() })
    }

    fn laws(&mut self, step: &Step) {
        for (key, pool) in &self.foreign {
            assert_eq!(self.kernel.table.get(key), Some(pool), "{step} touches what is not ours");
        }
        for key in self.desired.keys() {
            let serves = serves(self.kernel.table.get(key));
            assert!(serves || !self.serving.contains(key), "{step} empties {key}");
            let known = self.unseen != Some(*key);
            if known && serves && self::serves(self.desired.get(key)) {
                // From here on it has somebody, and keeps somebody.
                self.serving.insert(*key);
            }
        }
    }

    /// Works until nothing is left to do; the number of steps that were done.
    fn settle(&mut self) -> usize {
        let mut reconciler = self.reconciler();
        for _ in 0..60 {
            self.now += Duration::from_secs(61);
            reconciler.retry(self.now);
            let steps = reconciler.next_batch(self.now);
            self.owned.clone_from(reconciler.owned());
            if steps.is_empty() && self.fate.edit.is_none() {
                self.look(&mut reconciler);
                if reconciler.in_place() {
                    self.owned.clone_from(reconciler.owned());
                    return self.done;
                }
                continue;
            }
            if let Some((_, key, pool)) = self.fate.edit.take_if(|_| steps.is_empty()) {
                self.edit(key, pool);
                self.look(&mut reconciler);
                continue;
            }
            let mut results = Vec::with_capacity(steps.len());
            for step in &steps {
                results.push(self.step(step));
                if self.fate.interrupt == Some(self.done - 1) {
                    // It dies here; whoever comes knows what is ours from the disk, no more.
                    reconciler = self.reconciler();
                    self.unseen = None;
                    results.clear();
                    break;
                }
            }
            if !results.is_empty() {
                reconciler.applied(&steps, &results, self.now);
            }
            if reconciler.needs_look() {
                self.look(&mut reconciler);
            }
        }
        panic!("it does not converge: {:?} from {:?}", self.desired, self.kernel.table);
    }

    fn check(mut self) -> usize {
        let steps = self.settle();
        for (key, pool) in self.desired {
            assert_eq!(self.kernel.table.get(key), Some(pool), "{key} is not as wanted");
        }
        let left = self.kernel.table.keys();
        let left = left.filter(|key| !self.desired.contains_key(key));
        for key in left {
            let strange = self.foreign.contains_key(key) || self.edited == Some(*key);
            assert!(strange && !self.owned.contains(key), "{key} is left over");
        }
        // Equal tables need no step.
        let mut again = Bench::new(self.desired, &self.kernel.table, self.owned, Fate::default());
        assert_eq!(again.settle(), 0, "equal tables need a step");
        steps
    }
}

/// No pool, and all of 0 to 2 servers with weights 0 and 1.
fn small() -> Vec<Option<Pool>> {
    let weights = [None, Some(0), Some(1)];
    let mut pools = vec![None];
    for first in weights {
        for second in weights {
            let servers: Vec<(u8, u32)> = [(4, first), (5, second)]
                .into_iter()
                .filter_map(|(n, weight)| Some((n, weight?)))
                .collect();
            pools.push(Some(pool(&servers)));
        }
    }
    pools
}

fn table(pools: &[(u16, &Option<Pool>)]) -> Table {
    let some = |(n, pool): &(u16, &Option<Pool>)| Some((key(*n), (*pool).clone()?));
    pools.iter().filter_map(some).collect()
}

fn owned(keys: &[(u16, bool)]) -> BTreeSet<ServiceKey> {
    keys.iter().filter(|(_, ours)| *ours).map(|(n, _)| key(*n)).collect()
}

#[test]
fn every_pair_of_tables_with_two_services_converges() {
    let small = small();
    let mut pairs = 0;
    for (first, second) in small.iter().flat_map(|one| small.iter().map(move |two| (one, two))) {
        let desired = table(&[(80, first), (81, second)]);
        for (third, fourth) in small.iter().flat_map(|one| small.iter().map(move |two| (one, two)))
        {
            let actual = table(&[(80, third), (81, fourth)]);
            for ours in 0..4 {
                let owned = owned(&[(80, ours & 1 == 1), (81, ours & 2 == 2)]);
                let steps = Bench::new(&desired, &actual, owned, Fate::default()).check();
                assert!(
                    steps > 0 || desired.iter().all(|(key, pool)| actual.get(key) == Some(pool))
                );
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 40_000);
}

#[test]
fn every_pair_of_small_tables_survives_a_refusal_an_edit_and_an_interruption_at_every_step() {
    let small = small();
    let edits: Vec<Option<Option<Pool>>> =
        std::iter::once(None).chain(small.iter().cloned().map(Some)).collect();
    let mut runs = 0;
    for (wanted, found) in small.iter().flat_map(|one| small.iter().map(move |two| (one, two))) {
        let (desired, actual) = (table(&[(80, wanted)]), table(&[(80, found), (99, &small[9])]));
        for ours in [false, true] {
            let owned = owned(&[(80, ours)]);
            let most = Bench::new(&desired, &actual, owned.clone(), Fate::default()).check();
            for edit in &edits {
                for step in 0..=most {
                    for kind in 0..3 {
                        let at = |this: usize| (kind == this).then_some(step);
                        let edit = edit.clone().map(|pool| (step.saturating_sub(1), key(80), pool));
                        let fate = Fate { refuse: at(0), interrupt: at(1), edit };
                        Bench::new(&desired, &actual, owned.clone(), fate).check();
                        runs += 1;
                    }
                }
            }
        }
    }
    assert!(runs > 10_000, "only {runs} runs");
}

fn any_pool() -> impl Strategy<Value = Pool> {
    prop::collection::btree_map(2u8..30, 0u32..3, 0..12).prop_map(|servers| {
        let servers: Vec<(u8, u32)> = servers.into_iter().collect();
        pool(&servers)
    })
}

fn any_table() -> impl Strategy<Value = Table> {
    prop::collection::btree_map((80u16..120).prop_map(key), any_pool(), 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn large_random_tables_converge_whatever_happens(
        desired in any_table(),
        actual in any_table(),
        ours in prop::collection::btree_set((80u16..120).prop_map(key), 0..40),
        refuse in prop::option::of(0usize..60),
        interrupt in prop::option::of(0usize..60),
        edit in prop::option::of((0usize..60, (80u16..120).prop_map(key), prop::option::of(any_pool()))),
    ) {
        let owned: BTreeSet<_> = ours.into_iter().filter(|key| actual.contains_key(key)).collect();
        let fate = Fate { refuse, edit, interrupt };
        Bench::new(&desired, &actual, owned, fate).check();
    }
}

/// What every test above relies on: the laws see what they are there for.
#[test]
#[should_panic(expected = "empties")]
fn a_pool_that_is_emptied_is_noticed() {
    let (desired, actual) =
        (table(&[(80, &Some(pool(&[(4, 1)])))]), table(&[(80, &Some(pool(&[(5, 1)])))]));
    let mut bench = Bench::new(&desired, &actual, BTreeSet::new(), Fate::default());
    let step = Step::RemoveDestination(key(80), SocketAddr::from(([192, 168, 1, 5], 80)));
    bench.step(&step).unwrap();
}
