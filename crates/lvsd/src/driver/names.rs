//! Host names: resolved late, again and again, and kept while the name server is silent.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use health::Names;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Event;

/// Names asked for at a time.
const AT_A_TIME: usize = 16;

/// Limit for one name.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Pause after a round in which every name resolved.
const REFRESH: Duration = Duration::from_secs(60);

/// Pause after a round in which one did not.
const RETRY: Duration = Duration::from_secs(5);

/// What came of one round.
#[derive(Debug)]
pub(super) struct Round {
    /// The names that were asked for; others may be needed by now.
    pub(super) asked: BTreeSet<String>,
    /// Those of which something is known.
    pub(super) answer: Names,
}

/// Asks for the names of which nothing is known. Others wait for the next round: nobody is left out
/// meanwhile, and a dead name server holds up nothing.
pub(super) async fn resolve_new(needed: BTreeSet<String>, known: &mut Names) {
    let new: BTreeSet<_> = needed.into_iter().filter(|name| !known.contains_key(name)).collect();
    let (found, _) = resolve(&new, &Names::new()).await;
    known.extend(found);
}

/// Asks for every name once. Returns what is known now, and whether every name resolved; a name
/// that does not resolve keeps what was known of it.
pub(super) async fn resolve(needed: &BTreeSet<String>, known: &Names) -> (Names, bool) {
    let mut waiting = needed.iter().cloned();
    let mut asked = JoinSet::new();
    let (mut names, mut all) = (Names::new(), true);
    asked.extend_with(&mut waiting, AT_A_TIME);
    while let Some(answer) = asked.join_next().await {
        asked.extend_with(&mut waiting, 1);
        let Ok((name, addresses)) = answer else {
            all = false;
            continue;
        };
        let addresses = match addresses {
            Some(addresses) => Some(addresses),
            None => {
                all = false;
                known.get(&name).cloned()
            }
        };
        if let Some(addresses) = addresses {
            names.insert(name, addresses);
        }
    }
    (names, all)
}

trait Ask {
    fn extend_with(&mut self, names: &mut impl Iterator<Item = String>, count: usize);
}

impl Ask for JoinSet<(String, Option<Vec<IpAddr>>)> {
    fn extend_with(&mut self, names: &mut impl Iterator<Item = String>, count: usize) {
        for name in names.take(count) {
            self.spawn(async move {
                let addresses = lookup(&name).await;
                (name, addresses)
            });
        }
    }
}

/// In a fixed order: name servers turn theirs round with each answer.
async fn lookup(name: &str) -> Option<Vec<IpAddr>> {
    let answer =
        tokio::time::timeout(TIMEOUT, tokio::net::lookup_host((name, 0))).await.ok()?.ok()?;
    let addresses: BTreeSet<IpAddr> = answer.map(|address| address.ip()).collect();
    (!addresses.is_empty()).then(|| addresses.into_iter().collect())
}

/// Keeps the wanted names resolved; each change is an event. Ends with its sender.
pub(super) async fn keep(
    mut needed: watch::Receiver<BTreeSet<String>>,
    mut known: Names,
    events: mpsc::Sender<Event>,
) {
    loop {
        let names = needed.borrow_and_update().clone();
        let mut pause = REFRESH;
        if !names.is_empty() {
            let (now, all) = resolve(&names, &known).await;
            if !all {
                pause = RETRY;
            }
            known.clone_from(&now);
            let round = Round { asked: names, answer: now };
            if events.send(Event::Names(round)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = needed.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_does_not_resolve_keeps_its_last_addresses() {
        let needed = ["localhost", "no-such-host.invalid"].map(String::from).into();
        let known = Names::from([("no-such-host.invalid".into(), vec![[192, 0, 2, 1].into()])]);
        let (names, all) = resolve(&needed, &known).await;
        assert!(!all);
        assert!(names["localhost"].iter().all(IpAddr::is_loopback));
        assert_eq!(names["no-such-host.invalid"], known["no-such-host.invalid"]);
        let (names, _) = resolve(&needed, &Names::new()).await;
        assert!(!names.contains_key("no-such-host.invalid"));
    }

    #[tokio::test]
    async fn before_the_first_round_only_what_is_not_remembered_is_asked_for() {
        let needed = ["localhost", "web1.invalid"].map(String::from).into();
        let remembered = vec![[192, 0, 2, 1].into()];
        let mut known = Names::from([("localhost".into(), remembered.clone())]);
        resolve_new(needed, &mut known).await;
        assert_eq!(known, Names::from([("localhost".into(), remembered)]));
        let mut known = Names::new();
        resolve_new(["localhost".to_owned()].into(), &mut known).await;
        assert!(known["localhost"].iter().all(IpAddr::is_loopback));
    }
}
