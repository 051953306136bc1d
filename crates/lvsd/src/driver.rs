//! The director in its surroundings: everything that happens becomes an event of the core, and
//! what the core wants is done here.

mod api;
mod configuration;
mod ftp_helper;
mod guard;
mod kernel;
mod mail;
mod maintenance;
mod marks;
mod names;
mod nannies;
mod notices;
mod parent;
mod questions;
mod results;
mod start;
mod stop;
mod store;
mod sysctls;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use config::in_force::How;
use config::model::Kernel;
use control::nanny::FromNanny;
use runtime::control_server::ControlServer;
use runtime::journal::{EventKind, Level};
use runtime::logging::LogOutput;
use runtime::signals::{Request, Signals};
use runtime::sysctl::Values;
use runtime::{ExitError, Journal, readiness};
use tokio::sync::{mpsc, watch};

use crate::core::{Core, Entry, KernelWork, Now, sum_up};
use configuration::Configuration;
use guard::Guard;
use kernel::{Answer, Job, SyncOn};
use marks::Marks;
use nannies::{Kind, Nannies, News};
use notices::Tellers;
use parent::{Parent, Wish};
use questions::Waiting;
use results::Results;
use stop::Rest;
use store::Store;

pub use start::{prepare, run};

/// Events that may wait; whoever has more to say waits.
const WAITING_EVENTS: usize = 1024;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(1);

/// What happens outside.
#[derive(Debug)]
enum Event {
    /// The kernel has answered.
    Kernel(Answer),
    /// A nanny says something.
    Nanny(Kind, News),
    /// Names were asked for.
    Names(names::Round),
    /// The files of the maintenance folder.
    Resting(BTreeSet<String>),
}

/// The running daemon.
struct Driver {
    core: Core,
    store: Store,
    journal: Journal,
    output: LogOutput,
    signals: Signals,
    parent: Parent,
    /// For the case that the parent ends unasked.
    guard: Option<Guard>,
    kernel: mpsc::Sender<Job>,
    settings: Settings,
    events: mpsc::Receiver<Event>,
    nannies: Nannies,
    checks: BTreeMap<&'static str, Nanny>,
    names: watch::Sender<BTreeSet<String>>,
    maintenance: watch::Sender<maintenance::Place>,
    tellers: Tellers,
    results: Results,
    configuration: Configuration,
    questions: mpsc::Receiver<api::Question>,
    waiting: Waiting,
    /// Removes the socket when it goes.
    _socket: ControlServer,
    started: Instant,
    beat: Instant,
}

/// The kernel's settings beside the table.
#[derive(Debug, Default)]
struct Settings {
    due: bool,
    busy: bool,
    /// The sync daemons that run are ours.
    sync_ours: Option<SyncOn>,
    /// What failed, so that it is told once.
    told: Vec<String>,
    /// What settings below `/proc/sys` were before they were changed.
    before: Values,
    /// Those that could not be written.
    unwritten: Vec<String>,
    marks: Marks,
    /// FTP by NAT lacks the kernel's helper.
    ftp_helper_missing: bool,
}

/// What is known of one nanny process.
#[derive(Clone, Copy, Debug, Default)]
struct Nanny {
    pid: Option<u32>,
    restarts: u64,
    passed: u64,
    failed: u64,
}

/// Why the daemon ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was asked to.
    Stopped,
    /// pulse is gone; whoever comes next finds the table as it is.
    Orphaned,
    /// Another binary takes our place.
    Replaced,
}

fn now() -> Now {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Now {
        instant: Instant::now(),
        boot: Duration::try_from(boot).unwrap_or_default(),
        unix_ms: runtime::timestamp::unix_ms(),
    }
}

impl Driver {
    /// Works until somebody asks it to end.
    async fn work(&mut self) -> Result<End, ExitError> {
        loop {
            self.flush().await?;
            let deadline = [self.core.next_deadline(now()), self.beat, self.waiting.deadline()]
                .into_iter()
                .chain(self.configuration.deadline())
                .fold(self.beat, Instant::min);
            tokio::select! {
                request = self.signals.next() => match request {
                    Request::Stop => return Ok(End::Stopped),
                    Request::Reload => self.configuration.reload(&self.core, How::Unconfirmed),
                    Request::ReopenLog => self.results.reopen(),
                    Request::Replace => return Ok(End::Replaced),
                },
                wish = self.parent.wish() => match wish? {
                    Wish::Stop => return Ok(End::Stopped),
                    Wish::Orphaned => return Ok(End::Orphaned),
                    Wish::Reload => self.configuration.reload(&self.core, How::Unconfirmed),
                    Wish::Roles(groups) => self.core.active(groups),
                    Wish::Partner(router) => self.core.has_partner(router),
                    Wish::Letter(text) => self.core.letter_came(&text, now()),
                },
                Some(event) = self.events.recv() => self.take_in(event),
                Some(question) = self.questions.recv() => self.asked(question),
                news = self.configuration.news() => match news? {
                    None => self.configuration.reload(&self.core, How::Unconfirmed),
                    Some(read) => self.configured(read),
                },
                () = tokio::time::sleep_until(deadline.into()) => {
                    self.core.tick(now());
                    self.end_trial();
                }
            }
        }
    }

    /// Takes an event, and those that wait behind it: what many verdicts change is worked out
    /// once.
    fn take_in(&mut self, event: Event) {
        self.happened(event);
        for _ in 0..WAITING_EVENTS {
            let Ok(event) = self.events.try_recv() else { return };
            self.happened(event);
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Kernel(answer) => self.kernel_answered(answer),
            Event::Nanny(kind, news) => self.nanny_said(kind, news),
            Event::Names(names::Round { asked, answer }) => {
                self.core.resolved(&asked, &answer, now());
                self.maintenance.send_replace(maintenance::Place::of(&self.core));
            }
            Event::Resting(names) => self.core.rest(names),
        }
    }

    fn kernel_answered(&mut self, answer: Answer) {
        match answer {
            Answer::Applied(steps, results) => self.core.applied(&steps, &results, now()),
            Answer::Dumped(Ok(dump)) => {
                for entry in &dump.unreadable {
                    tracing::debug!(entry, "kernel holds what there are no words for");
                }
                self.core.dumped(dump.table, dump.stats, now());
                let untouched = self.core.cluster().kernel == Kernel::default();
                self.settings.due |= !untouched;
                self.settle_sysctls();
                self.audit_marks();
                self.look_for_ftp_helper();
                self.answer_waiting();
            }
            Answer::Dumped(Err(reason)) => {
                self.core.kernel_failed(&reason, now());
                self.answer_waiting();
            }
            Answer::Settled { changed, failed, ours } => self.settled(&changed, failed, ours),
            Answer::Marked(marked) => self.marked(marked),
        }
    }

    fn settled(&mut self, changed: &[String], failed: Vec<String>, ours: Option<SyncOn>) {
        self.settings.busy = false;
        if self.settings.sync_ours != ours {
            self.settings.sync_ours = ours;
            complain(self.store.save_owned(self.core.owned(), ours));
        }
        if !changed.is_empty() {
            let fields = [("change", changed.join(", "))];
            self.journal.record(EventKind::Kernel, Level::Info, "kernel settings changed", &fields);
        }
        for problem in failed.iter().filter(|problem| !self.settings.told.contains(problem)) {
            let sentence = "kernel refuses a setting, it is tried again";
            let fields = [("reason", problem.clone())];
            self.journal.record(EventKind::Kernel, Level::Error, sentence, &fields);
        }
        self.settings.told = failed;
    }

    fn nanny_said(&mut self, kind: Kind, news: News) {
        let nanny = self.checks.entry(kind.name()).or_default();
        match news {
            News::Started { pid, restarts } => {
                *nanny = Nanny { pid: Some(pid), restarts, ..Nanny::default() };
                tracing::debug!(pid, kind = kind.name(), "nanny started");
                self.nannies.tell(self.core.checks());
            }
            News::Ended { why } => {
                nanny.pid = None;
                let fields = [("nanny", kind.name().to_owned()), ("reason", why)];
                let sentence = "nanny ended, it is started again";
                self.journal.record(EventKind::Daemon, Level::Warn, sentence, &fields);
            }
            News::Said(FromNanny::Hello { .. }) => {}
            News::Said(FromNanny::Verdict { id, verdict, reason, after, weight }) => {
                self.core.weighed(id, weight);
                self.core.judged(id, verdict, &reason, after, now());
            }
            News::Said(FromNanny::Checked { id, passed, reason, .. }) => {
                self.core.checked(id, passed, &reason, now());
            }
            News::Said(FromNanny::Results { id, results }) => {
                self.waiting.remembered(id, results);
            }
            News::Said(FromNanny::Counters { passed, failed, .. }) => {
                (nanny.passed, nanny.failed) = (passed, failed);
            }
        }
    }

    /// Does what the core wants now.
    async fn flush(&mut self) -> Result<(), ExitError> {
        let now = now();
        let work = self.core.kernel_work(now);
        // On disk first: what the next change makes ours must be known to whoever comes after a
        // crash.
        self.save_owned();
        if let Some(work) = work {
            self.hand_to_kernel(match work {
                KernelWork::Dump => Job::Dump,
                KernelWork::Apply(steps) => Job::Apply(steps),
            })?;
        }
        if self.settings.due && !self.settings.busy {
            let kernel = Box::new(self.core.cluster().kernel.clone());
            self.settings.due = false;
            self.settings.busy = true;
            self.hand_to_kernel(Job::Settings { kernel, ours: self.settings.sync_ours })?;
        }
        self.look_at_marks()?;
        for Entry { kind, level, message, fields } in self.core.entries() {
            self.journal.record(kind, level, message, &fields);
        }
        for notice in self.core.notices(now) {
            self.tellers.tell(notice);
        }
        self.results.write(self.core.results());
        if let Some(ledger) = self.core.decisions_to_save() {
            complain(self.store.save_decisions(ledger));
        }
        for letter in self.core.letters(now) {
            self.parent.letter(letter).await;
        }
        if let Some(checks) = self.core.checks_to_tell() {
            self.nannies.tell(checks);
        }
        self.waiting.forget_late(now.instant);
        let beat = now.instant >= self.beat;
        self.parent.tell(self.core.readiness(self.configuration.hash()), beat).await;
        if beat {
            self.beat = now.instant + BEAT;
            self.sign_of_life(now);
        }
        Ok(())
    }

    fn sign_of_life(&mut self, now: Now) {
        self.store.try_again();
        if let Some(seen) = self.core.seen_to_save() {
            complain(self.store.save_seen(&seen));
        }
        readiness::alive();
        if !self.parent.is_there() {
            readiness::status(&sum_up(&self.core, &self.configuration.status()));
        }
        tracing::trace!(at = now.unix_ms, "beat");
    }

    fn save_owned(&mut self) {
        let sync = self.settings.sync_ours;
        if let Some(owned) = self.core.owned_to_save() {
            complain(self.store.save_owned(owned, sync));
        }
    }

    fn hand_to_kernel(&self, job: Job) -> Result<(), ExitError> {
        let gone = |_| ExitError::internal("the task that talks to the kernel has ended");
        self.kernel.try_send(job).map_err(gone)
    }

    /// Ends in order.
    async fn finish(mut self, end: End) -> Result<(), ExitError> {
        readiness::stopping();
        let rest = if end == End::Stopped { self.leave_rest().await? } else { Rest::All };
        if let Some(seen) = self.core.seen_to_save() {
            complain(self.store.save_seen(&seen));
        }
        let what = match (end, rest) {
            (End::Orphaned, _) => "pulse is gone, the table stays",
            (End::Replaced, _) => "lvsd is replaced by the program that is installed now",
            (End::Stopped, Rest::All) => "stopped, the table stays",
            (End::Stopped, Rest::Some) => "stopped, the services that are not to stay are removed",
            (End::Stopped, Rest::None) => "stopped, our services are removed",
            (End::Stopped, Rest::Unknown) => "stopped, our services may still be there",
        };
        self.journal.record(EventKind::Daemon, Level::Info, what, &[]);
        if let Some(guard) = self.guard.take().filter(|_| end == End::Orphaned) {
            guard.start(self.core.cluster());
        }
        if end == End::Stopped {
            self.configuration.finish().await;
        }
        self.nannies.stop().await;
        // Under pulse, a new binary is started by pulse.
        if end == End::Replaced && !self.parent.is_there() {
            return Err(runtime::replace(&self.output));
        }
        Ok(())
    }
}

/// A file that cannot be written is reported; the work goes on.
fn complain(result: Result<(), ExitError>) {
    if let Err(error) = result {
        tracing::error!("{}", error.message);
    }
}
