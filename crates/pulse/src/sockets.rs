//! One UDP socket for each heartbeat path.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use heartbeat::PathId;
use heartbeat::packet::MAX_PACKET;
use runtime::ExitError;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
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
    /// None while the path has no place on this host.
    udp: Option<UdpSocket>,
    sent: u64,
    /// The last send failed, and was reported.
    failing: bool,
}

impl PathSocket {
    /// Of a path that was tried; one that could not be opened is absent from then on.
    fn new(plan: &mut PathPlan, tried: io::Result<Option<UdpSocket>>) -> Self {
        let udp = tried.unwrap_or_else(|error| {
            plan.absent = Some(format!("it cannot be opened yet: {error}"));
            None
        });
        Self { plan: plan.clone(), udp, sent: 0, failing: false }
    }
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
    /// Opens the sockets of a plan; those that it shares with `self` are kept. A path that has no
    /// place on this host gets none, and one whose place is not ready says so from then on.
    ///
    /// # Errors
    /// Another one cannot be opened. Nothing is changed then.
    pub(crate) fn renew(&mut self, plans: &mut [PathPlan]) -> Result<(), ExitError> {
        // All must open before one is closed, or a refused reload would lose a path.
        let mut opened = Vec::new();
        for plan in self.new_ones(plans) {
            match self.try_open(plan) {
                Err(error) if !is_not_ready(&error) => return Err(refused(plan, &error)),
                tried => opened.push(PathSocket::new(plan, tried)),
            }
        }
        self.arrange(opened, plans);
        Ok(())
    }

    /// The same, and what cannot be opened is absent, whatever the reason.
    pub(crate) fn renew_as_far_as_possible(&mut self, plans: &mut [PathPlan]) {
        let opened = self.new_ones(plans);
        let opened = opened.map(|plan| PathSocket::new(plan, self.try_open(plan))).collect();
        self.arrange(opened, plans);
    }

    fn new_ones<'a>(&self, plans: &'a mut [PathPlan]) -> impl Iterator<Item = &'a mut PathPlan> {
        let known = |plan: &PathPlan| self.paths.iter().any(|old| old.plan == *plan);
        plans.iter_mut().filter(move |plan| !known(plan))
    }

    fn arrange(&mut self, opened: Vec<PathSocket>, plans: &[PathPlan]) {
        let mut pool = std::mem::take(&mut self.paths);
        pool.extend(opened);
        for plan in plans {
            if let Some(index) = pool.iter().position(|socket| socket.plan == *plan) {
                self.paths.push(pool.swap_remove(index));
            }
        }
    }

    /// Opens the socket of a path anew, at its new place. The old one stays if that fails.
    pub(crate) fn replace(&mut self, path: PathId, plan: &PathPlan) -> io::Result<()> {
        let udp = self.open_beside(plan)?;
        if let Some(socket) = self.paths.get_mut(path.0) {
            socket.udp = Some(udp);
            socket.plan = plan.clone();
        }
        Ok(())
    }

    /// None for a path without a place.
    fn try_open(&self, plan: &PathPlan) -> io::Result<Option<UdpSocket>> {
        plan.absent.is_none().then(|| self.open_beside(plan)).transpose()
    }

    /// The old socket at the same place of this host, with the partner elsewhere, stays open until
    /// it is known that the new one is: the two share their port for that long, and with nobody else.
    fn open_beside(&self, plan: &PathPlan) -> io::Result<UdpSocket> {
        let same = self.paths.iter().filter(|old| old.plan.local == plan.local);
        let same: Vec<_> = same.filter_map(|old| old.udp.as_ref()).map(SockRef::from).collect();
        for old in &same {
            old.set_reuse_address(true)?;
        }
        let opened = open(plan, !same.is_empty());
        for old in same.iter().filter(|_| plan.kind == PathKind::Unicast) {
            old.set_reuse_address(false)?;
        }
        opened
    }

    /// Waits until a path has packets. May be dropped and called again.
    pub(crate) async fn readable(&mut self) -> PathId {
        self.turn = self.turn.wrapping_add(1);
        let count = self.paths.len().max(1);
        let start = self.turn % count;
        poll_fn(|context| {
            for offset in 0..count {
                let index = (start + offset) % count;
                if let Some(udp) = self.paths.get(index).and_then(|path| path.udp.as_ref())
                    && udp.poll_recv_ready(context).is_ready()
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
        let udp = self.paths.get(path.0).and_then(|socket| socket.udp.as_ref());
        let Some(udp) = udp else { return false };
        // One byte more than the longest packet, so that a longer one is seen as such.
        let mut buffer = [0; MAX_PACKET + 1];
        for _ in 0..DRAIN {
            match udp.try_recv_from(&mut buffer) {
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
        // Not by way of the event loop, which first has to hear of a socket that was just opened.
        let udp = SockRef::from(socket.udp.as_ref()?);
        let result = match socket.plan.kind {
            PathKind::Unicast => udp.send(packet),
            PathKind::Broadcast { .. } | PathKind::Multicast { .. } => {
                udp.send_to(packet, &socket.plan.remote.into())
            }
        };
        socket.sent += 1;
        match result {
            // What the partner's host answered to the packet before; this one was not sent.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _again = udp.send(packet);
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

/// Its interface went away just now, or its address is still looked for by others (IPv6).
fn is_not_ready(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    matches!(number, Some(libc::EADDRNOTAVAIL | libc::ENODEV | libc::ENXIO | libc::ENETDOWN))
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

fn open(plan: &PathPlan, beside: bool) -> io::Result<UdpSocket> {
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
        PathKind::Unicast => socket.set_reuse_address(beside)?,
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
        PathKind::Unicast => {
            socket.set_reuse_address(false)?;
            socket.connect(&plan.remote.into())?;
        }
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
        PathPlan {
            name: "of the test".to_owned(),
            local: at,
            remote: at,
            kind,
            from: None,
            absent: None,
        }
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
        let mut plans = every_kind(free.local_addr().unwrap().port());
        drop(free);
        let mut sockets = Sockets::default();
        sockets.renew(&mut plans).unwrap();
        assert_eq!(sockets.ids().count(), plans.len());
    }

    #[tokio::test]
    async fn a_path_keeps_its_socket_when_it_cannot_be_opened_anew() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut plans = every_kind(free.local_addr().unwrap().port());
        drop(free);
        let mut sockets = Sockets::default();
        sockets.renew(&mut plans).unwrap();
        let away = PathKind::Broadcast { interface: "none-such".to_owned(), index: 99 };
        let away = PathPlan { kind: away, ..plans[1].clone() };
        assert!(sockets.replace(PathId(1), &away).is_err());
        sockets.replace(PathId(1), &plans[1]).unwrap();
        assert_eq!(sockets.ids().count(), plans.len());
    }

    /// Both at the same place, one after the other, and then a third that is not ours.
    #[tokio::test]
    async fn a_path_follows_its_partner_to_another_address_and_keeps_its_port_to_itself() {
        let [old, new] = ["127.0.0.2:0", "127.0.0.3:0"].map(std::net::UdpSocket::bind);
        let [old, new] = [old.unwrap(), new.unwrap()];
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = free.local_addr().unwrap();
        drop(free);
        let to = |partner: &std::net::UdpSocket| PathPlan {
            remote: partner.local_addr().unwrap(),
            ..plan(&at.to_string(), PathKind::Unicast)
        };
        let mut sockets = Sockets::default();
        sockets.renew(&mut [to(&old)]).unwrap();
        sockets.renew(&mut [to(&new)]).unwrap();
        assert!(sockets.send(PathId(0), b"x").is_none());
        assert_eq!(new.recv(&mut [0; 8]).unwrap(), 1);
        new.send_to(b"answer", at).unwrap();
        assert_eq!(sockets.readable().await, PathId(0));
        let mut heard = Vec::new();
        sockets.drain(PathId(0), |packet| heard.push(packet.to_vec()));
        assert_eq!(heard, [b"answer".to_vec()]);
        let other = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        other.set_reuse_address(true).unwrap();
        assert!(other.bind(&at.into()).is_err(), "somebody else shares the port");
        let kept = sockets.renew(&mut [plan("192.0.2.1:1", PathKind::Unicast), to(&old)]);
        assert!(kept.is_ok() && sockets.ids().count() == 2);
    }

    #[tokio::test]
    async fn a_path_without_a_place_costs_no_other_one_and_is_opened_when_it_has_one() {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut plans = every_kind(port);
        // 192.0.2.0/24 is on no host (RFC 5737).
        plans[0] = plan(&format!("192.0.2.1:{port}"), PathKind::Unicast);
        plans[1].absent = Some("its interface is away".to_owned());
        let mut sockets = Sockets::default();
        sockets.renew(&mut plans).unwrap();
        let why = plans[0].absent.as_deref().unwrap_or_default();
        assert!(why.starts_with("it cannot be opened yet"), "{why}");
        let absent: Vec<bool> = plans.iter().map(|plan| plan.absent.is_some()).collect();
        assert_eq!(absent, [true, true, false, false, false]);
        assert!(sockets.send(PathId(0), b"x").is_none(), "nothing is sent, and nothing fails");
        assert_eq!((sockets.sent(PathId(0)), sockets.sent(PathId(3))), (0, 0));
        plans[0] = every_kind(port).remove(0);
        sockets.renew(&mut plans).unwrap();
        assert_eq!(plans[0].absent, None);
        assert!(sockets.send(PathId(0), b"x").is_none());
        assert_eq!(sockets.sent(PathId(0)), 1);
    }
}
