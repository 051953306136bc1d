//! Takes the open connections of a group along.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use runtime::Journal;
use runtime::journal::{EventKind, Level};

use super::{Hurry, Target, Work};
use crate::connections::{Done, Reading, Teller};

/// The addresses are gone, and the partner waits no longer for this. All that is sent to them meanwhile waits
/// with whoever sends it; with what else a hand-over takes, that is less than the second after which a
/// client repeats its first packet.
const LIMIT: Duration = Duration::from_millis(400);

impl Work {
    /// None where connections are not synchronized, there are no addresses, or somebody else has the addresses.
    pub(super) fn teller(&self, target: &Target) -> Option<Teller> {
        let sync = target.plan.sync.clone().filter(|_| target.hurry != Hurry::Urgent)?;
        let addresses = &target.plan.addresses;
        let ips: Vec<IpAddr> = addresses.iter().map(|placed| placed.address.ip).collect();
        Teller::new(sync, ips)
    }

    /// While the addresses are served: most connections are told before they go. Another order ends it.
    pub(super) async fn tell_before(&mut self, teller: Option<Teller>) -> Option<Teller> {
        let mut reading = begin(teller?)?;
        let mut orders = self.orders.clone();
        let done = tokio::select! {
            done = reading.done() => done,
            _ = orders.changed() => {
                reading.stop();
                reading.done().await
            }
        };
        let done = done?;
        if let Err(error) = done.told {
            complain(&error);
            return None;
        }
        Some(done.teller)
    }

    /// The addresses are gone, so no connection comes any more: what is new since is told.
    pub(super) async fn tell_after(&self, teller: Teller, group: &str) {
        let begun = Instant::now();
        let Some(mut reading) = begin(teller) else { return };
        let (journal, group) = (self.tools.journal.clone(), group.to_owned());
        if let Ok(done) = tokio::time::timeout(LIMIT, reading.done()).await {
            record(&journal, group, done, begun);
            return;
        }
        // A connection that is told late is lost only if its client speaks first.
        self.tools.aside.spawn(async move {
            let done = reading.done().await;
            record(&journal, group, done, begun);
        });
    }
}

fn begin(teller: Teller) -> Option<Reading> {
    teller.read().inspect_err(complain).ok()
}

fn complain(error: &std::io::Error) {
    tracing::warn!(%error, "cannot tell the partner of open connections");
}

fn record(journal: &Journal, group: String, done: Option<Done>, begun: Instant) {
    let Some(Done { told, whole, .. }) = done else { return };
    let count = match told {
        Ok(count) => count,
        Err(error) => return complain(&error),
    };
    let took = begun.elapsed();
    let fields =
        [("group", group), ("count", count.to_string()), ("took_ms", took.as_millis().to_string())];
    let (level, sentence) = if !whole {
        (Level::Warn, "too many connections to tell the partner of all")
    } else if took > LIMIT {
        (Level::Warn, "open connections handed over, some after the addresses")
    } else if count == 0 {
        return;
    } else {
        (Level::Info, "open connections handed over")
    };
    journal.record(EventKind::Kernel, level, sentence, &fields);
}
