//! Child daemons: started with one end of a socket pair as their standard input, restarted with a
//! growing delay.
//!
//! A child ends when its socket ends, so the death of a parent, in whatever way, ends its
//! children in order.

mod backoff;
mod errors;
mod keeper;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

pub use backoff::Backoff;
pub use keeper::{Keeper, KeeperEvent};
pub use rustix::process::Signal;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::logging::LogOutput;

/// The environment that a child is given; nothing else of ours reaches it.
const KEPT_ENVIRONMENT: [&str; 8] = [
    "PATH",
    "LANG",
    "TZ",
    "CARIBE_LOG",
    "CARIBE_RUNTIME_DIR",
    "RUST_BACKTRACE",
    "NO_COLOR",
    crate::logging::JOURNAL_STREAM,
];

/// How long the last lines of a child that has ended may take.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// No socket pair, or no pipe.
    #[error("cannot make a socket for {program}: {error}")]
    Socket {
        /// What was to be started.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// The program did not start.
    #[error("cannot start {program}: {error}")]
    Start {
        /// What was to be started.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// Our own file is nowhere to be found.
    #[error("cannot find the folder of this program: {0}")]
    OwnFolder(std::io::Error),
}

/// The program of this name that was installed beside this one.
pub fn sibling(name: &str) -> Result<PathBuf, ChildError> {
    let own = std::env::current_exe().map_err(ChildError::OwnFolder)?;
    Ok(own.parent().unwrap_or(Path::new("/")).join(name))
}

/// User and group that a child runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// User number.
    pub uid: u32,
    /// Group number; the child has no other group.
    pub gid: u32,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Another user; none keeps ours.
    pub run_as: Option<RunAs>,
    /// Where the lines of its standard error go; none lets them go where our own errors go.
    pub errors: Option<LogOutput>,
}

impl ChildSpec {
    fn name(&self) -> String {
        self.program.display().to_string()
    }

    /// Starts it. The returned socket is the other end of its standard input. Its output goes
    /// where ours goes. It is killed when the [`Child`] is dropped.
    pub fn spawn(&self) -> Result<(Child, UnixStream), ChildError> {
        let socket = |error| ChildError::Socket { program: self.name(), error };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(socket)?;
        ours.set_nonblocking(true).map_err(socket)?;
        let ours = UnixStream::from_std(ours).map_err(socket)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().kill_on_drop(true);
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        // In its own process group, a Ctrl-C at the terminal reaches the parent alone, which
        // then ends its children in order.
        command.process_group(0).current_dir("/");
        for name in KEPT_ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut lines = None;
        if let Some(output) = &self.errors {
            let (end, copying) = errors::to(output.clone()).map_err(socket)?;
            command.stderr(end);
            lines = Some(copying);
        }
        if let Some(RunAs { uid, gid }) = self.run_as {
            command.uid(uid).gid(gid);
        }
        let process =
            command.spawn().map_err(|error| ChildError::Start { program: self.name(), error })?;
        Ok((Child { process, lines }, ours))
    }
}

/// A child that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    /// Copies what it complains of into our log.
    lines: Option<JoinHandle<()>>,
}

impl Child {
    /// Its process number; none once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Sends a signal; nothing happens when it has ended already.
    pub fn signal(&self, signal: Signal) {
        let pid = self
            .process
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid
            && let Err(error) = rustix::process::kill_process(pid, signal)
        {
            tracing::debug!(%error, "cannot signal a child");
        }
    }

    /// Waits for its end. May be dropped and called again.
    pub async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Ends it: SIGTERM, and SIGKILL after `grace`. Its last lines are in the log by then.
    pub async fn stop(mut self, grace: Duration) -> std::io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        let ended = match tokio::time::timeout(grace, self.process.wait()).await {
            Ok(ended) => ended,
            Err(_) => {
                self.process.start_kill()?;
                self.process.wait().await
            }
        };
        if let Some(lines) = self.lines {
            // Whoever else holds the other end is not waited for.
            let _ = tokio::time::timeout(LAST_LINES, lines).await;
        }
        ended
    }
}

/// How a process ended, in words: `exit code 78`, `killed by signal 9`.
pub fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "unknown end".to_owned(),
    }
}

#[cfg(test)]
mod tests;
