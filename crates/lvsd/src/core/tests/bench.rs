//! A core with a kernel that is not one, and what it is told.

use super::*;

pub(super) const A: &str = "192.168.1.4:80";
pub(super) const B: &str = "192.168.1.5:80";
pub(super) const C: &str = "192.168.1.6:80";
pub(super) const SORRY: &str = "127.0.0.1:80";

pub(super) fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

pub(super) fn check(seconds: u64) -> Check {
    Check {
        kind: CheckKind::Connect,
        port: None,
        interval: Duration::from_secs(seconds),
        timeout: Duration::from_secs(1),
        fall: 3,
        rise: 2,
        reentry: Duration::ZERO,
        retry: None,
        connects: 0,
    }
}

pub(super) fn server(address: &str) -> RealServer {
    RealServer {
        name: None,
        host: Host::Address(at(address).ip()),
        port: Some(at(address).port()),
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

pub(super) fn service(name: &str, port: u16, servers: &[&str]) -> VirtualServer {
    let endpoint =
        Endpoint { address: SocketAddr::from(([192, 168, 1, 1], port)), protocol: Protocol::Tcp };
    VirtualServer {
        name: name.into(),
        listen: Listen::Addresses(vec![endpoint]),
        scheduler: Scheduler::wlc(),
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        check: check(5),
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: OnFailure::Remove,
        servers: servers.iter().map(|address| server(address)).collect(),
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
        notify: Notify::default(),
    }
}

pub(super) fn www() -> Cluster {
    of(vec![service("www", 80, &[A, B])])
}

pub(super) fn of(services: Vec<VirtualServer>) -> Cluster {
    Cluster { services, ..Cluster::default() }
}

/// A core with a kernel and a clock, and everything that it said.
pub(super) struct Bench {
    pub(super) core: Core,
    pub(super) kernel: FakeKernel,
    pub(super) statistics: TableStats,
    pub(super) now: Now,
    pub(super) dumps: usize,
    pub(super) log: Vec<String>,
    /// The table after each step.
    pub(super) seen: Vec<Table>,
}

impl Bench {
    pub(super) fn start(cluster: Cluster, found: Table, memory: Memory) -> Self {
        let boot = Duration::from_secs(1000);
        let now = Now { instant: Instant::now(), boot, unix_ms: 5 };
        let core = Core::new(memory, found.clone(), TableStats::new(), now);
        let kernel = FakeKernel::holding(found);
        let statistics = TableStats::new();
        let mut bench =
            Self { core, kernel, statistics, now, dumps: 0, log: Vec::new(), seen: Vec::new() };
        bench.configure(cluster);
        bench
    }

    pub(super) fn fresh(cluster: Cluster) -> Self {
        Self::start(cluster, Table::new(), Memory::default())
    }

    /// All servers up, everything in place, and the log forgotten.
    pub(super) fn running(cluster: Cluster) -> Self {
        let mut bench = Self::fresh(cluster);
        for (id, _) in bench.core.checks() {
            bench.core.judged(id, Verdict::Up, "connected", 1, bench.now);
        }
        bench.settle();
        bench.log.clear();
        bench.seen.clear();
        bench.kernel.done = 0;
        bench
    }

    /// kill -9 and a new start: what is on disk and in the kernel is all that is left.
    pub(super) fn restart(mut self) -> Self {
        let memory = Memory {
            owned: self.core.reconciler.owned().clone(),
            ledger: self.core.ledger.clone(),
            seen: {
                self.core.seen_changed = true;
                self.core.seen_to_save().unwrap()
            },
        };
        let cluster = Cluster::clone(self.core.cluster());
        self.kernel.done = 0;
        let mut next = Self::start(cluster, self.kernel.table, memory);
        next.settle();
        next
    }

    pub(super) fn configure(&mut self, cluster: Cluster) -> Change {
        let change = self.core.configure(Arc::new(cluster), self.now);
        self.settle();
        change
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..100 {
            let Some(work) = self.core.kernel_work(self.now) else { break };
            match work {
                KernelWork::Dump => {
                    self.dumps += 1;
                    let (table, statistics) = (self.kernel.table.clone(), self.statistics.clone());
                    self.core.dumped(table, statistics, self.now);
                }
                KernelWork::Apply(steps) => {
                    let results: Vec<_> = steps.iter().map(|step| self.apply(step)).collect();
                    self.core.applied(&steps, &results, self.now);
                }
            }
        }
        for entry in self.core.entries() {
            let fields: String =
                entry.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            self.log.push(format!("{}{fields}", entry.message));
        }
    }

    pub(super) fn apply(&mut self, step: &Step) -> Result<(), Refusal> {
        let done = self.kernel.apply(step);
        self.seen.push(self.kernel.table.clone());
        done.map_err(|refusal| Refusal { errno: refusal.errno(), text: refusal.to_string() })
    }

    pub(super) fn id(&self, address: &str) -> WatchId {
        let checks = self.core.checks();
        let found = checks.values().find(|watch| watch.server == at(address));
        found.unwrap_or_else(|| panic!("{address} is not checked")).id
    }

    pub(super) fn judge(&mut self, address: &str, verdict: Verdict) {
        let id = self.id(address);
        self.core.judged(id, verdict, "because", 3, self.now);
        self.settle();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.boot += time;
        self.core.tick(self.now);
        self.settle();
    }

    pub(super) fn act(&mut self, server: &str, decision: Decision) {
        let action = ServerAction {
            server: server.into(),
            service: None,
            decision,
            reason: Some("new kernel".into()),
            who: Some("alice".into()),
        };
        self.core.act(&action, self.now).unwrap();
        self.settle();
    }

    /// `PORT: ADDRESS=WEIGHT …` for each service.
    pub(super) fn table(&self) -> Vec<String> {
        let rows = self.kernel.table.iter().map(|(key, pool)| {
            let servers = pool.destinations.iter();
            let servers: String =
                servers.map(|(at, server)| format!(" {at}={}", server.weight)).collect();
            let ServiceKey::Address { address, .. } = key else { panic!("no marks here") };
            format!("{}:{servers}", address.port())
        });
        rows.collect()
    }

    /// How many lines begin like this.
    pub(super) fn told(&self, sentence: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(sentence)).count()
    }

    pub(super) fn connections(&mut self, address: &str, active: u32) {
        let key = *self.kernel.table.keys().next().unwrap();
        let stats = DestinationStats {
            connections: Connections { active, inactive: 0, persistent: 0 },
            counters: Counters::default(),
        };
        let pool = self.statistics.entry(key).or_default();
        pool.destinations.insert(at(address), stats);
    }

    pub(super) fn serves_all_the_time(&self) -> bool {
        self.seen
            .iter()
            .flat_map(Table::values)
            .all(|pool| pool.destinations.values().any(|destination| destination.weight > 0))
    }
}
