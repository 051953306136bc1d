//! `pulse --release`: nobody keeps the floating addresses of this router any more, so they go.
//!
//! lvsd starts this when its pulse ends unasked. A new pulse that comes in time holds the lock,
//! and nothing is done; should that one end as well, its own lvsd starts another of this. Should
//! this be killed, the kernel removes the addresses when their lease ends.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use netlink::{AddressChange, Addresses, HostAddress};
use runtime::applied::Applied;
use runtime::dirs::RuntimeDir;
use runtime::journal::{EventKind, Level};
use runtime::presence::{self, Presence};
use runtime::{Context, Exit, ExitError, config_file};
use tokio::time::Instant;

use crate::{Arguments, start};

/// The lock that pulse holds for as long as it lives.
pub(crate) const LOCK: &str = "pulse";
/// How often the lock is looked at. A pulse whose life is shorter serves nobody.
const LOOK: Duration = Duration::from_millis(100);

/// Waits, and removes every floating address of the configuration unless a pulse came meanwhile.
pub(crate) async fn run(
    arguments: &Arguments,
    after: Duration,
    context: &Context,
) -> Result<ExitCode, ExitError> {
    let due = Instant::now() + after;
    let dir = RuntimeDir::prepare(arguments.runtime_dir.as_deref())?;
    // Read while there is time: then nothing is left but to remove them.
    let floating = floating(arguments)?;
    let Some(_lock) = nobody_came(&dir, due).await? else {
        tracing::debug!("pulse came, so the floating addresses stay");
        return Ok(Exit::Done.into());
    };
    let failed = |error| ExitError::internal(format!("cannot remove floating addresses: {error}"));
    let mut addresses = Addresses::open().map_err(failed)?;
    let mut held = addresses.list().await.map_err(failed)?;
    held.retain(|address| floating.contains(&address.ip));
    let removed = remove(&mut addresses, held).await.map_err(failed)?;
    let (level, sentence) = match removed {
        // It was standby, or the kernel was faster because the lease ended.
        0 => (Level::Warn, "pulse does not run, and this router has no floating address"),
        _ => (Level::Error, "pulse does not run, its floating addresses are removed"),
    };
    context.journal.record(EventKind::Role, level, sentence, &[("count", removed.to_string())]);
    Ok(Exit::Done.into())
}

/// The lock, once it is time, and unless a pulse had it by then: whether that one still runs is
/// not for us to say, for it may be about to be replaced.
async fn nobody_came(dir: &RuntimeDir, due: Instant) -> Result<Option<Presence>, ExitError> {
    while Instant::now() < due {
        // First a pause: who ends may have its lock for a moment more.
        tokio::time::sleep_until(due.min(Instant::now() + LOOK)).await;
        if presence::is_claimed(dir, LOCK)? {
            return Ok(None);
        }
    }
    Presence::try_claim(dir, LOCK)
}

/// The floating addresses of what was in force, and of the file as it is: an edit may be broken,
/// or wait for a word.
fn floating(arguments: &Arguments) -> Result<BTreeSet<IpAddr>, ExitError> {
    let path = config_file::locate(arguments.config.as_deref())?;
    let path = std::path::absolute(&path).map_err(|error| {
        ExitError::configuration(format!("cannot use {}: {error}", path.display()))
    })?;
    let mut loaded = config_file::load_file(&path);
    let folder = RuntimeDir::choose(arguments.runtime_dir.as_deref()).join(start::FOLDER);
    let in_force = Applied::begin(&folder, &path, &mut loaded).map(|(_, begun)| begun.loaded);
    let pairs: Vec<_> =
        in_force.iter().chain([&loaded]).filter_map(|one| start::pair_of(one).ok()).collect();
    if pairs.is_empty() {
        start::pair_of(&loaded)?;
    }
    let groups = pairs.iter().flat_map(|pair| &pair.groups);
    Ok(groups.flat_map(|group| group.addresses.iter().map(|address| address.ip)).collect())
}

async fn remove(
    addresses: &mut Addresses,
    held: Vec<HostAddress>,
) -> Result<usize, netlink::KernelError> {
    let changes: Vec<_> = held.into_iter().map(AddressChange::Remove).collect();
    let mut removed = 0;
    for result in addresses.change(&changes).await {
        removed += usize::from(result?);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    struct Folder(RuntimeDir);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pulse-{test}-{}", std::process::id()));
            Self(RuntimeDir::prepare(Some(&path)).unwrap())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(self.0.path()).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pulse_that_came_and_is_being_replaced_when_it_is_time_was_there() {
        let Folder(dir) = &Folder::new("replaced");
        let due = Instant::now() + PATIENCE;
        let (waited, ()) = tokio::join!(nobody_came(dir, due), async {
            tokio::time::sleep(PATIENCE / 5).await;
            let came = Presence::claim(dir, LOCK).await.unwrap();
            tokio::time::sleep(PATIENCE * 3 / 5).await;
            drop(came);
        });
        assert!(waited.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_comes_the_lock_is_ours_when_it_is_time() {
        let Folder(dir) = &Folder::new("nobody");
        let ends = Presence::claim(dir, LOCK).await.unwrap();
        let due = Instant::now() + PATIENCE;
        let (waited, ()) = tokio::join!(nobody_came(dir, due), async {
            tokio::time::sleep(LOOK / 2).await;
            drop(ends);
        });
        assert!(waited.unwrap().is_some());
        assert!(Instant::now() >= due);
    }
}
