//! `pulse --release`: nobody keeps the floating addresses of this router any more, so they go.
//!
//! lvsd starts this when its pulse ends unasked. A new pulse that comes in time holds the lock,
//! and nothing is done. Should this be killed as well, the kernel removes the addresses when their
//! lease ends.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use netlink::{AddressChange, Addresses, HostAddress};
use runtime::applied::Applied;
use runtime::dirs::RuntimeDir;
use runtime::journal::{EventKind, Level};
use runtime::presence::Presence;
use runtime::{Context, Exit, ExitError, config_file};

use crate::{Arguments, start};

/// The lock that pulse holds for as long as it lives.
pub(crate) const LOCK: &str = "pulse";

/// Waits, and removes every floating address of the configuration unless pulse runs by then.
pub(crate) async fn run(
    arguments: &Arguments,
    after: Duration,
    context: &Context,
) -> Result<ExitCode, ExitError> {
    let due = tokio::time::Instant::now() + after;
    let dir = RuntimeDir::prepare(arguments.runtime_dir.as_deref())?;
    // Read while there is time: then nothing is left but to remove them.
    let floating = floating(arguments)?;
    tokio::time::sleep_until(due).await;
    let Some(_lock) = Presence::try_claim(&dir, LOCK)? else {
        tracing::debug!("pulse runs, so the floating addresses stay");
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
