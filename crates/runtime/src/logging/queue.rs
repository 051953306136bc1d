//! The way to the thread that writes the log.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::output::{Files, OnError};
use crate::timestamp;

/// Lines that may wait for the disk; what comes on top is dropped, counted and told.
pub(super) const WAITING: usize = 4096;

/// Lines after which it is looked for what found no room, while the queue is never empty.
const LOOK: usize = 2 * WAITING;

/// Orders about files that may wait beside a queue that is full.
const LATE: usize = 8;

/// Pause before a full queue is tried again, by somebody who may wait.
const AGAIN: Duration = Duration::from_millis(5);

/// What the thread is to do, in this order.
enum Work {
    Line(String),
    Reopen,
    Also(Option<PathBuf>, OnError),
    /// All that came before is written.
    Tell(SyncSender<()>),
}

/// What both ends share beside the queue.
#[derive(Default)]
struct Beside {
    /// Lines that found no room.
    lost: AtomicU64,
    /// Orders about files that found no room.
    late: Mutex<Vec<Work>>,
}

impl Beside {
    fn late(&self) -> MutexGuard<'_, Vec<Work>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending end.
pub(super) struct Queue {
    work: SyncSender<Work>,
    beside: Arc<Beside>,
}

impl Queue {
    /// Starts the thread, which ends with the queue. Lost lines are told in the name of this program.
    ///
    /// # Errors
    /// There is no room for a thread.
    pub(super) fn start(name: &'static str, files: Arc<Files>) -> io::Result<Self> {
        let (work, waiting) = sync_channel(WAITING);
        let beside = Arc::<Beside>::default();
        let writer = Writer { name, files, beside: Arc::clone(&beside), since_looked: 0 };
        let thread = std::thread::Builder::new().name("log".to_owned());
        thread.spawn(move || writer.run(&waiting))?;
        Ok(Self { work, beside })
    }

    /// Hands a line on, and never waits.
    pub(super) fn line(&self, line: String) {
        if self.work.try_send(Work::Line(line)).is_err() {
            self.beside.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands on that the log was rotated. Lines that wait already go to the old files.
    pub(super) fn reopen(&self) {
        self.order(Work::Reopen);
    }

    /// Hands on which other file gets the lines that follow.
    pub(super) fn also(&self, path: Option<PathBuf>, on_error: OnError) {
        self.order(Work::Also(path, on_error));
    }

    /// Never waits either. One that finds no room is carried out a little late; so many of them
    /// do not come while a queue is full that any is lost.
    fn order(&self, work: Work) {
        if let Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) =
            self.work.try_send(work)
        {
            let mut late = self.beside.late();
            if late.len() < LATE {
                late.push(work);
            }
        }
    }

    /// Waits until all that was handed on is written, so long at most.
    pub(super) fn flush(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let (tell, written) = sync_channel(1);
        if self.send(Work::Tell(tell), until) {
            // Whoever waits no longer has other things to do.
            let _late = written.recv_timeout(until.saturating_duration_since(Instant::now()));
        }
    }

    fn send(&self, mut work: Work, until: Instant) -> bool {
        loop {
            match self.work.try_send(work) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) if Instant::now() < until => work = back,
                Err(TrySendError::Full(_)) => return false,
            }
            std::thread::sleep(AGAIN);
        }
    }
}

/// The thread.
struct Writer {
    name: &'static str,
    files: Arc<Files>,
    beside: Arc<Beside>,
    /// Lines since it was looked for what found no room.
    since_looked: usize,
}

impl Writer {
    fn run(mut self, waiting: &Receiver<Work>) {
        loop {
            let work = match waiting.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.look_beside();
                    waiting.recv().ok()
                }
                other => other.ok(),
            };
            match work {
                Some(work) => self.carry_out(work),
                None => return,
            }
        }
    }

    fn carry_out(&mut self, work: Work) {
        match work {
            Work::Line(line) => {
                self.files.write(&line);
                self.since_looked += 1;
                if self.since_looked >= LOOK {
                    self.look_beside();
                }
            }
            Work::Reopen => self.files.reopen(),
            Work::Also(path, on_error) => self.files.also(path.as_deref(), on_error),
            Work::Tell(done) => {
                self.look_beside();
                // Whoever asked may wait no longer.
                let _asked = done.try_send(());
            }
        }
    }

    /// What found no room in the queue.
    fn look_beside(&mut self) {
        self.since_looked = 0;
        let count = self.beside.lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let time = timestamp::utc(timestamp::unix_ms());
            let name = self.name;
            let sentence = "lines of the log were dropped, too many waited to be written";
            self.files.write(&format!("{time} ERROR {name}: {sentence} count={count}\n"));
        }
        let late = std::mem::take(&mut *self.beside.late());
        for work in late {
            self.carry_out(work);
        }
    }
}

#[cfg(test)]
mod tests;
