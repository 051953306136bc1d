//! One UDP socket for each heartbeat path.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use heartbeat::PathId;
use heartbeat::packet::MAX_PACKET;
use runtime::ExitError;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::path::{PathKind, PathPlan};

/// Packets that are taken from one socket before timers are looked at again: whoever floods the
/// port costs this much time and no more.
const DRAIN: usize = 64;
/// Room in the kernel for packets that wait. Small, so that under a flood they are fresh.
const RECEIVE_BUFFER: usize = 64 * 1024;
/// `DSCP CS6`, network control (RFC 4594, section 3.2), shifted to its place in the octet.
const NETWORK_CONTROL: u32 = 48 << 2;

/// The socket of a path.
#[derive(Debug)]
struct PathSocket {
    plan: PathPlan,
    udp: UdpSocket,
    sent: u64,
    /// The last send failed, and was reported.
    failing: bool,
}

/// The sockets of all paths.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    paths: Vec<PathSocket>,
    /// Who is looked at first: each in turn, so that a flooded path cannot starve another one.
    turn: usize,
}

/// How a send changed the state of its path.
#[derive(Debug)]
pub(crate) enum SendChange {
    /// It fails now.
    Failing(io::Error),
    /// It works again.
    Works,
}

impl Sockets {
    /// Opens the sockets of a plan; those that it shares with `self` are kept.
    pub(crate) fn renew(&mut self, plans: &[PathPlan]) -> Result<(), ExitError> {
        // All must open before one is closed, or a refused reload would lose a path.
        let mut opened = Vec::new();
        for plan in plans.iter().filter(|plan| !self.paths.iter().any(|old| old.plan == **plan)) {
            let udp = open(plan).map_err(|error| refused(plan, &error))?;
            opened.push(PathSocket { plan: plan.clone(), udp, sent: 0, failing: false });
        }
        let mut pool = std::mem::take(&mut self.paths);
        pool.extend(opened);
        for plan in plans {
            if let Some(index) = pool.iter().position(|socket| socket.plan == *plan) {
                self.paths.push(pool.swap_remove(index));
            }
        }
        Ok(())
    }

    /// Opens the socket of a path anew, at its new place. The old one stays if that fails.
    pub(crate) fn replace(&mut self, path: PathId, plan: &PathPlan) -> io::Result<()> {
        if let Some(socket) = self.paths.get_mut(path.0) {
            socket.udp = open(plan)?;
            socket.plan = plan.clone();
        }
        Ok(())
    }

    /// Waits until a path has packets. May be dropped and called again.
    pub(crate) async fn readable(&mut self) -> PathId {
        self.turn = self.turn.wrapping_add(1);
        let count = self.paths.len().max(1);
        let start = self.turn % count;
        poll_fn(|context| {
            for offset in 0..count {
                let index = (start + offset) % count;
                if let Some(path) = self.paths.get(index)
                    && path.udp.poll_recv_ready(context).is_ready()
                {
                    return Poll::Ready(PathId(index));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Takes the packets that wait on a path, up to a bound; whether more may wait.
    pub(crate) fn drain(&self, path: PathId, mut take: impl FnMut(&[u8])) -> bool {
        let Some(socket) = self.paths.get(path.0) else { return false };
        // One byte more than the longest packet, so that a longer one is seen as such.
        let mut buffer = [0; MAX_PACKET + 1];
        for _ in 0..DRAIN {
            match socket.udp.try_recv_from(&mut buffer) {
                Ok((length, _)) => take(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // The partner's host says that nobody listens there: as good as silence.
                Err(_) => {}
            }
        }
        true
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PathId> + use<> {
        (0..self.paths.len()).map(PathId)
    }

    /// Sends without waiting. What changed is returned, to be told once.
    pub(crate) fn send(&mut self, path: PathId, packet: &[u8]) -> Option<SendChange> {
        let socket = self.paths.get_mut(path.0)?;
        let result = match socket.plan.kind {
            PathKind::Unicast => socket.udp.try_send(packet),
            PathKind::Broadcast { .. } | PathKind::Multicast { .. } => {
                socket.udp.try_send_to(packet, socket.plan.remote)
            }
        };
        socket.sent += 1;
        match result {
            // What the partner's host answered to the packet before; this one was not sent.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _again = socket.udp.try_send(packet);
                None
            }
            Err(error) if !std::mem::replace(&mut socket.failing, true) => {
                Some(SendChange::Failing(error))
            }
            Ok(_) if std::mem::take(&mut socket.failing) => Some(SendChange::Works),
            Ok(_) | Err(_) => None,
        }
    }

    /// How many heartbeats were sent on a path.
    pub(crate) fn sent(&self, path: PathId) -> u64 {
        self.paths.get(path.0).map_or(0, |socket| socket.sent)
    }
}

fn refused(plan: &PathPlan, error: &io::Error) -> ExitError {
    let what =
        format!("cannot open heartbeat path {} on UDP port {}", plan.name, plan.local.port());
    match error.kind() {
        io::ErrorKind::PermissionDenied => ExitError::privilege(format!(
            "{what}: {error}; run as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW"
        )),
        io::ErrorKind::AddrInUse => ExitError::unavailable(format!(
            "{what}: another program uses it (`ss -ulnp` shows which); stop that one, or set another \
             port on both routers"
        )),
        _ => ExitError::configuration(format!("{what}: {error}; mend the router's paths")),
    }
}

fn open(plan: &PathPlan) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(plan.local);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
        socket.set_tclass_v6(NETWORK_CONTROL)?;
    } else {
        socket.set_tos_v4(NETWORK_CONTROL)?;
    }
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    match &plan.kind {
        PathKind::Unicast => {}
        PathKind::Broadcast { interface, .. } => {
            socket.set_broadcast(true)?;
            socket.set_reuse_address(true)?;
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        PathKind::Multicast { interface, .. } => {
            socket.set_reuse_address(true)?;
            socket.bind_device(Some(interface.as_bytes()))?;
        }
    }
    socket.bind(&plan.local.into())?;
    match &plan.kind {
        // From the partner's address and port only: the kernel drops all else before it waits.
        PathKind::Unicast => socket.connect(&plan.remote.into())?,
        PathKind::Broadcast { .. } => {}
        PathKind::Multicast { index, ttl, .. } => join(&socket, plan.remote, *index, *ttl)?,
    }
    UdpSocket::from_std(socket.into())
}

/// Joins a group on one interface. Our own packets do not come back. IPv4 packets leave by the
/// interface that the socket is bound to, from whatever address that has then: one that is named
/// here could be a floating one, and gone tomorrow.
fn join(socket: &Socket, group: SocketAddr, index: u32, ttl: u8) -> io::Result<()> {
    match group.ip() {
        IpAddr::V4(group) => {
            socket.set_multicast_ttl_v4(u32::from(ttl))?;
            socket.set_multicast_loop_v4(false)?;
            socket.join_multicast_v4_n(&group, &socket2::InterfaceIndexOrAddress::Index(index))
        }
        IpAddr::V6(group) => {
            socket.set_multicast_if_v6(index)?;
            socket.set_multicast_hops_v6(u32::from(ttl))?;
            socket.set_multicast_loop_v6(false)?;
            socket.join_multicast_v6(&group, index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(at: &str, kind: PathKind) -> PathPlan {
        let at: SocketAddr = at.parse().unwrap();
        PathPlan { name: "of the test".to_owned(), local: at, remote: at, kind }
    }

    /// One of each kind on the loopback interface, all on one port.
    fn every_kind(port: u16) -> Vec<PathPlan> {
        let interface = || "lo".to_owned();
        let multicast = || PathKind::Multicast { interface: interface(), index: 1, ttl: 1 };
        let broadcast = PathKind::Broadcast { interface: interface(), index: 1 };
        vec![
            plan(&format!("127.0.0.1:{port}"), PathKind::Unicast),
            plan(&format!("255.255.255.255:{port}"), broadcast),
            plan(&format!("239.0.0.42:{port}"), multicast()),
            plan(&format!("[::1]:{port}"), PathKind::Unicast),
            plan(&format!("[ff02::4242%1]:{port}"), multicast()),
        ]
    }

    #[tokio::test]
    async fn paths_of_every_kind_are_open_beside_each_other_on_one_port() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let plans = every_kind(free.local_addr().unwrap().port());
        drop(free);
        let mut sockets = Sockets::default();
        sockets.renew(&plans).unwrap();
        assert_eq!(sockets.ids().count(), plans.len());
    }

    #[tokio::test]
    async fn a_path_keeps_its_socket_when_it_cannot_be_opened_anew() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let plans = every_kind(free.local_addr().unwrap().port());
        drop(free);
        let mut sockets = Sockets::default();
        sockets.renew(&plans).unwrap();
        let away = PathKind::Broadcast { interface: "none-such".to_owned(), index: 99 };
        let away = PathPlan { kind: away, ..plans[1].clone() };
        assert!(sockets.replace(PathId(1), &away).is_err());
        sockets.replace(PathId(1), &plans[1]).unwrap();
        assert_eq!(sockets.ids().count(), plans.len());
    }
}
