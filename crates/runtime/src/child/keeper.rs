//! Keeps one child running.

use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::Instant;

use super::{Backoff, Child, ChildSpec, Signal, ending};

/// What happened to the child.
#[derive(Debug)]
pub enum KeeperEvent {
    /// It runs, and this is the socket to it.
    Started {
        /// Its process number.
        pid: u32,
        /// The socket that is its standard input.
        stream: UnixStream,
    },
    /// It ended, or did not start; it is started again after the delay.
    Ended {
        /// `exit code 78`, `killed by signal 9`, `cannot start …`.
        why: String,
        /// The delay.
        retry_in: Duration,
    },
}

enum State {
    Waiting { until: Instant },
    Running { child: Child, since: Instant },
}

/// Keeps one child running. Dropping it kills the child.
pub struct Keeper {
    spec: ChildSpec,
    backoff: Backoff,
    state: State,
    starts: u64,
}

impl Keeper {
    /// The child is started by the first [`event`](Self::event).
    pub fn new(spec: ChildSpec) -> Self {
        let state = State::Waiting { until: Instant::now() };
        Self { spec, backoff: Backoff::default(), state, starts: 0 }
    }

    /// Waits for the next event, and starts the child when it is due. May be dropped and called
    /// again without losing one.
    pub async fn event(&mut self) -> KeeperEvent {
        match &mut self.state {
            State::Waiting { until } => {
                tokio::time::sleep_until(*until).await;
                self.start()
            }
            State::Running { child, since } => {
                let ended = child.wait().await;
                let ran_for = since.elapsed();
                let why = match ended {
                    Ok(status) => ending(status),
                    Err(error) => format!("cannot wait for it: {error}"),
                };
                self.retry(why, ran_for)
            }
        }
    }

    /// The child's process number, while it runs.
    pub fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Running { child, .. } => child.pid(),
            State::Waiting { .. } => None,
        }
    }

    /// How often it was started again.
    pub fn restarts(&self) -> u64 {
        self.starts.saturating_sub(1)
    }

    /// Sends a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let State::Running { child, .. } = &self.state {
            child.signal(signal);
        }
    }

    /// What the next start will run; a child that runs is not touched.
    pub fn set_spec(&mut self, spec: ChildSpec) {
        self.spec = spec;
    }

    /// Ends the child for good: SIGTERM, and SIGKILL after `grace`. Close its socket first, so
    /// that it can end by itself.
    pub async fn stop(self, grace: Duration) {
        if let State::Running { child, .. } = self.state
            && let Err(error) = child.stop(grace).await
        {
            tracing::warn!(%error, "cannot end a child");
        }
    }

    fn start(&mut self) -> KeeperEvent {
        match self.spec.spawn() {
            Ok((child, stream)) => {
                let pid = child.pid().unwrap_or_default();
                self.starts += 1;
                self.state = State::Running { child, since: Instant::now() };
                KeeperEvent::Started { pid, stream }
            }
            Err(error) => self.retry(error.to_string(), Duration::ZERO),
        }
    }

    fn retry(&mut self, why: String, ran_for: Duration) -> KeeperEvent {
        let retry_in = self.backoff.after(ran_for);
        self.state = State::Waiting { until: Instant::now() + retry_in };
        KeeperEvent::Ended { why, retry_in }
    }
}
