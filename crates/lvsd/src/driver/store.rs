//! The files in the runtime directory: what outlives a restart.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use health::{Decisions, Ledger};
use ipvs::ServiceKey;
use runtime::dirs::{RuntimeDir, write_atomic};
use runtime::sysctl::Values;
use runtime::{Exit, ExitError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::kernel::SyncOn;
use crate::core::{Memory, Seen};

/// Its name in the runtime directory.
pub(super) const FOLDER: &str = "lvsd";

/// The operator's decisions.
const LEDGER: &str = "ledger.json";

/// Settings of the kernel as they were.
const SYSCTLS: &str = "sysctls.json";

const MODE: u32 = 0o640;

/// The folder of lvsd's files.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// What could not be written, by the file's name: the newest of each.
    unwritten: RefCell<BTreeMap<String, Vec<u8>>>,
}

/// What in the kernel is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Owned {
    services: Vec<ServiceKey>,
    sync_daemons: bool,
    /// Earlier versions did not write it.
    #[serde(default)]
    sync_interface: Option<u32>,
}

impl Store {
    /// Makes the folder in the runtime directory.
    pub(super) fn open(dir: &RuntimeDir) -> Result<Self, ExitError> {
        Ok(Self { folder: dir.private(FOLDER)?, unwritten: RefCell::default() })
    }

    /// Reads everything back, with the sync daemons that are ours. A file that cannot be understood
    /// is as good as none: it is reported, and what the kernel holds decides.
    pub(super) fn load(&self) -> (Memory, Option<SyncOn>) {
        let owned: Owned = self.read("owned.json");
        let memory = Memory {
            owned: owned.services.into_iter().collect(),
            ledger: self.read_decisions(),
            seen: self.read("seen.json"),
        };
        (memory, owned.sync_daemons.then_some(owned.sync_interface))
    }

    /// Before the first change of a service it must be on disk that the service is ours.
    pub(super) fn save_owned(
        &self,
        services: &BTreeSet<ServiceKey>,
        sync: Option<SyncOn>,
    ) -> Result<(), ExitError> {
        let services = services.iter().copied().collect();
        let (sync_daemons, sync_interface) = (sync.is_some(), sync.flatten());
        self.write("owned.json", &Owned { services, sync_daemons, sync_interface })
    }

    /// The operator's decisions.
    pub(super) fn save_decisions(&self, ledger: &Ledger) -> Result<(), ExitError> {
        self.write(LEDGER, ledger)
    }

    /// The decisions; until they change for the first time, as an earlier version kept them.
    fn read_decisions(&self) -> Ledger {
        if self.folder.join(LEDGER).exists() {
            return self.read(LEDGER);
        }
        self.read::<Decisions>("decisions.json").into()
    }

    /// What settings below `/proc/sys` were before lvsd changed them.
    pub(super) fn load_sysctls(&self) -> Values {
        self.read(SYSCTLS)
    }

    /// The same, before the first of them is written.
    pub(super) fn save_sysctls(&self, before: &Values) -> Result<(), ExitError> {
        self.write(SYSCTLS, before)
    }

    /// Failed checks and resolved names.
    pub(super) fn save_seen(&self, seen: &Seen) -> Result<(), ExitError> {
        self.write("seen.json", seen)
    }

    fn read<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        let path = self.folder.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return T::default(),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "cannot read what was remembered");
                return T::default();
            }
        };
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(file = %path.display(), %error, "cannot understand what was remembered");
            T::default()
        })
    }

    /// Writes what could not be written before. It was told then.
    pub(super) fn try_again(&self) {
        self.unwritten.borrow_mut().retain(|name, bytes| {
            let written = write_atomic(&self.folder.join(name), bytes, MODE);
            if written.is_ok() {
                tracing::info!(file = name.as_str(), "what was remembered is on disk again");
            }
            written.is_err()
        });
    }

    /// Writes a file, or keeps what belongs into it to [try again](Self::try_again).
    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), ExitError> {
        let path = self.folder.join(name);
        let bytes = serde_json::to_vec(value)
            .map_err(|error| failed(&path, &std::io::Error::other(error)))?;
        let written = write_atomic(&path, &bytes, MODE);
        let mut unwritten = self.unwritten.borrow_mut();
        unwritten.remove(name);
        written.map_err(|error| {
            unwritten.insert(name.to_owned(), bytes);
            failed(&path, &error)
        })
    }
}

fn failed(path: &Path, error: &std::io::Error) -> ExitError {
    let message = format!(
        "cannot write {}: {error}; make room or give another --runtime-dir",
        path.display()
    );
    ExitError::from_io(error, Exit::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("caribe-store-{}-{name}", std::process::id()))
    }

    fn key() -> ServiceKey {
        ServiceKey::Mark { mark: 7, family: ipvs::Family::Inet }
    }

    #[test]
    fn what_is_saved_is_read_back_by_the_next_one() {
        let folder = scratch("back");
        let dir = RuntimeDir::prepare(Some(&folder)).unwrap();
        let store = Store::open(&dir).unwrap();
        store.save_owned(&[key()].into(), Some(Some(3))).unwrap();
        let mut decisions = Decisions::default();
        decisions.change("www", "web1", |known| known.disabled = Some(health::Note::default()));
        store.write("decisions.json", &decisions).unwrap();
        let ledger = Ledger::from(decisions);
        assert_eq!(store.load().0.ledger, ledger, "as an earlier version kept them");
        std::fs::remove_file(folder.join("lvsd/decisions.json")).unwrap();
        store.save_decisions(&ledger).unwrap();
        let seen = Seen { down: [7].into(), last_up: [(7, 3)].into(), ..Seen::default() };
        store.save_seen(&seen).unwrap();
        let (memory, sync) = Store::open(&dir).unwrap().load();
        assert_eq!(memory.owned, [key()].into());
        assert_eq!((memory.ledger, memory.seen), (ledger, seen));
        assert_eq!(sync, Some(Some(3)));
        let earlier = "{\"services\":[],\"sync_daemons\":true}";
        std::fs::write(folder.join("lvsd/owned.json"), earlier).unwrap();
        assert_eq!(store.load().1, Some(None), "as an earlier version kept them");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_the_newest_of_each_file() {
        let folder = scratch("again");
        let dir = RuntimeDir::prepare(Some(&folder)).unwrap();
        let store = Store::open(&dir).unwrap();
        // A folder of the file's name is in its way.
        let (file, seen) =
            (folder.join("lvsd/seen.json"), |id| Seen { down: [id].into(), ..Seen::default() });
        std::fs::create_dir_all(file.join("full")).unwrap();
        assert!(store.save_seen(&seen(1)).is_err());
        assert!(store.save_seen(&seen(2)).is_err());
        store.try_again();
        std::fs::remove_dir_all(&file).unwrap();
        store.try_again();
        assert_eq!(store.load().0.seen, seen(2));
        std::fs::remove_file(&file).unwrap();
        store.try_again();
        assert!(!file.exists(), "it is written once");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = scratch("damaged");
        let dir = RuntimeDir::prepare(Some(&folder)).unwrap();
        let store = Store::open(&dir).unwrap();
        std::fs::write(folder.join("lvsd/owned.json"), "{\"services\":[").unwrap();
        assert_eq!(store.load().0.owned, BTreeSet::new());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
