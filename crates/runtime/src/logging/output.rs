//! Where lines go: standard error, or a file that can be reopened after it was rotated.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::exit::{Exit, ExitError};

/// Where lines go. Clones share the file.
#[derive(Clone)]
pub(crate) struct LogOutput {
    file: Option<Arc<LogFile>>,
}

struct LogFile {
    path: PathBuf,
    file: ArcSwap<File>,
}

impl LogOutput {
    pub(crate) fn standard_error() -> Self {
        Self { file: None }
    }

    /// Appends to a file, which is made if it is not there.
    pub(crate) fn file(path: &Path) -> Result<Self, ExitError> {
        let file = crate::privilege::as_root(|| open(path)).map_err(|error| {
            let message = format!(
                "cannot open the log file {}: {error}; give another one with --log-file",
                path.display()
            );
            ExitError::from_io(&error, Exit::Configuration, message)
        })?;
        let file = LogFile { path: path.to_owned(), file: ArcSwap::from_pointee(file) };
        Ok(Self { file: Some(Arc::new(file)) })
    }

    /// Opens the file anew under its name. When that fails the old one goes on being written.
    pub(crate) fn reopen(&self) -> std::io::Result<()> {
        if let Some(log) = &self.file {
            let file = crate::privilege::as_root(|| open(&log.path))?;
            log.file.store(Arc::new(file));
        }
        Ok(())
    }

    /// Writes a line in one call, so that lines of several processes do not mix. A log that
    /// cannot be written must not end a router: the failure is dropped.
    pub(crate) fn write_line(&self, line: &str) {
        let written = match &self.file {
            Some(log) => (&**log.file.load()).write_all(line.as_bytes()),
            None => std::io::stderr().lock().write_all(line.as_bytes()),
        };
        drop(written);
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
