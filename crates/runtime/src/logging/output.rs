//! Where lines go: standard error, or a file that can be reopened after it was rotated; and to the
//! file that the configuration names.
//!
//! Once the program runs a thread of its own writes them: a slow disk, or a journal that does not
//! read, holds up nothing. What waits is written at the end, and before a defect ends the program.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::queue::Queue;
use super::sink::{Sink, Told};
use crate::exit::{Exit, ExitError};

/// What is done with the reason for which a file cannot be opened.
pub(crate) type OnError = Box<dyn FnOnce(io::Error) + Send>;

/// Where lines go. Clones share the files.
#[derive(Clone)]
pub struct LogOutput {
    files: Arc<Files>,
    queue: Arc<OnceLock<Queue>>,
}

/// The files. Once there is a queue its thread alone uses them.
pub(super) struct Files(Mutex<Sink>);

impl Files {
    /// A panic elsewhere leaves the files as they are.
    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, line: &str) {
        // What is told about it goes this way too, so the files must be free by then.
        let changes = self.sink().write(line);
        changes.into_iter().flatten().for_each(Told::tell);
    }

    pub(super) fn reopen(&self) {
        // As above.
        let done = self.sink().reopen();
        if let Err(error) = done {
            tracing::error!(%error, "cannot reopen the log file, the old one is kept");
        }
    }

    pub(super) fn also(&self, path: Option<&Path>, on_error: OnError) {
        let done = self.sink().also(path);
        if let Err(error) = done {
            on_error(error);
        }
    }
}

impl LogOutput {
    pub(crate) fn standard_error() -> Self {
        Self::of(Sink::standard_error())
    }

    #[cfg(test)]
    pub(super) fn stream(stream: impl io::Write + Send + 'static) -> Self {
        Self::of(Sink::stream(stream))
    }

    /// Appends to a file, which is made if it is not there.
    pub(crate) fn file(path: &Path) -> Result<Self, ExitError> {
        Sink::file(path).map(Self::of).map_err(|error| {
            let message = format!(
                "cannot open the log file {}: {error}; give another one with --log-file",
                path.display()
            );
            ExitError::from_io(&error, Exit::Configuration, message)
        })
    }

    fn of(sink: Sink) -> Self {
        Self { files: Arc::new(Files(Mutex::new(sink))), queue: Arc::default() }
    }

    /// From now on a thread writes: to be called once this process has given up what it does not
    /// need, which a thread from before would keep. Without it each line is written by whoever has it.
    ///
    /// # Errors
    /// There is no room for a thread: all is as before.
    pub(crate) fn start_thread(&self, name: &'static str) -> io::Result<()> {
        let queue = Queue::start(name, Arc::clone(&self.files))?;
        // A second one would end at once.
        let _started = self.queue.set(queue);
        Ok(())
    }

    /// From now on lines go to this file, too, or to no other one than before. A file that was
    /// given on the command line goes before. Where it cannot be opened lines go where they went
    /// before, and `on_error` is told.
    pub(crate) fn also(&self, path: Option<&Path>, on_error: OnError) {
        match self.queue.get() {
            None => self.files.also(path, on_error),
            Some(queue) => queue.also(path.map(Path::to_owned), on_error),
        }
    }

    /// Opens the files anew under their names. When that fails the old ones go on being written,
    /// and the log says so.
    pub(crate) fn reopen(&self) {
        match self.queue.get() {
            None => self.files.reopen(),
            Some(queue) => queue.reopen(),
        }
    }

    /// Writes a line, or hands it to the thread that does.
    pub(crate) fn write_line(&self, line: String) {
        match self.queue.get() {
            None => self.files.write(&line),
            Some(queue) => queue.line(line),
        }
    }

    /// Waits until what was logged is written, so long at most.
    pub fn flush(&self, patience: Duration) {
        if let Some(queue) = self.queue.get() {
            queue.flush(patience);
        }
    }
}

impl fmt::Debug for LogOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogOutput").field("thread", &self.queue.get().is_some()).finish()
    }
}
