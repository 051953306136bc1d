//! Carries out what the state machine decides. Nothing here waits for anything but events.

mod absent;
mod asked;
mod child;
mod fence;
mod host;
mod letters;
mod outside;
mod reload;
mod roles;
pub(crate) mod rotation;
#[cfg(test)]
mod tests;
mod witnesses;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::in_force::How;
use config::keys::KeyMaterial;
use config::{Diagnostic, Loaded};
use control::status::ConfigStatus;
use control::worker::{FromLvsd, Readiness};
use heartbeat::packet::Kind;
use heartbeat::session::Counters;
use heartbeat::{Action, Actions, Event, Failover, Moment, PathId, Rejected, Session};
use runtime::applied::Applied;
use runtime::journal::{EventKind, Level};
use runtime::signals::{Request as SignalRequest, Signals};
use runtime::{ExitError, readiness};
use tokio::sync::mpsc;

use crate::clock;
use crate::host::Host;
use crate::mover::{Mover, Tools};
use crate::notice::Notice;
use crate::plan::{GroupPlan, Plan};
use crate::report::Reporter;
use crate::sockets::{SendChange, Sockets};
use crate::worker::Worker;

/// A table that is not in place for this long is told to the partner.
const UNREADY: Duration = Duration::from_secs(2);

/// Why the driver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was asked to, and holds nothing any more.
    Stopped,
    /// It holds what it held: another binary goes on from here.
    Replaced,
}

/// What the driver is made of.
pub(crate) struct Parts {
    pub(crate) plan: Plan,
    pub(crate) host: Host,
    pub(crate) keys: Vec<KeyMaterial>,
    pub(crate) session: Session,
    pub(crate) failover: Failover,
    pub(crate) sockets: Sockets,
    pub(crate) worker: Worker,
    pub(crate) tools: Tools,
    pub(crate) inbox: mpsc::Receiver<Notice>,
    pub(crate) applied: Applied,
}

/// One group, as it is being moved.
pub(crate) struct Group {
    pub(crate) plan: Arc<GroupPlan>,
    mover: Mover,
    /// Number of the newest order.
    order: u64,
    /// The newest order is carried out.
    settled: bool,
    /// When that became known.
    settled_at: Moment,
    active: bool,
    pub(crate) problems: BTreeMap<std::net::IpAddr, String>,
}

/// What is known of lvsd.
#[derive(Default)]
pub(crate) struct WorkerInfo {
    pub(crate) pid: Option<u32>,
    pub(crate) starts: u64,
    pub(crate) readiness: Readiness,
    /// It reads letters of the partner's lvsd.
    letters: bool,
    unready_since: Option<Moment>,
    /// It said something ever.
    ever: bool,
}

/// The driver.
pub(crate) struct Driver {
    pub(crate) plan: Plan,
    pub(crate) host: Host,
    pub(crate) keys: Vec<KeyMaterial>,
    pub(crate) rotation: rotation::Rotation,
    pub(crate) session: Session,
    pub(crate) failover: Failover,
    pub(crate) sockets: Sockets,
    pub(crate) groups: BTreeMap<u32, Group>,
    pub(crate) path_counters: Vec<Counters>,
    pub(crate) witness: Vec<Option<bool>>,
    rounds: witnesses::Rounds,
    pub(crate) worker: WorkerInfo,
    pub(crate) config: ConfigStatus,
    pub(crate) started: Moment,
    pub(crate) role_changes: u64,
    child: Option<Worker>,
    tools: Tools,
    inbox: mpsc::Receiver<Notice>,
    pub(crate) applied: Applied,
    path: PathBuf,
    watch: reload::Watch,
    fencer: fence::Fencer,
    /// A notice comes when absent paths are to be tried.
    awaits_paths: bool,
    stopped: bool,
    replaced: bool,
    exit: Option<ExitError>,
}

impl Driver {
    pub(crate) fn new(
        parts: Parts,
        path: PathBuf,
        loaded: &Loaded,
        refused: Vec<Diagnostic>,
    ) -> Self {
        let Parts { plan, host, keys, session, failover, sockets, worker, tools, inbox, applied } =
            parts;
        let started = clock::now();
        let watch = reload::Watch::start(&path, loaded, &tools);
        let mut driver = Self {
            path_counters: vec![Counters::default(); plan.paths.len()],
            witness: vec![None; plan.witness.len()],
            rounds: witnesses::Rounds::start(&plan, &tools.notices),
            config: ConfigStatus { refused, ..reload::in_force(&path, loaded) },
            groups: BTreeMap::new(),
            worker: WorkerInfo::default(),
            role_changes: 0,
            child: Some(worker),
            fencer: fence::Fencer::default(),
            awaits_paths: false,
            stopped: false,
            replaced: false,
            exit: None,
            plan,
            host,
            keys,
            rotation: loaded
                .cluster
                .as_ref()
                .and_then(|cluster| cluster.pair.as_ref())
                .map(|pair| rotation::Rotation::of(&pair.heartbeat.keys, &path))
                .unwrap_or_default(),
            session,
            failover,
            sockets,
            started,
            tools,
            inbox,
            applied,
            path,
            watch,
        };
        driver.make_groups();
        driver.tools.journal.also_to(reload::log_file(loaded));
        let [router, partner] = &driver.plan.names;
        let fields = [("router", router.clone()), ("partner", partner.clone())];
        driver.tools.journal.record(EventKind::Daemon, Level::Info, "pulse started", &fields);
        driver.tell_paths(&[]);
        driver.tell_groups(&[]);
        driver.await_paths();
        driver.begin_remembering();
        driver
    }

    /// Runs to the orderly end, or until another binary is to take its place.
    pub(crate) async fn run(mut self, signals: &mut Signals) -> Result<Ended, ExitError> {
        let watchdog = readiness::watchdog_interval();
        let mut alive_due = watchdog.map(|interval| tokio::time::Instant::now() + interval);
        while !self.stopped && !self.replaced {
            let timer = clock::timer(self.failover.next_deadline());
            let timer = alive_due.map_or(timer, |due| timer.min(due));
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(timer) => {}
                signal = signals.next() => self.signal(signal),
                notice = self.inbox.recv() => match notice {
                    Some(notice) => self.notice(notice),
                    // Our own tools hold a sender.
                    None => break,
                },
                // Last: packets may come without end, and all that waits is heard before a time
                // that is due.
                path = self.sockets.readable() => { self.drain(path); }
            }
            self.tick();
            self.rotation_step();
            let now = tokio::time::Instant::now();
            if let Some(interval) = watchdog.filter(|_| alive_due.is_some_and(|due| now >= due)) {
                readiness::alive();
                alive_due = Some(now + interval);
            }
        }
        if self.replaced {
            // Whoever comes needs a while until it can say so itself.
            readiness::alive();
            // lvsd is not asked to end, which could empty the table: it sees its socket end, as when
            // we are killed. Whoever comes starts its own, which adopts what it finds. Programs of
            // groups go on as well: whoever comes takes them to be done.
            std::mem::forget(std::mem::take(&mut self.groups));
            return Ok(Ended::Replaced);
        }
        if let Some(child) = self.child.take() {
            child.end().await;
        }
        self.applied.finish().await;
        self.exit.map_or(Ok(Ended::Stopped), Err)
    }

    /// What waits in the sockets is heard before anybody is called silent.
    fn tick(&mut self) {
        if clock::now() < self.failover.next_deadline() {
            return;
        }
        for path in self.sockets.ids() {
            self.drain(path);
        }
        let actions = self.failover.handle_timeout(clock::now());
        self.carry_out(actions);
    }

    fn drain(&mut self, path: PathId) {
        let (mut actions, mut letters) = (Vec::new(), Vec::new());
        let Self { sockets, session, failover, path_counters, .. } = self;
        sockets.drain(path, |packet| {
            let now = clock::now();
            let outcome = session.open(packet, now);
            if let Some(counters) = path_counters.get_mut(path.0) {
                counters.count(&outcome);
            }
            match outcome {
                Ok(mut received) => {
                    let letter = received.beat.kind == Kind::Letter;
                    if letter && failover.letter_counts(&received, now) {
                        letters.push(std::mem::take(&mut received.beat.letter));
                    }
                    actions.push(failover.handle_heartbeat(path, received, now));
                }
                Err(Rejected::Unproven) => actions.push(failover.handle_unproven(now)),
                Err(_) => {}
            }
        });
        for actions in actions {
            self.carry_out(actions);
        }
        for letter in letters {
            self.letter_came(letter);
        }
    }

    /// In order: a heartbeat is in the kernel's hands before an address moves.
    pub(crate) fn carry_out(&mut self, actions: Actions) {
        for action in actions {
            match action {
                Action::Report(event) => self.report(event),
                Action::Send { path, beat } => self.send(path, &beat),
                Action::TakeOver { group, reason } => self.change_role(group, true, reason),
                Action::StandDown { group, reason } => self.change_role(group, false, reason),
                Action::AskWitness { question } => self.ask_witness(question),
                Action::Probe { group, question } => self.probe(group, question),
                Action::Fence { question } => self.fence(question),
                Action::Stopped => self.stopped = true,
            }
        }
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::PartnerFound | Event::PartnerRestarted if !self.plan.yields => {
                self.witness.fill(None);
            }
            Event::PartnerLost { .. } | Event::Paused { .. } => self.hurry(),
            _ => {}
        }
        self.reporter().event(event);
    }

    fn reporter(&self) -> Reporter<'_> {
        Reporter { journal: &self.tools.journal, plan: &self.plan }
    }

    fn send(&mut self, path: PathId, beat: &heartbeat::Beat) {
        let packet = self.session.seal(beat, clock::now());
        let Some(change) = self.sockets.send(path, &packet) else { return };
        let name = self.plan.paths.get(path.0).map_or_else(String::new, |path| path.name.clone());
        let journal = &self.tools.journal;
        match change {
            SendChange::Failing(error) => {
                let fields = [("path", name), ("reason", error.to_string())];
                let sentence = "heartbeats cannot be sent on a path";
                journal.record(EventKind::Partner, Level::Warn, sentence, &fields);
            }
            SendChange::Works => {
                let sentence = "heartbeats can be sent on a path again";
                journal.record(EventKind::Partner, Level::Info, sentence, &[("path", name)]);
            }
        }
    }

    fn signal(&mut self, signal: SignalRequest) {
        match signal {
            SignalRequest::Reload => self.read_again(How::Unconfirmed, None),
            SignalRequest::Stop => self.stop(),
            SignalRequest::Replace => {
                let sentence = "pulse is replaced by the program that is installed now";
                self.tools.journal.record(EventKind::Daemon, Level::Info, sentence, &[]);
                self.replaced = true;
            }
            SignalRequest::ReopenLog => {
                if let Some(child) = &self.child {
                    child.reopen_log();
                }
            }
        }
    }

    fn stop(&mut self) {
        readiness::stopping();
        self.tools.journal.record(EventKind::Daemon, Level::Info, "pulse stops", &[]);
        let actions = self.failover.handle_stop(clock::now());
        self.carry_out(actions);
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Moved(moved) => self.moved(moved),
            Notice::Probed(group, question, somebody) => {
                let now = clock::now();
                let actions = self.failover.handle_probe(group, question, somebody, now);
                self.carry_out(actions);
            }
            Notice::Witness(question, answers) => {
                let reachable = answers.contains(&Some(true));
                self.witness = answers;
                let actions = self.failover.handle_witness(question, reachable, clock::now());
                self.carry_out(actions);
            }
            Notice::WitnessesAsked(round) => self.witnesses_asked(&round),
            Notice::Fenced(question, ended) => self.fenced(question, &ended),
            Notice::WorkerStarted(pid) => {
                self.worker.pid = Some(pid);
                self.worker.letters = false;
                self.worker.starts += 1;
                let fields = [("pid", pid.to_string())];
                self.tools.journal.record(EventKind::Daemon, Level::Info, "lvsd started", &fields);
            }
            Notice::WorkerSaid(FromLvsd::Readiness(readiness)) => self.worker_ready(readiness),
            Notice::WorkerSaid(FromLvsd::Hello { letters, .. }) => self.worker.letters = letters,
            Notice::WorkerSaid(FromLvsd::Letter { text }) => self.send_letter(text),
            Notice::WorkerLost(why) => self.worker_lost(&why),
            Notice::HostChanged(host, read_at) => self.look_at_host(*host, read_at),
            Notice::Loaded(loaded, how, reply) => self.loaded(&loaded, how, reply),
            Notice::TrialEnds => self.end_trial(),
            Notice::PathsAwaited => {
                self.awaits_paths = false;
                self.place_absent_paths();
            }
            Notice::KeysWritten(written) => self.keys_written(*written),
            Notice::Asked(question, reply) => self.asked(question, reply),
        }
    }
}
