//! Where the lab keeps what it fetched, and the lock that lets one lab run at a time.

use crate::trouble::{Context, Result};
use lab::console;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// One guest uses all processors, so two at a time would spoil each other's figures.
const LOCK: &str = "/tmp/caribe-lab.lock";

/// The folder for downloads: `$CARIBE_LAB_CACHE`, else in the user's cache folder.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("CARIBE_LAB_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("caribe-lab")))
        .or_else(|| Some(set("HOME")?.join(".cache/caribe-lab")))
        .unwrap_or_else(|| crate::process::target().join("lab/cache"));
    fs::create_dir_all(&folder).trying(format_args!("making {}", folder.display()))?;
    folder.canonicalize().trying(folder.display())
}

/// Waits until no other lab runs on this host. The lock is held as long as the file lives.
pub(crate) fn lock() -> Result<File> {
    // Opened without "create" when it is there: the kernel may refuse that for another user's file.
    let file = match File::options().write(true).open(LOCK) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            File::options().create(true).truncate(false).write(true).open(LOCK)
        }
        opened => opened,
    };
    let file = file.trying(LOCK)?;
    // Another user's lab has to be able to open it too; only the maker may say so.
    let _ = file.set_permissions(fs::Permissions::from_mode(0o666));
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            console::line("waiting for another lab on this host to end …");
            file.lock().trying(LOCK)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).trying(LOCK),
    }
    Ok(file)
}
