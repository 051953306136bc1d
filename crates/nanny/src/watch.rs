//! One watch: checks again and again, and what came of them.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use control::nanny::{Follow, ProbeResult, WatchId};
use futures_util::FutureExt;
use health::Verdict;
use health::results::Results;
use health::schedule::Schedule;
use health::watcher::{Change, Rules, Watcher};

use crate::board::{Board, News};
use crate::failure::{Failure, Seen};
use crate::probe::Probe;
use crate::shared::Shared;
use crate::trace::Trace;

/// What outlives a change of the check.
#[derive(Debug)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    watcher: Watcher,
    results: Results,
    schedule: Schedule,
    told: bool,
    /// What the last good result asked for.
    weight: Option<u32>,
}

impl Memory {
    pub(crate) fn new(id: WatchId, verdict: Verdict, interval: Duration, now: Instant) -> Self {
        Self(Mutex::new(Inner {
            watcher: Watcher::new(verdict, now),
            results: Results::default(),
            schedule: Schedule::new(id.0, interval, now),
            told: false,
            weight: None,
        }))
    }

    pub(crate) fn results(&self) -> Vec<ProbeResult> {
        self.lock().results.all()
    }

    pub(crate) fn change_interval(&self, interval: Duration, now: Instant) {
        self.lock().schedule.change_interval(interval, now);
    }

    /// A panic may have come in between, which leaves nothing half done that matters.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One watch in one form.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) id: WatchId,
    pub(crate) probe: Probe,
    pub(crate) follow: Follow,
    pub(crate) rules: Rules,
    pub(crate) memory: Arc<Memory>,
    pub(crate) board: Arc<Board>,
    pub(crate) shared: Arc<Shared>,
}

impl Work {
    /// Goes on for ever. A panic in a check is that check's failure, and the watch goes on.
    pub(crate) async fn keep_watching(self) {
        loop {
            let ended = AssertUnwindSafe(self.check_for_ever()).catch_unwind().await;
            if let Err(panic) = ended {
                let reason = format!("the check broke: {}", message(&*panic));
                tracing::error!(watch = self.id.0, reason, "check broke");
                self.record(Duration::ZERO, &Err(Failure::Other(reason)), None);
            }
        }
    }

    async fn check_for_ever(&self) {
        loop {
            let next = self.memory.lock().schedule.next_on_grid(self.board.origin());
            tokio::time::sleep_until(next.into()).await;
            let started = Instant::now();
            if self.memory.lock().schedule.started(started).late {
                self.board.count_late();
            }
            let mut trace = Trace::quiet();
            let outcome = self.probe.run(&self.shared, &mut trace).await;
            self.record(started.elapsed(), &outcome, trace.asked());
        }
    }

    /// A check that could not even be asked is kept for people, and decides nothing.
    fn record(&self, took: Duration, outcome: &Result<Seen, Failure>, asked: Option<u32>) {
        let now = Instant::now();
        let passed = outcome.is_ok();
        self.board.count(passed);
        let text;
        let reason: &str = match outcome {
            Ok(seen) => seen,
            Err(failure) => {
                text = failure.to_string();
                &text
            }
        };
        if self.follow != Follow::No {
            self.board.checked(self.id, unix_ms(), passed, reason.to_owned());
        }
        let mut memory = self.memory.lock();
        let memory = &mut *memory;
        memory.results.record(unix_ms(), passed, took, reason);
        if matches!(outcome, Err(failure) if failure.is_ours()) {
            return;
        }
        let change = memory.watcher.record(passed, now, &self.rules);
        if let Some(soon) = memory.watcher.retry(&self.rules) {
            memory.schedule.retry(soon, now);
        }
        let same_weight = !passed || std::mem::replace(&mut memory.weight, asked) == asked;
        let (verdict, after) = match change {
            Some(Change { verdict, after }) => (verdict, after),
            None if memory.told && same_weight => return,
            None => (memory.watcher.verdict(), 1),
        };
        memory.told = true;
        let weight = memory.weight;
        self.board.tell(self.id, News { verdict, reason: reason.to_owned(), after, weight });
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use control::nanny::FromNanny;

    const RULES: Rules = Rules { fall: 2, rise: 1, reentry: Duration::ZERO, retry: None };

    fn work(verdict: Verdict) -> Work {
        let interval = Duration::from_millis(20);
        Work {
            id: WatchId(1),
            probe: Probe::panicking(),
            follow: Follow::No,
            rules: RULES,
            memory: Arc::new(Memory::new(WatchId(1), verdict, interval, Instant::now())),
            board: Arc::new(Board::default()),
            shared: Arc::new(Shared::new(Vec::new())),
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_that_is_told_and_the_watch_goes_on() {
        let work = work(Verdict::Up);
        let (memory, board) = (Arc::clone(&work.memory), Arc::clone(&work.board));
        let task = tokio::spawn(work.keep_watching());
        loop {
            let (told, _) = board.take().await;
            if let Some(FromNanny::Verdict { verdict: Verdict::Down, reason, after, .. }) =
                told.first()
            {
                assert_eq!((reason.as_str(), *after), ("the check broke: on purpose", 2));
                break;
            }
        }
        while memory.results().len() < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!task.is_finished());
        task.abort();
    }

    #[tokio::test]
    async fn a_server_that_failed_is_asked_again_before_its_interval_is_over() {
        let hour = Duration::from_secs(3600);
        let retry = Some(Duration::from_millis(10));
        let memory = Arc::new(Memory::new(WatchId(1), Verdict::Up, hour, Instant::now()));
        let work = Work { rules: Rules { retry, ..RULES }, memory, ..work(Verdict::Up) };
        let board = Arc::clone(&work.board);
        let task = tokio::spawn(work.keep_watching());
        loop {
            let (told, _) = board.take().await;
            if let Some(FromNanny::Verdict { verdict: Verdict::Down, .. }) = told.first() {
                break;
            }
        }
        task.abort();
    }

    #[tokio::test]
    async fn each_result_of_a_watch_that_is_followed_is_told_and_of_too_many_the_oldest_are_lost() {
        let refused = || Failure::from(std::io::Error::from_raw_os_error(111));
        let work = Work { follow: Follow::Results, ..work(Verdict::Up) };
        for _ in 0..5000 {
            work.record(Duration::ZERO, &Err(refused()), None);
        }
        work.record(Duration::ZERO, &Ok("connected".into()), None);
        let (told, _) = work.board.take().await;
        let results: Vec<_> = told
            .iter()
            .filter_map(|told| match told {
                FromNanny::Checked { passed, reason, .. } => Some((*passed, reason.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!((results.len(), results[0]), (4096, (false, "connection refused")));
        assert_eq!(results.last(), Some(&(true, "connected")));
        assert!(matches!(work.board.counters(), FromNanny::Counters { lost: 905, .. }));
    }

    #[tokio::test]
    async fn another_weight_is_told_and_a_failure_leaves_it() {
        let work = work(Verdict::Up);
        let good = || Ok("program ended".into());
        let told = async |outcome, asked| {
            work.record(Duration::ZERO, &outcome, asked);
            let told = work.board.take().now_or_never().map(|(told, _)| told);
            told.and_then(|told| match told.first() {
                Some(FromNanny::Verdict { verdict, weight, .. }) => Some((*verdict, *weight)),
                _ => None,
            })
        };
        let refused = || Err(Failure::from(std::io::Error::from_raw_os_error(111)));
        assert_eq!(told(good(), Some(10)).await, Some((Verdict::Up, Some(10))));
        assert_eq!(told(good(), Some(10)).await, None);
        assert_eq!(told(good(), Some(5)).await, Some((Verdict::Up, Some(5))));
        assert_eq!(told(refused(), None).await, None);
        assert_eq!(told(refused(), None).await, Some((Verdict::Down, Some(5))));
        assert_eq!(told(good(), None).await, Some((Verdict::Up, None)));
        assert_eq!(told(good(), None).await, None);
    }

    #[tokio::test]
    async fn trouble_of_this_router_is_kept_for_people_and_decides_nothing() {
        let work = work(Verdict::Up);
        let emfile = || std::io::Error::from_raw_os_error(24);
        for _ in 0..10 {
            work.record(Duration::ZERO, &Err(Failure::from(emfile())), None);
        }
        let results = work.memory.results();
        assert_eq!(results.len(), 10);
        assert_eq!(
            results[0].reason,
            "not checked, this router has a problem: too many open files"
        );
        assert_eq!(work.memory.lock().watcher.verdict(), Verdict::Up);
        assert!(!work.memory.lock().told);
        let refused = || Failure::from(std::io::Error::from_raw_os_error(111));
        work.record(Duration::ZERO, &Err(refused()), None);
        work.record(Duration::ZERO, &Err(refused()), None);
        assert_eq!(work.memory.lock().watcher.verdict(), Verdict::Down);
    }
}
