//! Whether a real server answers for the address of the virtual server.
//!
//! With direct routing and tunnels a real server gets packets whose destination is the floating
//! address. A check of its own address says nothing about that: the address may be missing on its
//! loopback, and every request that it is given is then lost. So a SYN goes to the real server as
//! the director would pass it on, and the answer is looked for on the wire: the kernel itself
//! drops it, because its source is an address of this very host.

mod segment;
mod sockets;
mod waiting;

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netlink::{Links, Routes};

use crate::failure::Failure;
pub(crate) use segment::{Says, answer};
use segment::{Segment, Way};
use sockets::Sockets;
use waiting::Told;

/// A SYN that nobody answers is sent again, as a packet may be lost.
const REPEAT: Duration = Duration::from_secs(1);

/// Sends and listens for all data-path checks of this process.
#[derive(Debug, Default)]
pub(crate) struct DataPath {
    passed: Mutex<Vec<OwnedFd>>,
    sockets: tokio::sync::Mutex<Option<Sockets>>,
}

/// What came of one SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The real server accepts connections for the virtual server.
    Accepts,
    /// It has the address, and nobody listens there.
    Refuses,
}

impl DataPath {
    /// With the packet sockets that a parent has passed.
    pub(crate) fn new(passed: Vec<OwnedFd>) -> Self {
        Self { passed: Mutex::new(passed), sockets: tokio::sync::Mutex::default() }
    }

    /// Asks until there is an answer, as long as the caller lets it.
    ///
    /// # Errors
    /// There is no way to the real server, or this router cannot send.
    pub(crate) async fn ask(
        &self,
        server: IpAddr,
        virtual_server: SocketAddr,
        tunnel: bool,
    ) -> Result<Outcome, Failure> {
        let (sender, waiting, port) = {
            let mut sockets = self.sockets.lock().await;
            let sockets = match &mut *sockets {
                Some(sockets) => sockets,
                empty => {
                    let passed = std::mem::take(
                        &mut *self.passed.lock().unwrap_or_else(PoisonError::into_inner),
                    );
                    empty.insert(Sockets::open(passed)?)
                }
            };
            sockets.handles()
        };
        let (interface, way) = way(server, virtual_server, port, tunnel).await?;
        let mut ticket = waiting.ticket(virtual_server);
        let number = ticket.number();
        let send = |segment| -> Result<(), Failure> {
            Ok(sender.send(&built(&way, segment)?, interface)?)
        };
        loop {
            send(Segment::Syn { number })?;
            match tokio::time::timeout(REPEAT, ticket.answer()).await {
                Err(_) => {}
                // The reset of an earlier check was lost. Until the server drops that connection it
                // acknowledges no other one from this port, which takes Linux a minute.
                Ok(Ok(Told::HoldsOlder(number))) => send(Segment::Reset { number })?,
                Ok(Ok(Told::Accepts)) => {
                    send(Segment::Reset { number: number.wrapping_add(1) })?;
                    return Ok(Outcome::Accepts);
                }
                Ok(Ok(Told::Refuses)) => return Ok(Outcome::Refuses),
                Ok(Err(failure)) => return Err(failure),
            }
        }
    }
}

fn built(way: &Way, segment: Segment) -> Result<Vec<u8>, Failure> {
    segment::frame(way, segment)
        .ok_or_else(|| Failure::Other("the addresses are of different families".to_owned()))
}

/// The interface, the link-layer addresses and the source of packets to a real server.
async fn way(
    server: IpAddr,
    virtual_server: SocketAddr,
    port: u16,
    tunnel: bool,
) -> Result<(u32, Way), Failure> {
    let mut routes = Routes::open().map_err(here)?;
    let route = routes.to(server).await.map_err(|error| Failure::Other(error.to_string()))?;
    if route.gateway.is_some() && !tunnel {
        return Err(Failure::Other(format!(
            "{server} is behind another router, where direct routing does not lead"
        )));
    }
    let no_source = || Failure::Other(format!("this host has no address towards {server}"));
    let outer = route.source.ok_or_else(no_source)?;
    let source = match virtual_server.ip().is_ipv4() == server.is_ipv4() {
        true => outer,
        // A tunnel may cross families: the packet inside then has a source of its own.
        false => {
            routes.to(virtual_server.ip()).await.map_err(here)?.source.ok_or_else(no_source)?
        }
    };
    let next = route.gateway.unwrap_or(server);
    let neighbours = routes.neighbours().await.map_err(here)?;
    let known = neighbours
        .into_iter()
        .find(|neighbour| neighbour.ip == next && neighbour.interface == route.interface);
    let to = known.and_then(|neighbour| neighbour.mac).ok_or_else(|| {
        Failure::Other(format!("nobody on the wire answers for {next} (no ARP entry)"))
    })?;
    let links = Links::open().map_err(here)?.list().await.map_err(here)?;
    let from = links.into_iter().find(|link| link.index == route.interface);
    let from = from.and_then(|link| link.mac).ok_or_else(|| {
        Failure::Other(format!("{server} is reached by an interface without a MAC address"))
    })?;
    let way = Way {
        from,
        to,
        source: SocketAddr::new(source, port),
        virtual_server,
        tunnel: tunnel.then_some((outer, server)),
    };
    Ok((route.interface, way))
}

fn here(error: netlink::KernelError) -> Failure {
    Failure::Here(std::io::Error::other(error.to_string()))
}
