//! Asks whether somebody else still answers for an address.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::socket::{ClaimSocket, Family};
use crate::{Link, Mac, PacketSocket, frame};

/// How often each question is sent: a frame may be lost, and a link that has just come up drops
/// the first ones in silence. RFC 5227 asks three times too.
const ROUNDS: u32 = 3;

/// So many questions are sent before the answers are looked at.
const BATCH: usize = 32;

/// Pause when the interface is busy.
const BUSY: Duration = Duration::from_millis(5);

/// Somebody else claims an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The address.
    pub ip: IpAddr,
    /// Who claims it.
    pub mac: Mac,
}

/// Asks for each address on one interface, three times spread over `wait`, and returns who else
/// claimed one before that was over. Claims by `link` itself are not counted.
///
/// # Errors
/// `PermissionDenied` without `CAP_NET_RAW`; `NetworkDown` when the interface is down.
pub async fn who_has(link: &Link, ips: &[IpAddr], wait: Duration) -> io::Result<Vec<Claim>> {
    let asked: BTreeSet<IpAddr> = ips.iter().copied().collect();
    // Listening begins before asking, or a quick answer would be missed.
    let listen = |family: Family| {
        let wanted = asked.iter().any(|ip| ip.is_ipv4() == (family == Family::V4));
        wanted.then(|| ClaimSocket::new(link, family)).transpose()
    };
    let (v4, v6) = (listen(Family::V4)?, listen(Family::V6)?);
    let mut claims = BTreeSet::new();
    let mut note = |frame: &[u8]| {
        if let Some((ip, mac)) = frame::claim(frame)
            && mac != link.mac
            && asked.contains(&ip)
        {
            claims.insert(Claim { ip, mac });
        }
    };
    let pause = wait / ROUNDS;
    let asking = ask(link, &asked, pause);
    let mut asking = std::pin::pin!(asking);
    let mut end = None;
    loop {
        let over = async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // In this order, or somebody who floods the wire would make this last for ever.
            biased;
            () = over => break,
            sent = &mut asking, if end.is_none() => {
                sent?;
                end = Some(tokio::time::Instant::now() + pause);
            }
            frame = receive(v4.as_ref()) => note(&frame?),
            frame = receive(v6.as_ref()) => note(&frame?),
        }
    }
    Ok(claims.into_iter().collect())
}

async fn receive(socket: Option<&ClaimSocket>) -> io::Result<Vec<u8>> {
    match socket {
        Some(socket) => socket.receive().await,
        None => std::future::pending().await,
    }
}

/// Asks for all of them, [`ROUNDS`] times with a pause in between.
async fn ask(link: &Link, ips: &BTreeSet<IpAddr>, pause: Duration) -> io::Result<()> {
    let socket = PacketSocket::new()?;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(pause).await;
        }
        for (number, ip) in ips.iter().enumerate() {
            send(&socket, &frame::question(*ip, link), link.index).await?;
            if number % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(())
}

async fn send(socket: &PacketSocket, question: &[u8], interface: u32) -> io::Result<()> {
    loop {
        match socket.send(question, interface) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(BUSY).await;
            }
            other => return other,
        }
    }
}
