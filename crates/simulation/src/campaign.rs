//! Many runs on all processors.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::bug::Bug;
use crate::coverage::Coverage;
use crate::run::run;

/// Seeds that a thread takes at once.
const BATCH: u64 = 256;

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Campaign {
    /// What they met.
    pub coverage: Coverage,
    /// Seeds of the runs that broke a promise, in order.
    pub broken: Vec<u64>,
}

/// Runs the seeds on so many threads; `progress` is told, now and then, how many are done.
pub fn campaign(
    seeds: Range<u64>,
    bug: Option<Bug>,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut part = Campaign::default();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= seeds.end {
                return part;
            }
            let last = (first + BATCH).min(seeds.end);
            for seed in first..last {
                let (violation, coverage) = run(seed, bug);
                part.coverage.add(&coverage);
                part.broken.extend(violation.map(|_| seed));
            }
            progress(last - seeds.start);
        }
    };
    let mut whole = Campaign::default();
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for part in parts {
            // A thread that panicked takes the whole campaign with it.
            let part = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            whole.coverage.add(&part.coverage);
            whole.broken.extend(part.broken);
        }
    });
    whole.broken.sort_unstable();
    whole
}
