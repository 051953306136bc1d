//! The configuration on disk: where it is, and reading it.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use config::{Disk, Format, Given, Loaded};
use thiserror::Error;

use crate::ExitError;
use crate::privilege::as_root;

/// Where a configuration is looked for when none is named, in this order.
pub const DEFAULT_PATHS: [&str; 3] =
    ["/etc/caribe/cluster.yaml", "/etc/sysconfig/ha/lvs.cf", "/etc/ha.d"];

/// Largest file that is read, in bytes: a wrong path must not fill the memory.
const MAX_FILE: u64 = 64 << 20;

/// Stands for each password that is not read.
const NO_PASSWORD: &[u8] = b"not read\n";

/// Most names of a folder that are looked at.
const MAX_NAMES: usize = 10_000;

/// The path that is meant: the given one, else the first of [`DEFAULT_PATHS`] that exists.
pub fn locate(given: Option<&Path>) -> Result<PathBuf, ExitError> {
    locate_among(given, &DEFAULT_PATHS)
}

fn locate_among(given: Option<&Path>, defaults: &[&str]) -> Result<PathBuf, ExitError> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let find = || defaults.iter().map(Path::new).find(|path| path.exists());
    let found = as_root(|| Ok(find())).unwrap_or_else(|_| find());
    found.map(Path::to_owned).ok_or_else(|| {
        ExitError::configuration(format!(
            "cannot find a configuration: none of {} exists; write one, or name another path",
            defaults.join(", ")
        ))
    })
}

/// Reads a configuration, and every file it names. Takes as long as the disk does: in a daemon
/// that runs already use [`reload`].
///
/// It may lie where only root may read, so it is read as root where we can be.
pub fn load_file(path: &Path) -> Loaded {
    load_given(path, None, None)
}

/// [`load_file`] where each router has a file of its own, and the partner's is there too; or where
/// the format is known.
fn load_given(path: &Path, partner: Option<&Path>, format: Option<Format>) -> Loaded {
    let me = rustix::process::geteuid().as_raw();
    load_with(path, partner, format, &|path| Ok(read_private(path, me)?))
}

fn load_with(
    path: &Path,
    partner: Option<&Path>,
    format: Option<Format>,
    private: &(dyn Fn(&Path) -> io::Result<Vec<u8>> + Sync),
) -> Loaded {
    let load = || {
        let disk = Disk { read: &read, private, list: &list };
        config::load_from(&disk, path, path.is_dir(), Given { partner, format })
    };
    as_root(|| Ok(load())).unwrap_or_else(|_| load())
}

/// [`load_file`] on a thread of its own, so that nothing else waits for a slow disk.
pub async fn reload(path: PathBuf) -> Result<Loaded, ExitError> {
    reload_given(path, None, None).await
}

/// [`reload`] for whoever needs no password: the files that hold them are on the routers alone.
/// They are not opened, and the model holds none of theirs.
pub async fn reload_without_passwords(path: PathBuf) -> Result<Loaded, ExitError> {
    let load = move || load_with(&path, None, None, &|_| Ok(NO_PASSWORD.to_vec()));
    let loaded = tokio::task::spawn_blocking(load).await;
    loaded.map_err(|error| ExitError::internal(format!("cannot read the configuration: {error}")))
}

/// [`reload`] with the partner's file, of a format that is not told from the content.
pub async fn reload_given(
    path: PathBuf,
    partner: Option<PathBuf>,
    format: Option<Format>,
) -> Result<Loaded, ExitError> {
    let load = move || load_given(&path, partner.as_deref(), format);
    let loaded = tokio::task::spawn_blocking(load).await;
    loaded.map_err(|error| ExitError::internal(format!("cannot read the configuration: {error}")))
}

/// The names in a folder, of which an `include` may want some.
fn list(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(MAX_NAMES);
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// One whole file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    whole(open(path)?.0)
}

/// Pipes and devices are refused: they would block, or never end.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a plain file"));
    }
    Ok((file, metadata))
}

fn whole(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 64 MiB"));
    }
    Ok(bytes)
}

/// Why a file that holds a secret is not read.
#[derive(Debug, Error)]
pub enum NotPrivate {
    /// It cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// It belongs to somebody else, who can read it.
    #[error("it belongs to user {0}, who can read it")]
    Foreign(u32),
    /// Others can read it.
    #[error("it is open to others (mode {0:04o})")]
    Open(u32),
}

impl From<NotPrivate> for io::Error {
    fn from(error: NotPrivate) -> Self {
        match error {
            NotPrivate::Unreadable(error) => error,
            other => Self::new(ErrorKind::PermissionDenied, other.to_string()),
        }
    }
}

/// Reads a file that holds a secret: only root or the user `me` may own it, and nobody else may
/// read it. Whoever wants it read as root says so.
///
/// # Errors
/// It cannot be read, or somebody else can read it.
pub fn read_private(path: &Path, me: u32) -> Result<Vec<u8>, NotPrivate> {
    let (file, metadata) = open(path)?;
    let (mode, owner) = (metadata.mode(), metadata.uid());
    if owner != 0 && owner != me {
        return Err(NotPrivate::Foreign(owner));
    }
    if mode & 0o077 != 0 {
        return Err(NotPrivate::Open(mode & 0o7777));
    }
    Ok(whole(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_given_path_is_taken_as_it_is() {
        let given = Path::new("/nowhere/cluster.yaml");
        assert_eq!(locate(Some(given)).unwrap(), given);
    }

    #[test]
    fn the_first_default_that_exists_is_taken_and_none_is_an_error_that_names_them() {
        let folder = TestFolder::new();
        let names = ["a", "b"].map(|name| folder.path().join(name).display().to_string());
        let defaults = names.each_ref().map(String::as_str);
        let error = locate_among(None, &defaults).unwrap_err();
        assert_eq!(error.exit, Exit::Configuration);
        assert!(names.iter().all(|name| error.message.contains(name)), "{error}");
        std::fs::write(&names[1], "").unwrap();
        assert_eq!(locate_among(None, &defaults).unwrap(), Path::new(&names[1]));
        std::fs::create_dir(&names[0]).unwrap();
        assert_eq!(locate_among(None, &defaults).unwrap(), Path::new(&names[0]));
    }

    #[test]
    fn pipes_devices_and_folders_are_refused_without_waiting() {
        let folder = TestFolder::new();
        let pipe = folder.path().join("pipe");
        let status = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(status.success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
            assert!(read(path).is_err(), "{}", path.display());
        }
    }

    #[test]
    fn a_file_with_a_secret_is_read_only_where_nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TestFolder::new();
        let path = folder.path().join("imap.password");
        std::fs::write(&path, "geheim\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let me = rustix::process::geteuid().as_raw();
        for open in [0o644, 0o640, 0o604, 0o620] {
            mode(open);
            assert!(matches!(read_private(&path, me), Err(NotPrivate::Open(told)) if told == open));
        }
        mode(0o600);
        assert_eq!(read_private(&path, me).unwrap(), b"geheim\n");
        assert!(matches!(
            read_private(&folder.path().join("none"), me),
            Err(NotPrivate::Unreadable(_))
        ));
    }

    #[tokio::test]
    async fn who_needs_no_password_needs_none_of_their_files() {
        let folder = TestFolder::new();
        let path = folder.path().join("cluster.yaml");
        let text = "services: { mail: { listen: '192.168.1.1:143', servers: [192.168.1.4], \
                    check: { imap: { login: anna, password_file: none } } } }";
        std::fs::write(&path, text).unwrap();
        assert!(reload(path.clone()).await.unwrap().cluster.is_none());
        let loaded = reload_without_passwords(path).await.unwrap();
        assert_eq!(loaded.cluster.unwrap().services.len(), 1);
    }

    #[tokio::test]
    async fn a_configuration_that_is_not_there_is_a_diagnostic() {
        let loaded = reload(PathBuf::from("/nowhere/cluster.yaml")).await.unwrap();
        assert!(loaded.cluster.is_none());
        assert!(loaded.diagnostics[0].one_line().contains("/nowhere/cluster.yaml"));
    }
}
