//! Where lines go: standard error, or a file that can be reopened after it was rotated; and to the
//! file that the configuration names.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::append;
use crate::exit::{Exit, ExitError};

/// Of a log that is new; the umask takes from it.
const MODE: u32 = 0o666;

/// Where lines go. Clones share the files.
#[derive(Clone, Debug)]
pub struct LogOutput {
    file: Option<Arc<LogFile>>,
    also: Arc<ArcSwapOption<LogFile>>,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: ArcSwap<File>,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = append::open(path, MODE)?;
        Ok(Self { path: path.to_owned(), file: ArcSwap::from_pointee(file) })
    }

    fn reopen(&self) -> io::Result<()> {
        let file = append::open(&self.path, MODE)?;
        self.file.store(Arc::new(file));
        Ok(())
    }

    fn write(&self, line: &str) -> io::Result<()> {
        (&**self.file.load()).write_all(line.as_bytes())
    }
}

impl LogOutput {
    pub(crate) fn standard_error() -> Self {
        Self { file: None, also: Arc::default() }
    }

    /// Appends to a file, which is made if it is not there.
    pub(crate) fn file(path: &Path) -> Result<Self, ExitError> {
        let file = LogFile::open(path).map_err(|error| {
            let message = format!(
                "cannot open the log file {}: {error}; give another one with --log-file",
                path.display()
            );
            ExitError::from_io(&error, Exit::Configuration, message)
        })?;
        Ok(Self { file: Some(Arc::new(file)), also: Arc::default() })
    }

    /// From now on lines go to this file, too, or to no other one than before. A file that was
    /// given on the command line goes before.
    ///
    /// # Errors
    /// It cannot be opened: lines go where they went before.
    pub(crate) fn also(&self, path: Option<&Path>) -> io::Result<()> {
        let path = path.filter(|_| self.file.is_none());
        let before = self.also.load_full();
        if before.as_ref().map(|file| file.path.as_path()) != path {
            self.also.store(path.map(LogFile::open).transpose()?.map(Arc::new));
        }
        Ok(())
    }

    /// Opens the files anew under their names. When that fails the old ones go on being written.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let also = self.also.load_full();
        let files = [self.file.as_ref(), also.as_ref()];
        // Each is tried, whatever becomes of the other.
        let tried = files.map(|file| file.map_or(Ok(()), |file| file.reopen()));
        tried.into_iter().collect()
    }

    /// Writes a line in one call, so that lines of several processes do not mix. A log that
    /// cannot be written must not end a router: the failure is dropped.
    pub(crate) fn write_line(&self, line: &str) {
        let written = match &self.file {
            Some(log) => log.write(line),
            None => io::stderr().lock().write_all(line.as_bytes()),
        };
        let also = self.also.load();
        drop((written, also.as_ref().map(|log| log.write(line))));
    }
}
