//! What was there before, so that it can be put back. On disk before the first change of each.

use std::net::IpAddr;
use std::path::PathBuf;

use runtime::ExitError;
use runtime::dirs::write_atomic;
use runtime::sysctl::Values;
use serde::{Deserialize, Serialize};

const MODE: u32 = 0o640;

/// The file, and what it says.
#[derive(Debug)]
pub(crate) struct Undo {
    file: PathBuf,
    pub(crate) was: Was,
}

/// What was there before, and what came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Was {
    /// Settings as they were.
    pub(crate) settings: Values,
    /// Addresses that came, and their interfaces.
    pub(crate) addresses: Vec<(IpAddr, String)>,
    /// Interfaces that were made.
    pub(crate) made: Vec<String>,
    /// Interfaces that were down.
    pub(crate) raised: Vec<String>,
}

impl Undo {
    /// Reads it; nothing was done where there is none. After a start of this host there is none.
    pub(crate) fn load(folder: PathBuf) -> Result<Self, ExitError> {
        let file = folder.join("before.json");
        let was = match std::fs::read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Was::default(),
            Err(error) => return Err(unreadable(&file, &error)),
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| unreadable(&file, &std::io::Error::other(error)))?,
        };
        Ok(Self { file, was })
    }

    /// Puts it on disk; without anything to put back there is no file.
    pub(crate) fn save(&self) -> Result<(), ExitError> {
        let written = if self.was == Was::default() {
            match std::fs::remove_file(&self.file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            let bytes = serde_json::to_vec(&self.was).map_err(std::io::Error::other);
            bytes.and_then(|bytes| write_atomic(&self.file, &bytes, MODE))
        };
        written.map_err(|error| {
            let file = self.file.display();
            ExitError::internal(format!("cannot keep what was there before in {file}: {error}"))
        })
    }
}

fn unreadable(file: &std::path::Path, error: &std::io::Error) -> ExitError {
    let file = file.display();
    ExitError::internal(format!(
        "cannot read what was there before from {file}: {error}; put it back by hand, and remove it"
    ))
}
