//! Floating addresses are lent to this host, and taken back by its kernel.
//!
//! Whatever becomes of pulse and of all who watch it (killed together, stopped, starved), nobody
//! renews the lease, and the kernel removes the addresses by itself. Without that a dead router
//! would go on answering for them beside its partner for as long as it has power.

use std::time::Duration;

use netlink::{AddressChange, Addresses};
use tokio::task::JoinHandle;

use crate::clock;
use crate::plan::{GroupPlan, Placed};

/// Addresses that are renewed in a second when a group has thousands. Each renewal is told to
/// everybody who listens for changes of addresses.
const RENEWALS_A_SECOND: u32 = 200;
/// Renewals in the time of a lease: one may come late by two thirds of it.
const RENEWALS: u32 = 3;
/// How long a renewal that comes too late waits: a renewal brings back what the kernel took, and
/// whoever slept is about to give the group up.
const GRACE: Duration = Duration::from_millis(100);
/// Addresses renewed before others have their turn.
const SLICE: usize = 16;

/// How long a lease of a group lasts: one and a half times `dead_after`, in the kernel's whole seconds.
/// A router that goes on within `dead_after` still has its addresses, however late its last renewal
/// was; one that stood still for three times as long has none when it wakes.
pub(crate) fn seconds(dead_after: Duration, addresses: usize) -> u32 {
    let dead = (dead_after.as_millis() * 3 / 2).div_ceil(1000);
    let dead = u32::try_from(dead).unwrap_or(u32::MAX).max(1);
    let many = u32::try_from(addresses).unwrap_or(u32::MAX) / RENEWALS_A_SECOND * RENEWALS;
    dead.max(many)
}

/// Renews the leases of a group's addresses. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Renewal(JoinHandle<()>);

impl Renewal {
    /// Renews now, and then three times in each lease.
    pub(crate) fn start(plan: &GroupPlan, held: &[Placed]) -> Self {
        let lease = Duration::from_secs(u64::from(plan.lease_seconds));
        let changes = held.iter().map(|placed| {
            AddressChange::Renew(placed.address.clone(), placed.lease(plan.lease_seconds))
        });
        Self(tokio::spawn(renew(changes.collect(), lease, plan.name.clone())))
    }

    /// Ends it: no renewal comes after this.
    pub(crate) async fn end(self) {
        self.0.abort();
        // A request is carried out while it is written, so none is under way any more.
        let _cancelled = (&mut { self }.0).await;
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn renew(changes: Vec<AddressChange>, lease: Duration, group: String) {
    let mut kept = None;
    let mut told = false;
    loop {
        let begun = clock::now();
        match renew_all(&changes, &mut kept).await {
            Ok(()) => told = false,
            Err(error) if !told => {
                tracing::error!(%error, group, "cannot renew the lease of floating addresses");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(lease / RENEWALS).await;
        let since = clock::now().since(begun);
        if since >= lease {
            let late_ms = since.saturating_sub(lease).as_millis();
            let sentence = "the lease of floating addresses ran out before it could be renewed";
            tracing::error!(group, late_ms, "{sentence}");
            tokio::time::sleep(GRACE).await;
        }
    }
}

async fn renew_all(
    changes: &[AddressChange],
    kept: &mut Option<Addresses>,
) -> Result<(), netlink::KernelError> {
    let socket = match kept {
        Some(socket) => socket,
        None => kept.insert(Addresses::open()?),
    };
    let mut refused = None;
    for slice in changes.chunks(SLICE) {
        let results = socket.change(slice).await.into_iter();
        // An interface that is gone is no news here: the group moves, or it comes back.
        let mut errors = results.filter_map(Result::err);
        refused = refused.or(errors.find(|error| error.errno() != Some(libc::ENODEV)));
        tokio::task::yield_now().await;
    }
    refused.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlives_what_it_takes_to_be_called_dead() {
        assert_eq!(seconds(Duration::from_millis(300), 1), 1);
        assert_eq!(seconds(Duration::from_millis(600), 1), 1);
        assert_eq!(seconds(Duration::from_millis(1000), 1), 2);
        assert_eq!(seconds(Duration::from_millis(1500), 1), 3);
        assert_eq!(seconds(Duration::from_secs(30), 2), 45);
        assert_eq!(seconds(Duration::MAX, 1), u32::MAX);
    }

    #[test]
    fn thousands_of_addresses_are_renewed_more_rarely() {
        assert_eq!(seconds(Duration::from_millis(600), 199), 1);
        assert_eq!(seconds(Duration::from_millis(600), 2000), 30);
    }
}
