//! Questions from the control socket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use control::explain::{ExplainedServer, Explanation};
use control::nanny::{ProbeResult, WatchId};
use tokio::sync::oneshot;

use super::api::Question;
use super::{Driver, now};
use crate::core::Surroundings;

/// Counters older than this are read anew before they are shown.
const FRESH: Duration = Duration::from_millis(500);

/// How long nanny may take to tell its results.
const PATIENCE: Duration = Duration::from_millis(500);

/// Questions that wait for something. Each holds a connection, of which there are few.
#[derive(Default)]
pub(super) struct Waiting {
    /// For a look at the kernel.
    look: Vec<Question>,
    /// For nanny's memory.
    memory: Vec<Memory>,
}

struct Memory {
    servers: Vec<(ExplainedServer, Option<WatchId>)>,
    missing: BTreeSet<WatchId>,
    results: BTreeMap<WatchId, Vec<ProbeResult>>,
    until: Instant,
    place: oneshot::Sender<Explanation>,
}

impl Waiting {
    /// Nanny's answer has come.
    pub(super) fn remembered(&mut self, id: WatchId, results: Vec<ProbeResult>) {
        for one in &mut self.memory {
            if one.missing.remove(&id) {
                one.results.insert(id, results.clone());
            }
        }
        self.answer(|one| one.missing.is_empty());
    }

    /// When somebody has waited long enough.
    pub(super) fn deadline(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        self.memory.iter().map(|one| one.until).fold(far, Instant::min)
    }

    /// Answers whoever has waited long enough with what there is.
    pub(super) fn forget_late(&mut self, now: Instant) {
        self.answer(|one| one.until <= now);
    }

    fn answer(&mut self, ripe: impl Fn(&Memory) -> bool) {
        for one in self.memory.extract_if(.., |one| ripe(one)) {
            let Memory { servers, mut results, place, .. } = one;
            let servers = servers.into_iter().map(|(mut server, watch)| {
                server.results = watch.and_then(|id| results.remove(&id)).unwrap_or_default();
                server
            });
            // Whoever asked may have gone.
            let _ = place.send(Explanation { servers: servers.collect() });
        }
    }
}

impl Driver {
    /// A question came.
    pub(super) fn asked(&mut self, question: Question) {
        match question {
            Question::Act(action, place) => {
                let _ = place.send(self.core.act(&action, now()));
            }
            Question::Apply(apply, place) => self.apply(apply, place),
            question if self.core.looked_ago(now()) < FRESH => self.answer_now(question),
            question => {
                self.core.look();
                self.waiting.look.push(question);
            }
        }
    }

    /// The kernel has been looked at.
    pub(super) fn answer_waiting(&mut self) {
        for question in std::mem::take(&mut self.waiting.look) {
            self.answer_now(question);
        }
    }

    /// Whoever asked may have gone, so that no answer arrives.
    fn answer_now(&mut self, question: Question) {
        match question {
            Question::Status(place) => {
                let _ = place.send(self.core.status(&self.surroundings(), now()));
            }
            Question::Plan(request, place) => {
                let mut answer = self.core.foresee_changes(&request);
                let cluster = request.cluster.as_deref().unwrap_or(self.core.cluster());
                answer.marks = self.settings.marks.foresee(cluster);
                let _ = place.send(answer);
            }
            Question::Explain(server, place) => self.explain(&server, place),
            other @ (Question::Act(..) | Question::Apply(..)) => self.asked(other),
        }
    }

    fn explain(&mut self, server: &str, place: oneshot::Sender<Explanation>) {
        let servers: Vec<_> = self
            .core
            .explain(server, now())
            .into_iter()
            .map(|(service, server, watch)| {
                let marked = self.core.marked_in_words(&service);
                (ExplainedServer { service, marked, server, results: Vec::new() }, watch)
            })
            .collect();
        let missing: BTreeSet<_> = servers.iter().filter_map(|(_, watch)| *watch).collect();
        for id in &missing {
            self.nannies.recall(*id);
        }
        let until = Instant::now() + PATIENCE;
        let results = BTreeMap::new();
        self.waiting.memory.push(Memory { servers, missing, results, until, place });
        self.waiting.answer(|one| one.missing.is_empty());
    }

    fn surroundings(&self) -> Surroundings {
        let nannies = self.checks.values();
        Surroundings {
            config: self.configuration.status(),
            config_hash: self.configuration.hash(),
            uptime: self.started.elapsed(),
            nanny_pids: nannies.clone().filter_map(|nanny| nanny.pid).collect(),
            nanny_restarts: nannies.clone().map(|nanny| nanny.restarts).sum(),
            marks_problem: self.settings.marks.problem.clone(),
            ftp_problem: self.ftp_problem(),
            checks: nannies.fold((0, 0), |(passed, failed), nanny| {
                (passed + nanny.passed, failed + nanny.failed)
            }),
        }
    }
}
