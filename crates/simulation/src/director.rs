//! lvsd on one machine: the real core, its files, its nanny, and a kernel that is not one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use config::in_force::{How, InForce, Judgement, Remembered};
use config::{Cluster, Format, Loaded};
use control::nanny::{Watch, WatchId};
use control::worker::Readiness;
use health::{Ledger, Verdict};
use ipvs::fake_kernel::FakeKernel;
use ipvs::{Connections, Counters, DestinationStats, PoolStats, ServiceKey, Step, TableStats};
use lvsd::core::{Core, KernelWork, Memory, Now, Seen};
use lvsd::reconciler::Refusal;

use crate::farm::{self, Farm};
use crate::fault::Micros;

/// Time between two looks at what is worth remembering.
const BEAT: Micros = 1_000_000;
/// Milliseconds since the Unix epoch at which every run begins.
const EPOCH_MS: u64 = 1_700_000_000_000;

/// lvsd on one machine, and what outlives it there.
pub(crate) struct Director {
    pub(crate) running: Option<Box<Running>>,
    /// Grows with each start and end.
    pub(crate) life: u64,
    pub(crate) kernel: FakeKernel,
    pub(crate) disk: Disk,
    /// The kernel refuses every change until then.
    pub(crate) refuses_until: Micros,
    /// Somebody else has changed the table, or the kernel refused something: it is mended soon.
    pub(crate) disturbed_at: Micros,
    /// Somebody else has changed the table since it was last read.
    pub(crate) edited: bool,
}

/// The runtime directory; it goes with the machine's power.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    /// Number of the configuration in the file.
    pub(crate) file: u64,
    owned: BTreeSet<ServiceKey>,
    pub(crate) ledger: Ledger,
    seen: Seen,
    in_force: Option<InForce>,
}

/// One life of lvsd.
pub(crate) struct Running {
    pub(crate) core: Core,
    /// What is being done in the kernel.
    pub(crate) under_way: Option<KernelWork>,
    /// When it is to be called.
    pub(crate) due: Micros,
    /// Number of the configuration in force.
    pub(crate) variant: u64,
    in_force: InForce,
    /// What nanny watches.
    pub(crate) watches: BTreeMap<WatchId, Watch>,
    /// What nanny has said.
    pub(crate) said: BTreeMap<WatchId, Verdict>,
    /// Which of them have ever said that a server is up.
    pub(crate) seen_up: BTreeSet<WatchId>,
    /// Services that had somebody who is up when the kernel was last asked for something.
    pub(crate) served: BTreeSet<ServiceKey>,
    pub(crate) told: Option<Readiness>,
    pub(crate) started: Micros,
    /// When all was last in place.
    pub(crate) in_place_at: Micros,
    beat: Micros,
}

impl fmt::Debug for Director {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Director").field("life", &self.life).field("kernel", &self.kernel).finish()
    }
}

/// What lvsd wants of its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) letters: Vec<String>,
    /// Checks that have just begun.
    pub(crate) begun: Vec<WatchId>,
    /// It has something for the kernel to do.
    pub(crate) kernel: bool,
    /// Its readiness is another one.
    pub(crate) readiness: bool,
    pub(crate) due: Option<Micros>,
}

/// The origin of all clocks. Only differences are ever looked at.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// A moment as lvsd sees it: its machine's clock shows `shown`, and the world is `now` old.
pub(crate) fn moment(shown: Duration, now: Micros) -> Now {
    Now { instant: origin() + shown, boot: shown, unix_ms: EPOCH_MS + now / 1000 }
}

fn loaded(cluster: &Arc<Cluster>, variant: u64) -> Loaded {
    Loaded {
        format: Format::Native,
        cluster: Some(Cluster::clone(cluster)),
        diagnostics: Vec::new(),
        notes: Vec::new(),
        files: Vec::new(),
        hash: variant + 1,
    }
}

impl Director {
    pub(crate) fn new() -> Self {
        Self {
            running: None,
            life: 0,
            kernel: FakeKernel::holding(farm::fresh()),
            disk: Disk::default(),
            refuses_until: 0,
            disturbed_at: 0,
            edited: false,
        }
    }

    /// lvsd starts: with what the kernel holds and what is on disk.
    pub(crate) fn start(
        &mut self,
        farm: &Farm,
        router: &str,
        forgets: bool,
        now: Now,
        world: Micros,
    ) {
        let mut file = loaded(&farm.cluster(self.disk.file), self.disk.file);
        let remembered = self.disk.in_force.clone().map(Remembered::State);
        let begun = InForce::begin(remembered, "cluster.yaml".into(), &mut file, now.boot);
        let Some((in_force, beginning)) = begun else { return };
        let variant = beginning.loaded.hash.saturating_sub(1);
        let memory = Memory {
            owned: self.disk.owned.clone(),
            ledger: if forgets { Ledger::default() } else { self.disk.ledger.clone() },
            seen: self.disk.seen.clone(),
        };
        let found = self.kernel.table.clone();
        let mut core = Core::new(memory, found, TableStats::new(), now);
        core.configure(farm.cluster(variant), now);
        core.has_partner(router.to_owned());
        self.disk.in_force = Some(in_force.clone());
        self.edited = false;
        self.life += 1;
        self.running = Some(Box::new(Running {
            core,
            under_way: None,
            due: world,
            variant,
            in_force,
            watches: BTreeMap::new(),
            said: BTreeMap::new(),
            seen_up: BTreeSet::new(),
            served: BTreeSet::new(),
            told: None,
            started: world,
            in_place_at: world,
            beat: world,
        }));
    }

    /// lvsd reads the file. False where it refuses what is there.
    pub(crate) fn reload(&mut self, farm: &Farm, now: Now) -> bool {
        let Some(running) = self.running.as_mut() else { return true };
        let variant = self.disk.file;
        let file = loaded(&farm.cluster(variant), variant);
        match running.in_force.judge(&file, How::Unconfirmed) {
            Judgement::Refuse(_) => {
                running.in_force.refused();
                self.disk.in_force = Some(running.in_force.clone());
                return false;
            }
            Judgement::Same => running.in_force.take(&file, How::Unconfirmed, now.boot),
            Judgement::Take => {
                running.in_force.take(&file, How::Unconfirmed, now.boot);
                running.variant = variant;
                running.core.configure(farm.cluster(variant), now);
            }
        }
        self.disk.in_force = Some(running.in_force.clone());
        true
    }

    /// It is killed. What the kernel has begun is done up to a step.
    pub(crate) fn kill(&mut self, done: impl FnOnce(usize) -> usize) -> Vec<Step> {
        let Some(running) = self.running.take() else { return Vec::new() };
        self.life += 1;
        match running.under_way {
            Some(KernelWork::Apply(mut steps)) => {
                steps.truncate(done(steps.len() + 1));
                steps
            }
            _ => Vec::new(),
        }
    }

    /// It stops in order: what it removes.
    pub(crate) fn stop(&mut self) -> Vec<Step> {
        let Some(mut running) = self.running.take() else { return Vec::new() };
        self.life += 1;
        self.save(&mut running);
        if let Some(seen) = running.core.seen_to_save() {
            self.disk.seen = seen;
        }
        if !running.in_force.outlives_a_stop() {
            self.disk.in_force = None;
        }
        let steps = running.core.removal();
        for step in &steps {
            self.disk.owned.remove(step.service());
        }
        steps
    }

    /// The machine has lost its power.
    pub(crate) fn power_off(&mut self) {
        self.running = None;
        self.life += 1;
        self.kernel = FakeKernel::holding(farm::fresh());
        let file = self.disk.file;
        self.disk = Disk { file, ..Disk::default() };
    }

    fn save(&mut self, running: &mut Running) {
        if let Some(owned) = running.core.owned_to_save() {
            self.disk.owned.clone_from(owned);
        }
        if let Some(ledger) = running.core.decisions_to_save() {
            self.disk.ledger.clone_from(ledger);
        }
    }

    /// Time has passed, or something has happened.
    pub(crate) fn work(&mut self, now: Now, world: Micros) -> Wishes {
        let mut wishes = Wishes::default();
        let Some(mut running) = self.running.take() else { return wishes };
        let core = &mut running.core;
        core.tick(now);
        if running.under_way.is_none() {
            running.under_way = core.kernel_work(now);
            wishes.kernel = running.under_way.is_some();
        }
        // Nobody reads them.
        drop((core.entries(), core.notices(now), core.results()));
        wishes.letters = core.letters(now);
        if let Some(checks) = core.checks_to_tell() {
            let new = checks.keys().filter(|id| !running.watches.contains_key(id));
            wishes.begun = new.copied().collect();
            running.said.retain(|id, _| checks.contains_key(id));
            running.seen_up.retain(|id| checks.contains_key(id));
            running.watches = checks;
        }
        let readiness = core.readiness(0);
        if readiness.table_in_place {
            running.in_place_at = world;
        }
        wishes.readiness = running.told.replace(readiness) != Some(readiness);
        if world >= running.beat {
            running.beat = world + BEAT;
            if let Some(seen) = core.seen_to_save() {
                self.disk.seen = seen;
            }
        }
        self.save(&mut running);
        let left = running.core.next_deadline(now).saturating_duration_since(now.instant);
        let next = world + u64::try_from(left.as_micros()).unwrap_or(u64::MAX / 2);
        running.due = next.min(running.beat).max(world + 1000);
        wishes.due = Some(running.due);
        self.running = Some(running);
        wishes
    }

    /// The kernel does one step, or refuses it.
    pub(crate) fn apply(&mut self, step: &Step, world: Micros) -> Result<(), Refusal> {
        if world < self.refuses_until {
            self.disturbed_at = world;
            return Err(Refusal { errno: 12, text: "out of memory".to_owned() });
        }
        self.kernel.apply(step).map_err(|refusal| {
            self.disturbed_at = world;
            Refusal { errno: refusal.errno(), text: refusal.to_string() }
        })
    }

    /// What the kernel counts where the connections are.
    pub(crate) fn statistics(&self, farm: &Farm, carries: bool) -> TableStats {
        if !carries || farm.open.iter().all(|open| *open == 0) {
            return TableStats::new();
        }
        let pools = self.kernel.table.iter().map(|(key, pool)| {
            let counted = pool.destinations.keys().map(|at| {
                let active = farm.connections(*at);
                let connections = Connections { active, inactive: 0, persistent: 0 };
                (*at, DestinationStats { connections, counters: Counters::default() })
            });
            let destinations = counted.collect();
            (*key, PoolStats { destinations, ..PoolStats::default() })
        });
        pools.collect()
    }
}
