//! Each result of a check, for those virtual servers that want them in a file.

use std::collections::BTreeSet;

use control::nanny::WatchId;
use runtime::logging::value;
use runtime::timestamp;

use super::watches::Watched;
use super::{Core, Now, report};

/// One line for the end of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultLine {
    /// The file's full path.
    pub path: String,
    /// The line, with its end.
    pub line: String,
}

impl Core {
    /// A result of a watch that is followed: of a check, or of a program that says a load.
    pub fn checked(&mut self, id: WatchId, passed: bool, reason: &str, now: Now) {
        match self.watches.get(id) {
            None => self.measured(id, passed, reason, now),
            Some(watched) => {
                let lines = self.lines(watched, passed, reason, now);
                self.results.extend(lines);
            }
        }
    }

    /// The lines since the last call.
    pub fn results(&mut self) -> Vec<ResultLine> {
        std::mem::take(&mut self.results)
    }

    /// The virtual servers of which each result is wanted.
    pub(super) fn with_results(&self) -> BTreeSet<usize> {
        let services = self.cluster.services.iter().enumerate();
        services.filter(|(_, one)| one.notify.results.is_some()).map(|(index, _)| index).collect()
    }

    fn lines(&self, watched: &Watched, passed: bool, reason: &str, now: Now) -> Vec<ResultLine> {
        let time = timestamp::utc(now.unix_ms);
        let state = if passed { "passed" } else { "failed" };
        let check = report::check_name(&watched.probe.check.kind);
        let line = |user: &usize| {
            let service = self.cluster.services.get(*user)?;
            let path = service.notify.results.clone()?;
            let (name, server, reason) =
                (value(&service.name), watched.probe.server, value(reason));
            let line = format!(
                "{time} check {state} service={name} server={server} check={check} reason={reason}\n"
            );
            Some(ResultLine { path, line })
        };
        watched.users.iter().filter_map(line).collect()
    }
}
