//! What is on disk of the configuration in force, and what a release can read that does not know the
//! model of the one that wrote it.

use std::path::PathBuf;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::InForce;
use super::loss::Outline;
use crate::{Cluster, Diagnostics, Loaded, Severity};

/// Of what is written. A release that changes what the fields below mean counts it up; new fields of
/// the model need a default instead, so that what older releases wrote is read.
const VERSION: u32 = 1;

const HELP: &str = "put the file back as it was and edit it once the daemon runs, or remove what is \
                    remembered (in_force.json in the daemon's folder of the runtime directory) to \
                    take the file as it is";

/// What is written.
#[derive(Debug, Serialize)]
pub struct Written<'a> {
    version: u32,
    path: &'a PathBuf,
    hash: u64,
    outline: Outline,
    state: &'a InForce,
}

/// What is read; `State` is the whole, or nothing that is understood.
#[derive(Debug, Deserialize)]
struct Read<State> {
    version: u32,
    path: PathBuf,
    hash: u64,
    outline: Outline,
    state: State,
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq)]
pub enum Remembered {
    /// All of it.
    State(InForce),
    /// Another release wrote it, whose model this one cannot read.
    Outline(Outlined),
}

/// What of it every release can read.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlined {
    path: PathBuf,
    hash: u64,
    outline: Outline,
}

impl<'a> Written<'a> {
    pub(super) fn of(state: &'a InForce) -> Self {
        Self {
            version: VERSION,
            path: &state.path,
            hash: state.running.hash,
            outline: Outline::of(&state.running.cluster),
            state,
        }
    }
}

/// A reader of one format, which is asked for one type after the other.
pub trait Reader {
    /// Why something cannot be read.
    type Error;

    /// Reads the whole.
    ///
    /// # Errors
    /// It is not of this type.
    fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Self::Error>;
}

impl Remembered {
    /// What was [written](InForce::written), by this release or another one.
    ///
    /// # Errors
    /// Not even what every release writes alike is there.
    pub fn read<R: Reader>(from: &R) -> Result<Self, R::Error> {
        if let Ok(Read { version: VERSION, state, .. }) = from.read::<Read<InForce>>() {
            return Ok(Self::State(state));
        }
        // Before there were versions.
        if let Ok(state) = from.read::<InForce>() {
            return Ok(Self::State(state));
        }
        let Read { path, hash, outline, .. } = from.read::<Read<IgnoredAny>>()?;
        Ok(Self::Outline(Outlined { path, hash, outline }))
    }

    pub(super) fn path(&self) -> &PathBuf {
        match self {
            Self::State(state) => &state.path,
            Self::Outline(outlined) => &outlined.path,
        }
    }
}

impl Outlined {
    /// The model of what was in force is lost, so nothing can go on by it. The file is as good as the
    /// first one if it is the one that was in force, or takes little enough of that away; else what
    /// runs is better left alone: the reason is in `loaded`.
    pub(super) fn permits(&self, loaded: &mut Loaded) -> bool {
        let after: Option<&Cluster> = loaded.cluster.as_ref();
        let Some(what) = after
            .filter(|_| loaded.hash != self.hash)
            .and_then(|after| self.outline.too_much(after))
        else {
            return true;
        };
        let mut out = Diagnostics::new();
        let why = format!(
            "{what}, nobody has confirmed that, and this release cannot read what was in force before"
        );
        out.whole_file(Severity::Error, &self.path.display().to_string(), why, HELP);
        loaded.diagnostics.extend(out.into_vec());
        false
    }
}
