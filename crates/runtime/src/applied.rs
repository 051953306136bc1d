//! Which configuration is in force, remembered on disk beside the daemon's other files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::Loaded;
use config::in_force::{Beginning, How, InForce, Reader, Remembered};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dirs::write_atomic;

const FILE: &str = "in_force.json";
/// It holds the passwords of checks.
const MODE: u32 = 0o600;

/// What is in force, on disk soon after each change.
#[derive(Debug)]
pub struct Applied {
    file: PathBuf,
    state: InForce,
    saver: Option<(watch::Sender<Option<InForce>>, JoinHandle<()>)>,
}

impl Applied {
    /// What to begin with, from the file at `path` as it was read and what is remembered in
    /// `folder`, which need not be there. None when neither can be used: the reasons are in
    /// `loaded`. Nothing is written before [`remember`](Self::remember).
    pub fn begin(folder: &Path, path: &Path, loaded: &mut Loaded) -> Option<(Self, Beginning)> {
        let file = folder.join(FILE);
        let (state, beginning) = InForce::begin(recall(&file), path.to_owned(), loaded, boot())?;
        Some((Self { file, state, saver: None }, beginning))
    }

    /// The folder is there: remembers from now on. Within a runtime.
    pub fn remember(&mut self) {
        let (saved, to_save) = watch::channel(None);
        self.saver = Some((saved, tokio::spawn(keep_saved(self.file.clone(), to_save))));
        self.save();
    }

    /// What is in force.
    pub fn state(&self) -> &InForce {
        &self.state
    }

    /// It is in force from now on.
    pub fn take(&mut self, loaded: &Loaded, how: How) {
        self.state.take(loaded, how, boot());
        self.save();
    }

    /// The newest edit was refused.
    pub fn refused(&mut self) {
        self.state.refused();
        self.save();
    }

    /// What is on trial is kept for good. False when nothing is.
    pub fn keep(&mut self) -> bool {
        let kept = self.state.keep();
        self.save();
        kept
    }

    /// Goes back when the trial has ended: the configuration that is in force again, as if it had
    /// been read from the file now.
    pub fn go_back(&mut self) -> Option<Loaded> {
        let kept = self.state.go_back(boot())?;
        self.save();
        Some(kept.loaded(Vec::new()))
    }

    /// How long the trial lasts yet, if there is one.
    pub fn trial_left(&self) -> Option<Duration> {
        self.state.trial_left(boot())
    }

    /// The daemon ends in order: the next start takes the file as it is then, unless something is
    /// on trial or refused.
    pub async fn finish(self) {
        let Self { file, state, saver } = self;
        let Some((saved, task)) = saver else { return };
        drop(saved);
        if task.await.is_err() || state.outlives_a_stop() {
            return;
        }
        let done = std::fs::remove_file(&file);
        match done {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => tell(&file, &error),
            _ => {}
        }
    }

    fn save(&self) {
        if let Some((saved, _)) = &self.saver {
            saved.send_replace(Some(self.state.clone()));
        }
    }
}

/// Time since the machine's start: it survives a restart, and no clock step moves it.
fn boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(now).unwrap_or_default()
}

struct Json(Vec<u8>);

impl Reader for Json {
    type Error = serde_json::Error;

    fn read<T: for<'de> serde::Deserialize<'de>>(&self) -> Result<T, Self::Error> {
        serde_json::from_slice(&self.0)
    }
}

/// What cannot be read at all is as good as nothing: nobody can say what was in force.
fn recall(file: &Path) -> Option<Remembered> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::error!(
                file = %file.display(), %error,
                "cannot read what was in force, the file is taken as the first configuration"
            );
            return None;
        }
    };
    match Remembered::read(&Json(bytes)) {
        Ok(remembered) => {
            if matches!(remembered, Remembered::Outline(_)) {
                tracing::warn!(
                    file = %file.display(),
                    "another release wrote what was in force: only what it served is known"
                );
            }
            Some(remembered)
        }
        Err(error) => {
            tracing::error!(
                file = %file.display(), %error,
                "cannot understand what was in force, the file is taken as the first configuration"
            );
            None
        }
    }
}

/// Writes the newest state, each time there is one. A large table takes a while to write, and
/// nothing waits for that.
async fn keep_saved(file: PathBuf, mut states: watch::Receiver<Option<InForce>>) {
    while states.changed().await.is_ok() {
        let Some(state) = states.borrow_and_update().clone() else { continue };
        let to = file.clone();
        let written = tokio::task::spawn_blocking(move || {
            if let Err(error) = write(&to, &state) {
                tell(&to, &error);
            }
        });
        if written.await.is_err() {
            return;
        }
    }
}

fn write(file: &Path, state: &InForce) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(&state.written()).map_err(std::io::Error::other)?;
    write_atomic(file, &bytes, MODE)
}

fn tell(file: &Path, error: &std::io::Error) {
    tracing::error!(
        "cannot write {}: {error}; a restart will not know which configuration was in force",
        file.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    const PATH: &str = "cluster.yaml";

    fn file(ports: &[u16]) -> Loaded {
        let service = |port| format!("  s{port}: {{ listen: '192.168.1.1:{port}/tcp' }}\n");
        let services: String = ports.iter().map(service).collect();
        let text = format!("services:\n{services}");
        config::load(Path::new(PATH), false, &|_| Ok(text.clone().into_bytes()))
    }

    fn begin(folder: &TestFolder, ports: &[u16]) -> (Applied, Beginning) {
        let (mut applied, beginning) =
            Applied::begin(folder.path(), Path::new(PATH), &mut file(ports)).unwrap();
        applied.remember();
        (applied, beginning)
    }

    fn services(beginning: &Beginning) -> usize {
        beginning.loaded.cluster.as_ref().unwrap().services.len()
    }

    #[tokio::test]
    async fn an_orderly_end_forgets_what_needs_no_guard_and_remembers_the_rest() {
        let folder = TestFolder::new();
        let (applied, began) = begin(&folder, &[1]);
        assert_eq!(services(&began), 1);
        applied.finish().await;
        let (mut applied, began) = begin(&folder, &[2, 3, 4]);
        assert_eq!(services(&began), 3, "the file was edited while nothing ran");

        applied.refused();
        applied.finish().await;
        let (_, began) = begin(&folder, &[1]);
        assert_eq!((services(&began), began.refused.len()), (3, 1));
    }

    #[tokio::test]
    async fn a_kill_in_a_trial_does_not_make_it_last() {
        let folder = TestFolder::new();
        let (mut applied, _) = begin(&folder, &[1, 2, 3]);
        applied.take(&file(&[1]), How::Confirmed(Some(Duration::ZERO)));
        let saved = Remembered::State(applied.state.clone());
        while recall(&applied.file).is_none_or(|state| state != saved) {
            tokio::task::yield_now().await;
        }
        let (_, began) = begin(&folder, &[1]);
        assert_eq!((services(&began), began.refused.len()), (3, 1));
    }

    #[tokio::test]
    async fn a_damaged_memory_is_as_good_as_none() {
        let folder = TestFolder::new();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(services(&begin(&folder, &[1]).1), 1);
    }
}
