//! Which programs of a group run, on disk. A pulse that was killed leaves them behind; whoever comes
//! after it must know, since the partner may have started its own.

use std::io;
use std::path::{Path, PathBuf};

use config::model::Hook;
use heartbeat::GroupId;
use runtime::dirs::write_atomic;

const MODE: u32 = 0o600;

/// The file of one group.
#[derive(Clone, Debug)]
pub(super) struct Note(PathBuf);

impl Note {
    pub(super) fn of(folder: &Path, group: GroupId) -> Self {
        Self(folder.join(format!("programs-{:08x}.json", group.0)))
    }

    /// The names of those that run, or may run.
    pub(super) async fn read(&self) -> Vec<String> {
        let Self(file) = self.clone();
        match aside(move || read(&file)).await {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(%error, "cannot read which programs an earlier pulse has started");
                Vec::new()
            }
        }
    }

    /// Before a program is started, and after it was stopped.
    pub(super) async fn write(&self, hooks: &[Hook]) {
        let names: Vec<String> = hooks.iter().map(|hook| hook.name.clone()).collect();
        let Self(file) = self.clone();
        if let Err(error) = aside(move || write(&file, &names)).await {
            tracing::warn!(%error, "cannot note which programs run, should pulse be killed");
        }
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn read(file: &Path) -> io::Result<Vec<String>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, names: &[String]) -> io::Result<()> {
    if !names.is_empty() {
        return write_atomic(file, &serde_json::to_vec(names)?, MODE);
    }
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
