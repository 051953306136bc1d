//! Which configuration is in force: the file's, or an earlier one that the file's must not replace.
//!
//! An edit goes in by itself unless it takes too much away. What an operator applies on trial goes
//! back by itself when nobody keeps it in time. All of it is remembered beyond a restart: a daemon
//! that is killed must not take the edit that it had refused.

mod loss;
mod remembered;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Cluster, Diagnostic, Diagnostics, Format, Loaded, Severity};
pub use loss::Loss;
pub use remembered::{Outlined, Reader, Remembered, Written};

const CONFIRM: &str =
    "`lvsctl apply --confirm` takes it, `lvsctl apply --confirm 60s` takes it on trial";
const AGAIN: &str = "edit it, or take it again with `lvsctl apply --confirm`";

/// A configuration that was checked whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its format.
    pub format: Format,
    /// Hash of its files.
    pub hash: u64,
    /// The model.
    pub cluster: Cluster,
}

/// Who wants a configuration to be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum How {
    /// The file was edited, or somebody asked for a reload: nobody has looked at what it removes.
    #[default]
    Unconfirmed,
    /// An operator has confirmed it: for good, or on trial for this long.
    Confirmed(Option<Duration>),
}

/// What is to become of a configuration that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It is in force already.
    Same,
    /// It is to be put in force.
    Take,
    /// What is in force stays; these are the reasons.
    Refuse(Vec<Diagnostic>),
}

/// What a daemon begins with.
#[derive(Debug)]
pub struct Beginning {
    /// What is to be put in force.
    pub loaded: Loaded,
    /// Why the file's is not, if it is not.
    pub refused: Vec<Diagnostic>,
}

/// A configuration that goes back by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trial {
    #[serde(with = "shared")]
    before: Arc<Kept>,
    /// On the clock that counts from the machine's start.
    ends: Duration,
    /// How long it was to be. A clock that begins anew cannot make more of it.
    lasts: Duration,
}

/// What is in force, and what is known of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InForce {
    path: PathBuf,
    #[serde(with = "shared")]
    running: Arc<Kept>,
    trial: Option<Trial>,
    /// Hash of the edit that went back.
    rolled_back: Option<u64>,
    /// The newest edit is refused.
    refused: bool,
}

impl InForce {
    /// What to begin with: the file's configuration, or what is remembered of the one before that
    /// the file's may not replace. None when the file's is refused and nothing is remembered, or
    /// nothing that could go on: the reasons are in `loaded`.
    pub fn begin(
        remembered: Option<Remembered>,
        path: PathBuf,
        loaded: &mut Loaded,
        now: Duration,
    ) -> Option<(Self, Beginning)> {
        let remembered = match remembered.filter(|remembered| *remembered.path() == path) {
            Some(Remembered::Outline(outlined)) if !outlined.permits(loaded) => return None,
            Some(Remembered::State(state)) => Some(state),
            Some(Remembered::Outline(_)) | None => None,
        };
        let Some(mut state) = remembered else {
            let running = Arc::new(Kept::of(loaded)?);
            let state = Self { path, running, trial: None, rolled_back: None, refused: false };
            return Some((state, Beginning { loaded: taken(loaded), refused: Vec::new() }));
        };
        state.go_back(now);
        let judgement = state.judge(loaded, How::Unconfirmed);
        let Judgement::Refuse(refused) = judgement else {
            state.take(loaded, How::Unconfirmed, now);
            return Some((state, Beginning { loaded: taken(loaded), refused: Vec::new() }));
        };
        state.refused = true;
        let loaded = state.running.loaded(loaded.files.clone());
        Some((state, Beginning { loaded, refused }))
    }

    /// What is to be on disk.
    pub fn written(&self) -> Written<'_> {
        Written::of(self)
    }

    /// What is to become of a configuration that was read.
    pub fn judge(&self, loaded: &Loaded, how: How) -> Judgement {
        let Some(cluster) = &loaded.cluster else {
            return Judgement::Refuse(loaded.diagnostics.clone());
        };
        if loaded.hash == self.running.hash {
            return Judgement::Same;
        }
        let goes_back = self.trial.as_ref().is_some_and(|trial| trial.before.hash == loaded.hash);
        if goes_back || how != How::Unconfirmed {
            return Judgement::Take;
        }
        if self.rolled_back == Some(loaded.hash) {
            return self.refuse("it was on trial, and nobody kept it in time", AGAIN);
        }
        let before = &self.running.cluster;
        match Loss::between(before, cluster).too_much(before) {
            Some(what) => self.refuse(&format!("{what}, and nobody has confirmed that"), CONFIRM),
            None => Judgement::Take,
        }
    }

    /// What was [judged](Self::judge) `Same` or `Take` is in force from now on.
    pub fn take(&mut self, loaded: &Loaded, how: How, now: Duration) {
        let Some(next) = Kept::of(loaded) else { return };
        let before = std::mem::replace(&mut self.running, Arc::new(next));
        let changed = before.hash != self.running.hash;
        self.rolled_back = None;
        self.refused = false;
        let target = self.trial.as_ref().map_or(&before, |trial| &trial.before);
        match how {
            How::Confirmed(None) => self.trial = None,
            How::Confirmed(Some(lasts)) if changed || self.trial.is_some() => {
                let before = Arc::clone(target);
                self.trial = Some(Trial { before, ends: now.saturating_add(lasts), lasts });
            }
            How::Confirmed(Some(_)) | How::Unconfirmed => {}
        }
        self.trial.take_if(|trial| trial.before.hash == self.running.hash);
    }

    /// The newest edit was refused.
    pub fn refused(&mut self) {
        self.refused = true;
    }

    /// What is on trial is kept for good. False when nothing is.
    pub fn keep(&mut self) -> bool {
        self.trial.take().is_some()
    }

    /// Goes back when the trial has ended: the configuration that is in force again.
    pub fn go_back(&mut self, now: Duration) -> Option<Arc<Kept>> {
        let trial = self.trial.take_if(|trial| trial.left(now).is_zero())?;
        self.rolled_back = Some(self.running.hash);
        self.refused = true;
        self.running = trial.before;
        Some(Arc::clone(&self.running))
    }

    /// Why the file's configuration is not in force after [going back](Self::go_back).
    pub fn gone_back(&self) -> Vec<Diagnostic> {
        match self.refuse("it was on trial, and nobody kept it in time", AGAIN) {
            Judgement::Refuse(reasons) => reasons,
            Judgement::Same | Judgement::Take => Vec::new(),
        }
    }

    /// How long the trial lasts yet, if there is one.
    pub fn trial_left(&self, now: Duration) -> Option<Duration> {
        self.trial.as_ref().map(|trial| trial.left(now))
    }

    /// Whether the next start has to know of it even after an orderly end: what is on trial goes
    /// back, and what was refused stays so.
    pub fn outlives_a_stop(&self) -> bool {
        self.trial.is_some() || self.refused
    }

    fn refuse(&self, why: &str, help: &str) -> Judgement {
        let mut out = Diagnostics::new();
        let path = self.path.display().to_string();
        out.whole_file(Severity::Error, &path, why, help);
        Judgement::Refuse(out.into_vec())
    }
}

impl Trial {
    fn left(&self, now: Duration) -> Duration {
        self.ends.saturating_sub(now).min(self.lasts)
    }
}

impl Kept {
    fn of(loaded: &Loaded) -> Option<Self> {
        let Loaded { format, hash, .. } = *loaded;
        Some(Self { format, hash, cluster: loaded.cluster.clone()? })
    }

    /// As if it had been read now from these files.
    pub fn loaded(&self, files: Vec<PathBuf>) -> Loaded {
        let Self { format, hash, cluster } = self;
        Loaded {
            format: *format,
            cluster: Some(cluster.clone()),
            diagnostics: Vec::new(),
            notes: Vec::new(),
            files,
            hash: *hash,
        }
    }
}

fn taken(loaded: &mut Loaded) -> Loaded {
    Loaded {
        format: loaded.format,
        cluster: loaded.cluster.take(),
        diagnostics: std::mem::take(&mut loaded.diagnostics),
        notes: std::mem::take(&mut loaded.notes),
        files: std::mem::take(&mut loaded.files),
        hash: loaded.hash,
    }
}

/// What is shared in memory is written as it is.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Kept;

    pub(super) fn serialize<S: Serializer>(kept: &Arc<Kept>, to: S) -> Result<S::Ok, S::Error> {
        kept.as_ref().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Kept>, D::Error> {
        Kept::deserialize(from).map(Arc::new)
    }
}
