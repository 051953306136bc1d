//! What addresses are called: a file may be named as the reverse lookup names a real server.
//!
//! Asked only while a file is named like a host, a few at a time, by a program that may be killed:
//! a name server that is silent delays nothing. Whoever has no name has none, which is no error.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use runtime::{hook, users};
use tokio::task::JoinSet;

/// Addresses asked about at a time.
const AT_A_TIME: usize = 4;

/// Limit for one question.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A name is asked for again after this long.
const REFRESH: Duration = Duration::from_secs(300);

/// The same when there was none.
const RETRY: Duration = Duration::from_secs(30);

/// Asks the host's own name service: files, name servers, and whatever else it knows.
const ASK: [&str; 2] = ["getent", "hosts"];

/// The names of addresses, as far as they are known.
#[derive(Default)]
pub(super) struct Called {
    known: BTreeMap<IpAddr, Known>,
    asked: JoinSet<(IpAddr, Option<String>)>,
    asking: BTreeSet<IpAddr>,
}

struct Known {
    names: BTreeSet<String>,
    ask_again: Instant,
}

impl Called {
    /// Asks about the addresses of which nothing is known, or nothing new, while a file is named
    /// like a host.
    pub(super) fn ask(
        &mut self,
        files: &BTreeSet<String>,
        servers: &BTreeSet<IpAddr>,
        now: Instant,
    ) {
        self.known.retain(|ip, _| servers.contains(ip));
        if !files.iter().any(|file| is_host_name(file)) {
            return;
        }
        let due = |ip: &&IpAddr| self.known.get(*ip).is_none_or(|known| now >= known.ask_again);
        let waiting: Vec<IpAddr> = servers
            .iter()
            .filter(due)
            .filter(|ip| !self.asking.contains(*ip))
            .take(AT_A_TIME.saturating_sub(self.asked.len()))
            .copied()
            .collect();
        for ip in waiting {
            self.asking.insert(ip);
            self.asked.spawn(async move { (ip, lookup(ip).await) });
        }
    }

    /// Waits for the next answer, for ever while nothing is asked.
    pub(super) async fn answer(&mut self) {
        match self.asked.join_next().await {
            Some(Ok((ip, said))) => self.learn(ip, said.as_deref(), Instant::now()),
            // A lookup that broke is asked for anew.
            Some(Err(_)) if self.asked.is_empty() => self.asking.clear(),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    fn learn(&mut self, ip: IpAddr, said: Option<&str>, now: Instant) {
        self.asking.remove(&ip);
        let found = said.map(names).unwrap_or_default();
        let pause = if found.is_empty() { RETRY } else { REFRESH };
        let before = self.known.remove(&ip).map(|known| known.names).unwrap_or_default();
        // Whoever was found once keeps the name while nobody answers.
        let names = if found.is_empty() { before } else { found };
        self.known.insert(ip, Known { names, ask_again: now + pause });
    }

    /// The files, and beside those that name a real server by reverse lookup the address itself.
    pub(super) fn expand(&self, files: &BTreeSet<String>) -> BTreeSet<String> {
        let mut all = files.clone();
        for file in files.iter().filter(|file| is_host_name(file)) {
            let (name, port) = split(file);
            for (ip, _) in self.known.iter().filter(|(_, known)| known.names.contains(name)) {
                all.insert(match port {
                    Some(port) => SocketAddr::new(*ip, port).to_string(),
                    None => ip.to_string(),
                });
            }
        }
        all
    }
}

async fn lookup(ip: IpAddr) -> Option<String> {
    let argv = [ASK[0].to_owned(), ASK[1].to_owned(), ip.to_string()];
    hook::output(users::first_of(&[users::CHECKS, "nobody"]), &argv, TIMEOUT).await
}

/// `192.168.1.4 web4.example.com web4`: each name, and what stands before its first dot.
fn names(line: &str) -> BTreeSet<String> {
    let words = line.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let both = |name: &str| {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let short = name.split('.').next().map(str::to_owned);
        short.into_iter().chain([name])
    };
    words.flat_map(both).filter(|name| is_host_name(name)).collect()
}

/// It begins with a letter, and is no address.
fn is_host_name(file: &str) -> bool {
    file.starts_with(|first: char| first.is_ascii_alphabetic()) && file.parse::<IpAddr>().is_err()
}

fn split(file: &str) -> (&str, Option<u16>) {
    let parts = file.rsplit_once(':');
    match parts.and_then(|(name, port)| Some((name, port.parse().ok()?))) {
        Some((name, port)) => (name, Some(port)),
        None => (file, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set<T: Ord, const N: usize>(items: [T; N]) -> BTreeSet<T> {
        items.into()
    }

    fn files<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn a_file_may_carry_the_name_that_the_reverse_lookup_gives() {
        let (ip, now) = (IpAddr::from([192, 168, 1, 4]), Instant::now());
        let mut called = Called::default();
        called.learn(ip, Some("192.168.1.4     Web4.example.com web-four 4web\n"), now);
        for (file, meant) in [
            ("web4.example.com", "192.168.1.4"),
            ("web4", "192.168.1.4"),
            ("web-four:80", "192.168.1.4:80"),
            ("web4.example.com:443", "192.168.1.4:443"),
        ] {
            assert_eq!(called.expand(&files([file])), files([file, meant]), "{file}");
        }
        for file in ["web5", "4web", "example.com", "192.168.1.5"] {
            assert_eq!(called.expand(&files([file])), files([file]), "{file}");
        }
    }

    #[test]
    fn a_name_is_kept_while_nobody_answers_and_asked_for_again() {
        let (ip, now) = (IpAddr::from([192, 168, 1, 4]), Instant::now());
        let mut called = Called::default();
        called.learn(ip, Some("192.168.1.4 web4"), now);
        called.learn(ip, None, now);
        assert_eq!(called.expand(&files(["web4"])), files(["web4", "192.168.1.4"]));
        assert_eq!(called.known[&ip].ask_again, now + RETRY);
        called.learn(ip, Some("192.168.1.4 web5"), now);
        assert_eq!(called.expand(&files(["web4"])), files(["web4"]));
    }

    #[tokio::test]
    async fn nobody_is_asked_before_a_file_is_named_like_a_host() {
        let (servers, now) = (set([IpAddr::from([127, 0, 0, 1])]), Instant::now());
        let mut called = Called::default();
        called.ask(&files(["192.168.1.4:80", "[::1]", "abcd::1"]), &servers, now);
        assert!(called.asked.is_empty());
        called.ask(&files(["localhost"]), &servers, now);
        called.ask(&files(["localhost"]), &servers, now);
        assert_eq!(called.asked.len(), 1);
        called.answer().await;
        assert_eq!(called.expand(&files(["localhost"])), files(["localhost", "127.0.0.1"]));
        called.ask(&files(["localhost"]), &servers, Instant::now());
        assert!(called.asked.is_empty(), "it is known");
        called.ask(&files(["localhost"]), &set([]), now);
        assert_eq!(called.expand(&files(["localhost"])), files(["localhost"]), "it is gone");
    }
}
