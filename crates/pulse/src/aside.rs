//! The thread on which addresses move.
//!
//! The kernel changes addresses under one lock of the whole host. Whoever holds that lock for long (a
//! network card that is reset, a driver that waits for its firmware) stops every thread that wants
//! it: here movers, renewals and announcements, and never a heartbeat.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use runtime::ExitError;
use tokio::runtime::{Builder, EnterGuard, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long the end of what runs there is waited for.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// The thread. Dropping it ends what runs there, as far as that can be ended.
#[derive(Debug)]
pub(crate) struct Thread {
    aside: Aside,
    end: Option<oneshot::Sender<()>>,
    ended: Receiver<()>,
}

/// The way to it.
#[derive(Clone, Debug)]
pub(crate) struct Aside(Handle);

impl Aside {
    /// Runs a task there.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.0.spawn(task)
    }

    /// What is opened while the guard lives is served there.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }
}

impl Thread {
    /// Starts it.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub(crate) fn start() -> Result<Self, ExitError> {
        let fail = |error| ExitError::internal(format!("cannot start a thread: {error}"));
        let own = Builder::new_current_thread().enable_all().build().map_err(fail)?;
        let aside = Aside(own.handle().clone());
        let (end, wanted) = oneshot::channel::<()>();
        let (last, ended) = sync_channel(1);
        let thread = std::thread::Builder::new().name("addresses".to_owned());
        let started = thread.spawn(move || {
            // Its other end is dropped with the guard.
            let _dropped = own.block_on(wanted);
            own.shutdown_timeout(LAST_WAIT);
            // Nobody may wait any more.
            let _told = last.try_send(());
        });
        started.map_err(fail)?;
        Ok(Self { aside, end: Some(end), ended })
    }

    /// Ends it; or leaves it to end with this program and no earlier, when another one takes its place.
    pub(crate) fn end(self, replaced: bool) {
        if replaced {
            std::mem::forget(self);
        }
    }

    /// The way to it.
    pub(crate) fn aside(&self) -> Aside {
        self.aside.clone()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.end.take());
        if self.ended.recv_timeout(2 * LAST_WAIT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the kernel holds up a change of addresses, pulse ends all the same");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn what_blocks_there_holds_up_nothing_here_and_ends_with_it() {
        let thread = Thread::start().unwrap();
        let (lock, held) = channel::<()>();
        let (began, begun) = oneshot::channel();
        // As a system call does that waits for a lock in the kernel.
        thread.aside().spawn(async move {
            began.send(()).unwrap();
            let _free = held.recv();
        });
        begun.await.unwrap();
        // A timer of this loop rings: it is not held up.
        tokio::time::sleep(Duration::from_millis(1)).await;
        drop(lock);
        drop(thread);
    }
}
