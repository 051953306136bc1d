//! The programs that nanny runs for the load of real servers, and what they said.

use std::collections::{BTreeMap, HashMap};

use control::nanny::{Follow, Verdict, Watch, WatchId};
use health::Probe;
use health::load::{self, Meter, Reading};
use runtime::journal::{EventKind, Level};

use super::{Core, Entry, Now};

/// Failures in a row that are told.
const FAILURES_TOLD: u32 = 3;

/// Of one real server.
#[derive(Clone, Debug)]
struct Load {
    probe: Probe,
    meter: Meter,
    failures: u32,
    /// The virtual servers whose weights follow it.
    users: Vec<usize>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Loads {
    by_probe: HashMap<Probe, WatchId>,
    by_id: BTreeMap<WatchId, Load>,
    version: u64,
}

impl Loads {
    /// What a program said of late.
    pub(super) fn reading(&self, probe: &Probe) -> Option<Reading> {
        self.by_id.get(self.by_probe.get(probe)?)?.meter.reading()
    }

    /// Says anew which are wanted: new ones get a number, those that nobody wants end.
    pub(super) fn link<'a>(
        &mut self,
        used: impl Iterator<Item = (usize, &'a Probe)>,
        mut number: impl FnMut() -> WatchId,
    ) {
        let before = self.by_id.len();
        for load in self.by_id.values_mut() {
            load.users.clear();
        }
        for (user, probe) in used {
            let id = *self.by_probe.entry(probe.clone()).or_insert_with(|| {
                self.version += 1;
                number()
            });
            let fresh = || Load {
                probe: probe.clone(),
                meter: Meter::default(),
                failures: 0,
                users: Vec::new(),
            };
            self.by_id.entry(id).or_insert_with(fresh).users.push(user);
        }
        self.by_id.retain(|_, load| !load.users.is_empty());
        self.by_probe.retain(|_, id| self.by_id.contains_key(id));
        self.version += u64::from(before != self.by_id.len());
    }

    /// Changes when programs begin or end.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What nanny is to run.
    pub(super) fn to_watch(&self) -> impl Iterator<Item = (WatchId, Watch)> {
        self.by_id.iter().map(|(id, load)| {
            let watch = Watch {
                id: *id,
                server: load.probe.server,
                virtual_server: load.probe.virtual_server,
                check: load.probe.check.clone(),
                verdict: Verdict::Unknown,
                follow: Follow::Output,
            };
            (*id, watch)
        })
    }
}

impl Core {
    /// A program said how loaded a real server is, or failed.
    pub(super) fn measured(&mut self, id: WatchId, passed: bool, said: &str, now: Now) {
        let Some(load) = self.loads.by_id.get_mut(&id) else { return };
        let number = if passed { load::read(said) } else { None };
        let interval = load.probe.check.interval;
        let (changed, entry) = match number {
            Some(number) => {
                let known_again = std::mem::take(&mut load.failures) >= FAILURES_TOLD;
                let sentence = "load is known again";
                let entry = Entry::new(EventKind::Verdict, Level::Info, sentence);
                (load.meter.measured(number, now.instant), known_again.then_some(entry))
            }
            None => {
                load.failures = load.failures.saturating_add(1);
                let reason = if passed { "it printed no load" } else { said };
                let sentence = "load is not known, the configured weight counts";
                let entry = Entry::new(EventKind::Verdict, Level::Warn, sentence);
                let told = load.failures == FAILURES_TOLD;
                let entry = told.then(|| entry.with("reason", reason));
                (load.meter.expire(interval, now.instant), entry)
            }
        };
        self.entries.extend(entry.map(|entry| entry.with("server", load.probe.server)));
        if changed {
            self.stale.extend(&load.users);
        }
    }
}
