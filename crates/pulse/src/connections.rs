//! Tells the partner of the open connections of a group that is handed over.
//!
//! The kernel's own connection sync copies a connection after some packets, and up to two seconds
//! late: those that are short and open at the moment of a hand-over would be lost. So they are
//! read from `/proc/net/ip_vs_conn` and sent as the kernel's sync daemon sends them. The partner's
//! kernel takes them in before the partner takes the addresses.
//!
//! That list holds each connection for two minutes after its end, and Linux 6.1 goes through it from
//! its beginning for each page that is read: tens of thousands take tenths of a second, and more. So it is
//! read once while the addresses are still served, and once more when they are gone; then only what
//! is new is told.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use config::model::ConnectionSync;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::oneshot;

mod entry;

use entry::{Connection, PER_MESSAGE, is_open, message, parse};

/// The kernel's list.
const LIST: &str = "/proc/net/ip_vs_conn";
/// A reading ends after this, however long the list is.
const LONGEST: Duration = Duration::from_secs(5);
/// So many are remembered as told (5 MB); others are told again.
const MOST_REMEMBERED: usize = 50_000;
/// The kernel's defaults (`ip_vs_sync.c`).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);
const PORT: u16 = 8848;

/// Tells the partner of the open connections of one group.
#[derive(Debug)]
pub(crate) struct Teller {
    sync: ConnectionSync,
    /// The group's addresses.
    ips: Vec<IpAddr>,
    remembered: HashSet<Connection>,
    /// So many were told, in all readings.
    told: usize,
}

/// A reading that goes on by itself, on a thread of its own. It ends early when this is dropped.
pub(crate) struct Reading {
    done: oneshot::Receiver<Done>,
    stop: Arc<AtomicBool>,
}

/// The end of a reading.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) teller: Teller,
    /// How many connections the partner was told of, in all readings.
    pub(crate) told: io::Result<usize>,
    /// The list was read to its end.
    pub(crate) whole: bool,
}

impl Teller {
    /// None for a group without addresses: nobody is connected to it.
    pub(crate) fn new(sync: ConnectionSync, ips: Vec<IpAddr>) -> Option<Self> {
        let teller = Self { sync, ips, remembered: HashSet::new(), told: 0 };
        (!teller.ips.is_empty()).then_some(teller)
    }

    /// Begins to read the list, and to tell of what was not told before.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub(crate) fn read(mut self) -> io::Result<Reading> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, done) = oneshot::channel();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("connections".to_owned());
        thread.spawn(move || {
            let until = Instant::now() + LONGEST;
            let goes_on = || !stopped.load(Ordering::Relaxed) && Instant::now() < until;
            let whole = self.read_list(goes_on);
            let (told, whole) = match whole {
                Ok(whole) => (Ok(self.told), whole),
                Err(error) => (Err(error), false),
            };
            // Nobody may wait any more.
            let _sent = sender.send(Done { teller: self, told, whole });
        })?;
        Ok(Reading { done, stop })
    }

    fn read_list(&mut self, goes_on: impl Fn() -> bool) -> io::Result<bool> {
        let list = BufReader::new(std::fs::File::open(LIST)?);
        let socket = open(&self.sync)?;
        let group = self.sync.group.unwrap_or(IpAddr::V4(GROUP));
        let target = SocketAddr::new(group, self.sync.port.unwrap_or(PORT)).into();
        self.tell(list, goes_on, |message| socket.send_to(message, &target).map(drop))
    }

    /// Tells of what is in the list; whether that was all of it.
    fn tell(
        &mut self,
        mut list: impl BufRead,
        goes_on: impl Fn() -> bool,
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut batch = Vec::with_capacity(PER_MESSAGE);
        let mut line = Vec::new();
        let mut whole = false;
        while goes_on() {
            line.clear();
            if list.read_until(b'\n', &mut line)? == 0 {
                whole = true;
                break;
            }
            batch.extend(self.news(&line));
            if batch.len() == PER_MESSAGE {
                self.send(&mut batch, &mut send)?;
            }
        }
        self.send(&mut batch, &mut send)?;
        Ok(whole)
    }

    fn send(
        &mut self,
        batch: &mut Vec<Connection>,
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if !batch.is_empty() {
            send(&message(self.sync.id, batch))?;
            self.told += batch.len();
            batch.clear();
        }
        Ok(())
    }

    /// An open connection of the group that was not told yet.
    fn news(&mut self, line: &[u8]) -> Option<Connection> {
        if !is_open(line) {
            return None;
        }
        let found = parse(std::str::from_utf8(line).ok()?)?;
        if !self.ips.contains(&found.service.ip()) {
            return None;
        }
        if self.remembered.len() < MOST_REMEMBERED {
            return self.remembered.insert(found).then_some(found);
        }
        (!self.remembered.contains(&found)).then_some(found)
    }
}

impl Reading {
    /// Ends it early.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for its end; none when the thread died.
    pub(crate) async fn done(&mut self) -> Option<Done> {
        (&mut self.done).await.ok()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop();
    }
}

fn open(sync: &ConnectionSync) -> io::Result<Socket> {
    let v6 = sync.group.is_some_and(|group| group.is_ipv6());
    let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind_device(Some(sync.interface.as_bytes()))?;
    let ttl = u32::from(sync.ttl.unwrap_or(1));
    if v6 {
        socket.set_multicast_hops_v6(ttl)?;
        socket.set_multicast_loop_v6(false)?;
    } else {
        socket.set_multicast_ttl_v4(ttl)?;
        socket.set_multicast_loop_v4(false)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests;
