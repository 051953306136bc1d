//! Who announces which IPv4 addresses on a wire, and when: gratuitous ARP as a host hears it.

use crate::failure::Context;
use crate::{Failure, Node, Outcome};
use rustix::net::sockopt::{Timeout, set_socket_recv_buffer_size_force, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, recv, socket_with};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// `ETH_P_ARP` in the order of the network, as packet(7) wants it.
const ARP: u32 = 0x0806_u16.to_be() as u32;
/// Room for some thousand frames that wait.
const BUFFER: usize = 8 << 20;
/// How soon the listener sees that it is to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// A link-layer address.
pub type Mac = [u8; 6];

type Heard = BTreeMap<(Mac, Ipv4Addr), Instant>;

/// Listens on a host. Ends when it is dropped.
#[derive(Debug)]
pub struct ArpListener {
    heard: Arc<Mutex<Heard>>,
    ends: Arc<AtomicBool>,
}

impl ArpListener {
    /// Begins to listen on every interface of a host.
    ///
    /// # Errors
    /// When the system has no packet sockets for us.
    pub fn start(host: &Node) -> Outcome<Self> {
        let listener = Self { heard: Arc::default(), ends: Arc::default() };
        let (heard, ends) = (Arc::clone(&listener.heard), Arc::clone(&listener.ends));
        let started = host.run(move || {
            let socket = open()?;
            let listen = move || listen(&socket, &heard, &ends);
            std::thread::Builder::new().name("arp".into()).spawn(listen)?;
            Ok::<(), std::io::Error>(())
        })?;
        started.context(format_args!("listening to ARP on {}", host.name()))?;
        Ok(listener)
    }

    /// Forgets what it heard so far.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// When each address was first announced by the host with this link-layer address.
    pub fn announced_by(&self, mac: Mac) -> BTreeMap<Ipv4Addr, Instant> {
        let all = self.lock();
        all.iter().filter(|((by, _), _)| *by == mac).map(|((_, ip), at)| (*ip, *at)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }
}

impl Drop for ArpListener {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// The link-layer address of a host's interface.
///
/// # Errors
/// When it has none.
pub fn mac_of(host: &Node, interface: &str) -> Outcome<Mac> {
    let path = format!("/sys/class/net/{interface}/address");
    let text = host.read(&path)?;
    let octets: Result<Vec<u8>, _> =
        text.trim().split(':').map(|octet| u8::from_str_radix(octet, 16)).collect();
    let octets = octets.context(&path)?;
    octets.try_into().map_err(|_| Failure::new(format!("{path} holds {text}")))
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn open() -> std::io::Result<OwnedFd> {
    let protocol = NonZeroU32::new(ARP).map(Protocol::from_raw);
    let kind = SocketType::RAW;
    let socket = socket_with(AddressFamily::PACKET, kind, SocketFlags::CLOEXEC, protocol)?;
    set_socket_recv_buffer_size_force(&socket, BUFFER)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

fn listen(socket: &OwnedFd, heard: &Mutex<Heard>, ends: &AtomicBool) {
    let mut frame = [0; 128];
    while !ends.load(Ordering::Relaxed) {
        let Ok((length, _)) = recv(socket, &mut frame, RecvFlags::empty()) else { continue };
        if let Some(announced) = parse(frame.get(..length).unwrap_or_default()) {
            lock(heard).entry(announced).or_insert_with(Instant::now);
        }
    }
}

/// Who says of which address that it is theirs (RFC 826, behind the Ethernet header).
fn parse(frame: &[u8]) -> Option<(Mac, Ipv4Addr)> {
    let sender: [u8; 10] = frame.get(22..32)?.try_into().ok()?;
    let target: [u8; 4] = frame.get(38..42)?.try_into().ok()?;
    let [m0, m1, m2, m3, m4, m5, ip @ ..] = sender;
    (ip == target).then(|| ([m0, m1, m2, m3, m4, m5], Ipv4Addr::from(ip)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_told_from_a_question() {
        let mut frame = [0; 42];
        frame[22..28].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        frame[28..32].copy_from_slice(&[10, 60, 0, 1]);
        assert_eq!(parse(&frame), None, "it asks for another address");
        frame[38..42].copy_from_slice(&[10, 60, 0, 1]);
        let whole = Some(([2, 0, 0, 0, 0, 9], Ipv4Addr::new(10, 60, 0, 1)));
        assert_eq!(parse(&frame), whole);
        assert_eq!(parse(&frame[..41]), None);
    }
}
