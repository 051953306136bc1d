//! Each result of a check, for those virtual servers that want them in a file.

use std::collections::BTreeSet;

use control::nanny::WatchId;
use health::WantedServer;
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

    /// One line for each real server that the check answers for.
    fn lines(&self, watched: &Watched, passed: bool, reason: &str, now: Now) -> Vec<ResultLine> {
        let time = timestamp::utc(now.unix_ms);
        let state = if passed { "passed" } else { "failed" };
        let check = report::check_name(&watched.probe.check.kind);
        let (mut lines, reason) = (Vec::new(), value(reason));
        for user in &watched.users {
            let configured = self.cluster.services.get(*user);
            let path = configured.and_then(|service| service.notify.results.as_ref());
            let (Some(path), Some(service)) = (path, self.services.get(*user)) else { continue };
            let name = value(&service.name);
            let checked = |server: &&WantedServer| server.probes.contains(&watched.probe);
            lines.extend(service.servers.iter().filter(checked).map(|server| {
                let server = value(&server.label);
                let line = format!(
                    "{time} check {state} service={name} server={server} check={check} reason={reason}\n"
                );
                ResultLine { path: path.clone(), line }
            }));
        }
        lines
    }
}
