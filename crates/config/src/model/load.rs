//! Weights that follow the load of the real servers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Check, CheckKind};

/// A program that prints the load of a real server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMonitor {
    /// Program and arguments; `%h` and `%p` stand for the real server's address and port, `%H` and
    /// `%P` for the virtual server's.
    pub run: Vec<String>,
    /// Time between the starts of two runs.
    pub interval: Duration,
    /// Killed after this long.
    pub timeout: Duration,
}

impl LoadMonitor {
    /// It is run as external checks are.
    pub fn check(&self) -> Check {
        let kind = CheckKind::External { argv: self.run.clone(), expect: None, sets_weight: false };
        Check::plain(kind, self.interval, self.timeout)
    }
}
