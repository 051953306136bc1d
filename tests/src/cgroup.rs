//! A control group of the kernel: daemons that share one limit of memory, as the service manager
//! would give it to them.

use crate::failure::Context;
use crate::{Failure, Outcome, Run, wait_until};
use rustix::mount::{MountFlags, mount};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The processes of a group, one a line. Who is written there belongs to it, with all children
/// that are born later.
const MEMBERS: &str = "cgroup.procs";
/// Kills all members when `1` is written to it.
const KILL: &str = "cgroup.kill";
/// What killed processes may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// The limit, in bytes or `max`.
const LIMIT: &str = "memory.max";

/// One group. Memory counts for the group in which a process was when it asked for it, so a daemon
/// is started in its group.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// A new group without a limit.
    ///
    /// # Errors
    /// When the kernel has no control groups of version 2, or does not count memory.
    pub fn new(run: &Run, name: &str) -> Outcome<Self> {
        let root = run.folder().join("cgroup");
        if !root.exists() {
            fs::create_dir_all(&root).context(root.display())?;
            mount("cgroup2", &root, "cgroup2", MountFlags::empty(), None)
                .context("mounting cgroup2")?;
            fs::write(root.join("cgroup.subtree_control"), "+memory")
                .context("counting memory in control groups")?;
        }
        let folder = root.join(name);
        if folder.exists() {
            remove(&folder)?;
        }
        fs::create_dir(&folder).context(folder.display())?;
        Ok(Self { folder })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a limit, in bytes; the kernel kills one process after the other until it is kept.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn limit(&self, bytes: u64) -> Outcome {
        self.write(LIMIT, &bytes.to_string())
    }

    /// Ends the limit.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn no_limit(&self) -> Outcome {
        self.write(LIMIT, "max")
    }

    /// A number of a file of the kernel's, by its word: `anon` of `memory.stat`.
    ///
    /// # Errors
    /// When there is no such file or word.
    pub fn number(&self, file: &str, word: &str) -> Outcome<u64> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).context(path.display())?;
        let found = text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let found = found.ok_or_else(|| Failure::new(format!("{file} has no {word}")))?;
        found.trim().parse().context(path.display())
    }

    /// Processes that the kernel killed because the limit was reached.
    ///
    /// # Errors
    /// When the kernel does not count them.
    pub fn killed(&self) -> Outcome<u64> {
        self.number("memory.events", "oom_kill")
    }

    fn write(&self, file: &str, text: &str) -> Outcome {
        let path = self.folder.join(file);
        fs::write(&path, text).context(path.display())
    }
}

/// Removes what an earlier run of the same scenario left, with the processes in it.
fn remove(folder: &Path) -> Outcome {
    let kill = folder.join(KILL);
    fs::write(&kill, "1").context(kill.display())?;
    let what = format!("{} is empty", folder.display());
    wait_until(PATIENCE, &what, || Ok(fs::remove_dir(folder).is_ok())).map(drop)
}

/// Makes the calling process a member of the group in this folder.
pub(crate) fn join(folder: &Path) -> Outcome {
    let path = folder.join(MEMBERS);
    fs::write(&path, std::process::id().to_string()).context(path.display())
}
