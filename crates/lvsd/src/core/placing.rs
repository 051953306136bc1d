//! From the configuration to the wanted pools, with what is known of each real server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use config::Cluster;
use config::model::{Host, OnFailure, VirtualServer};
use health::load::Reading;
use health::{
    Asked, Fitness, Knowledge, Names, Probe, Verdict, WantedServer, WantedService,
    wanted::wanted_service,
};
use ipvs::{ServiceKey, Table};
use runtime::journal::{EventKind, Level};

use super::memory::Remembered;
use super::{Core, Entry, Now, fingerprint, report};

/// What a configuration changed, in numbers of virtual servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New ones.
    pub added: usize,
    /// Those that are gone.
    pub removed: usize,
    /// Those that are others than before.
    pub changed: usize,
}

/// A first guess for each probe that is not watched yet.
type Guesses = HashMap<Probe, Fitness>;

/// Of which checks something is guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    /// Of those that nobody watches yet.
    New,
    /// Also of those of which nothing is known.
    Unknown,
}

impl Core {
    /// A checked configuration is in force from now on. Checks and decisions of what stays stay.
    pub fn configure(&mut self, cluster: Arc<Cluster>, now: Now) -> Change {
        let before = std::mem::replace(&mut self.cluster, Arc::clone(&cluster));
        let old_owners = self.owners();
        let stale: BTreeSet<_> = std::mem::take(&mut self.stale)
            .into_iter()
            .filter_map(|index| before.services.get(index).map(|service| &service.name))
            .collect();
        let old_services = std::mem::take(&mut self.services);
        let mut old: BTreeMap<&str, (&VirtualServer, WantedService)> = before
            .services
            .iter()
            .zip(old_services)
            .map(|(service, wanted)| (service.name.as_str(), (service, wanted)))
            .collect();
        let mut change = Change::default();
        for (index, service) in cluster.services.iter().enumerate() {
            let wanted = match old.remove(service.name.as_str()) {
                Some((same, wanted)) if same == service && !stale.contains(&service.name) => {
                    self.services.push(wanted);
                    continue;
                }
                Some((same, predecessor)) if same == service => {
                    self.place_anew(service, Some(&predecessor), now)
                }
                Some((_, predecessor)) => {
                    change.changed += 1;
                    let wanted = self.place_anew(service, Some(&predecessor), now);
                    self.lingering.compare(&predecessor, &wanted, now.instant);
                    wanted
                }
                None => {
                    change.added += 1;
                    self.place_anew(service, None, now)
                }
            };
            self.services.push(wanted);
            self.stale.insert(index);
        }
        change.removed = old.len();
        let known = |name: &String| cluster.services.iter().any(|kept| kept.name == *name);
        self.failing_open.retain(known);
        self.below_quorum.retain(known);
        self.remembered = Remembered::default();
        self.forget_notices();
        self.link();
        self.claim(&old_owners);
        change
    }

    /// The pools that a configuration would want, and the real servers that would wait for their
    /// first check.
    pub(super) fn foresee_all(&self, cluster: &Cluster) -> (Table, Vec<String>) {
        let (mut table, mut unchecked) = (Table::new(), Vec::new());
        for service in &cluster.services {
            let predecessor = self.services.iter().find(|old| old.name == service.name);
            let (wanted, _) = self.foresee(service, predecessor, Guess::New);
            for server in &wanted.servers {
                if server.fitness.verdict == Verdict::Unknown {
                    unchecked.push(format!("{} {}", wanted.name, server.label));
                }
            }
            for (key, mut pool) in wanted.pools {
                if !service.put_back {
                    self.without_left_out(key, &mut pool);
                }
                table.entry(key).or_insert(pool);
            }
        }
        (table, unchecked)
    }

    /// Virtual servers whose names have other addresses now.
    pub(super) fn replace(&mut self, services: Vec<usize>, now: Now) {
        let cluster = Arc::clone(&self.cluster);
        for index in services {
            let predecessor = self.services.get(index).cloned();
            let Some(service) = cluster.services.get(index) else { continue };
            let wanted = self.place_anew(service, predecessor.as_ref(), now);
            if let Some(slot) = self.services.get_mut(index) {
                *slot = wanted;
            }
            self.stale.insert(index);
        }
        self.link();
    }

    /// Brings the wanted table up to date with verdicts and decisions.
    pub(super) fn settle(&mut self, now: Now) {
        let cluster = Arc::clone(&self.cluster);
        for index in std::mem::take(&mut self.stale) {
            let was_on_sorry = self.services.get(index).is_some_and(|before| before.on_sorry);
            let Some(service) = cluster.services.get(index) else { continue };
            let wanted = self.place(service, now);
            if was_on_sorry != wanted.on_sorry {
                self.entries.push(report::sorry(&wanted));
            }
            self.compare_failing_open(service, &wanted);
            self.compare_quorum(service, &wanted);
            self.compare_empty(service, &wanted);
            self.let_in(&wanted, service.put_back);
            for (key, pool) in &wanted.pools {
                if self.claims.get(key) == Some(&index) {
                    let mut pool = pool.clone();
                    self.lingering.add_to(key, &mut pool);
                    self.without_left_out(*key, &mut pool);
                    self.reconciler.want(*key, Some(pool));
                }
            }
            if let Some(slot) = self.services.get_mut(index) {
                *slot = wanted;
            }
        }
    }

    /// Tells when real servers begin to stay in although their checks fail, and when that ends.
    fn compare_failing_open(&mut self, service: &VirtualServer, wanted: &WantedService) {
        let told = self.failing_open.contains(&wanted.name);
        if wanted.failing_open == told {
            return;
        }
        if told {
            self.failing_open.remove(&wanted.name);
        } else {
            self.failing_open.insert(wanted.name.clone());
        }
        self.entries.push(report::failing_open(service, wanted));
    }

    /// Remembers who is below the quorum, and tells. Nothing is said before the checks have answered.
    fn compare_quorum(&mut self, service: &VirtualServer, wanted: &WantedService) {
        let unknown =
            |s: &WantedServer| s.fitness.verdict == Verdict::Unknown && !s.probes.is_empty();
        let was_below = self.below_quorum.contains(&wanted.name);
        let waits = wanted.below_quorum && wanted.servers.iter().any(unknown);
        if waits || wanted.below_quorum == was_below {
            return;
        }
        if was_below {
            self.below_quorum.remove(&wanted.name);
        } else {
            self.below_quorum.insert(wanted.name.clone());
        }
        self.seen_changed = true;
        // That nobody at all is up is told by the sorry server.
        if service.quorum.weight > 1 {
            self.entries.push(report::quorum(service, wanted));
        }
    }

    /// Works out one virtual server whose configuration is as before.
    fn place(&mut self, service: &VirtualServer, now: Now) -> WantedService {
        let (wanted, guesses) = self.foresee(service, None, Guess::New);
        self.begin(&wanted, guesses, now);
        wanted
    }

    /// Works out one virtual server that is new or edited. Of a check that it shares with others it may
    /// know what they did not: whoever serves keeps its place, whichever comes first in the file.
    fn place_anew(
        &mut self,
        service: &VirtualServer,
        predecessor: Option<&WantedService>,
        now: Now,
    ) -> WantedService {
        let (wanted, guesses) = self.foresee(service, predecessor, Guess::Unknown);
        self.begin(&wanted, guesses, now);
        wanted
    }

    /// Begins the checks that are new, in the order of the file, so that they have the same numbers each
    /// time.
    fn begin(&mut self, wanted: &WantedService, mut guesses: Guesses, now: Now) {
        for probe in wanted.servers.iter().flat_map(|server| &server.probes) {
            let Some((probe, fitness)) = guesses.remove_entry(probe) else { continue };
            let reason = match fitness.verdict {
                Verdict::Unknown => "not checked yet",
                _ => "as found at start",
            };
            self.watches.begin(probe, fitness, reason, now.unix_ms);
        }
    }

    fn foresee(
        &self,
        service: &VirtualServer,
        predecessor: Option<&WantedService>,
        of: Guess,
    ) -> (WantedService, Guesses) {
        let watched = |probe: &Probe| self.fitness_now(probe);
        let load = |probe: &Probe| self.loads.reading(probe);
        let risen = |probe: &Probe| self.risen(probe);
        let wanted = wanted_service(service, &self.knowledge(&watched, &load, &risen));
        let mut guesses = Guesses::new();
        for server in &wanted.servers {
            for probe in &server.probes {
                let known = self
                    .watches
                    .fitness(probe)
                    .is_some_and(|fitness| of == Guess::New || fitness.verdict != Verdict::Unknown);
                if !known && !guesses.contains_key(probe) {
                    guesses.insert(probe.clone(), self.guess(service, server, probe, predecessor));
                }
            }
        }
        if guesses.values().all(|guess| guess.verdict == Verdict::Unknown) {
            return (wanted, guesses);
        }
        let guessed =
            |probe: &Probe| guesses.get(probe).copied().unwrap_or_else(|| self.fitness_now(probe));
        (wanted_service(service, &self.knowledge(&guessed, &load, &risen)), guesses)
    }

    fn knowledge<'a>(
        &'a self,
        fitness: &'a dyn Fn(&Probe) -> Fitness,
        load: &'a dyn Fn(&Probe) -> Option<Reading>,
        risen: &'a dyn Fn(&Probe) -> Option<Duration>,
    ) -> Knowledge<'a> {
        let (names, decisions, resting) = (&self.names, &self.decisions, &self.resting);
        let below_quorum = &self.below_quorum;
        Knowledge { names, fitness, load, risen, decisions, resting, below_quorum }
    }

    /// What to take for true until a new check has answered: what the server's check said before
    /// the edit, else that it is remembered as failed, else what the kernel holds.
    fn guess(
        &self,
        service: &VirtualServer,
        server: &WantedServer,
        probe: &Probe,
        predecessor: Option<&WantedService>,
    ) -> Fitness {
        let before = predecessor.and_then(|before| {
            let same = |old: &&WantedServer| {
                old.label == server.label && old.address == server.address && !old.probes.is_empty()
            };
            before.servers.iter().find(same).map(|old| old.fitness)
        });
        let guessed =
            |verdict, last_up, asked| Fitness { verdict, provisional: true, last_up, asked };
        if let Some(before) = before.filter(|before| before.verdict != Verdict::Unknown) {
            // What several checks ask for together is not known of each.
            let alone = server.probes.iter().filter(|probe| probe.sets_weight()).count() == 1;
            let asked = if alone && probe.sets_weight() { before.asked } else { Asked::NONE };
            return guessed(before.verdict, before.last_up, asked);
        }
        let print = fingerprint(probe);
        let asked = Asked::of(self.remembered.weights.get(&print).copied());
        match self.remembered.down.get(&print) {
            Some(last_up) => guessed(Verdict::Down, *last_up, asked),
            None => guessed(self.verdict_by_kernel(service, server, asked), 0, asked),
        }
    }

    fn verdict_by_kernel(
        &self,
        service: &VirtualServer,
        server: &WantedServer,
        asked: Asked,
    ) -> Verdict {
        let weights = server.places.iter().filter_map(|(key, at)| {
            Some(self.reconciler.believed().get(key)?.destinations.get(at)?.weight)
        });
        let decided = self.decisions.of(&service.name, &server.label);
        let meant_to_rest = decided.is_some()
            || service.servers.get(server.index).is_some_and(|r| asked.weight(r.weight) == 0);
        match weights.max() {
            None => Verdict::Unknown,
            Some(1..) => Verdict::Up,
            Some(0) if meant_to_rest => Verdict::Up,
            Some(0) if service.on_failure == OnFailure::Quiesce => Verdict::Down,
            Some(0) => Verdict::Unknown,
        }
    }

    fn link(&mut self) {
        let used = self.services.iter().enumerate().flat_map(|(index, service)| {
            let probes = service.servers.iter().flat_map(|server| &server.probes);
            probes.map(move |probe| (index, probe))
        });
        self.watches.link(used, &self.with_results());
        let loads = self.services.iter().enumerate().flat_map(|(index, service)| {
            let loads = service.servers.iter().filter_map(|server| server.load.as_ref());
            loads.map(move |(probe, _)| (index, probe))
        });
        self.loads.link(loads, || self.watches.number());
        self.told_warm &= self.watches.cold() == 0;
    }

    /// The virtual server that each kernel service belongs to, by name.
    fn owners(&self) -> BTreeMap<ServiceKey, String> {
        let name = |index: usize| self.services.get(index).map(|service| service.name.clone());
        self.claims.iter().filter_map(|(key, index)| Some((*key, name(*index)?))).collect()
    }

    /// Gives each kernel service to the first virtual server that names it.
    fn claim(&mut self, old_owners: &BTreeMap<ServiceKey, String>) {
        let mut claims: BTreeMap<ServiceKey, usize> = BTreeMap::new();
        for (index, service) in self.services.iter().enumerate() {
            for key in service.pools.keys() {
                let first = *claims.entry(*key).or_insert(index) == index;
                if first && old_owners.get(key) != Some(&service.name) {
                    self.stale.insert(index);
                }
            }
        }
        let desired = self.reconciler.desired();
        let gone: Vec<_> =
            desired.keys().filter(|key| !claims.contains_key(key)).copied().collect();
        for key in gone {
            self.reconciler.want(key, None);
        }
        self.lingering.keep_only(|key| claims.contains_key(key));
        self.claims = claims;
    }

    /// Tells which of the names that were asked for do not resolve, once.
    pub(super) fn compare_names(&mut self, asked: &BTreeSet<String>, names: &Names) {
        let missing: BTreeSet<_> = names_needed(&self.cluster)
            .into_iter()
            .filter(|name| asked.contains(name) || self.unresolved.contains(name))
            .filter(|name| !names.contains_key(name))
            .collect();
        for name in missing.difference(&self.unresolved) {
            let sentence = "name does not resolve, its real servers are left out";
            let entry = Entry::new(EventKind::Configuration, Level::Warn, sentence);
            self.entries.push(entry.with("name", name));
        }
        for name in self.unresolved.difference(&missing) {
            let entry = Entry::new(EventKind::Configuration, Level::Info, "name resolves again");
            self.entries.push(entry.with("name", name));
        }
        self.unresolved = missing;
    }
}

/// Every host name of a configuration.
pub fn names_needed(cluster: &Cluster) -> BTreeSet<String> {
    let hosts = cluster.services.iter().flat_map(hosts_of);
    hosts
        .filter_map(|host| if let Host::Name(name) = host { Some(name.clone()) } else { None })
        .collect()
}

/// The virtual servers that have a host name.
pub(super) fn services_with_names(cluster: &Cluster) -> Vec<usize> {
    let named =
        |service: &VirtualServer| hosts_of(service).any(|host| matches!(host, Host::Name(_)));
    let services = cluster.services.iter().enumerate();
    services.filter(|(_, service)| named(service)).map(|(index, _)| index).collect()
}

fn hosts_of(service: &VirtualServer) -> impl Iterator<Item = &Host> {
    let servers = service.servers.iter().map(|server| &server.host);
    servers.chain(service.sorry.as_ref().map(|sorry| &sorry.host))
}
