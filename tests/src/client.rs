//! A client that sends requests on a fixed beat, whatever becomes of those before: the only way
//! to see an outage as users see it.

mod engine;

use crate::failure::Context;
use crate::node::Node;
use crate::{Failure, Outcome, wait_until};
use engine::Engine;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests open at one time; a beat that finds so many open counts as lost.
const MOST_OPEN: usize = 2000;
/// The longest answer that is kept.
const MOST_BYTES: usize = 4096;

/// An answer that took so long is told.
const SLOW: Duration = Duration::from_millis(200);

/// What the client is to do: one request each `every`, each on a new connection.
#[derive(Debug, Clone)]
pub struct Load {
    /// Whom to ask.
    pub target: SocketAddr,
    /// What to ask for.
    pub path: String,
    /// The beat.
    pub every: Duration,
    /// A request that is not answered whole within this time is lost; the time for which the client
    /// itself stood still is not counted. Below the second after which TCP repeats a lost SYN, so
    /// that an outage is not hidden by the repetition.
    pub patience: Duration,
    /// The most requests that are ever sent.
    pub most: usize,
    /// Source port of the first request; each of the others has the next one. None lets the kernel
    /// choose, which takes a port again as soon as the server has closed its connection.
    pub first_port: Option<u16>,
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
            first_port: None,
        }
    }

    /// Another beat.
    #[must_use]
    pub fn every(mut self, beat: Duration) -> Self {
        self.every = beat;
        self
    }

    /// Source ports of its own.
    #[must_use]
    pub fn from_port(mut self, first: u16) -> Self {
        self.first_port = Some(first);
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
    /// How long the client itself did not run, each time: the machine had something else to do.
    pub stood_still: Vec<Duration>,
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

    /// When the first and the last request that failed were sent, in milliseconds.
    fn failed_between(&self) -> [u128; 2] {
        let failed = || self.requests.iter().filter(|request| !request.good());
        let at = |request: Option<&Request>| request.map_or(0, |one| one.sent.as_millis());
        [at(failed().next()), at(failed().next_back())]
    }

    /// The longest time that a good answer took.
    pub fn longest_answer(&self) -> Duration {
        let good = self.requests.iter().filter(|request| request.good());
        good.map(|request| request.took).max().unwrap_or_default()
    }

    /// One sentence for the person: how many, who answered, what failed and for how long; where it
    /// matters, how slow the answers and the client itself were.
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
            let (lost, fates, [first, last]) =
                (self.lost(), fates.join(", "), self.failed_between());
            format!(
                "{lost} failed ({fates}), longest outage {outage} ms, sent between {first} ms and \
                 {last} ms"
            )
        };
        let slow = self.longest_answer();
        let slow = if slow < SLOW {
            String::new()
        } else {
            format!(", longest answer {} ms", slow.as_millis())
        };
        let still = self.stood_still.iter().max().map_or(String::new(), |longest| {
            let times = self.stood_still.len();
            format!(", the client stood still {times} times, up to {} ms", longest.as_millis())
        });
        format!("{} requests: {}; {failed}{slow}{still}", self.requests.len(), answers.join(", "))
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
        Report { requests: fates.iter().map(request).collect(), ..Report::default() }
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
    fn what_failed_was_slow_or_stood_still_is_told() {
        let mut seen = report(&[(0, true), (10, false), (20, true), (40, false), (50, true)]);
        let told = "5 requests: r1 answered 3; 2 failed (2 without an answer), longest outage 10 ms, \
                    sent between 10 ms and 40 ms";
        assert_eq!(seen.summary(), told);
        seen.requests[2].took = Duration::from_millis(650);
        seen.stood_still = [70, 350].map(Duration::from_millis).into();
        let more = ", longest answer 650 ms, the client stood still 2 times, up to 350 ms";
        assert_eq!(seen.summary(), format!("{told}{more}"));
    }

    #[test]
    fn no_failure_is_no_outage() {
        assert_eq!(report(&[(0, true), (10, true)]).longest_outage(), Duration::ZERO);
    }
}
