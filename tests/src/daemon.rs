//! A program that was started on a host and goes on running.

use crate::failure::Context;
use crate::{Failure, Outcome, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// A running program and its log. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn new(name: &str, child: Child, log: PathBuf) -> Self {
        Self { name: name.to_owned(), child, log }
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it wrote so far, standard output and error together.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Outcome<String> {
        read_log(&self.log)
    }

    /// Waits until its log has a line that contains `text`; returns that line.
    ///
    /// # Errors
    /// When the limit passes, or the program ends first.
    pub fn wait_for_log(&mut self, limit: Duration, text: &str) -> Outcome<String> {
        let what = format!("{} logs \"{text}\"", self.name);
        crate::wait::wait_for(limit, &what, || {
            let ended = self.ended()?;
            let found = self.log()?.lines().find(|line| line.contains(text)).map(str::to_owned);
            match (found, ended) {
                (None, Some(status)) => Err(Failure::new(format!(
                    "{} ended ({status}) before it logged \"{text}\"",
                    self.name
                ))),
                (found, _) => Ok(found),
            }
        })
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Outcome {
        send(self.id(), signal).context(format_args!("sending a signal to {}", self.name))
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child.try_wait().context(format_args!("asking after {}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs after the limit.
    pub fn wait(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        let what = format!("{} ends", self.name);
        crate::wait::wait_for(limit, &what, || self.ended())
    }

    /// Orderly stop: TERM, and waits for the end.
    ///
    /// # Errors
    /// When it does not end within the limit.
    pub fn stop(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(limit)
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Outcome {
        self.child.kill().context(format_args!("killing {}", self.name))?;
        self.child.wait().context(format_args!("waiting for {}", self.name)).map(drop)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that the kernel found on a host, whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its process number.
    pub id: u32,
    /// The program's name, at most 15 letters.
    pub name: String,
}

impl Process {
    /// Kills it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// When it is still there after two seconds.
    pub fn kill(&self) -> Outcome {
        // Gone before the signal is as good.
        let _ = send(self.id, Signal::KILL);
        let what = format!("{} is gone", self.name);
        wait_until(Duration::from_secs(2), &what, || Ok(!is_alive(self.id))).map(drop)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Outcome {
        send(self.id, signal).context(format_args!("sending a signal to {}", self.name))
    }
}

fn send(id: u32, signal: Signal) -> std::io::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(pid.ok_or(rustix::io::Errno::SRCH)?, signal)?;
    Ok(())
}

/// Whether a process runs; one that ended and was not collected yet does not.
pub(crate) fn is_alive(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

pub(crate) fn read_log(path: &Path) -> Outcome<String> {
    let bytes = fs::read(path).context(path.display())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
