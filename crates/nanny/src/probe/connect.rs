//! Opening a TCP connection, and the check that does only that.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::tls::Side;
use crate::failure::{Failure, Seen};
use crate::shared::Shared;
use crate::trace::{Phase, Trace};

/// What a check sees that only connects.
pub(super) const CONNECTED: Seen = Cow::Borrowed("connected");

/// A connection that was begun.
pub(super) enum Started {
    /// It was there at once, and is closed again.
    Done,
    /// It is under way.
    Pending(Socket),
}

/// Begins to connect for the check that does only that.
///
/// It is kind to the server: our answer to its SYN+ACK is a reset, so that its program is never
/// woken for a connection without a request, and no port is left waiting on either side. For
/// that the kernel must hold back its acknowledgement, and drop the connection on closing.
pub(super) fn start(target: SocketAddr) -> Result<Started, Failure> {
    let socket = new_socket(target)?;
    socket.set_tcp_quickack(false)?;
    socket.set_linger(Some(Duration::ZERO))?;
    Ok(if begin(&socket, target)? { Started::Done } else { Started::Pending(socket) })
}

/// Waits until the connection is there, and closes it.
pub(super) async fn finish(socket: Socket) -> Result<Seen, Failure> {
    established(socket).await?;
    Ok(CONNECTED)
}

/// A connection that is talked over, plain or inside TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a connection that is going to be talked over, inside TLS when there is a side for it.
pub(super) async fn reach(
    side: Option<&Side>,
    target: SocketAddr,
    shared: &Shared,
    trace: &mut Trace,
) -> Result<Box<dyn Stream>, Failure> {
    // What TLS needs is read before a server waits for us.
    let config = match side {
        Some(side) => Some((side, shared.tls(side).await?)),
        None => None,
    };
    trace.enter(Phase::Connect);
    let stream = open(target).await?;
    let Some((side, config)) = config else { return Ok(Box::new(stream)) };
    trace.enter(Phase::Handshake);
    Ok(Box::new(side.handshake(config, stream).await?))
}

/// A UDP socket for one server. Connected: only this server's packets arrive, and "port
/// unreachable" is told.
pub(super) async fn udp(target: SocketAddr) -> Result<UdpSocket, Failure> {
    let any = match target {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(target).await?;
    Ok(socket)
}

/// How often a question without a connection is asked within the limit.
const QUESTIONS: u32 = 3;

/// Asks a question in a datagram, again while no answer comes, and gives the length of that.
/// Whoever waits for it keeps the limit.
pub(super) async fn ask(
    socket: &UdpSocket,
    question: &[u8],
    limit: Duration,
    answer: &mut [u8],
) -> Result<usize, Failure> {
    loop {
        socket.send(question).await?;
        if let Ok(length) = timeout(limit / QUESTIONS, socket.recv(answer)).await {
            return Ok(length?);
        }
    }
}

/// Opens a connection that is going to be talked over.
pub(super) async fn open(target: SocketAddr) -> Result<TcpStream, Failure> {
    let socket = new_socket(target)?;
    socket.set_tcp_nodelay(true)?;
    if begin(&socket, target)? {
        Ok(TcpStream::from_std(socket.into())?)
    } else {
        established(socket).await
    }
}

fn new_socket(target: SocketAddr) -> Result<Socket, Failure> {
    let domain = Domain::for_address(target);
    Ok(Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?)
}

/// Begins to connect; true when the connection is there already.
///
/// The kernel never says so at the first call, even if the server is on this host and its answer
/// has come meanwhile. Asking again is far cheaper than waiting for an event.
fn begin(socket: &Socket, target: SocketAddr) -> Result<bool, Failure> {
    let target = SockAddr::from(target);
    match socket.connect(&target) {
        Err(error) if is(&error, Errno::INPROGRESS) => {}
        other => return Ok(other.map(|()| true)?),
    }
    match socket.connect(&target) {
        Ok(()) => Ok(true),
        Err(error) if is(&error, Errno::ALREADY) => Ok(false),
        Err(error) if is(&error, Errno::ISCONN) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn is(error: &std::io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

async fn established(socket: Socket) -> Result<TcpStream, Failure> {
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    match stream.take_error()? {
        Some(error) => Err(error.into()),
        None => Ok(stream),
    }
}
