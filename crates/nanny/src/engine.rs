//! All watches of one nanny.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use control::nanny::{Follow, FromNanny, Watch, WatchId};
use health::watcher::Rules;
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::probe::Probe;
use crate::shared::Shared;
use crate::watch::{Memory, Work};

/// The watches, each a task of its own.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    board: Arc<Board>,
    running: HashMap<WatchId, Running>,
}

#[derive(Debug)]
struct Running {
    /// Of what lvsd said, to know a repetition.
    fingerprint: u64,
    memory: Arc<Memory>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Engine {
    /// Without a watch so far.
    pub fn new(shared: Arc<Shared>, board: Arc<Board>) -> Self {
        Self { shared, board, running: HashMap::new() }
    }

    /// Begins a watch, or changes one, which keeps its results and verdict. A repetition of what
    /// is known already changes nothing.
    pub fn watch(&mut self, watch: &Watch) {
        let fingerprint = fingerprint(watch);
        let now = Instant::now();
        let memory = match self.running.get(&watch.id) {
            Some(running) if running.fingerprint == fingerprint => return,
            Some(running) => {
                running.memory.change_interval(watch.check.interval, now);
                Arc::clone(&running.memory)
            }
            None => Arc::new(Memory::new(watch.id, watch.verdict, watch.check.interval, now)),
        };
        let probe = Probe::new(watch.server, watch.virtual_server, &watch.check, &self.shared);
        let work = Work {
            id: watch.id,
            probe: match watch.follow {
                Follow::Output => probe.printing(),
                Follow::No | Follow::Results => probe,
            },
            follow: watch.follow,
            rules: Rules::from(&watch.check),
            memory: Arc::clone(&memory),
            board: Arc::clone(&self.board),
            shared: Arc::clone(&self.shared),
        };
        let task = tokio::spawn(work.keep_watching());
        self.running.insert(watch.id, Running { fingerprint, memory, task });
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, id: WatchId) {
        self.running.remove(&id);
        self.board.forget(id);
    }

    /// The last results of a watch; none of one that is not known.
    pub fn results(&self, id: WatchId) -> FromNanny {
        let results = self.running.get(&id).map(|running| running.memory.results());
        FromNanny::Results { id, results: results.unwrap_or_default() }
    }

    /// How many watches there are.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

/// Of everything but the verdict, which is only for the beginning.
fn fingerprint(watch: &Watch) -> u64 {
    let mut hasher = DefaultHasher::new();
    watch.server.hash(&mut hasher);
    watch.virtual_server.hash(&mut hasher);
    watch.follow.hash(&mut hasher);
    // The check cannot be hashed as it is; its JSON is whole.
    serde_json::to_string(&watch.check).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}
