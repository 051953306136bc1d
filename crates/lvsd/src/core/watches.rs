//! The checks that nanny keeps going, and the newest verdict of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use control::nanny::{Follow, Watch, WatchId};
use health::{Asked, Fitness, Probe, Verdict};

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// What is asked, and how.
    pub(super) probe: Probe,
    /// The newest verdict.
    pub(super) fitness: Fitness,
    /// Why.
    pub(super) reason: String,
    /// Since when, milliseconds since the Unix epoch, for people.
    pub(super) since_unix_ms: u64,
    /// The virtual servers that rely on it, by their place in the configuration.
    pub(super) users: Vec<usize>,
    /// One of them wants each result.
    pub(super) follow: bool,
}

/// All checks.
#[derive(Debug, Default)]
pub(super) struct Watches {
    by_probe: HashMap<Probe, WatchId>,
    by_id: BTreeMap<WatchId, Watched>,
    cold: BTreeSet<WatchId>,
    last: u64,
    version: u64,
    /// The number of the newest moment at which a server stopped being up.
    moment: u64,
}

impl Watches {
    /// Health by probe; nothing is known of one that is not watched.
    pub(super) fn fitness(&self, probe: &Probe) -> Option<Fitness> {
        Some(self.of(probe)?.fitness)
    }

    /// The check of a probe.
    pub(super) fn of(&self, probe: &Probe) -> Option<&Watched> {
        self.by_id.get(self.by_probe.get(probe)?)
    }

    /// The check of a number.
    pub(super) fn get(&self, id: WatchId) -> Option<&Watched> {
        self.by_id.get(&id)
    }

    /// The number of a probe's check.
    pub(super) fn id(&self, probe: &Probe) -> Option<WatchId> {
        self.by_probe.get(probe).copied()
    }

    /// The next number, which no other watch of nanny has or had.
    pub(super) fn number(&mut self) -> WatchId {
        self.last += 1;
        WatchId(self.last)
    }

    /// Begins a check, knowing this much about it. Of one that has begun, and has not answered yet, that
    /// much is known from now on if nothing was.
    pub(super) fn begin(&mut self, probe: Probe, fitness: Fitness, reason: &str, unix_ms: u64) {
        self.moment = self.moment.max(fitness.last_up);
        if let Some(id) = self.by_probe.get(&probe) {
            let known = self.by_id.get_mut(id);
            let nothing = |known: &&mut Watched| known.fitness.verdict == Verdict::Unknown;
            if let Some(known) = known.filter(nothing)
                && fitness.verdict != Verdict::Unknown
            {
                known.fitness = fitness;
                reason.clone_into(&mut known.reason);
                self.version += 1;
            }
            return;
        }
        let id = self.number();
        self.by_probe.insert(probe.clone(), id);
        let reason = reason.to_owned();
        let watched = Watched {
            probe,
            fitness,
            reason,
            since_unix_ms: unix_ms,
            users: Vec::new(),
            follow: false,
        };
        self.by_id.insert(id, watched);
        self.cold.insert(id);
        self.version += 1;
    }

    /// Says anew who relies on what, and ends the checks that nobody relies on. `followed` are
    /// those who want each result.
    pub(super) fn link<'a>(
        &mut self,
        used: impl Iterator<Item = (usize, &'a Probe)>,
        followed: &BTreeSet<usize>,
    ) {
        for watched in self.by_id.values_mut() {
            watched.users.clear();
        }
        for (user, probe) in used {
            let Some(id) = self.by_probe.get(probe) else { continue };
            let Some(watched) = self.by_id.get_mut(id) else { continue };
            if watched.users.last() != Some(&user) {
                watched.users.push(user);
            }
        }
        for watched in self.by_id.values_mut() {
            let follow = watched.users.iter().any(|user| followed.contains(user));
            let before = std::mem::replace(&mut watched.follow, follow);
            self.version += u64::from(before != follow);
        }
        let before = self.by_id.len();
        self.by_id.retain(|_, watched| !watched.users.is_empty());
        if self.by_id.len() != before {
            let known = &self.by_id;
            self.by_probe.retain(|_, id| known.contains_key(id));
            self.cold.retain(|id| known.contains_key(id));
            self.version += 1;
        }
    }

    /// A verdict came. Returns the check with what was known before; none for one that has ended.
    pub(super) fn judged(
        &mut self,
        id: WatchId,
        verdict: Verdict,
        reason: &str,
        unix_ms: u64,
    ) -> Option<(&Watched, Fitness)> {
        let watched = self.by_id.get_mut(&id)?;
        let before = watched.fitness;
        if before.verdict == Verdict::Up && verdict != Verdict::Up {
            self.moment += 1;
            watched.fitness.last_up = self.moment;
        }
        watched.fitness.verdict = verdict;
        watched.fitness.provisional = verdict == Verdict::Unknown;
        reason.clone_into(&mut watched.reason);
        if before.verdict != verdict {
            watched.since_unix_ms = unix_ms;
        }
        if !watched.fitness.provisional {
            self.cold.remove(&id);
        }
        Some((watched, before))
    }

    /// What a check asks for. Returns who relies on it when that is something else than before.
    pub(super) fn weighed(&mut self, id: WatchId, asked: Asked) -> Option<&[usize]> {
        let watched = self.by_id.get_mut(&id)?;
        let before = std::mem::replace(&mut watched.fitness.asked, asked);
        (before != asked).then_some(watched.users.as_slice())
    }

    /// How many checks have not answered yet.
    pub(super) fn cold(&self) -> usize {
        self.cold.len()
    }

    /// Every check.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&WatchId, &Watched)> {
        self.by_id.iter()
    }

    /// Changes when checks begin or end.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What nanny is to watch.
    pub(super) fn to_watch(&self) -> BTreeMap<WatchId, Watch> {
        let watch = |(id, watched): (&WatchId, &Watched)| {
            let Watched { probe, fitness, follow, .. } = watched;
            let watch = Watch {
                id: *id,
                server: probe.server,
                virtual_server: probe.virtual_server,
                check: probe.check.clone(),
                verdict: fitness.verdict,
                follow: if *follow { Follow::Results } else { Follow::No },
            };
            (*id, watch)
        };
        self.by_id.iter().map(watch).collect()
    }
}
