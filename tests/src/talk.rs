//! Small servers of old protocols, enough for a health check: each can die and return.

mod binary;
mod lines;

use crate::failure::Context;
use crate::namespace::Namespace;
use crate::node::Node;
use crate::{Outcome, wait_until};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use binary::{directory, name_server, telephone};
pub use lines::{daytime, echo, files, mail_in, mail_out, mailbox, news};

/// A client that says nothing for so long is hung up on.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a server of datagrams looks whether it is to end.
const PERIOD: Duration = Duration::from_millis(50);

/// What a server does with a client.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Talks over a connection.
    Stream(fn(&TcpStream) -> std::io::Result<()>),
    /// Answers a datagram.
    Datagram(fn(&[u8]) -> Option<Vec<u8>>),
}

/// A server on one port of a host, for IPv4 and IPv6.
#[derive(Debug)]
pub struct Talker {
    space: Namespace,
    port: u16,
    manner: Manner,
    /// The socket while it is open.
    open: Option<Door>,
}

#[derive(Debug)]
enum Door {
    Stream(TcpListener),
    /// Set when it is to end; unique again when it has ended.
    Datagram(Arc<AtomicBool>),
}

impl Talker {
    /// Starts it.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(node: &Node, port: u16, manner: Manner) -> Outcome<Self> {
        let mut talker = Self { space: node.namespace().clone(), port, manner, open: None };
        talker.open()?;
        Ok(talker)
    }

    /// The program is there.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn open(&mut self) -> Outcome {
        let what = format!("port {} of {}", self.port, self.space.name());
        if self.open.is_none() {
            let (port, manner) = (self.port, self.manner);
            let door = self.space.run(move || match manner {
                Manner::Stream(talk) => listen(port, talk),
                Manner::Datagram(answer) => receive(port, answer),
            })?;
            self.open = Some(door.context(what)?);
        }
        Ok(())
    }

    /// The program dies: whoever asks is refused.
    ///
    /// # Errors
    /// When the port does not close.
    pub fn close(&mut self) -> Outcome {
        match self.open.take() {
            Some(Door::Stream(listener)) => {
                // Wakes the thread that accepts; on a listening socket Linux makes accept fail.
                rustix::net::shutdown(&listener, rustix::net::Shutdown::Both).context("closing")
            }
            Some(Door::Datagram(ended)) => {
                ended.store(true, Ordering::SeqCst);
                let gone = || Ok(Arc::strong_count(&ended) == 1);
                wait_until(PATIENCE, "a port is closed", gone).map(drop)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        // The process ends soon after; a port that stays open for so long harms nobody.
        let _ = self.close();
    }
}

/// Listens in the calling thread's network; each client has a thread.
fn listen(port: u16, talk: fn(&TcpStream) -> std::io::Result<()>) -> std::io::Result<Door> {
    let listener = TcpListener::bind(("::", port))?;
    let accepting = listener.try_clone()?;
    std::thread::Builder::new().name("talk".into()).spawn(move || {
        while let Ok((stream, _)) = accepting.accept() {
            let serve = move || {
                // A client that hangs up is the client's business.
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = talk(&stream);
                let _ = stream.shutdown(Shutdown::Both);
            };
            // Without a thread the client is hung up on.
            let _ = std::thread::Builder::new().name("talk-client".into()).spawn(serve);
        }
    })?;
    Ok(Door::Stream(listener))
}

/// Answers datagrams in the calling thread's network.
fn receive(port: u16, answer: fn(&[u8]) -> Option<Vec<u8>>) -> std::io::Result<Door> {
    let socket = UdpSocket::bind(("::", port))?;
    socket.set_read_timeout(Some(PERIOD))?;
    let ended = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&ended);
    std::thread::Builder::new().name("talk".into()).spawn(move || {
        let mut packet = [0; 2048];
        while !own.load(Ordering::SeqCst) {
            let Ok((count, from)) = socket.recv_from(&mut packet) else { continue };
            if let Some(answer) = packet.get(..count).and_then(answer) {
                // A lost answer is what datagrams are about.
                let _ = socket.send_to(&answer, from);
            }
        }
        // Closed before the one who waits is told.
        drop(socket);
        drop(own);
    })?;
    Ok(Door::Datagram(ended))
}
