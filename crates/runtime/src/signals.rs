//! What the operator or systemd asks by signal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ExitError;
use crate::logging::LogOutput;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM or SIGINT: end in order.
    Stop,
    /// SIGUSR1: the log was rotated. This process has reopened its own already; children are to
    /// be told.
    ReopenLog,
    /// SIGUSR2: another version is installed; let it take this one's place.
    Replace,
}

/// The signals of this process.
pub struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    user1: Signal,
    user2: Signal,
    output: LogOutput,
}

impl Signals {
    pub(crate) fn new(output: LogOutput) -> Result<Self, ExitError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| ExitError::internal(format!("cannot listen to signals: {error}")))
        };
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            user1: listen(SignalKind::user_defined1())?,
            user2: listen(SignalKind::user_defined2())?,
            output,
        })
    }

    /// The next request. May be dropped and called again without losing one.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hangup.recv() => Request::Reload,
            _ = self.user2.recv() => Request::Replace,
            _ = self.user1.recv() => {
                self.output.reopen();
                Request::ReopenLog
            }
        }
    }
}
