//! A verdict of one check, and what it means for the real servers that it answers for.

use control::nanny::WatchId;
use health::{Asked, Fitness, Probe, Verdict, WantedServer};

use super::watches::Watched;
use super::{Core, Now, report};

/// More first results than this are told as one sum, not one by one.
const FIRST_RESULTS_TOLD: usize = 100;

/// A real server of which something is to be told.
pub(super) struct Turned {
    /// Its virtual server, by its place in the configuration.
    pub(super) user: usize,
    /// Its place in the list of its virtual server.
    pub(super) index: usize,
    /// What people call it.
    pub(super) label: String,
    /// What all its checks said together before, and what they say now.
    pub(super) before: Verdict,
    pub(super) now: Verdict,
}

impl Turned {
    /// Whether somebody is to be told, beside the log: not of those that are up at the start.
    pub(super) fn is_news(&self) -> bool {
        self.now != self.before && (self.before != Verdict::Unknown || self.now == Verdict::Down)
    }
}

impl Core {
    /// Nanny has a verdict.
    pub fn judged(&mut self, id: WatchId, verdict: Verdict, reason: &str, after: u32, now: Now) {
        let cold = self.watches.cold();
        let Some((watched, before)) = self.watches.judged(id, verdict, reason, now.unix_ms) else {
            return;
        };
        if before.verdict != verdict {
            self.rising.judged(id, before.verdict, verdict, now.instant);
            self.stale.extend(&watched.users);
            self.seen_changed = true;
            if before.verdict != Verdict::Unknown
                || verdict == Verdict::Down
                || cold <= FIRST_RESULTS_TOLD
            {
                let watched = watched.clone();
                let turned = self.turned(&watched, before);
                self.entries.push(report::verdict(&self.services, &watched, &turned, after));
                for one in turned.iter().filter(|one| one.is_news()) {
                    self.tell_verdict(one, reason, now);
                }
            }
        }
        if self.watches.cold() == 0 && !self.told_warm {
            self.told_warm = true;
            self.entries.push(report::warm(&self.watches));
        }
    }

    /// The weight that a check asks for, or none.
    pub fn weighed(&mut self, id: WatchId, weight: Option<u32>) {
        if let Some(users) = self.watches.weighed(id, Asked::of(weight)) {
            self.stale.extend(users);
            self.seen_changed = true;
        }
    }

    /// The real servers that a check answers for, with what a change of it is for each.
    fn turned(&self, watched: &Watched, before: Fitness) -> Vec<Turned> {
        let services =
            watched.users.iter().filter_map(|user| Some((*user, self.services.get(*user)?)));
        let servers = services.flat_map(|(user, service)| {
            let has = |server: &&WantedServer| server.probes.contains(&watched.probe);
            service.servers.iter().filter(has).map(move |server| (user, server))
        });
        let turned = servers.map(|(user, server)| Turned {
            user,
            index: server.index,
            label: server.label.clone(),
            before: self.together(server, &watched.probe, before),
            now: self.together(server, &watched.probe, watched.fitness),
        });
        turned.collect()
    }

    /// What all checks of a real server say, when this one says so.
    fn together(&self, server: &WantedServer, probe: &Probe, own: Fitness) -> Verdict {
        let others = server.probes.iter().filter(|other| *other != probe);
        others.map(|other| self.fitness_now(other)).fold(own, Fitness::and).verdict
    }
}
