//! A client that sends requests on a fixed beat, whatever becomes of those before: the only way
//! to see an outage as users see it.

use crate::failure::Context;
use crate::node::Node;
use crate::web::parse;
use crate::{Failure, Outcome, wait_until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Requests open at one time; a beat that finds so many open counts as lost.
const MOST_OPEN: usize = 2000;
/// The longest answer that is kept.
const MOST_BYTES: usize = 4096;

/// What the client is to do: one request each `every`, each on a new connection.
#[derive(Debug, Clone)]
pub struct Load {
    /// Whom to ask.
    pub target: SocketAddr,
    /// What to ask for.
    pub path: String,
    /// The beat.
    pub every: Duration,
    /// A request that is not answered whole within this time is lost. Below the second after
    /// which TCP repeats a lost SYN, so that an outage is not hidden by the repetition.
    pub patience: Duration,
    /// The most requests that are ever sent.
    pub most: usize,
}

impl Load {
    /// A request for `/` each 10 ms, at most 6,000 of them (a minute), patience 900 ms.
    pub fn new(target: SocketAddr) -> Self {
        Self {
            target,
            path: "/".to_owned(),
            every: Duration::from_millis(10),
            patience: Duration::from_millis(900),
            most: 6000,
        }
    }

    /// Another beat.
    #[must_use]
    pub fn every(mut self, beat: Duration) -> Self {
        self.every = beat;
        self
    }

    /// Another number of requests.
    #[must_use]
    pub fn most(mut self, requests: usize) -> Self {
        self.most = requests;
        self
    }

    /// Starts sending from a host.
    ///
    /// # Errors
    /// When the host's thread is gone.
    pub fn start(self, node: &Node) -> Outcome<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let tally = Arc::new(Tally::default());
        let (ended, counted) = (Arc::clone(&stop), Arc::clone(&tally));
        let thread = node
            .run(move || {
                std::thread::Builder::new()
                    .name("load".into())
                    .spawn(move || Engine::new(self, counted).run(&ended))
            })?
            .context("starting the client")?;
        Ok(Running { stop, tally, thread })
    }
}

/// A client at work.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
    thread: JoinHandle<Report>,
}

/// What can be told of a client while it is at work.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicUsize,
    refused: AtomicUsize,
}

impl Tally {
    fn count(&self, fate: &Fate) {
        match fate {
            Fate::Answered(_) => self.answered.fetch_add(1, Ordering::SeqCst),
            Fate::Refused => self.refused.fetch_add(1, Ordering::SeqCst),
            Fate::Status(_) | Fate::Broken(_) | Fate::Lost => 0,
        };
    }
}

impl Running {
    /// Waits until so many more requests were answered.
    ///
    /// # Errors
    /// When the limit passes first.
    pub fn answered(&self, more: usize, limit: Duration) -> Outcome {
        let what = format!("the client has {more} more answers");
        more_of(&self.tally.answered, more, limit, &what)
    }

    /// Waits until so many more connections were refused.
    ///
    /// # Errors
    /// When the limit passes first.
    pub fn refused(&self, more: usize, limit: Duration) -> Outcome {
        let what = format!("the client was refused {more} more times");
        more_of(&self.tally.refused, more, limit, &what)
    }

    /// Stops sending, lets open requests end, and tells what happened.
    ///
    /// # Errors
    /// When the client's thread panicked.
    pub fn finish(self) -> Outcome<Report> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| Failure::new("the client panicked"))
    }

    /// Waits until all requests are sent and ended, and tells what happened.
    ///
    /// # Errors
    /// When the client's thread panicked.
    pub fn complete(self) -> Outcome<Report> {
        self.thread.join().map_err(|_| Failure::new("the client panicked"))
    }
}

fn more_of(counter: &AtomicUsize, more: usize, limit: Duration, what: &str) -> Outcome {
    let goal = counter.load(Ordering::SeqCst) + more;
    wait_until(limit, what, || Ok(counter.load(Ordering::SeqCst) >= goal)).map(drop)
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Answered with 200 and this body.
    Answered(String),
    /// Answered with another status.
    Status(u16),
    /// The connection was refused.
    Refused,
    /// The connection broke, with the system's words.
    Broken(String),
    /// No whole answer in time.
    Lost,
}

impl std::fmt::Display for Fate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(who) => write!(out, "answered by {who}"),
            Self::Status(code) => write!(out, "with status {code}"),
            Self::Refused => write!(out, "refused"),
            Self::Broken(why) => write!(out, "broken: {why}"),
            Self::Lost => write!(out, "without an answer"),
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it was sent, from the client's start.
    pub sent: Duration,
    /// How long it took to its end.
    pub took: Duration,
    /// How it ended.
    pub fate: Fate,
}

impl Request {
    fn good(&self) -> bool {
        matches!(self.fate, Fate::Answered(_))
    }
}

/// All requests of a client, in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The requests.
    pub requests: Vec<Request>,
}

impl Report {
    /// Requests that were not answered with 200, for whatever reason.
    pub fn lost(&self) -> usize {
        self.requests.iter().filter(|request| !request.good()).count()
    }

    /// Requests whose connection was refused.
    pub fn refused(&self) -> usize {
        self.requests.iter().filter(|request| request.fate == Fate::Refused).count()
    }

    /// The longest outage: from the first request of a run of failed ones to the first good one
    /// after it. A run that goes to the end is counted to the last request's end.
    pub fn longest_outage(&self) -> Duration {
        let mut longest = Duration::ZERO;
        let mut since: Option<Duration> = None;
        for request in &self.requests {
            match (since, request.good()) {
                (None, false) => since = Some(request.sent),
                (Some(start), true) => {
                    longest = longest.max(request.sent.saturating_sub(start));
                    since = None;
                }
                _ => {}
            }
        }
        let end = self.requests.last().map_or(Duration::ZERO, |last| last.sent + last.took);
        longest.max(since.map_or(Duration::ZERO, |start| end.saturating_sub(start)))
    }

    /// How many answers each body had: which server answered how often.
    pub fn answers(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.requests {
            if let Fate::Answered(body) = &request.fate {
                *counts.entry(body.clone()).or_default() += 1;
            }
        }
        counts
    }

    /// One sentence for the person: how many, who answered, what failed and for how long.
    pub fn summary(&self) -> String {
        let answers: Vec<String> =
            self.answers().iter().map(|(who, count)| format!("{who} answered {count}")).collect();
        let mut fates: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.requests.iter().filter(|request| !request.good()) {
            *fates.entry(request.fate.to_string()).or_default() += 1;
        }
        let fates: Vec<String> =
            fates.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
        let failed = if fates.is_empty() {
            "none failed".to_owned()
        } else {
            let outage = self.longest_outage().as_millis();
            format!("{} failed ({}), longest outage {outage} ms", self.lost(), fates.join(", "))
        };
        format!("{} requests: {}; {failed}", self.requests.len(), answers.join(", "))
    }
}

/// A request that is under way.
struct Open {
    index: usize,
    start: Instant,
    stream: TcpStream,
    asked: bool,
    answer: Vec<u8>,
}

/// One thread that drives all requests.
struct Engine {
    load: Load,
    tally: Arc<Tally>,
    start: Instant,
    open: Vec<Open>,
    requests: Vec<Request>,
}

impl Engine {
    fn new(load: Load, tally: Arc<Tally>) -> Self {
        Self { load, tally, start: Instant::now(), open: Vec::new(), requests: Vec::new() }
    }

    fn run(mut self, stop: &AtomicBool) -> Report {
        loop {
            let done = self.requests.len() >= self.load.most || stop.load(Ordering::SeqCst);
            if done && self.open.is_empty() {
                return Report { requests: self.requests };
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

    fn send(&mut self) {
        let index = self.requests.len();
        let start = Instant::now();
        let mut fate = Fate::Lost;
        if self.open.len() < MOST_OPEN {
            match begin(self.load.target) {
                Ok(stream) => {
                    self.open.push(Open { index, start, stream, asked: false, answer: Vec::new() });
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
        let (load, tally, requests) = (&self.load, &self.tally, &mut self.requests);
        self.open.retain_mut(|open| {
            let moved = if news.next() == Some(&true) { open.advance(load) } else { None };
            let fate = match moved {
                None if now.duration_since(open.start) < load.patience => return true,
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

fn begin(target: SocketAddr) -> std::io::Result<TcpStream> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
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

    fn report(fates: &[(u64, bool)]) -> Report {
        let request = |&(sent, good)| Request {
            sent: Duration::from_millis(sent),
            took: Duration::from_millis(5),
            fate: if good { Fate::Answered("r1".into()) } else { Fate::Lost },
        };
        Report { requests: fates.iter().map(request).collect() }
    }

    #[test]
    fn an_outage_lasts_from_the_first_failure_to_the_next_good_answer() {
        let seen =
            report(&[(0, true), (10, false), (20, false), (30, true), (40, false), (50, true)]);
        assert_eq!(seen.longest_outage(), Duration::from_millis(20));
        assert_eq!(seen.lost(), 3);
    }

    #[test]
    fn an_outage_without_end_is_counted_to_the_end() {
        let seen = report(&[(0, true), (10, false), (20, false)]);
        assert_eq!(seen.longest_outage(), Duration::from_millis(15));
    }

    #[test]
    fn no_failure_is_no_outage() {
        assert_eq!(report(&[(0, true), (10, true)]).longest_outage(), Duration::ZERO);
    }
}
