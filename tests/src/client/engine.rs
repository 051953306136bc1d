//! The thread that drives all requests of a client.

use super::{Fate, Load, MOST_BYTES, MOST_OPEN, Report, Request, Tally};
use crate::web::parse;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A pause between two looks at the answers from which on the client stood still itself: it looks each
/// 10 ms or sooner.
const STILL: Duration = Duration::from_millis(50);

/// A request that is under way.
struct Open {
    index: usize,
    start: Instant,
    /// It is lost if it has no answer then.
    until: Instant,
    stream: TcpStream,
    asked: bool,
    answer: Vec<u8>,
}

/// One thread that drives all requests.
pub(super) struct Engine {
    load: Load,
    tally: Arc<Tally>,
    start: Instant,
    looks: Looks,
    open: Vec<Open>,
    requests: Vec<Request>,
}

impl Engine {
    pub(super) fn new(load: Load, tally: Arc<Tally>) -> Self {
        let start = Instant::now();
        let looks = Looks { last: start, still: Vec::new() };
        Self { load, tally, start, looks, open: Vec::new(), requests: Vec::new() }
    }

    pub(super) fn run(mut self, stop: &AtomicBool) -> Report {
        loop {
            let done = self.requests.len() >= self.load.most || stop.load(Ordering::SeqCst);
            if done && self.open.is_empty() {
                return Report { requests: self.requests, stood_still: self.looks.still };
            }
            let due = if done { None } else { Some(self.due()) };
            if due.is_some_and(|due| Instant::now() >= due) {
                self.send();
            }
            let ready = self.wait(due);
            self.progress(&ready);
        }
    }

    /// When the next request goes out.
    fn due(&self) -> Instant {
        let sent = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        self.start + self.load.every.saturating_mul(sent)
    }

    /// The source port of a request; 0 leaves it to the kernel.
    fn port(&self, index: usize) -> u16 {
        let more = u16::try_from(index).unwrap_or(u16::MAX);
        self.load.first_port.map_or(0, |first| first.saturating_add(more))
    }

    fn send(&mut self) {
        let index = self.requests.len();
        let start = Instant::now();
        let mut fate = Fate::Lost;
        if self.open.len() < MOST_OPEN {
            match begin(self.load.target, self.port(index)) {
                Ok(stream) => {
                    let until = start + self.load.patience;
                    let answer = Vec::new();
                    self.open.push(Open { index, start, until, stream, asked: false, answer });
                }
                Err(error) => {
                    fate = failed(&error);
                    self.tally.count(&fate);
                }
            }
        }
        let sent = start.duration_since(self.start);
        self.requests.push(Request { sent, took: Duration::ZERO, fate });
    }

    /// Waits for news on a connection, at most until the next beat or 10 ms; says for each open
    /// request whether there is any.
    fn wait(&self, due: Option<Instant>) -> Vec<bool> {
        let pause = due.map_or(Duration::from_millis(10), |due| {
            due.saturating_duration_since(Instant::now()).min(Duration::from_millis(10))
        });
        let mut ready: Vec<PollFd<'_>> = self
            .open
            .iter()
            .map(|open| {
                let want = if open.asked { PollFlags::IN } else { PollFlags::OUT };
                PollFd::new(&open.stream, want)
            })
            .collect();
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(pause.subsec_nanos()) };
        // An interrupted wait has no news; the next one follows at once.
        let _ = poll(&mut ready, Some(&limit));
        ready.iter().map(|descriptor| !descriptor.revents().is_empty()).collect()
    }

    /// Moves the requests with news on and gives up those that took too long.
    fn progress(&mut self, ready: &[bool]) {
        let mut news = ready.iter();
        let now = Instant::now();
        let still = self.looks.at(now);
        let (load, tally, requests) = (&self.load, &self.tally, &mut self.requests);
        self.open.retain_mut(|open| {
            open.until += still;
            let moved = if news.next() == Some(&true) { open.advance(load) } else { None };
            let fate = match moved {
                None if now < open.until => return true,
                None => Fate::Lost,
                Some(fate) => fate,
            };
            if let Some(request) = requests.get_mut(open.index) {
                request.took = now.duration_since(open.start);
                request.fate = fate;
                tally.count(&request.fate);
            }
            false
        });
    }
}

/// When the client looked at the answers. What comes while it does not look is not late: the time for
/// which it stood still is none that a request has waited.
struct Looks {
    last: Instant,
    still: Vec<Duration>,
}

impl Looks {
    /// Looks now; for how long it stood still before.
    fn at(&mut self, now: Instant) -> Duration {
        let pause = now.duration_since(self.last);
        self.last = now;
        if pause < STILL {
            return Duration::ZERO;
        }
        self.still.push(pause);
        pause
    }
}

impl Open {
    /// Writes or reads what is possible now; the fate once it is known.
    fn advance(&mut self, load: &Load) -> Option<Fate> {
        if !self.asked {
            match self.stream.take_error() {
                Ok(None) => {}
                Ok(Some(error)) | Err(error) => return Some(failed(&error)),
            }
            let target = load.target;
            let text = format!(
                "GET {} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n",
                load.path
            );
            match self.stream.write(text.as_bytes()) {
                Ok(_) => self.asked = true,
                Err(error) if waits(&error) => return None,
                Err(error) => return Some(failed(&error)),
            }
        }
        let mut piece = [0; 2048];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Some(self.judge()),
                Ok(count) if self.answer.len() < MOST_BYTES => {
                    self.answer.extend_from_slice(piece.get(..count).unwrap_or_default());
                }
                Ok(_) => {}
                Err(error) if waits(&error) => return None,
                Err(error) => return Some(failed(&error)),
            }
        }
    }

    fn judge(&self) -> Fate {
        match parse(&self.answer) {
            (200, body) => Fate::Answered(body),
            (0, _) => Fate::Broken("closed without an answer".to_owned()),
            (status, _) => Fate::Status(status),
        }
    }
}

fn begin(target: SocketAddr, port: u16) -> std::io::Result<TcpStream> {
    let (family, any): (_, IpAddr) = if target.is_ipv4() {
        (AddressFamily::INET, Ipv4Addr::UNSPECIFIED.into())
    } else {
        (AddressFamily::INET6, Ipv6Addr::UNSPECIFIED.into())
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    if port != 0 {
        bind(&socket, &SocketAddr::new(any, port))?;
    }
    match connect(&socket, &target) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

/// Whether the kernel only says "not yet". A connection that is still being made answers a
/// write with one of the first two.
fn waits(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}

fn failed(error: &std::io::Error) -> Fate {
    match error.kind() {
        ErrorKind::ConnectionRefused => Fate::Refused,
        ErrorKind::TimedOut => Fate::Lost,
        _ => Fate::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_knows_for_how_long_it_stood_still_itself() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut looks = Looks { last: start, still: Vec::new() };
        let still: Vec<Duration> = [10, 20, 320, 330, 379].map(|ms| looks.at(at(ms))).into();
        let long = Duration::from_millis(300);
        assert_eq!(still, [Duration::ZERO, Duration::ZERO, long, Duration::ZERO, Duration::ZERO]);
        assert_eq!(looks.still, [long]);
    }

    #[test]
    fn a_request_waits_for_its_patience_and_not_while_the_client_stands_still() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let load = Load::new(silent.local_addr().unwrap());
        let patience = load.patience;
        let mut engine = Engine::new(load, Arc::new(Tally::default()));
        engine.send();
        let sent = engine.open[0].start;
        let still = Duration::from_secs(5);
        engine.looks.last = Instant::now() - still;
        engine.progress(&[false]);
        assert_eq!(engine.open.len(), 1, "given up while nobody looked");
        let left = engine.open[0].until - sent;
        assert!(left >= patience + still && left < patience + 2 * still, "{left:?}");
        engine.open[0].until = sent;
        engine.progress(&[false]);
        assert!(engine.open.is_empty());
        assert_eq!(engine.requests[0].fate, Fate::Lost);
    }
}
