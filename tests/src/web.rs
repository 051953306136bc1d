//! A small web server that names itself and can be ill in several ways.

use crate::failure::Context;
use crate::node::Node;
use crate::{Outcome, wait_until};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections served at one time; more are closed at once.
const MOST_CONNECTIONS: usize = 1024;
/// A client that says nothing for so long is hung up on.
const PATIENCE: Duration = Duration::from_secs(10);
/// One piece of a long download.
const PIECE: [u8; 1000] = [b'x'; 1000];
/// The pause between pieces: a download of 500 pieces takes five seconds.
const PIECE_EVERY: Duration = Duration::from_millis(10);

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Answers at once.
    Well,
    /// Answers after a time.
    Slow(Duration),
    /// Answers every request with this status.
    Status(u16),
    /// Accepts and says nothing.
    Mute,
    /// Answers, with other words than the test page's.
    Wrong,
}

/// The server. `/` answers with its name, `/.testpage` with "test page",
/// `/download/N` with N pieces of 1,000 bytes, one each 10 ms.
#[derive(Debug)]
pub struct WebServer {
    shared: Arc<Shared>,
    node_name: String,
    space: crate::namespace::Namespace,
    port: u16,
    listener: Option<TcpListener>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    mood: Mutex<Mood>,
    open: AtomicUsize,
    served: AtomicU64,
    closed: AtomicBool,
}

impl WebServer {
    /// Starts a server on a port of a host, on every IPv4 and IPv6 address.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(node: &Node, port: u16) -> Outcome<Self> {
        Self::start_named(node, port, node.name())
    }

    /// Starts a server that goes by another name than its host's, for a sorry server.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_named(node: &Node, port: u16, name: &str) -> Outcome<Self> {
        let shared = Shared {
            name: name.to_owned(),
            mood: Mutex::new(Mood::Well),
            open: AtomicUsize::new(0),
            served: AtomicU64::new(0),
            closed: AtomicBool::new(true),
        };
        let mut server = Self {
            shared: Arc::new(shared),
            node_name: node.name().to_owned(),
            space: node.namespace().clone(),
            port,
            listener: None,
        };
        server.open()?;
        Ok(server)
    }

    /// Changes how it behaves from the next request on.
    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Requests that were answered so far, health checks among them.
    pub fn served(&self) -> u64 {
        self.shared.served.load(Ordering::Relaxed)
    }

    /// The program dies: new connections are refused, open ones go on to their end.
    ///
    /// # Errors
    /// When the port does not close.
    pub fn close(&mut self) -> Outcome {
        let Some(listener) = self.listener.take() else {
            return Ok(());
        };
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; on a listening socket Linux makes accept fail.
        rustix::net::shutdown(&listener, rustix::net::Shutdown::Both)
            .context(format_args!("closing port {} on {}", self.port, self.node_name))
    }

    /// The program is back.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn open(&mut self) -> Outcome {
        let (port, shared) = (self.port, Arc::clone(&self.shared));
        shared.closed.store(false, Ordering::SeqCst);
        let what = format!("a web server on port {port} of {}", self.node_name);
        let mut bound = None;
        // A thread that was just told to end may hold the port for a moment longer.
        wait_until(Duration::from_secs(2), "the web server's port is free", || {
            bound = Some(self.space.run(move || TcpListener::bind(("::", port)))?);
            Ok(matches!(bound, Some(Ok(_))))
        })?;
        let Some(listener) = bound else {
            return Ok(());
        };
        let listener = listener.context(&what)?;
        let accepting = listener.try_clone().context(&what)?;
        self.listener = Some(listener);
        let spawned = self.space.run(move || {
            std::thread::Builder::new()
                .name("web".into())
                .spawn(move || accept(&accepting, &shared))
        })?;
        spawned.context(what).map(drop)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // The process ends soon after; a port that stays open for so long harms nobody.
        let _ = self.close();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if shared.open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            shared.open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let own = Arc::clone(shared);
        let spawned = std::thread::Builder::new().name("web-client".into()).spawn(move || {
            // A client that hangs up is the client's business.
            let _ = serve(&stream, &own);
            let _ = stream.shutdown(Shutdown::Both);
            own.open.fetch_sub(1, Ordering::SeqCst);
        });
        if spawned.is_err() {
            shared.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn serve(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let Some(path) = read_request(stream)? else {
        return Ok(());
    };
    let mood = *shared.mood.lock().unwrap_or_else(PoisonError::into_inner);
    let body = match (mood, path.as_str()) {
        (Mood::Mute, _) => {
            std::thread::sleep(PATIENCE);
            return Ok(());
        }
        (Mood::Wrong, _) => "something else\n".to_owned(),
        (_, "/.testpage") => "test page\n".to_owned(),
        _ => format!("{}\n", shared.name),
    };
    if let Mood::Slow(time) = mood {
        std::thread::sleep(time);
    }
    shared.served.fetch_add(1, Ordering::Relaxed);
    if let Some(count) = path.strip_prefix("/download/").and_then(|n| n.parse::<usize>().ok()) {
        return download(stream, count);
    }
    let status = if let Mood::Status(code) = mood { code } else { 200 };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Lab\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// Reads one request's head; the path that it asks for.
fn read_request(mut stream: &TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < 16_384 {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&head);
    Ok(text.split_whitespace().nth(1).map(str::to_owned))
}

fn download(mut stream: &TcpStream, count: usize) -> std::io::Result<()> {
    let length = count * PIECE.len();
    let head = format!("HTTP/1.1 200 Lab\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    for _ in 0..count {
        stream.write_all(&PIECE)?;
        std::thread::sleep(PIECE_EVERY);
    }
    Ok(())
}

/// Fetches one page with a connection of its own, as a client on `node` sees it: the status and
/// the body. The connection gives up after `patience`.
///
/// # Errors
/// With the system's words, when there is no answer.
pub fn fetch(
    node: &Node,
    target: SocketAddr,
    path: &str,
    patience: Duration,
) -> Outcome<(u16, String)> {
    let path = path.to_owned();
    let what = format!("fetching http://{target}{path} from {}", node.name());
    node.run(move || get(target, &path, patience))?.context(what)
}

fn get(target: SocketAddr, path: &str, patience: Duration) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&target, patience)?;
    stream.set_read_timeout(Some(patience))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(parse(&answer))
}

/// Status (0 when there is none) and trimmed body of an answer.
pub(crate) fn parse(answer: &[u8]) -> (u16, String) {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or(0), body.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = b"HTTP/1.1 503 Lab\r\nContent-Length: 3\r\n\r\nr1\n";
        assert_eq!(parse(answer), (503, "r1".to_owned()));
    }

    #[test]
    fn an_answer_that_was_cut_off_has_status_0() {
        assert_eq!(parse(b""), (0, String::new()));
    }
}
