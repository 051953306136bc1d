//! The runtime directory: sockets, the services that we own, the operator's decisions.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::child::RunAs;
use crate::exit::{Exit, ExitError};

/// Where it is when nobody says otherwise.
pub const DEFAULT: &str = "/run/caribe";

/// The variable that says otherwise.
pub const VARIABLE: &str = "CARIBE_RUNTIME_DIR";

/// Anybody may look for a socket in it; who may use one is decided by the socket's server.
pub(crate) const PUBLIC: u32 = 0o755;

/// Owned services and decisions are for the daemons alone.
const PRIVATE: u32 = 0o750;

/// The runtime directory, made and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeDir {
    path: PathBuf,
}

impl RuntimeDir {
    /// The directory that is meant: the given one, else `CARIBE_RUNTIME_DIR`, else
    /// [`DEFAULT`]. Nothing is made or checked; for those who only look for a socket.
    pub fn choose(given: Option<&Path>) -> PathBuf {
        match given {
            Some(path) => path.to_owned(),
            None => std::env::var_os(VARIABLE)
                .filter(|value| !value.is_empty())
                .map_or_else(|| PathBuf::from(DEFAULT), PathBuf::from),
        }
    }

    /// Makes the directory if it is not there, and refuses one that others could write to, or we
    /// could not.
    pub fn prepare(given: Option<&Path>) -> Result<Self, ExitError> {
        let path = Self::choose(given);
        make(&path, PUBLIC, true, None)?;
        writable(&path)?;
        Ok(Self { path })
    }

    /// [`prepare`](Self::prepare) as root, for the user that the daemon becomes: the directory
    /// and what a daemon left there as root become that user's.
    pub fn prepare_for(given: Option<&Path>, user: RunAs) -> Result<Self, ExitError> {
        let path = Self::choose(given);
        make(&path, PUBLIC, true, Some(user))?;
        hand_over(&path, user, NESTED);
        Ok(Self { path })
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A daemon's control socket: `lvsd` gives `/run/caribe/lvsd.sock`.
    pub fn socket(&self, daemon: &str) -> PathBuf {
        self.path.join(format!("{daemon}.sock"))
    }

    /// A folder inside it that only the daemons may read; made if it is not there.
    pub fn private(&self, name: &str) -> Result<PathBuf, ExitError> {
        let path = self.path.join(name);
        make(&path, PRIVATE, false, None)?;
        writable(&path)?;
        Ok(path)
    }
}

/// Puts a file in place whole, or not at all: whoever reads it sees the old or the new bytes.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let written = write_new(&new, bytes, mode).and_then(|()| std::fs::rename(&new, path));
    if written.is_ok()
        && let Some(folder) = path.parent().and_then(|folder| std::fs::File::open(folder).ok())
    {
        // Without this a power loss may bring the old file back. Some file systems cannot do it
        // for a folder; the file is in place all the same.
        let _ = folder.sync_all();
    }
    if written.is_err() {
        // The first failure is the one to tell; the leftover is overwritten next time.
        let _ = std::fs::remove_file(&new);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Folders in folders that change hands: the directory, and the daemons' own in it.
const NESTED: usize = 2;

/// Gives away what is not the user's yet. Without the right to it nothing changes; whether the
/// user can work is seen when it tries.
fn hand_over(path: &Path, user: RunAs, depth: usize) {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
    if metadata.is_symlink() {
        return;
    }
    if (metadata.uid(), metadata.gid()) != (user.uid, user.gid)
        && let Err(error) = std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid))
    {
        tracing::debug!(path = %path.display(), %error, "cannot give a file to the daemon's user");
    }
    if depth == 0 || !metadata.is_dir() {
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        hand_over(&entry.path(), user, depth - 1);
    }
}

/// Nothing can be written at the moment, and somebody will mend that: no room, a file system that has
/// become read-only. A router does its work meanwhile. Wrong owners and modes are another thing:
/// they mend themselves never, and may be somebody's trap.
pub(crate) fn passes(error: &std::io::Error) -> bool {
    let kinds = [ErrorKind::ReadOnlyFilesystem, ErrorKind::StorageFull, ErrorKind::QuotaExceeded];
    let numbers = [libc::EIO, libc::EMFILE, libc::ENFILE, libc::ENOMEM];
    kinds.contains(&error.kind()) || error.raw_os_error().is_some_and(|n| numbers.contains(&n))
}

/// Whether the user that we are can make files there.
fn writable(path: &Path) -> Result<(), ExitError> {
    use rustix::fs::{Access, access};
    let tried = access(path, Access::WRITE_OK | Access::EXEC_OK);
    judge_writable(path, tried.map_err(std::io::Error::from))
}

fn judge_writable(path: &Path, tried: std::io::Result<()>) -> Result<(), ExitError> {
    let Err(error) = tried else { return Ok(()) };
    // One that is not there was told when it could not be made.
    if passes(&error) || error.kind() == ErrorKind::NotFound {
        tell_without(path, &error);
        return Ok(());
    }
    let (shown, user) = (path.display(), rustix::process::getuid().as_raw());
    Err(ExitError::configuration(format!(
        "cannot use the runtime directory {shown}: user {user} cannot write to it: {error}; run: \
         chown -R {user} {shown}"
    )))
}

fn make(path: &Path, mode: u32, parents: bool, user: Option<RunAs>) -> Result<(), ExitError> {
    let made = DirBuilder::new().recursive(parents).mode(mode).create(path);
    judge_made(path, made, user)
}

fn tell_without(path: &Path, error: &std::io::Error) {
    tracing::error!(
        folder = %path.display(), %error,
        "nothing can be written to the runtime directory, this daemon works without it for now"
    );
}

fn judge_made(
    path: &Path,
    made: std::io::Result<()>,
    user: Option<RunAs>,
) -> Result<(), ExitError> {
    match made {
        Err(error) if passes(&error) && !path.exists() => {
            tell_without(path, &error);
            return Ok(());
        }
        // Its own parent could not be made.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tell_without(path, &error);
            return Ok(());
        }
        Err(error) if passes(&error) => {}
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let message = format!(
                "cannot make the runtime directory {}: {error}; run as root, or give another \
                 one with --runtime-dir",
                path.display()
            );
            return Err(ExitError::from_io(&error, Exit::Configuration, message));
        }
        _ => {}
    }
    let metadata = std::fs::symlink_metadata(path).map_err(|error| {
        let message = format!("cannot look at the runtime directory {}: {error}", path.display());
        ExitError::from_io(&error, Exit::Configuration, message)
    })?;
    check(path, &metadata, user)
}

fn check(path: &Path, metadata: &Metadata, user: Option<RunAs>) -> Result<(), ExitError> {
    let shown = path.display();
    let refuse = |what: String| {
        let message = format!("cannot use the runtime directory {shown}: {what}");
        Err(ExitError::configuration(message))
    };
    let ours = rustix::process::geteuid().as_raw();
    if !metadata.is_dir() {
        return refuse("it is not a directory; remove it".to_owned());
    }
    let owner = metadata.uid();
    if owner != 0 && owner != ours && Some(owner) != user.map(|user| user.uid) {
        return refuse(format!("it belongs to user {owner}; chown it to root"));
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse(format!("others may write to it; run: chmod go-w {shown}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_folder::TestFolder;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn the_directory_and_its_private_folder_are_made_with_their_modes() {
        let folder = TestFolder::new();
        let path = folder.path().join("a/b");
        let dir = RuntimeDir::prepare(Some(&path)).unwrap();
        assert_eq!(mode(dir.path()), PUBLIC);
        assert_eq!(mode(&dir.private("lvsd").unwrap()), PRIVATE);
        assert_eq!(dir.socket("lvsd"), path.join("lvsd.sock"));
        assert_eq!(RuntimeDir::prepare(Some(&path)).unwrap(), dir, "a second start finds it");
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused_with_the_command_that_mends_it() {
        let folder = TestFolder::new();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let error = RuntimeDir::prepare(Some(folder.path())).unwrap_err();
        assert_eq!(error.exit, Exit::Configuration);
        assert!(error.message.contains("chmod go-w"), "{error}");
    }

    #[test]
    fn root_gives_the_directory_and_what_is_in_it_to_the_daemons_user() {
        let folder = TestFolder::new();
        let path = folder.path().join("run");
        let dir = RuntimeDir::prepare(Some(&path)).unwrap();
        let inner = dir.private("lvsd").unwrap();
        std::fs::write(inner.join("owned.json"), "{}").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path.join("link")).unwrap();
        // Only root can give away; anybody can give to itself.
        let own = rustix::process::geteuid();
        let user = match own.is_root() {
            true => RunAs { uid: 64_321, gid: 64_322 },
            false => RunAs { uid: own.as_raw(), gid: rustix::process::getegid().as_raw() },
        };
        RuntimeDir::prepare_for(Some(&path), user).unwrap();
        RuntimeDir::prepare_for(Some(&path), user).unwrap();
        for path in [&path, &inner, &inner.join("owned.json")] {
            let metadata = std::fs::metadata(path).unwrap();
            let owner = RunAs { uid: metadata.uid(), gid: metadata.gid() };
            assert_eq!(owner, user, "{}", path.display());
        }
        assert_eq!(std::fs::metadata("/etc/passwd").unwrap().uid(), 0, "links are not followed");
        let accepted = RuntimeDir::prepare(Some(&path)).is_ok();
        assert_eq!(accepted, !own.is_root(), "a directory of somebody else is refused");
    }

    #[test]
    fn no_room_and_a_read_only_file_system_keep_no_daemon_from_its_work_and_a_wrong_owner_does() {
        let folder = TestFolder::new();
        let missing = folder.path().join("missing");
        let failed = |number| Err(std::io::Error::from_raw_os_error(number));
        for number in [libc::EROFS, libc::ENOSPC, libc::EDQUOT] {
            judge_made(&missing, failed(number), None).unwrap();
            judge_made(folder.path(), failed(number), None).unwrap();
            judge_writable(folder.path(), failed(number)).unwrap();
        }
        // With neither the directory nor its parent, both are waited for.
        judge_made(&missing.join("lvsd"), failed(libc::ENOENT), None).unwrap();
        for refused in [
            judge_made(&missing, failed(libc::EACCES), None),
            judge_made(&missing, failed(libc::ENOTDIR), None),
            judge_writable(folder.path(), failed(libc::EACCES)),
        ] {
            assert!(refused.is_err());
        }
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let error = judge_made(folder.path(), failed(libc::EROFS), None).unwrap_err();
        assert!(error.message.contains("chmod go-w"), "{error}");
    }

    #[test]
    fn a_link_or_a_file_is_no_directory() {
        let folder = TestFolder::new();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        for path in [file, link] {
            let error = RuntimeDir::prepare(Some(&path)).unwrap_err();
            assert!(error.message.contains("not a directory"), "{error}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = TestFolder::new();
        let path = folder.path().join("owned.json");
        write_atomic(&path, b"one", 0o640).unwrap();
        write_atomic(&path, b"two", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let folder = TestFolder::new();
        let path = folder.path().join("owned.json");
        std::fs::create_dir(&path).unwrap();
        assert!(write_atomic(&path, b"new", 0o600).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
