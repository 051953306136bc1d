//! Announces addresses, in slices that never hold up a heartbeat.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::{Link, PacketSocket, Repeats, Schedule, frame};

/// A slice ends after this long, so that whoever runs it comes back to its other work.
const SLICE: Duration = Duration::from_millis(2);

/// Pause when the interface is busy.
const BUSY: Duration = Duration::from_millis(5);

/// What one slice did.
#[derive(Debug, Default)]
pub struct Slice {
    /// Announcements that were made.
    pub made: usize,
    /// Announcements that failed, with the reason. They are tried again with the next repeat.
    pub failed: Vec<(IpAddr, io::Error)>,
    /// How many addresses are due again at once: a call follows without waiting.
    pub more: bool,
}

/// Announces addresses.
#[derive(Debug)]
pub struct Announcer {
    socket: PacketSocket,
    schedule: Schedule,
    links: HashMap<IpAddr, Link>,
    /// Not before this: a slice is followed by a rest as long as itself, or a thousand addresses on
    /// a slow wire would take a whole processor, from heartbeats as well.
    rests_until: Instant,
}

impl Announcer {
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`.
    pub fn new(repeats: Repeats) -> io::Result<Self> {
        let socket = PacketSocket::new()?;
        Ok(Self {
            socket,
            schedule: Schedule::new(repeats),
            links: HashMap::new(),
            rests_until: Instant::now(),
        })
    }

    /// Announces an address, now and again later.
    pub fn announce(&mut self, ip: IpAddr, link: Link) {
        self.links.insert(ip, link);
        self.schedule.add(ip, Instant::now());
    }

    /// Stops announcing an address, because it leaves.
    pub fn cancel(&mut self, ip: IpAddr) {
        self.links.remove(&ip);
        self.schedule.cancel(ip);
    }

    /// Nothing is to be announced.
    pub fn is_idle(&self) -> bool {
        self.schedule.is_empty()
    }

    /// Waits until something is due and makes as many announcements as fit in one slice; waits
    /// for ever when nothing is to be announced. May be dropped and called again.
    pub async fn slice(&mut self) -> Slice {
        match self.schedule.next_deadline() {
            Some(due) => tokio::time::sleep_until(due.max(self.rests_until).into()).await,
            None => std::future::pending().await,
        }
        // A deadline in the past makes no pause by itself.
        tokio::task::yield_now().await;
        self.send_slice()
    }

    /// Makes the announcements that are due, as many as fit in one slice, without waiting.
    pub fn send_slice(&mut self) -> Slice {
        let begun = Instant::now();
        let mut slice = Slice::default();
        let mut now = begun;
        while let Some(ip) = self.schedule.next_due(now) {
            match self.send(ip) {
                Ok(()) => slice.made += 1,
                Err(error) if is_busy(&error) => {
                    self.schedule.again(ip, now, BUSY);
                    break;
                }
                Err(error) => slice.failed.push((ip, error)),
            }
            now = Instant::now();
            if now - begun >= SLICE {
                break;
            }
        }
        self.rests_until = now + (now - begun);
        slice.more = self.schedule.next_deadline().is_some_and(|due| due <= now);
        if self.schedule.is_empty() {
            self.links.clear();
        }
        slice
    }

    fn send(&self, ip: IpAddr) -> io::Result<()> {
        let Some(link) = self.links.get(&ip) else { return Ok(()) };
        frame::announcement(ip, link)
            .iter()
            .try_for_each(|frame| self.socket.send(frame, link.index))
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}
