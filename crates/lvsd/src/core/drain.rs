//! The end of a drain: no connection is left, or its deadline has passed.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use health::Subject;
use health::ledger::Aspect;
use runtime::journal::{EventKind, Level};

use super::{Core, Entry, Now, live};

/// Connections come to a router that takes a group within this time, or `dead_after` if that is longer.
const SETTLED: Duration = Duration::from_secs(2);

/// The time in which connections come to a router that has just taken a group.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// The groups have changed since the kernel was last read.
    begins: bool,
    over_at: Option<Instant>,
}

impl Core {
    /// Ends drains whose deadline has passed.
    pub(super) fn end_overdue_drains(&mut self, now: Now) {
        let overdue = self.open_drains(|core, service, label| {
            let drain = core.decisions.of(service, label).and_then(|known| known.drain.as_ref());
            drain.and_then(|drain| drain.deadline).is_some_and(|deadline| deadline <= now.boot)
        });
        for (service, label) in overdue {
            self.end_drain(&service, &label, "its deadline has passed");
        }
    }

    /// Ends drains that have done their work. Only right after the table and its counters were
    /// read together: a server that still had its weight then could have taken connections since.
    ///
    /// Only on the router that has the connections: the standby has none, and would end each drain
    /// at once. So would one that has just taken over, before any connection comes to it; while two
    /// hold a group, the connections may be with the other one.
    pub(super) fn end_quiet_drains(&mut self, now: Now) {
        if std::mem::take(&mut self.arrival.begins) {
            let pair = self.cluster.pair.as_ref();
            let wait = pair.map_or(SETTLED, |pair| pair.heartbeat.dead_after.max(SETTLED));
            self.arrival.over_at = Some(now.instant + wait);
        }
        if self.arrival.over_at.is_some_and(|over_at| now.instant < over_at) {
            return;
        }
        let quiet = self.open_drains(|core, service, label| {
            core.carries(service) && core.is_quiet(service, label)
        });
        for (service, label) in quiet {
            self.end_drain(&service, &label, "no connection is left");
        }
    }

    /// pulse says which groups this router holds.
    pub fn active(&mut self, groups: Vec<String>) {
        let groups = Some(groups.into_iter().collect());
        if groups != self.groups {
            self.groups = groups;
            self.arrival.begins = true;
            self.compare_all_empty();
        }
    }

    /// Whether the connections of a virtual server come to this router. What belongs to no group
    /// does when any group is here.
    pub(super) fn carries(&self, service: &str) -> bool {
        let Some(active) = &self.groups else { return true };
        let Some(service) = self.cluster.services.iter().find(|known| known.name == service) else {
            return false;
        };
        let listens = |ip: IpAddr| service.listen.ports().iter().any(|ports| ports.ip == ip);
        let groups = self.cluster.pair.iter().flat_map(|pair| &pair.groups);
        let mut own = groups
            .filter(|group| group.addresses.iter().any(|floating| listens(floating.ip)))
            .peekable();
        match own.peek() {
            Some(_) => own.any(|group| active.contains(&group.name)),
            None => !active.is_empty(),
        }
    }

    fn open_drains(&self, ended: impl Fn(&Self, &str, &str) -> bool) -> Vec<(String, String)> {
        let open = self
            .decisions
            .iter()
            .filter(|(_, _, decided)| decided.drain.as_ref().is_some_and(|drain| !drain.done));
        open.filter(|(service, label, _)| ended(self, service, label))
            .map(|(service, label, _)| (service.to_owned(), label.to_owned()))
            .collect()
    }

    fn is_quiet(&self, service: &str, label: &str) -> bool {
        let Some(wanted) = self.services.iter().find(|wanted| wanted.name == service) else {
            return false;
        };
        let mut places = wanted
            .servers
            .iter()
            .filter(|server| server.label == label)
            .flat_map(|server| &server.places)
            .peekable();
        places.peek().is_some()
            && places.all(|(key, at)| {
                let pool = self.reconciler.believed().get(key);
                let weight = pool.and_then(|pool| pool.destinations.get(at)).map(|to| to.weight);
                let left = self.counted(key, at);
                weight.is_none_or(|weight| weight == 0)
                    && left.is_none_or(|left| live(left.connections) == 0)
            })
    }

    fn end_drain(&mut self, service: &str, label: &str, why: &str) {
        let left = self.connections(service, label);
        let (at, server) = (service.to_owned(), label.to_owned());
        let subject = Subject { service: at, server, aspect: Aspect::Drain };
        if !self.ledger.end_drain(&subject) {
            return;
        }
        self.decided(&subject);
        self.tell_partner(subject);
        let entry = Entry::new(EventKind::Operator, Level::Info, "real server drained")
            .with("service", service)
            .with("server", label)
            .with("reason", why)
            .with("connections_left", left);
        self.entries.push(entry);
    }

    /// Connections of one real server when the kernel was last read.
    fn connections(&self, service: &str, label: &str) -> u64 {
        let services = self.services.iter().filter(|wanted| wanted.name == service);
        let servers = services.flat_map(|wanted| &wanted.servers);
        let places = servers.filter(|server| server.label == label).flat_map(|known| &known.places);
        places
            .filter_map(|(key, at)| self.counted(key, at))
            .map(|counted| live(counted.connections))
            .sum()
    }
}
