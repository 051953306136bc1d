//! The director without its surroundings: events in, kernel steps, checks and log lines out.
//!
//! No socket, no file, no clock: time is an argument, and [`next_deadline`](Core::next_deadline)
//! says when to call again.

mod drain;
mod entry;
mod ftp;
mod left_out;
mod letters;
mod linger;
mod loads;
mod memory;
mod notices;
mod operator;
mod placing;
mod report;
mod results;
mod rising;
mod status;
#[cfg(test)]
mod tests;
mod unread;
mod verdicts;
mod watches;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::Cluster;
use config::model::OnStop;
use control::nanny::{Watch, WatchId};
use control::worker::Readiness;
use health::{Decisions, Fitness, Ledger, Names, WantedService};
use ipvs::{Connections, DestinationKey, DestinationStats, ServiceKey, Step, Table, TableStats};
use runtime::journal::{EventKind, Level};

pub use entry::Entry;
pub(crate) use ftp::needs_ftp_helper;
pub use left_out::LeftOut;
use loads::Loads;
pub use memory::{Memory, Seen, fingerprint};
pub use notices::Notice;
pub use placing::{Change, names_needed};
pub use results::ResultLine;
pub use status::{Surroundings, sum_up};
use watches::Watches;

use crate::reconciler::{Reconciler, Refusal};

/// Least time between two looks at the kernel's table, unless something asks for one. Nobody is
/// told when somebody else changes it: it has to be looked for.
const AUDIT_INTERVAL: Duration = Duration::from_secs(1);

/// A look at a large table takes its time: there are this many times as much between two. The shorter
/// of the last two counts, since one that had to wait for a processor tells nothing of the table.
const AUDIT_PAUSES: u32 = 40;

/// The most time between two looks.
pub const LONGEST_AUDIT_INTERVAL: Duration = Duration::from_secs(5);

/// The moment, on the clocks that are needed.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For delays.
    pub instant: Instant,
    /// Since the machine started (`CLOCK_BOOTTIME`), for what outlives a restart.
    pub boot: Duration,
    /// Milliseconds since the Unix epoch, for people.
    pub unix_ms: u64,
}

/// What is to be done with the kernel next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelWork {
    /// Read the whole table, and call [`Core::dumped`].
    Dump,
    /// Make these changes, and call [`Core::applied`].
    Apply(Vec<Step>),
}

/// The state of the director.
pub struct Core {
    cluster: Arc<Cluster>,
    names: Names,
    /// Names that do not resolve, told once.
    unresolved: BTreeSet<String>,
    /// What checks said before a restart, until the first configuration is in force.
    remembered: memory::Remembered,
    /// Virtual servers of which it was told that servers stay in although their checks fail.
    failing_open: BTreeSet<String>,
    ledger: Ledger,
    /// What the ledger says, in the form that the rules read.
    decisions: Decisions,
    decisions_changed: bool,
    exchange: letters::Exchange,
    /// The groups that this router holds; none when it has no pulse, and every service is its own.
    groups: Option<BTreeSet<String>>,
    arrival: drain::Arrival,
    seen_changed: bool,
    watches: Watches,
    loads: Loads,
    rising: rising::Rising,
    told_version: u64,
    told_warm: bool,
    services: Vec<WantedService>,
    /// Which virtual server a kernel service belongs to: the first one that claims it.
    claims: BTreeMap<ServiceKey, usize>,
    /// Virtual servers whose pools are to be worked out anew.
    stale: BTreeSet<usize>,
    lingering: linger::Lingering,
    reconciler: Reconciler,
    statistics: TableStats,
    looked_at: Instant,
    /// When the look that is under way began, and how long the last two took.
    look_began: Instant,
    looks_took: [Duration; 2],
    look_now: bool,
    /// Steps came back untried since the last look.
    untried: bool,
    /// The last look failed.
    unread: Option<unread::Unread>,
    busy: bool,
    entries: Vec<Entry>,
    notices: notices::Notices,
    results: Vec<ResultLine>,
    /// Files of the maintenance folder.
    resting: BTreeSet<String>,
    /// Virtual servers of which less is up than their quorum.
    below_quorum: BTreeSet<String>,
    left_out: LeftOut,
}

impl Core {
    /// Begins with what the kernel holds and what is remembered, and without a configuration:
    /// [`configure`](Self::configure) is to follow.
    pub fn new(memory: Memory, found: Table, statistics: TableStats, now: Now) -> Self {
        Self {
            cluster: Arc::default(),
            remembered: memory.seen.remembered(),
            names: memory.seen.names,
            unresolved: BTreeSet::new(),
            failing_open: BTreeSet::new(),
            decisions: memory.ledger.decisions(),
            ledger: memory.ledger,
            exchange: letters::Exchange::default(),
            groups: None,
            arrival: drain::Arrival::default(),
            decisions_changed: false,
            seen_changed: false,
            watches: Watches::default(),
            loads: Loads::default(),
            rising: rising::Rising::default(),
            told_version: 0,
            told_warm: false,
            services: Vec::new(),
            claims: BTreeMap::new(),
            stale: BTreeSet::new(),
            lingering: linger::Lingering::default(),
            reconciler: Reconciler::new(found, memory.owned),
            statistics,
            looked_at: now.instant,
            look_began: now.instant,
            looks_took: [Duration::ZERO; 2],
            look_now: false,
            untried: false,
            unread: None,
            busy: false,
            entries: Vec::new(),
            notices: notices::Notices::default(),
            results: Vec::new(),
            resting: BTreeSet::new(),
            below_quorum: memory.seen.below_quorum,
            left_out: memory.seen.left_out.into_iter().collect(),
        }
    }

    /// Some names were asked for; those that are missing in the answer do not resolve. It may be
    /// older than the configuration, and a name that is needed keeps what was known of it.
    pub fn resolved(&mut self, asked: &BTreeSet<String>, answer: &Names, now: Now) {
        let needed = names_needed(&self.cluster);
        let known = |name: String| {
            let addresses = answer.get(&name).or_else(|| self.names.get(&name))?.clone();
            Some((name, addresses))
        };
        let names: Names = needed.into_iter().filter_map(known).collect();
        self.compare_names(asked, &names);
        if names == self.names {
            return;
        }
        self.names = names;
        self.seen_changed = true;
        let named = placing::services_with_names(&self.cluster);
        self.replace(named, now);
    }

    /// Names that were resolved for a configuration before it is put in force. What is known by now
    /// is newer.
    pub fn know(&mut self, names: Names) {
        for (name, addresses) in names {
            self.names.entry(name).or_insert(addresses);
        }
        self.seen_changed = true;
    }

    /// Names that are resolved.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The addresses of all real servers.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        let servers = self.services.iter().flat_map(|service| &service.servers);
        servers.filter_map(|server| Some(server.address?.ip())).collect()
    }

    /// The files of the maintenance folder are others than before.
    pub fn rest(&mut self, names: BTreeSet<String>) {
        let added: Vec<&str> = names.difference(&self.resting).map(String::as_str).collect();
        let gone: Vec<&str> = self.resting.difference(&names).map(String::as_str).collect();
        if added.is_empty() && gone.is_empty() {
            return;
        }
        let sentence = "maintenance folder has changed";
        let entry = Entry::new(EventKind::Operator, Level::Info, sentence)
            .with("out", added.join(","))
            .with("back", gone.join(","));
        self.entries.push(entry);
        self.resting = names;
        self.stale.extend(0..self.services.len());
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        self.end_overdue_drains(now);
        self.reconciler.retry(now.instant);
    }

    /// What to do with the kernel now. Nothing while something is under way: after this returned
    /// some work, [`applied`](Self::applied) or [`dumped`](Self::dumped) must follow.
    pub fn kernel_work(&mut self, now: Now) -> Option<KernelWork> {
        if self.busy {
            return None;
        }
        self.rise(now);
        self.settle(now);
        let work = self.choose_work(now);
        self.busy = work.is_some();
        if matches!(work, Some(KernelWork::Dump)) {
            self.look_began = now.instant;
        }
        work
    }

    fn choose_work(&mut self, now: Now) -> Option<KernelWork> {
        let wanted = self.look_now || self.reconciler.needs_look();
        match self.look_waits(now) {
            true if self.untried => return None,
            false if wanted => return Some(KernelWork::Dump),
            _ => {}
        }
        let steps = self.reconciler.next_batch(now.instant);
        if !steps.is_empty() {
            return Some(KernelWork::Apply(steps));
        }
        (now.instant >= self.audit_at()).then_some(KernelWork::Dump)
    }

    /// The kernel has answered to each step. Fewer results than steps: the rest was not tried.
    pub fn applied(&mut self, steps: &[Step], results: &[Result<(), Refusal>], now: Now) {
        self.busy = false;
        let findings = self.reconciler.applied(steps, results, now.instant);
        self.untried = results.len() < steps.len();
        self.look_now |= self.untried;
        report::changes(steps, results, &mut self.entries);
        report::findings(findings, &mut self.entries);
    }

    /// The kernel's table was read.
    pub fn dumped(&mut self, found: Table, statistics: TableStats, now: Now) {
        self.busy = false;
        self.look_now = false;
        self.untried = false;
        self.looked_at = now.instant;
        let [_, last] = self.looks_took;
        self.looks_took = [last, now.instant.saturating_duration_since(self.look_began)];
        self.kernel_read(now);
        self.statistics = statistics;
        self.leave_out(&found);
        let findings = self.reconciler.dumped(found);
        report::findings(findings, &mut self.entries);
        self.end_quiet_drains(now);
        for key in self.lingering.release(&self.statistics, now.instant) {
            self.stale.extend(self.claims.get(&key));
        }
    }

    /// Asks for a fresh look at the kernel, for somebody who wants to see counters.
    pub fn look(&mut self) {
        self.look_now = true;
    }

    /// How old the counters are.
    pub fn looked_ago(&self, now: Now) -> Duration {
        now.instant.saturating_duration_since(self.looked_at)
    }

    /// When to call [`tick`](Self::tick) and [`kernel_work`](Self::kernel_work) at the latest.
    pub fn next_deadline(&self, now: Now) -> Instant {
        let drain = self.decisions.next_deadline();
        // A deadline that no clock reaches is none.
        let drain = drain.and_then(|at| now.instant.checked_add(at.saturating_sub(now.boot)));
        // Nothing of the kernel's is due while its answer is waited for.
        let free = !self.busy;
        let retry = self.reconciler.next_retry().filter(|_| free);
        let audit = free.then(|| self.audit_at());
        [drain, retry, audit, self.letters_due(), self.notices.next(), self.rising.next()]
            .into_iter()
            .flatten()
            .fold(now.instant + LONGEST_AUDIT_INTERVAL, Instant::min)
    }

    fn audit_at(&self) -> Instant {
        if let Some(unread) = &self.unread {
            return unread.again_at;
        }
        let draining = self
            .decisions
            .iter()
            .any(|(_, _, decided)| decided.drain.as_ref().is_some_and(|drain| !drain.done));
        let waiting = draining || !self.lingering.is_empty();
        let [last, this] = self.looks_took;
        let pause = if waiting { AUDIT_INTERVAL } else { last.min(this) * AUDIT_PAUSES };
        self.looked_at + pause.clamp(AUDIT_INTERVAL, LONGEST_AUDIT_INTERVAL)
    }

    /// The checks, when they have changed since the last call.
    pub fn checks_to_tell(&mut self) -> Option<BTreeMap<WatchId, Watch>> {
        let version = self.watches.version() + self.loads.version();
        let changed = std::mem::replace(&mut self.told_version, version) != version;
        changed.then(|| self.checks())
    }

    /// The checks as they are known now, for a nanny that knows nothing.
    pub fn checks(&self) -> BTreeMap<WatchId, Watch> {
        let mut checks = self.watches.to_watch();
        checks.extend(self.loads.to_watch());
        checks
    }

    /// Services in the kernel that are ours.
    pub fn owned(&self) -> &BTreeSet<ServiceKey> {
        self.reconciler.owned()
    }

    /// The services that are ours, when that has changed: on disk before the next change.
    pub fn owned_to_save(&mut self) -> Option<&BTreeSet<ServiceKey>> {
        self.reconciler.owned_to_save()
    }

    /// The operator's decisions, when they have changed.
    pub fn decisions_to_save(&mut self) -> Option<&Ledger> {
        std::mem::take(&mut self.decisions_changed).then_some(&self.ledger)
    }

    /// Verdicts and names, when they have changed.
    pub fn seen_to_save(&mut self) -> Option<Seen> {
        if !std::mem::take(&mut self.seen_changed) {
            return None;
        }
        let below_quorum = self.below_quorum.clone();
        let left_out = self.left_out.iter().copied().collect();
        let mut seen =
            Seen { names: self.names.clone(), below_quorum, left_out, ..Seen::default() };
        for (_, watched) in self.watches.iter() {
            seen.note(&watched.probe, watched.fitness);
        }
        Some(seen)
    }

    /// Log lines since the last call.
    pub fn entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// May this router take over?
    pub fn readiness(&self, config_hash: u64) -> Readiness {
        let known = self.unread.is_none();
        let in_place = known && self.stale.is_empty() && self.reconciler.in_place();
        let checks_warm = self.watches.cold() == 0;
        Readiness { table_in_place: in_place, checks_warm, config_hash }
    }

    /// The configuration in force.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Steps that remove what an orderly stop does not leave behind.
    pub fn removal(&self) -> Vec<Step> {
        let goes = |key: &&ServiceKey| {
            let owner = self.claims.get(key).and_then(|index| self.cluster.services.get(*index));
            let stays = self.cluster.on_stop == OnStop::Keep;
            !owner.map_or(stays, |service| self.cluster.stays(service))
                && self.reconciler.believed().contains_key(key)
        };
        let ours = self.reconciler.owned().iter().filter(goes);
        ours.map(|key| Step::RemoveService(*key)).collect()
    }

    /// The kernel was asked something and has not answered yet.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begins with [`removal`](Self::removal), while nothing is under way:
    /// [`applied`](Self::applied) must follow.
    pub fn leave(&mut self) -> Vec<Step> {
        self.busy = true;
        self.removal()
    }

    fn counted(&self, key: &ServiceKey, at: &DestinationKey) -> Option<&DestinationStats> {
        self.statistics.get(key)?.destinations.get(at)
    }

    fn fitness_now(&self, probe: &health::Probe) -> Fitness {
        self.watches.fitness(probe).unwrap_or_default()
    }
}

/// Connections that are there now, open and closing ones.
fn live(connections: Connections) -> u64 {
    u64::from(connections.active) + u64::from(connections.inactive)
}
