//! The configuration: in force, refused, or being read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::in_force::{Beginning, How, Judgement};
use config::{Cluster, Diagnostic, Loaded, Severity};
use control::action::{ActionResult, Apply, Failure};
use control::status::ConfigStatus;
use health::Names;
use runtime::applied::Applied;
use runtime::journal::{EventKind, Level};
use runtime::watch::ConfigWatch;
use runtime::{ExitError, config_file, readiness};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::maintenance::Place;
use super::{Driver, names, now};
use crate::core::{Core, Notice, names_needed};

/// Problems that are logged one by one; the status has them all.
const PROBLEMS_TOLD: usize = 10;

/// Who waits for a reload.
type Waiter = oneshot::Sender<Result<ActionResult, Failure>>;

/// What was read, with the names that it needs.
pub(super) struct Read {
    loaded: Loaded,
    names: Option<Names>,
}

/// The configuration's state.
pub(super) struct Configuration {
    path: PathBuf,
    status: ConfigStatus,
    hash: u64,
    autoreload: bool,
    watch: Option<ConfigWatch>,
    reading: Option<JoinHandle<Result<Read, ExitError>>>,
    /// Who wanted the reading that is under way.
    how: How,
    /// Wanted again while it was being read.
    again: Option<How>,
    waiters: Vec<Waiter>,
    applied: Applied,
}

impl Configuration {
    /// The one to begin with.
    pub(super) fn new(path: PathBuf, applied: Applied, beginning: &Beginning) -> Self {
        let loaded = &beginning.loaded;
        let watch = match ConfigWatch::new(&path, &loaded.files) {
            Ok(watch) => Some(watch),
            Err(error) => {
                tracing::warn!("{}", error.message);
                None
            }
        };
        let mut new = Self {
            status: ConfigStatus { path: path.display().to_string(), ..ConfigStatus::default() },
            path,
            hash: 0,
            autoreload: false,
            watch,
            reading: None,
            how: How::default(),
            again: None,
            waiters: Vec::new(),
            applied,
        };
        new.status.refused.clone_from(&beginning.refused);
        if let Some(cluster) = &loaded.cluster {
            new.in_force(loaded, cluster);
        }
        new
    }

    /// For the status.
    pub(super) fn status(&self) -> ConfigStatus {
        let trial_seconds = self.applied.trial_left().map(|left| left.as_secs());
        ConfigStatus { trial_seconds, ..self.status.clone() }
    }

    /// When a trial ends, if there is one.
    pub(super) fn deadline(&self) -> Option<Instant> {
        // One that no clock reaches is none.
        self.applied.trial_left().and_then(|left| Instant::now().checked_add(left))
    }

    /// The daemon ends in order.
    pub(super) async fn finish(self) {
        self.applied.finish().await;
    }

    /// Of the one in force.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Reads it, or reads it again after the reading that is under way.
    pub(super) fn reload(&mut self, core: &Core, how: How) {
        if self.reading.is_some() {
            self.again =
                Some(if how == How::Unconfirmed { self.again.unwrap_or(how) } else { how });
            return;
        }
        self.how = how;
        readiness::reloading();
        let (path, known) = (self.path.clone(), core.names().clone());
        self.reading = Some(tokio::spawn(read(path, known)));
    }

    /// What was read, or none when the file was edited and is to be read. May be dropped and
    /// called again.
    pub(super) async fn news(&mut self) -> Result<Option<Read>, ExitError> {
        let Self { watch, reading, autoreload, .. } = self;
        let edited = async {
            match watch {
                Some(watch) if *autoreload => watch.changed().await,
                _ => std::future::pending().await,
            }
        };
        let read = async {
            match reading {
                Some(reading) => reading.await,
                None => std::future::pending().await,
            }
        };
        let read = tokio::select! {
            () = edited => return Ok(None),
            read = read => read,
        };
        self.reading = None;
        let fail = |error| ExitError::internal(format!("cannot read the configuration: {error}"));
        read.map_err(fail)?.map(Some)
    }

    fn in_force(&mut self, loaded: &Loaded, cluster: &Cluster) {
        self.hash = loaded.hash;
        self.autoreload = cluster.autoreload;
        self.status.format = loaded.format.name().to_owned();
        self.status.hash = format!("{:016x}", loaded.hash);
        self.status.applied_at_unix_ms = runtime::timestamp::unix_ms();
    }
}

/// Names that are new are resolved before they are needed, so that nobody is left out for that
/// moment.
async fn read(path: PathBuf, mut known: Names) -> Result<Read, ExitError> {
    let loaded = config_file::reload(path).await?;
    let needed = loaded.cluster.as_ref().map(names_needed).unwrap_or_default();
    if needed.iter().all(|name| known.contains_key(name)) {
        return Ok(Read { loaded, names: None });
    }
    names::resolve_new(needed, &mut known).await;
    Ok(Read { loaded, names: Some(known) })
}

impl Driver {
    /// A configuration was read: it is in force now, or refused.
    pub(super) fn configured(&mut self, read: Read) {
        let Read { mut loaded, names } = read;
        if let Some(watch) = &mut self.configuration.watch {
            watch.set_files(&loaded.files);
        }
        let how = self.configuration.how;
        let outcome = match self.configuration.applied.state().judge(&loaded, how) {
            Judgement::Refuse(reasons) => Err(self.refuse(&reasons)),
            Judgement::Same | Judgement::Take => {
                self.configuration.applied.take(&loaded, how);
                Ok(self.put_in_force(&mut loaded, names))
            }
        };
        readiness::ready("");
        if let Some(how) = self.configuration.again.take() {
            self.configuration.reload(&self.core, how);
            return;
        }
        for waiter in self.configuration.waiters.drain(..) {
            let answer = match &outcome {
                Ok(done) => Ok(ActionResult { done: vec![done.clone()] }),
                Err(error) => Err(Failure { error: error.clone() }),
            };
            // Whoever asked may have gone.
            let _ = waiter.send(answer);
        }
    }

    fn put_in_force(&mut self, loaded: &mut Loaded, names: Option<Names>) -> String {
        let mended = !std::mem::take(&mut self.configuration.status.refused).is_empty();
        // A password that changed is in no hash.
        let same = loaded.cluster.as_ref().is_none_or(|cluster| *cluster == **self.core.cluster());
        if loaded.hash == self.configuration.hash && same {
            if mended {
                let sentence = "configuration is as it was before the refused edit";
                self.journal.record(EventKind::Configuration, Level::Info, sentence, &[]);
            }
            return match self.configuration.applied.trial_left() {
                Some(left) => {
                    on_trial("the configuration in force is the newest one already", left)
                }
                None => "the configuration in force is the newest one already".to_owned(),
            };
        }
        let Some(cluster) = loaded.cluster.take() else { return String::new() };
        tell_warnings(&loaded.diagnostics);
        self.configuration.in_force(loaded, &cluster);
        self.journal.also_to(cluster.log_file.as_deref());
        let settings = cluster.kernel != self.core.cluster().kernel;
        self.settings.due |= settings;
        self.names.send_replace(names_needed(&cluster));
        if let Some(names) = names {
            self.core.know(names);
        }
        let change = self.core.configure(Arc::new(cluster), now());
        self.maintenance.send_replace(Place::of(&self.core));
        self.settle_sysctls();
        self.audit_marks();
        let mut fields = vec![
            ("path", self.configuration.status.path.clone()),
            ("hash", self.configuration.status.hash.clone()),
            ("added", change.added.to_string()),
            ("removed", change.removed.to_string()),
            ("changed", change.changed.to_string()),
        ];
        let trial = self.configuration.applied.trial_left();
        fields.extend(trial.map(|left| ("trial_seconds", left.as_secs().to_string())));
        self.journal.record(
            EventKind::Configuration,
            Level::Info,
            "configuration applied",
            &fields,
        );
        self.tell_of_edit();
        let done = format!(
            "configuration applied: virtual servers added {}, removed {}, changed {}",
            change.added, change.removed, change.changed
        );
        match trial {
            Some(left) => on_trial(&done, left),
            None => done,
        }
    }

    /// The file was edited, whatever became of it: the program that wants to know is run.
    fn tell_of_edit(&mut self) {
        let mut argv = self.core.cluster().on_edit.clone();
        if !argv.is_empty() {
            argv.push(self.configuration.status.path.clone());
            self.tellers.tell(Notice::Run {
                service: "configuration".to_owned(),
                server: None,
                argv,
            });
        }
    }

    /// What an operator wants with the configuration on disk.
    pub(super) fn apply(&mut self, apply: Apply, waiter: Waiter) {
        let how = match apply {
            Apply::Unconfirmed => How::Unconfirmed,
            Apply::Confirmed { trial_seconds } => {
                How::Confirmed(trial_seconds.map(Duration::from_secs))
            }
            Apply::Keep => {
                // Whoever asked may have gone.
                let _ = waiter.send(self.keep());
                return;
            }
        };
        self.configuration.reload(&self.core, how);
        self.configuration.waiters.push(waiter);
    }

    fn keep(&mut self) -> Result<ActionResult, Failure> {
        if !self.configuration.applied.keep() {
            return Err(Failure { error: "no configuration is on trial".to_owned() });
        }
        let sentence = "configuration on trial is kept";
        let fields = [("hash", self.configuration.status.hash.clone())];
        self.journal.record(EventKind::Configuration, Level::Info, sentence, &fields);
        Ok(ActionResult { done: vec!["the configuration on trial is kept".to_owned()] })
    }

    /// Goes back to the configuration before a trial that has ended.
    pub(super) fn end_trial(&mut self) {
        let Some(mut loaded) = self.configuration.applied.go_back() else { return };
        let sentence = "nobody kept the configuration on trial, the one before is in force again";
        self.journal.record(EventKind::Configuration, Level::Warn, sentence, &[]);
        self.put_in_force(&mut loaded, None);
        self.configuration.status.refused = self.configuration.applied.state().gone_back();
    }

    fn refuse(&mut self, diagnostics: &[Diagnostic]) -> String {
        let errors: Vec<_> =
            diagnostics.iter().filter(|one| one.severity == Severity::Error).collect();
        let first = errors.first().map(|one| one.one_line()).unwrap_or_default();
        self.configuration.applied.refused();
        let news = self.configuration.status.refused != diagnostics;
        self.configuration.status.refused = diagnostics.to_vec();
        if news {
            let fields = [("problem", first.clone()), ("problems", errors.len().to_string())];
            let sentence = "configuration refused, the one in force stays";
            self.journal.record(EventKind::Configuration, Level::Error, sentence, &fields);
            self.tell_of_edit();
            for problem in errors.iter().skip(1).take(PROBLEMS_TOLD) {
                tracing::error!("{}", problem.one_line());
            }
        }
        format!("configuration refused, the one in force stays: {first}")
    }
}

fn on_trial(done: &str, left: Duration) -> String {
    format!(
        "{done}; on trial for {} s: keep it with `lvsctl apply --keep`, or it goes back",
        left.as_secs()
    )
}

/// Warnings of a configuration that is used.
pub(super) fn tell_warnings(diagnostics: &[Diagnostic]) {
    for warning in diagnostics {
        tracing::warn!("{}", warning.one_line());
    }
}
