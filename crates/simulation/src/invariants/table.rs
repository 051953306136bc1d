//! What must hold of the kernels' tables, and of what operators have decided.

use std::collections::BTreeSet;
use std::time::Duration;

use config::model::{OnFailure, OnStop, RealServer, VirtualServer};
use health::wanted::{keys, label};
use health::{Decided, Item, Ruling, Subject, Verdict};
use ipvs::{Pool, ServiceKey, Step, Table};

use super::Invariant;
use crate::director::{Director, Running};
use crate::farm;
use crate::fault::{Index, Micros};
use crate::release::Release;
use crate::world::World;

/// The kernel may be asked, refuse, and be asked again for so long before the table is as wanted:
/// an audit, and the first tries after a refusal.
const MENDED: Micros = 12_000_000;
/// What two clocks may make of a span, beside the time that a letter may be on its way.
const SPANS: Duration = Duration::from_secs(1);

/// What is known of one real server on one router.
struct Known {
    decided: Decided,
    verdict: Option<Verdict>,
    /// It was up once in this life of lvsd.
    seen_up: bool,
    /// Weight in the kernel; none when it is not there.
    weight: Option<u32>,
}

impl Known {
    fn serves(&self) -> bool {
        self.weight.is_some_and(|weight| weight > 0)
    }

    /// It would serve if its check passed.
    fn is_meant_to(&self) -> bool {
        self.decided.disabled.is_none() && self.decided.drain.is_none()
    }
}

impl Director {
    fn known(&self, running: &Running, service: &VirtualServer, server: &RealServer) -> Known {
        let label = label(server);
        let at = label.parse().ok();
        let id = running.watches.values().find(|watch| Some(watch.server) == at);
        let key = keys(&service.listen).into_iter().next();
        let pool = key.and_then(|key| self.kernel.table.get(&key));
        let there = pool.and_then(|pool| pool.destinations.get(&at?));
        Known {
            decided: self.disk.ledger.decided(&service.name, &label),
            verdict: id.and_then(|watch| running.said.get(&watch.id)).copied(),
            seen_up: id.is_some_and(|watch| running.seen_up.contains(&watch.id)),
            weight: there.map(|destination| destination.weight),
        }
    }

    /// Why a virtual server is not as it is wanted, in words.
    fn wrong(&self, running: &Running, service: &VirtualServer) -> Option<String> {
        let key = keys(&service.listen).into_iter().next()?;
        let Some(pool) = self.kernel.table.get(&key) else {
            return Some(format!("{} is not there", service.name));
        };
        if pool.service.scheduler != service.scheduler {
            return Some(format!("{} has another scheduler", service.name));
        }
        let known =
            service.servers.iter().map(|server| (server, self.known(running, service, server)));
        let known: Vec<_> = known.collect();
        let wrong = known.iter().find_map(|(server, known)| wrong_server(service, server, known));
        wrong.or_else(|| wrong_pool(service, pool, &known))
    }
}

/// A real server of which the check has spoken.
fn wrong_server(service: &VirtualServer, server: &RealServer, known: &Known) -> Option<String> {
    let Known { decided, verdict, weight, .. } = known;
    let drained = decided.drain.as_ref().is_some_and(|drain| drain.done);
    let configured = decided.weight.as_ref().map_or(server.weight, |(weight, _)| *weight);
    let right = match verdict {
        _ if decided.disabled.is_some() || drained => weight.unwrap_or(0) == 0,
        Some(Verdict::Up) if decided.drain.is_some() => *weight == Some(0),
        Some(Verdict::Up) => *weight == Some(configured),
        Some(Verdict::Down) if service.on_failure == OnFailure::Quiesce => weight.is_some(),
        _ => true,
    };
    (!right).then(|| format!("{} has {weight:?}, {verdict:?} and {decided:?}", label(server)))
}

/// The whole pool: those that failed are out, but for those that the limit keeps, and the sorry
/// server serves alone.
fn wrong_pool(
    service: &VirtualServer,
    pool: &Pool,
    known: &[(&RealServer, Known)],
) -> Option<String> {
    let meant = known.iter().map(|(_, one)| one).filter(|one| one.is_meant_to());
    // Of those whose check has not answered lvsd may remember that they were down.
    let silent = meant.clone().filter(|one| one.verdict.is_none()).count();
    let (up, down): (Vec<_>, Vec<_>) = meant
        .filter(|one| matches!(one.verdict, Some(Verdict::Up | Verdict::Down)))
        .partition(|one| one.verdict == Some(Verdict::Up));
    let kept = down.iter().filter(|one| one.serves()).count();
    if down.len() + silent <= service.max_down.of(up.len()) && kept > 0 {
        return Some(format!("{} keeps who is down", service.name));
    }
    let left = down.iter().filter(|one| one.seen_up && !one.serves()).count();
    if service.sorry.is_none() && left > service.max_down.of(service.servers.len()) {
        return Some(format!("checks took {left} out of {}", service.name));
    }
    let real = |at: &std::net::SocketAddr| farm::number(at.ip()).is_some();
    let serving = pool.destinations.iter().filter(|(_, one)| one.weight > 0);
    let (real, sorry): (Vec<_>, Vec<_>) = serving.partition(|(at, _)| real(at));
    let alone = sorry.is_empty() || real.is_empty();
    (!alone).then(|| format!("{} has its sorry server beside others", service.name))
}

impl World {
    /// lvsd says that all is in place: then it is, and whoever is up serves.
    pub(crate) fn table_in_place(&mut self, index: Index) {
        let now = self.now;
        let awake = self.routers.get(index).filter(|router| !router.sleeps());
        let Some(director) = awake.and_then(|router| router.director.as_ref()) else { return };
        let Some(running) = director.running.as_ref() else { return };
        let in_place = running.told.is_some_and(|told| told.table_in_place);
        let wrong = if in_place && running.under_way.is_none() && !director.edited {
            let services = &running.core.cluster().services;
            services.iter().find_map(|service| director.wrong(running, service))
        } else {
            None
        };
        let since = running.started.max(director.disturbed_at).max(running.in_place_at);
        let late = !in_place && now.saturating_sub(since) > MENDED;
        self.arm(Invariant::Table, true, 1);
        if let Some(wrong) = wrong {
            self.violate(Invariant::Table, format!("router {index}: {wrong}"));
        }
        if late {
            self.violate(Invariant::Table, format!("router {index}: not in place for long"));
        }
    }

    /// The virtual servers that have somebody who is up, and is to serve.
    pub(crate) fn have_somebody(&self, index: Index) -> BTreeSet<ServiceKey> {
        let director = self.routers.get(index).and_then(|one| one.director.as_ref());
        let running = director.and_then(|director| director.running.as_ref());
        let Some((director, running)) = director.zip(running) else { return BTreeSet::new() };
        let services = running.core.cluster().services.iter();
        let up = |one: &Known| one.is_meant_to() && one.verdict == Some(Verdict::Up);
        let served = services.filter(|service| {
            let mut servers = service.servers.iter();
            servers.any(|server| up(&director.known(running, service, server)))
        });
        served.flat_map(|service| keys(&service.listen)).collect()
    }

    /// The kernel has somebody who serves, and there was somebody who is up when it was asked.
    pub(crate) fn serves(&self, index: Index, key: &ServiceKey) -> bool {
        let director = self.routers.get(index).and_then(|one| one.director.as_ref());
        let Some(director) = director else { return false };
        let pool = director.kernel.table.get(key);
        let serving = pool.is_some_and(|pool| pool.destinations.values().any(|one| one.weight > 0));
        let running = director.running.as_ref();
        serving && running.is_some_and(|running| running.served.contains(key))
    }

    /// After each change: nobody else's service was touched, and no pool that served, and has
    /// somebody who is up, was emptied.
    pub(crate) fn step_done(&mut self, index: Index, step: &Step, served: bool) {
        self.arm(Invariant::Step, true, 1);
        let director = self.routers.get(index).and_then(|one| one.director.as_ref());
        let Some(director) = director else { return };
        let (key, pool) = farm::foreign();
        if director.kernel.table.get(&key) != Some(&pool) {
            self.violate(
                Invariant::Step,
                format!("router {index}: {step} touches what is foreign"),
            );
            return;
        }
        let key = step.service();
        let left = director.kernel.table.get(key);
        let serves = left.is_some_and(|pool| pool.destinations.values().any(|one| one.weight > 0));
        if served && !serves {
            self.violate(Invariant::Step, format!("router {index}: {step} empties a pool"));
        }
    }

    /// After an orderly stop.
    pub(crate) fn left_after_stop(&mut self, index: Index, before: &Table) {
        self.arm(Invariant::Stopped, true, 1);
        let removes = self.shape.farm == Some(OnStop::Remove);
        let director = self.routers.get(index).and_then(|one| one.director.as_ref());
        let Some(director) = director else { return };
        let right = if removes {
            director.kernel.table == farm::fresh()
        } else {
            director.kernel.table == *before
        };
        if !right {
            let left: Vec<_> = director.kernel.table.keys().collect();
            self.violate(Invariant::Stopped, format!("router {index} leaves {left:?}"));
        }
    }

    /// At the end of a run: all checks have spoken, all is in place, and both hold the same
    /// decisions, the operators' last ones.
    pub(crate) fn same_decisions(&mut self) {
        if self.farm.is_none() || self.violation.is_some() {
            return;
        }
        for index in [0, 1] {
            self.table_in_place(index);
            let running = self.routers.get_mut(index).and_then(crate::router::Router::running_mut);
            let told = running.and_then(|running| running.told);
            if !told.is_some_and(|told| told.table_in_place && told.checks_warm) {
                self.violate(Invariant::Table, format!("router {index} ends with {told:?}"));
            }
        }
        let reads_letters = |router: &crate::router::Router| {
            router.node.as_ref().is_some_and(|node| node.release != Release::Previous)
        };
        if !self.routers.iter().all(reads_letters) {
            return;
        }
        self.arm(Invariant::Decisions, true, 1);
        if let Some(differs) = self.decisions_differ() {
            self.violate(Invariant::Decisions, differs);
        }
    }

    fn decisions_differ(&self) -> Option<String> {
        let [Some(one), Some(other)] = self.routers.each_ref().map(|one| one.director.as_ref())
        else {
            return None;
        };
        let [one, other] = [&one.disk.ledger, &other.disk.ledger];
        let moments = self.routers.each_ref().map(|router| router.clock.at(self.now).0);
        for (subject, item) in one.iter() {
            let theirs = other.get(subject);
            // A deadline that has passed has passed on both.
            let left = |ruling: Option<&Ruling>, now: Duration| match ruling {
                Some(Ruling::Drain(drain)) => drain.deadline.map(|at| at.saturating_sub(now)),
                _ => None,
            };
            let [now, then] = moments;
            let (ours, ruled) = (item.ruling.as_ref(), theirs.and_then(|one| one.ruling.as_ref()));
            let (here, there) = (left(ours, now), left(ruled, then));
            let age = now.saturating_sub(item.since);
            // A machine that started after the decision knows no longer ago than its start.
            let known = |item: &&Item| item.since > Duration::ZERO;
            let ages = theirs.filter(|theirs| known(&item) && known(theirs));
            let ages = ages.map(|theirs| (age, then.saturating_sub(theirs.since)));
            // A clock that is wrong by 3 % is so all along.
            let slack = SPANS + Duration::from_micros(self.max_age()) + age * 7 / 100;
            let near = |(here, there): (Duration, Duration)| here.abs_diff(there) < slack;
            let near = ages.is_none_or(near) && here.zip(there).is_none_or(near);
            let same = theirs.is_some_and(|theirs| theirs.stamp == item.stamp) && near;
            if !same || here.is_some() != there.is_some() {
                return Some(format!("{subject:?}: {item:?} here, {theirs:?} there"));
            }
        }
        if one.len() != other.len() {
            return Some("one knows more than the other".to_owned());
        }
        let (about, said) = self.words.iter().find(|((service, server, aspect), said)| {
            let (service, server) = (service.clone(), server.clone());
            let item = one.get(&Subject { service, server, aspect: *aspect });
            !said.is(item.and_then(|item| item.ruling.as_ref()))
        })?;
        Some(format!("{about:?}: the last word was {said:?}"))
    }
}
