//! A program that leads a process group, and everything that it started.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Kills the whole group of a program when it is dropped.
#[derive(Debug)]
pub struct Group(Option<Pid>);

impl Group {
    /// The group that this child leads: it was started with `process_group(0)`. To be dropped
    /// before the child is, which reaps it.
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// The program has ended by itself: its number may belong to another one soon.
    pub fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It cannot be reaped yet, as the child is dropped after this: the number is its own.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}
