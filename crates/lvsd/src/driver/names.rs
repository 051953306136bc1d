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

/// Limit for all names that a start or an edit waits for.
const WAIT: Duration = Duration::from_secs(6);

/// What was learned is told after so many names: those that nobody answers for hold up no others.
const PART: usize = 4 * AT_A_TIME;

/// Pause after a round in which every name resolved.
const REFRESH: Duration = Duration::from_secs(60);

/// Pause after a round in which one did not.
const RETRY: Duration = Duration::from_secs(5);

/// What came of a part of a round.
#[derive(Debug)]
pub(super) struct Round {
    /// The names that were asked for; others may be needed by now.
    pub(super) asked: BTreeSet<String>,
    /// Those that resolve.
    pub(super) answer: Names,
}

/// Asks for the names of which nothing is known, for as long as may be waited. Others wait for the
/// next round: nobody is left out meanwhile, and a dead name server holds up nothing.
pub(super) async fn resolve_new(needed: BTreeSet<String>, known: &mut Names) {
    resolve_new_by(lookup, needed, known).await;
}

async fn resolve_new_by<A>(ask: impl Fn(String) -> A, needed: BTreeSet<String>, known: &mut Names)
where
    A: Future<Output = Option<Vec<IpAddr>>> + Send + 'static,
{
    let new: BTreeSet<_> = needed.into_iter().filter(|name| !known.contains_key(name)).collect();
    // What did not come in time is asked for in the first round.
    let _late = tokio::time::timeout(WAIT, resolve(ask, &new, known)).await;
}

/// Asks for every name once, and adds those that resolve one by one. Whether all did.
async fn resolve<A>(ask: impl Fn(String) -> A, needed: &BTreeSet<String>, found: &mut Names) -> bool
where
    A: Future<Output = Option<Vec<IpAddr>>> + Send + 'static,
{
    let start = |name: &String| {
        let (name, answer) = (name.clone(), ask(name.clone()));
        async move { (name, answer.await) }
    };
    let (mut waiting, mut asked, mut all) = (needed.iter(), JoinSet::new(), true);
    for name in waiting.by_ref().take(AT_A_TIME) {
        asked.spawn(start(name));
    }
    while let Some(answer) = asked.join_next().await {
        if let Some(name) = waiting.next() {
            asked.spawn(start(name));
        }
        match answer {
            Ok((name, Some(addresses))) => drop(found.insert(name, addresses)),
            Ok((_, None)) | Err(_) => all = false,
        }
    }
    all
}

/// In a fixed order: name servers turn theirs round with each answer.
async fn lookup(name: String) -> Option<Vec<IpAddr>> {
    let answer =
        tokio::time::timeout(TIMEOUT, tokio::net::lookup_host((name, 0))).await.ok()?.ok()?;
    let addresses: BTreeSet<IpAddr> = answer.map(|address| address.ip()).collect();
    (!addresses.is_empty()).then(|| addresses.into_iter().collect())
}

/// Keeps the wanted names resolved; what was learned is an event. Ends with its sender.
pub(super) async fn keep(needed: watch::Receiver<BTreeSet<String>>, events: mpsc::Sender<Event>) {
    keep_by(lookup, needed, events).await;
}

async fn keep_by<A>(
    ask: impl Fn(String) -> A,
    mut needed: watch::Receiver<BTreeSet<String>>,
    events: mpsc::Sender<Event>,
) where
    A: Future<Output = Option<Vec<IpAddr>>> + Send + 'static,
{
    loop {
        let names: Vec<String> = needed.borrow_and_update().iter().cloned().collect();
        let mut pause = REFRESH;
        for part in names.chunks(PART) {
            let asked = part.iter().cloned().collect();
            let mut answer = Names::new();
            if !resolve(&ask, &asked, &mut answer).await {
                pause = RETRY;
            }
            if events.send(Event::Names(Round { asked, answer })).await.is_err() {
                return;
            }
            // An edit's names do not wait for the rest.
            if needed.has_changed().unwrap_or(true) {
                break;
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
    use tokio::time::Instant;

    use super::*;

    /// The name server of these tests: it is silent about names that begin with a `d`.
    async fn ask(name: String) -> Option<Vec<IpAddr>> {
        if name.starts_with('d') {
            tokio::time::sleep(TIMEOUT).await;
            return None;
        }
        Some(vec![[192, 0, 2, 7].into()])
    }

    fn names(letter: char, count: usize) -> impl Iterator<Item = String> {
        (0..count).map(move |number| format!("{letter}{number}.invalid"))
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

    #[tokio::test(start_paused = true)]
    async fn however_many_names_do_not_resolve_a_start_waits_for_seconds_and_takes_what_there_is() {
        let began = Instant::now();
        let (mut known, needed) = (Names::new(), names('d', 1000).chain(names('a', 100)));
        resolve_new_by(ask, needed.collect(), &mut known).await;
        assert_eq!(began.elapsed(), WAIT);
        assert_eq!(known.len(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_resolves_is_told_before_the_rest_was_asked_for_and_an_edit_waits_for_less_than_all()
     {
        let needed: BTreeSet<_> = names('a', 100).chain(names('d', 1000)).collect();
        let (wanted, list) = watch::channel(needed);
        let (sender, mut events) = mpsc::channel(1);
        let began = Instant::now();
        let task = tokio::spawn(keep_by(ask, list, sender));
        let mut next = async || match events.recv().await {
            Some(Event::Names(round)) => round,
            other => panic!("{other:?}"),
        };
        let round = next().await;
        assert_eq!((round.asked.len(), round.answer.len()), (PART, PART));
        assert_eq!(began.elapsed(), Duration::ZERO);
        let round = next().await;
        assert_eq!((round.asked.len(), round.answer.len()), (PART, 100 - PART));
        wanted.send_replace(names('b', 1).collect());
        while !next().await.answer.contains_key("b0.invalid") {}
        assert!(began.elapsed() < TIMEOUT * 12, "{:?}", began.elapsed());
        task.abort();
    }
}
