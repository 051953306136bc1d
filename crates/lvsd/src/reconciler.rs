//! What the kernel should hold, what it is believed to hold, and the next changes to make.
//!
//! Level-triggered: whatever happened, the next batch follows from the two tables alone. A step
//! that the kernel refuses is put aside for a while and never stops the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipvs::{DestinationKey, Pool, ServiceKey, Step, Table, plan};

#[cfg(test)]
mod tests;
mod trouble;

use trouble::Trouble;
pub use trouble::{Finding, Refusal};

/// Steps in one batch: what arrives meanwhile waits for the kernel no longer than this takes.
pub const MAX_BATCH: usize = 256;

/// What a step is about.
type Target = (ServiceKey, Option<DestinationKey>);

/// The state; the clock is an argument.
#[derive(Debug)]
pub struct Reconciler {
    desired: Table,
    believed: Table,
    owned: BTreeSet<ServiceKey>,
    owned_changed: bool,
    /// Services whose two tables may differ.
    dirty: BTreeSet<ServiceKey>,
    /// Services of which the belief may be wrong because a step was refused.
    uncertain: BTreeSet<ServiceKey>,
    troubles: BTreeMap<Target, Trouble>,
    writes: u64,
    refusals: u64,
    repairs: u64,
}

impl Reconciler {
    /// Begins with what the kernel holds and what was ours before a restart.
    pub fn new(found: Table, owned: BTreeSet<ServiceKey>) -> Self {
        let dirty = owned.clone();
        Self {
            desired: Table::new(),
            believed: found,
            owned,
            owned_changed: false,
            dirty,
            uncertain: BTreeSet::new(),
            troubles: BTreeMap::new(),
            writes: 0,
            refusals: 0,
            repairs: 0,
        }
    }

    /// Says what one virtual server should be; none ends it. One that the kernel holds already
    /// becomes ours: that is adoption.
    pub fn want(&mut self, key: ServiceKey, pool: Option<Pool>) {
        match pool {
            Some(pool) if self.desired.get(&key) == Some(&pool) => return,
            Some(pool) => {
                self.desired.insert(key, pool);
                if self.believed.contains_key(&key) {
                    self.own(key);
                }
            }
            None => {
                self.desired.remove(&key);
            }
        }
        self.dirty.insert(key);
    }

    /// The next changes, at most [`MAX_BATCH`] and a service's rest; empty when nothing can be
    /// done now. Services that appear in it are ours from here on. One of which the belief may be
    /// wrong waits until the table was read.
    pub fn next_batch(&mut self, now: Instant) -> Vec<Step> {
        self.forget_settled();
        let mut batch = Vec::new();
        let mut done = Vec::new();
        for key in self.dirty.difference(&self.uncertain) {
            if batch.len() >= MAX_BATCH {
                break;
            }
            let steps = self.steps_for(key, now);
            if steps.is_empty() {
                done.push(*key);
            }
            batch.extend(steps);
        }
        for key in done {
            self.dirty.remove(&key);
        }
        for step in &batch {
            if let Step::AddService(key, _) = step {
                self.own(*key);
            }
        }
        batch
    }

    /// What came of a batch; `results` are in the order of `steps`.
    pub fn applied(
        &mut self,
        steps: &[Step],
        results: &[Result<(), Refusal>],
        now: Instant,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut missing = BTreeSet::new();
        for (step, result) in steps.iter().zip(results) {
            let key = *step.service();
            match result {
                Ok(()) => self.accepted(step, &mut findings),
                // Its service was refused a moment ago, which is the thing to report.
                Err(_) if step.destination().is_some() && missing.contains(&key) => {}
                Err(refusal) => {
                    if matches!(step, Step::AddService(..)) {
                        missing.insert(key);
                    }
                    self.refused(step, refusal, now, &mut findings);
                }
            }
        }
        findings
    }

    /// The kernel's table as it was just read, while no batch is under way.
    pub fn dumped(&mut self, actual: Table) -> Vec<Finding> {
        let mut findings = Vec::new();
        let ours: BTreeSet<_> = self.owned.iter().chain(self.desired.keys()).copied().collect();
        for key in ours {
            let (before, after) = (self.believed.get(&key), actual.get(&key));
            let settled = !self.dirty.contains(&key) && !self.uncertain.contains(&key);
            if settled && !same(before, after) {
                self.repairs += 1;
                findings.push(Finding::Drift { service: key });
            }
            if !same(self.desired.get(&key), after) {
                self.dirty.insert(key);
            }
            if after.is_none() && !self.desired.contains_key(&key) {
                self.disown(&key);
            }
        }
        let adopted: Vec<_> =
            self.desired.keys().filter(|key| actual.contains_key(key)).copied().collect();
        for key in adopted {
            self.own(key);
        }
        self.uncertain.clear();
        self.believed = actual;
        self.forget_settled();
        findings
    }

    /// Somebody removed a destination, and it is wanted no more: no step, and nothing to repair.
    pub fn let_go(&mut self, key: ServiceKey, at: DestinationKey) {
        for table in [&mut self.desired, &mut self.believed] {
            if let Some(pool) = table.get_mut(&key) {
                pool.destinations.remove(&at);
            }
        }
    }

    /// Some refused step may be tried again: call [`next_batch`](Self::next_batch) then.
    pub fn next_retry(&self) -> Option<Instant> {
        let known = self.troubles.iter().filter(|((key, _), _)| !self.uncertain.contains(key));
        known.map(|(_, trouble)| trouble.retry_at).min()
    }

    /// Puts refused steps whose time has come back in line.
    pub fn retry(&mut self, now: Instant) {
        let due = self.troubles.iter().filter(|(_, trouble)| trouble.retry_at <= now);
        let keys: Vec<_> = due.map(|((key, _), _)| *key).collect();
        self.dirty.extend(keys);
    }

    /// The kernel holds exactly what is wanted, as far as is known.
    pub fn in_place(&self) -> bool {
        self.dirty.is_empty() && self.uncertain.is_empty() && self.troubles.is_empty()
    }

    /// There is something to do, or it is not known whether there is.
    pub fn needs_look(&self) -> bool {
        !self.uncertain.is_empty()
    }

    /// Nothing waits to be done now.
    pub fn idle(&self) -> bool {
        self.dirty.is_empty()
    }

    /// What the kernel is believed to hold.
    pub fn believed(&self) -> &Table {
        &self.believed
    }

    /// What it should hold.
    pub fn desired(&self) -> &Table {
        &self.desired
    }

    /// The services that are ours.
    pub fn owned(&self) -> &BTreeSet<ServiceKey> {
        &self.owned
    }

    /// The services that are ours, once after each change of them: to be put on disk before the
    /// next batch.
    pub fn owned_to_save(&mut self) -> Option<&BTreeSet<ServiceKey>> {
        std::mem::take(&mut self.owned_changed).then_some(&self.owned)
    }

    /// Services in the kernel that are somebody else's.
    pub fn foreign(&self) -> impl Iterator<Item = &ServiceKey> {
        let ours = |key: &&ServiceKey| !self.owned.contains(key) && !self.desired.contains_key(key);
        self.believed.keys().filter(ours)
    }

    /// What the kernel refuses about one service, in words.
    pub fn problem(&self, key: &ServiceKey) -> Option<&str> {
        let mut about = self.troubles.range((*key, None)..).take_while(|((at, _), _)| at == key);
        about.next().map(|(_, trouble)| trouble.reason.as_str())
    }

    /// Changes made, changes refused, and repairs of what somebody else changed.
    pub fn counters(&self) -> (u64, u64, u64) {
        (self.writes, self.refusals, self.repairs)
    }

    fn own(&mut self, key: ServiceKey) {
        self.owned_changed |= self.owned.insert(key);
    }

    fn disown(&mut self, key: &ServiceKey) {
        self.owned_changed |= self.owned.remove(key);
    }

    /// What can be done now about one service.
    fn steps_for(&self, key: &ServiceKey, now: Instant) -> Vec<Step> {
        let pick = |table: &Table| -> Table {
            table.get(key).map(|pool| (*key, pool.clone())).into_iter().collect()
        };
        let all = plan(&pick(&self.desired), &pick(&self.believed), &self.owned).steps;
        let steps: Vec<_> = all.into_iter().filter(|step| self.may_try(step, now)).collect();
        // What closes the last one waits until what opens is acknowledged: it may be refused.
        let (closing, other): (Vec<_>, Vec<_>) = steps.into_iter().partition(closes);
        if self.would_empty(key, &closing) {
            return other;
        }
        other.into_iter().chain(closing).collect()
    }

    fn may_try(&self, step: &Step, now: Instant) -> bool {
        let ready = |target: &Target| {
            self.troubles.get(target).is_none_or(|trouble| trouble.retry_at <= now)
        };
        let key = *step.service();
        let service_ready = self.believed.contains_key(&key) || ready(&(key, None));
        service_ready && ready(&(key, step.destination().copied()))
    }

    /// Nobody would be left to take connections although somebody should be: whoever it is has
    /// yet to be acknowledged or was refused, and the old ones stay until then.
    fn would_empty(&self, key: &ServiceKey, closing: &[Step]) -> bool {
        let serves = |pool: &Pool| pool.destinations.values().any(|server| server.weight > 0);
        let leaving: BTreeSet<_> = closing.iter().filter_map(Step::destination).collect();
        let left = self.believed.get(key).is_some_and(|pool| {
            pool.destinations.iter().any(|(at, server)| server.weight > 0 && !leaving.contains(at))
        });
        !closing.is_empty() && !left && self.desired.get(key).is_some_and(serves)
    }

    fn accepted(&mut self, step: &Step, findings: &mut Vec<Finding>) {
        self.writes += 1;
        let target = (*step.service(), step.destination().copied());
        if let Some(trouble) = self.troubles.remove(&target)
            && trouble.reported
        {
            findings.push(Finding::Mended { step: step.clone() });
        }
        believe(&mut self.believed, step);
        if let Step::RemoveService(key) = step {
            self.disown(key);
            self.troubles.retain(|(at, _), _| at != key);
        }
    }

    fn refused(
        &mut self,
        step: &Step,
        refusal: &Refusal,
        now: Instant,
        findings: &mut Vec<Finding>,
    ) {
        let target = (*step.service(), step.destination().copied());
        self.uncertain.insert(target.0);
        self.refusals += 1;
        let trouble = self.troubles.entry(target).or_insert_with(|| Trouble::new(now));
        if trouble.again(step, refusal, now) {
            findings.push(Finding::Refused { step: step.clone(), reason: refusal.text.clone() });
        }
    }

    /// Forgets refusals of what is no longer wanted.
    fn forget_settled(&mut self) {
        let (desired, believed) = (&self.desired, &self.believed);
        self.troubles.retain(|(key, at), _| {
            let pools = (desired.get(key), believed.get(key));
            match at {
                None => match pools {
                    (Some(wanted), Some(found)) => wanted.service != found.service,
                    (wanted, found) => wanted.is_some() != found.is_some(),
                },
                Some(at) => {
                    let wanted = pools.0.and_then(|pool| pool.destinations.get(at));
                    let found = pools.1.and_then(|pool| pool.destinations.get(at));
                    match (wanted, found) {
                        (Some(wanted), Some(found)) => !wanted.same_in_kernel(found),
                        (wanted, found) => wanted.is_some() != found.is_some(),
                    }
                }
            }
        });
    }
}

/// A real server stops taking new connections, or goes.
fn closes(step: &Step) -> bool {
    match step {
        Step::RemoveDestination(..) => true,
        Step::EditDestination(_, _, destination) => destination.weight == 0,
        _ => false,
    }
}

fn same(one: Option<&Pool>, other: Option<&Pool>) -> bool {
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.is_none() && other.is_none(),
    };
    one.service == other.service
        && one.destinations.len() == other.destinations.len()
        && one.destinations.iter().zip(&other.destinations).all(
            |((at, server), (other_at, other_server))| {
                at == other_at && server.same_in_kernel(other_server)
            },
        )
}

/// Does in the belief what the kernel has done.
fn believe(table: &mut Table, step: &Step) {
    match step {
        Step::AddService(key, service) => {
            let pool = Pool { service: service.clone(), destinations: BTreeMap::new() };
            table.insert(*key, pool);
        }
        Step::EditService(key, service) => {
            if let Some(pool) = table.get_mut(key) {
                pool.service = service.clone();
            }
        }
        Step::AddDestination(key, at, destination)
        | Step::EditDestination(key, at, destination) => {
            if let Some(pool) = table.get_mut(key) {
                pool.destinations.insert(*at, destination.clone());
            }
        }
        Step::RemoveDestination(key, at) => {
            if let Some(pool) = table.get_mut(key) {
                pool.destinations.remove(at);
            }
        }
        Step::RemoveService(key) => {
            table.remove(key);
        }
    }
}

/// The delay before a refused step is tried again.
fn delay(tries: u32) -> Duration {
    trouble::FIRST_DELAY.saturating_mul(1 << tries.min(6)).min(trouble::LONGEST_DELAY)
}
