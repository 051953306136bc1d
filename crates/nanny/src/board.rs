//! What is to be told to lvsd.
//!
//! Watches write here and one task reads. Of each watch only the newest verdict is kept, so that
//! an lvsd that is slow to read costs no memory and, when it reads again, hears the truth.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use control::nanny::{FromNanny, WatchId};
use health::Verdict;
use tokio::sync::Notify;

/// A verdict and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Results in a row that led to it.
    pub after: u32,
    /// The weight that the server asks for.
    pub weight: Option<u32>,
}

/// Between the watches and the task that talks to lvsd.
#[derive(Debug)]
pub struct Board {
    origin: Instant,
    waiting: Mutex<Pending>,
    wake: Notify,
    passed: AtomicU64,
    failed: AtomicU64,
    late: AtomicU64,
    lost: AtomicU64,
}

/// Results of followed watches that wait; of more the oldest are lost.
const WAITING_RESULTS: usize = 4096;

/// What waits to be told; bounded by the number of watches.
#[derive(Debug, Default)]
struct Pending {
    news: BTreeMap<WatchId, News>,
    results: VecDeque<FromNanny>,
    recalls: BTreeSet<WatchId>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            waiting: Mutex::default(),
            wake: Notify::new(),
            passed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            late: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

impl Board {
    /// When it was made: the beginning of the grid on which all watches start their checks.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// A watch has a verdict to tell.
    pub fn tell(&self, id: WatchId, news: News) {
        self.waiting().news.insert(id, news);
        self.wake.notify_one();
    }

    /// A watch that is followed has a result.
    pub fn checked(&self, id: WatchId, unix_ms: u64, passed: bool, reason: String) {
        let mut waiting = self.waiting();
        if waiting.results.len() >= WAITING_RESULTS {
            waiting.results.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        waiting.results.push_back(FromNanny::Checked { id, unix_ms, passed, reason });
        drop(waiting);
        self.wake.notify_one();
    }

    /// lvsd wants the results of a watch.
    pub fn ask_results(&self, id: WatchId) {
        self.waiting().recalls.insert(id);
        self.wake.notify_one();
    }

    /// A watch has ended; nothing more is said about it.
    pub fn forget(&self, id: WatchId) {
        let mut waiting = self.waiting();
        waiting.news.remove(&id);
        waiting.recalls.remove(&id);
    }

    /// Waits until there is something to tell, and takes it: verdicts, results of what is followed,
    /// then the watches whose results are wanted.
    pub async fn take(&self) -> (Vec<FromNanny>, BTreeSet<WatchId>) {
        loop {
            let pending = std::mem::take(&mut *self.waiting());
            let idle = pending.news.is_empty() && pending.results.is_empty();
            if !idle || !pending.recalls.is_empty() {
                let verdicts = pending
                    .news
                    .into_iter()
                    .map(|(id, News { verdict, reason, after, weight })| FromNanny::Verdict {
                        id,
                        verdict,
                        reason,
                        after,
                        weight,
                    })
                    .chain(pending.results)
                    .collect();
                return (verdicts, pending.recalls);
            }
            self.wake.notified().await;
        }
    }

    /// Counts a check that has ended.
    pub fn count(&self, passed: bool) {
        let counter = if passed { &self.passed } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a check that started late.
    pub fn count_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn counters(&self) -> FromNanny {
        FromNanny::Counters {
            passed: self.passed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Pending> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
