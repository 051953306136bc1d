//! The files that lines are written to, as the kernel sees them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::journald;
use crate::append::{Change, Lines};

/// Of a log that is new; the umask takes from it.
const MODE: u32 = 0o666;

/// Where the log goes, and the file that the configuration names beside it.
pub(super) struct Sink {
    first: First,
    also: Option<Lines>,
}

enum First {
    Stream(Box<dyn Write + Send>),
    Journal(io::Stderr),
    File(Lines),
}

impl Sink {
    /// Lines go to a stream that is open already.
    pub(super) fn stream(stream: impl Write + Send + 'static) -> Self {
        Self { first: First::Stream(Box::new(stream)), also: None }
    }

    /// Lines go to standard error, in the form of the journal where that is at its other end.
    pub(super) fn standard_error() -> Self {
        if journald::reads_standard_error() {
            return Self { first: First::Journal(io::stderr()), also: None };
        }
        Self::stream(io::stderr())
    }

    /// Lines go to the end of a file, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        Ok(Self { first: First::File(Lines::open(path, MODE)?), also: None })
    }

    /// From now on lines go to this file, too, or to no other one than before. A file that was
    /// given on the command line goes before.
    ///
    /// # Errors
    /// It cannot be opened: lines go where they went before.
    pub(super) fn also(&mut self, path: Option<&Path>) -> io::Result<()> {
        let path = path.filter(|_| !matches!(self.first, First::File(_)));
        if self.also.as_ref().map(Lines::path) != path {
            self.also = path.map(|path| Lines::open(path, MODE)).transpose()?;
        }
        Ok(())
    }

    /// Opens the files anew under their names. When that fails the old ones go on being written.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let first = match &mut self.first {
            First::File(file) => Some(file),
            First::Stream(_) | First::Journal(_) => None,
        };
        // Each is tried, whatever becomes of the other.
        let tried = [first, self.also.as_mut()].map(|file| file.map_or(Ok(()), Lines::reopen));
        tried.into_iter().collect()
    }

    /// Writes a line, and says what has changed about its files. A log that cannot be written must
    /// not end a router: a stream that fails has no other place to tell it.
    pub(super) fn write(&mut self, line: &str) -> [Option<Told>; 2] {
        let first = match &mut self.first {
            First::File(log) => write(log, line),
            First::Stream(stream) => {
                let _failing = stream.write_all(line.as_bytes());
                None
            }
            First::Journal(stream) => {
                let _failing = stream.write_all(journald::line(line).as_bytes());
                None
            }
        };
        [first, self.also.as_mut().and_then(|log| write(log, line))]
    }
}

/// What is to be told of a file.
pub(super) struct Told(PathBuf, Change);

impl Told {
    /// Tells it in the log, which has other places, too.
    pub(super) fn tell(self) {
        let path = self.0.display().to_string();
        match self.1 {
            Change::Fails(error) => {
                tracing::error!(path, %error, "log file takes no lines, they are missing there");
            }
            Change::Works(missing) => {
                tracing::warn!(path, missing, "log file takes lines again");
            }
        }
    }
}

fn write(log: &mut Lines, line: &str) -> Option<Told> {
    let change = log.write(line)?;
    Some(Told(log.path().to_owned(), change))
}
