//! One of a kind: whoever holds the lock is the only daemon of that name on this router.
//!
//! The kernel gives the lock back when its holder ends, in whatever way.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dirs::{RuntimeDir, passes};
use crate::exit::ExitError;

/// How often a lock that is held is asked for again: who tidies up after a dead daemon holds it
/// for some milliseconds.
const TRIES: u32 = 50;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, held until this is dropped.
#[derive(Debug)]
pub struct Presence {
    /// None where the file cannot be made for now.
    _file: Option<File>,
}

impl Presence {
    /// Takes the lock; none when somebody else holds it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn try_claim(dir: &RuntimeDir, daemon: &str) -> Result<Option<Self>, ExitError> {
        lock(dir, daemon).map_err(|error| failed(dir, daemon, &error))
    }

    /// Takes the lock, and waits a second for it. Where the runtime directory cannot be written at
    /// the moment and has no lock, nobody else can have it either: the daemon goes on without.
    ///
    /// # Errors
    /// When somebody else keeps it, or the file cannot be opened.
    pub async fn claim(dir: &RuntimeDir, daemon: &str) -> Result<Self, ExitError> {
        for _ in 0..TRIES {
            match lock(dir, daemon) {
                Ok(Some(presence)) => return Ok(presence),
                Ok(None) => {}
                Err(error) if passes(&error) || error.kind() == ErrorKind::NotFound => {
                    let lock = path(dir, daemon);
                    tracing::error!(lock = %lock.display(), %error, "runs without its lock");
                    return Ok(Self { _file: None });
                }
                Err(error) => return Err(failed(dir, daemon, &error)),
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(ExitError::internal(format!(
            "another {daemon} runs on this router (it holds {}): stop it first",
            path(dir, daemon).display()
        )))
    }
}

/// Whether somebody has the lock of a daemon. Who only asks is in nobody's way who asks as well.
///
/// # Errors
/// When the file cannot be opened.
pub fn is_claimed(dir: &RuntimeDir, daemon: &str) -> Result<bool, ExitError> {
    let asked = || match open(&path(dir, daemon))?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    };
    asked().map_err(|error| failed(dir, daemon, &error))
}

fn lock(dir: &RuntimeDir, daemon: &str) -> std::io::Result<Option<Presence>> {
    let file = open(&path(dir, daemon))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Presence { _file: Some(file) })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn failed(dir: &RuntimeDir, daemon: &str, error: &std::io::Error) -> ExitError {
    let path = path(dir, daemon);
    ExitError::internal(format!("cannot use the lock {}: {error}", path.display()))
}

/// For reading, which is enough for a lock: a file that is open for writing would keep its file
/// system from ever becoming read-only.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            drop(options.open(path)?);
            File::open(path)
        }
        other => other,
    }
}

fn path(dir: &RuntimeDir, daemon: &str) -> PathBuf {
    dir.path().join(format!("{daemon}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[tokio::test]
    async fn a_second_one_is_refused_until_the_first_is_gone() {
        let folder = TestFolder::new();
        let dir = RuntimeDir::prepare(Some(&folder.path().join("run"))).unwrap();
        let first = Presence::claim(&dir, "pulse").await.unwrap();
        assert!(Presence::try_claim(&dir, "pulse").unwrap().is_none());
        assert!(Presence::try_claim(&dir, "lvsd").unwrap().is_some());
        assert!(is_claimed(&dir, "pulse").unwrap());
        assert!(!is_claimed(&dir, "lvsd").unwrap());
        drop(first);
        assert!(!is_claimed(&dir, "pulse").unwrap());
        assert!(Presence::try_claim(&dir, "pulse").unwrap().is_some());
    }
    #[tokio::test]
    async fn a_daemon_goes_on_without_a_lock_that_cannot_be_made_and_nobody_tidies_up_then() {
        let folder = TestFolder::new();
        let dir = RuntimeDir::prepare(Some(&folder.path().join("run"))).unwrap();
        std::fs::remove_dir(dir.path()).unwrap();
        Presence::claim(&dir, "pulse").await.unwrap();
        assert!(Presence::try_claim(&dir, "pulse").is_err());
    }
}
