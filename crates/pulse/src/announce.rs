//! Announces addresses, as a task beside the movers.

use std::net::IpAddr;

use send_arp::{Announcer, Link, Repeats};
use tokio::sync::mpsc;

use crate::aside::Aside;

/// How many requests may wait; whoever has one more waits.
const REQUESTS: usize = 1024;

/// What a mover asks for.
#[derive(Debug)]
enum Request {
    Announce(IpAddr, Link),
    Cancel(IpAddr),
}

/// The way to the announcer.
#[derive(Clone, Debug)]
pub(crate) struct Announce(mpsc::Sender<Request>);

impl Announce {
    /// Starts the task.
    pub(crate) fn start(aside: &Aside) -> std::io::Result<Self> {
        let _entered = aside.enter();
        let mut announcer = Announcer::new(Repeats::default())?;
        let (sender, mut requests) = mpsc::channel(REQUESTS);
        aside.spawn(async move {
            loop {
                let slice = tokio::select! {
                    biased;
                    request = requests.recv() => {
                        match request {
                            Some(Request::Announce(ip, link)) => announcer.announce(ip, link),
                            Some(Request::Cancel(ip)) => announcer.cancel(ip),
                            None => return,
                        }
                        continue;
                    }
                    slice = announcer.slice() => slice,
                };
                for (ip, error) in slice.failed {
                    tracing::warn!(address = %ip, %error, "cannot announce an address");
                }
            }
        });
        Ok(Self(sender))
    }

    /// Announces nothing: that takes a privilege.
    #[cfg(test)]
    pub(crate) fn to_nobody() -> Self {
        Self(mpsc::channel(REQUESTS).0)
    }

    /// Announces an address, now and again later.
    pub(crate) async fn announce(&self, ip: IpAddr, link: Link) {
        // The task lives as long as this does.
        let _sent = self.0.send(Request::Announce(ip, link)).await;
    }

    /// Stops announcing it.
    pub(crate) async fn cancel(&self, ip: IpAddr) {
        let _sent = self.0.send(Request::Cancel(ip)).await;
    }
}
