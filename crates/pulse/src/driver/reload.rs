//! A new configuration: applied whole, or refused whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::in_force::{How, Judgement};
use config::keys::KeyMaterial;
use config::model::Pair;
use config::{Diagnostic, Loaded, Severity};
use control::action::{ActionResult, Apply};
use control::status::ConfigStatus;
use control::worker::ToLvsd;
use heartbeat::GroupId;
use heartbeat::key::KeyRing;
use heartbeat::session::Counters;
use runtime::control_server::{Response, StatusCode};
use runtime::journal::{EventKind, Level};
use runtime::watch::ConfigWatch;
use runtime::{ExitError, config_file, readiness, timestamp};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Driver, Group};
use crate::mover::{Hurry, Mover, Tools};
use crate::notice::Notice;
use crate::path::PathPlan;
use crate::plan::Plan;
use crate::{clock, keys, start};

/// A timer never ends early, and the trial's end is on another clock.
const TRIAL_ROUNDING: Duration = Duration::from_millis(5);

/// The task that watches the configuration, when it is to be watched.
pub(super) struct Watch(Option<JoinHandle<()>>);

impl Watch {
    /// Watches, if the configuration says so.
    pub(super) fn start(path: &Path, loaded: &Loaded, tools: &Tools) -> Self {
        let cluster = loaded.cluster.as_ref().filter(|cluster| cluster.autoreload);
        let Some(cluster) = cluster else { return Self(None) };
        let source = cluster.pair.as_ref().map(|pair| &pair.heartbeat.keys);
        let files = start::watched(loaded, source, path);
        let mut watch = match ConfigWatch::new(path, &files) {
            Ok(watch) => watch,
            Err(error) => {
                tracing::warn!("{error}");
                return Self(None);
            }
        };
        let (path, notices) = (path.to_owned(), tools.notices.clone());
        Self(Some(tokio::spawn(async move {
            loop {
                watch.changed().await;
                match config_file::reload(path.clone()).await {
                    Ok(loaded) => {
                        let pair = loaded.cluster.as_ref().and_then(|c| c.pair.as_ref());
                        let source = pair.map(|pair| &pair.heartbeat.keys);
                        watch.set_files(&start::watched(&loaded, source, &path));
                        let notice = Notice::Loaded(Box::new(loaded), How::Unconfirmed, None);
                        if notices.send(notice).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => tracing::error!("{error}"),
                }
            }
        })))
    }
}

impl Watch {
    fn runs(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Where the log is to go, too.
pub(super) fn log_file(loaded: &Loaded) -> Option<&str> {
    loaded.cluster.as_ref()?.log_file.as_deref()
}

/// The status of a configuration that was just applied.
pub(super) fn in_force(path: &Path, loaded: &Loaded) -> ConfigStatus {
    ConfigStatus {
        path: path.display().to_string(),
        format: loaded.format.name().to_owned(),
        hash: format!("{:016x}", loaded.hash),
        applied_at_unix_ms: timestamp::unix_ms(),
        refused: Vec::new(),
        trial_seconds: None,
    }
}

impl Driver {
    /// Reads the configuration beside everything else; what comes of it is a notice.
    pub(super) fn read_again(&self, how: How, reply: Option<oneshot::Sender<Response>>) {
        self.read(how, reply);
        if let Some(child) = &self.child {
            child.say(ToLvsd::Reload);
        }
    }

    fn read(&self, how: How, reply: Option<oneshot::Sender<Response>>) {
        readiness::reloading();
        let (path, notices) = (self.path.clone(), self.tools.notices.clone());
        tokio::spawn(async move {
            match config_file::reload(path).await {
                // The driver may have ended.
                Ok(loaded) => {
                    let _sent = notices.send(Notice::Loaded(Box::new(loaded), how, reply)).await;
                }
                Err(error) => tracing::error!("{error}"),
            }
        });
    }

    /// What an operator wants with the configuration on disk.
    pub(super) fn apply_asked(&mut self, apply: Apply, reply: oneshot::Sender<Response>) {
        if let Err(failure) = apply.check() {
            // Who asked may be gone.
            let _sent = reply.send(Response::failure(StatusCode::BAD_REQUEST, failure.error));
            return;
        }
        match apply {
            Apply::Unconfirmed => self.read(How::Unconfirmed, Some(reply)),
            Apply::Confirmed { trial_seconds } => {
                self.read(How::Confirmed(trial_seconds.map(Duration::from_secs)), Some(reply));
            }
            Apply::Keep => {
                let response = if self.applied.keep() {
                    let done = vec!["pulse keeps the configuration on trial".to_owned()];
                    Response::json(&ActionResult { done })
                } else {
                    let error = "no configuration is on trial";
                    Response::failure(StatusCode::CONFLICT, error)
                };
                // Who asked may be gone.
                let _sent = reply.send(response);
            }
        }
    }

    /// Remembers what is in force from now on, and goes on with a trial.
    pub(super) fn begin_remembering(&mut self) {
        self.applied.remember();
        for reason in &self.config.refused {
            let fields = [("reason", reason.one_line())];
            let sentence = "configuration refused, the one before the restart stays in force";
            let journal = &self.tools.journal;
            journal.record(EventKind::Configuration, Level::Error, sentence, &fields);
        }
        self.await_trial();
    }

    /// Comes back when the trial ends, if there is one.
    fn await_trial(&self) {
        let Some(left) = self.applied.trial_left() else { return };
        let notices = self.tools.notices.clone();
        tokio::spawn(async move {
            tokio::time::sleep(left.saturating_add(TRIAL_ROUNDING)).await;
            // The driver may have ended.
            let _sent = notices.send(Notice::TrialEnds).await;
        });
    }

    /// Goes back to the configuration before a trial that has ended.
    pub(super) fn end_trial(&mut self) {
        let Some(loaded) = self.applied.go_back() else { return };
        let sentence = "nobody kept the configuration on trial, the one before is in force again";
        let journal = &self.tools.journal;
        journal.record(EventKind::Configuration, Level::Warn, sentence, &[]);
        if let Err(error) = self.apply(&loaded) {
            let fields = [("reason", error.message)];
            let sentence = "the configuration before the trial cannot be used any more";
            let journal = &self.tools.journal;
            journal.record(EventKind::Configuration, Level::Error, sentence, &fields);
        }
        self.config.refused = self.applied.state().gone_back();
    }

    /// For the status.
    pub(crate) fn config_status(&self) -> ConfigStatus {
        let trial_seconds = self.applied.trial_left().map(|left| left.as_secs());
        ConfigStatus { trial_seconds, ..self.config.clone() }
    }

    /// Applies what was read if it may be, and remembers that.
    fn apply_judged(&mut self, loaded: &Loaded, how: How) -> Result<bool, ExitError> {
        let judgement = self.applied.state().judge(loaded, how);
        let (outcome, reasons) = match judgement {
            Judgement::Refuse(reasons) => (Err(start::refused_for(&reasons)), reasons),
            Judgement::Same | Judgement::Take => {
                let outcome = self.apply(loaded);
                let reasons = outcome.as_ref().err().map(|error| self.cannot_apply(error));
                (outcome, reasons.into_iter().collect())
            }
        };
        match &outcome {
            Ok(_) => {
                self.applied.take(loaded, how);
                self.await_trial();
            }
            Err(_) => {
                self.applied.refused();
                self.config.refused = reasons;
            }
        }
        outcome
    }

    /// Why a configuration without a fault of its own is refused here and now, for the status.
    fn cannot_apply(&self, error: &ExitError) -> Diagnostic {
        let file = self.path.display().to_string();
        Diagnostic::whole_file(Severity::Error, &file, error.message.as_str(), None)
    }

    pub(super) fn loaded(
        &mut self,
        loaded: &Loaded,
        how: How,
        reply: Option<oneshot::Sender<Response>>,
    ) {
        let known = self.config.refused.clone();
        let outcome = self.apply_judged(loaded, how);
        let journal = &self.tools.journal;
        let response = match outcome {
            Ok(true) => {
                let fields = [("hash", self.config.hash.clone())];
                let sentence = "configuration applied";
                journal.record(EventKind::Configuration, Level::Info, sentence, &fields);
                let done = "pulse has applied the configuration".to_owned();
                Response::json(&ActionResult { done: vec![done] })
            }
            Ok(false) => {
                let done = vec!["the configuration of pulse is as before".to_owned()];
                Response::json(&ActionResult { done })
            }
            Err(error) => {
                let fields = [("reason", error.message.clone())];
                let sentence = "configuration refused, the old one stays in force";
                if known != self.config.refused {
                    journal.record(EventKind::Configuration, Level::Error, sentence, &fields);
                }
                Response::failure(StatusCode::UNPROCESSABLE_ENTITY, error.message)
            }
        };
        readiness::ready("running");
        if let Some(reply) = reply {
            // Who asked may be gone.
            let _sent = reply.send(response);
        }
    }

    /// Applies it, or changes nothing; whether anything is new.
    fn apply(&mut self, loaded: &Loaded) -> Result<bool, ExitError> {
        let pair = start::pair_of(loaded)?;
        self.same_routers(&pair)?;
        let sync = start::sync_of(loaded);
        let mut plan = Plan::new(&pair, sync, self.plan.me, loaded.hash, &self.host)
            .map_err(|error| ExitError::configuration(error.to_string()))?;
        self.refuse_misplaced(&plan)?;
        let keys = keys::read(&pair.heartbeat.keys, &self.path)?;
        let refused = |error: &dyn std::error::Error| ExitError::configuration(error.to_string());
        let setup = plan.setup(&self.host, &self.plan.paths);
        setup.check().map_err(|error| refused(&error))?;
        let [me, partner] = self.plan.names.each_ref().map(String::as_str);
        KeyRing::new(me, partner, &keys::shared(&keys)).map_err(|error| refused(&error))?;
        // Whatever may be refused has been looked at: from here on everything changes.
        self.sockets.renew(&mut plan.paths)?;
        let setup = plan.setup(&self.host, &self.plan.paths);
        self.session.replace_keys(&keys::shared(&keys)).map_err(|error| refused(&error))?;
        let fingerprints =
            |keys: &[KeyMaterial]| -> Vec<String> { keys.iter().map(keys::fingerprint).collect() };
        let new = plan != self.plan || fingerprints(&keys) != fingerprints(&self.keys);
        self.path_counters = self.counters_for(&plan.paths);
        self.witness = vec![None; plan.witness.len()];
        self.rounds = super::witnesses::Rounds::start(&plan, &self.tools.notices);
        let before = std::mem::replace(&mut self.plan, plan);
        self.tell_paths(&before.paths);
        self.tell_groups(&before.groups);
        self.await_paths();
        self.keys = keys;
        self.rotation.set_source(&pair.heartbeat.keys, &self.path);
        self.config = in_force(&self.path, loaded);
        self.tools.journal.also_to(log_file(loaded));
        self.make_groups();
        let actions =
            self.failover.handle_setup(setup, clock::now()).map_err(|error| refused(&error))?;
        self.carry_out(actions);
        // Not before: of one that is let go because it was removed, the order was just given.
        self.forget_removed();
        if self.watch.runs() != loaded.cluster.as_ref().is_some_and(|new| new.autoreload) {
            self.watch = Watch::start(&self.path, loaded, &self.tools);
        }
        Ok(new)
    }

    /// The session is bound to the names, so another router is another start.
    fn same_routers(&self, pair: &Pair) -> Result<(), ExitError> {
        let [first, second] = pair.routers.each_ref().map(|router| router.name.as_str());
        let [me, partner] = self.plan.names.each_ref().map(String::as_str);
        let same = match self.plan.me {
            heartbeat::Side::First => (me, partner) == (first, second),
            heartbeat::Side::Second => (partner, me) == (first, second),
        };
        if same {
            return Ok(());
        }
        Err(ExitError::configuration(format!(
            "the routers are {first} and {second} now, and pulse runs for {me} and {partner}: restart \
             pulse on both routers for that"
        )))
    }

    pub(super) fn counters_for(&self, paths: &[PathPlan]) -> Vec<Counters> {
        let old = |path| self.plan.paths.iter().position(|known| known == path);
        let kept = |path| old(path).and_then(|at| self.path_counters.get(at).copied());
        paths.iter().map(|path| kept(path).unwrap_or_default()).collect()
    }

    /// One mover for each group of the plan; those of groups that are gone stay until they have
    /// let go.
    pub(super) fn make_groups(&mut self) {
        let places = self.host.places();
        for plan in self.plan.groups.clone() {
            let held = plan.addresses.iter().any(|placed| placed.present(&places));
            let plan = Arc::new(plan);
            let id = plan.id.0;
            if let Some(group) = self.groups.get_mut(&id) {
                let changed = group.plan != plan;
                group.plan = plan;
                if changed && group.active {
                    self.order(GroupId(id), true, Hurry::Calm);
                }
                continue;
            }
            let mover = Mover::start(Arc::clone(&plan), held, self.tools.clone());
            let group = Group {
                plan,
                mover,
                order: 0,
                settled: true,
                settled_at: clock::now(),
                active: false,
                problems: std::collections::BTreeMap::new(),
            };
            self.groups.insert(id, group);
        }
    }

    /// Groups that are no longer configured and are let go.
    pub(super) fn forget_removed(&mut self) {
        let plan = &self.plan;
        self.groups.retain(|id, group| {
            plan.group(GroupId(*id)).is_some() || group.active || !group.settled
        });
    }
}
