//! Notices edits of the configuration.
//!
//! Folders are watched, not files: editors replace a file by a rename, which ends a watch on the
//! file itself for ever. Every symbolic link on the way is followed, and the folder that holds it
//! is watched too, so that swapping a link (as mounted ConfigMaps do) is an edit.

mod places;
mod settle;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask};
use places::{Interest, Places};
use settle::Settle;
use tokio::time::Instant;

use crate::exit::{Exit, ExitError};
use crate::privilege::as_root;

/// Room for the events of one read. One event takes at most 272 bytes.
const BUFFER: usize = 4 * 1024;

/// Pause after a failure, so that a lasting one does not turn into a loop.
const RETRY: Duration = Duration::from_secs(1);

/// Watches a configuration: a file or a folder, and every file that it names.
pub struct ConfigWatch {
    events: EventStream<[u8; BUFFER]>,
    path: PathBuf,
    files: Vec<PathBuf>,
    folders: HashMap<WatchDescriptor, Watched>,
    settle: Settle,
}

struct Watched {
    folder: PathBuf,
    interest: Interest,
}

impl ConfigWatch {
    /// Watches `path`, and `files` as [`config::Loaded`] lists them.
    pub fn new(path: &Path, files: &[PathBuf]) -> Result<Self, ExitError> {
        let fail = |error: std::io::Error| {
            let message = format!(
                "cannot watch {}: {error}; raise fs.inotify.max_user_instances and \
                 max_user_watches, or set autoreload to off and reload with SIGHUP",
                path.display()
            );
            ExitError::from_io(&error, Exit::Internal, message)
        };
        let inotify = Inotify::init().map_err(fail)?;
        let mut watch = Self {
            events: inotify.into_event_stream([0; BUFFER]).map_err(fail)?,
            path: std::path::absolute(path).map_err(fail)?,
            files: files.to_vec(),
            folders: HashMap::new(),
            settle: Settle::default(),
        };
        watch.arm();
        Ok(watch)
    }

    /// The files that the newest reading named. One that is not there yet is waited for.
    pub fn set_files(&mut self, files: &[PathBuf]) {
        if self.files != files {
            self.files = files.to_vec();
            self.arm();
        }
    }

    /// Returns after an edit, once nobody is writing any more. The content may be the same as
    /// before: compare the hash. May be dropped and called again without losing an edit.
    pub async fn changed(&mut self) {
        loop {
            let due = self.settle.due();
            let settled = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = self.events.next() => match event {
                    Some(Ok(event)) => self.note(&event),
                    Some(Err(error)) => {
                        tracing::warn!(%error, "cannot read what was edited");
                        tokio::time::sleep(RETRY).await;
                    }
                    // The stream of an open descriptor does not end.
                    None => std::future::pending().await,
                },
                () = settled => {
                    self.settle = Settle::default();
                    // First the watches, then the reading: nothing falls in between.
                    self.arm();
                    return;
                }
            }
        }
    }

    fn note(&mut self, event: &EventOwned) {
        let mask = event.mask;
        let now = Instant::now();
        if mask.contains(EventMask::Q_OVERFLOW) {
            self.settle.changed(OsStr::new(""), now);
            return;
        }
        let Some(watched) = self.folders.get(&event.wd) else { return };
        if mask.contains(EventMask::IGNORED) {
            self.folders.remove(&event.wd);
            self.settle.changed(OsStr::new(""), now);
            return;
        }
        let covered = event.name.as_deref().filter(|name| watched.interest.covers(name));
        let Some(name) = covered else { return };
        let file: OsString = watched.folder.join(name).into();
        let written = mask.contains(EventMask::MODIFY)
            || mask.contains(EventMask::CREATE) && is_new_file(Path::new(&file));
        if written {
            self.settle.writing(file, now);
        } else {
            self.settle.changed(&file, now);
        }
    }

    /// Watches the folders that matter now, and no other.
    fn arm(&mut self) {
        let (path, files) = (&self.path, &self.files);
        let places = as_root(|| Ok(Places::of(path, files)))
            .unwrap_or_else(|_| Places::of(&self.path, &self.files));
        let mut watches = self.events.watches();
        let mut folders: HashMap<WatchDescriptor, Watched> = HashMap::new();
        for (folder, interest) in places.into_folders() {
            let added = match watches.add(&folder, mask(&interest)) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    as_root(|| watches.add(&folder, mask(&interest)))
                }
                added => added,
            };
            match added {
                Ok(descriptor) => {
                    // Two paths may lead to one folder.
                    folders
                        .entry(descriptor)
                        .and_modify(|watched| watched.interest.merge(&interest))
                        .or_insert(Watched { folder, interest });
                }
                // Gone since it was looked at: its own folder is watched, and tells.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) if interest.holds_files() => {
                    let folder = folder.display().to_string();
                    tracing::warn!(folder, %error, "cannot watch a folder, its edits need SIGHUP");
                }
                Err(error) => tracing::debug!(folder = %folder.display(), %error, "not watched"),
            }
        }
        for (old, watched) in self.folders.drain() {
            if !folders.contains_key(&old)
                && let Err(error) = watches.remove(old)
            {
                tracing::debug!(folder = %watched.folder.display(), %error, "was not watched");
            }
        }
        self.folders = folders;
    }
}

/// A file that was just made will be written and closed; a link that was just made is whole.
fn is_new_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.nlink() == 1)
}

/// Our own reading must cause no event. On the way to a file only its comings and goings matter.
fn mask(interest: &Interest) -> WatchMask {
    let way = WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::MOVED_FROM
        | WatchMask::MOVED_TO
        | WatchMask::MASK_ADD
        | WatchMask::ONLYDIR;
    if interest.holds_files() {
        way | WatchMask::MODIFY | WatchMask::CLOSE_WRITE | WatchMask::ATTRIB
    } else {
        way
    }
}

#[cfg(test)]
mod tests;
