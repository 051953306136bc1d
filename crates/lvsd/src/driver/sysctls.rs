//! Settings below `/proc/sys/net`: looked at with each audit, as the table is.

use std::path::Path;

use runtime::journal::{EventKind, Level};
use runtime::sysctl::{self, Change, Values};

use super::{Driver, complain};
use crate::sysctl::wanted;

impl Driver {
    /// Writes what differs, and gives back what is wanted no more.
    pub(super) fn settle_sysctls(&mut self) {
        let root = Path::new(sysctl::ROOT);
        let wanted = wanted(self.core.cluster(), &sysctl::interfaces(root));
        self.write_sysctls(root, &wanted);
    }

    /// Gives everything back.
    pub(super) fn give_back_sysctls(&mut self) {
        self.write_sysctls(Path::new(sysctl::ROOT), &Values::new());
    }

    fn write_sysctls(&mut self, root: &Path, wanted: &Values) {
        let mut before = self.settings.before.clone();
        let now = sysctl::read(root, wanted.keys().chain(before.keys()));
        let changes = sysctl::plan(wanted, &now, &mut before);
        // On disk first: what was there before must be known to whoever comes after a crash.
        if before != self.settings.before {
            complain(self.store.save_sysctls(&before));
            self.settings.before = before;
        }
        let (written, failed): (Vec<_>, Vec<_>) = changes
            .into_iter()
            .map(|change| (sysctl::write(root, &change), change))
            .partition(|(result, _)| result.is_ok());
        if !written.is_empty() {
            let shown: Vec<String> = written.iter().map(|(_, change)| change.shown()).collect();
            let fields = [("change", shown.join(", "))];
            self.journal.record(EventKind::Kernel, Level::Info, "kernel settings changed", &fields);
        }
        let refused = |(result, change): (std::io::Result<()>, Change)| {
            Some(format!("{}: {}", change.shown(), result.err()?))
        };
        let failed: Vec<String> = failed.into_iter().filter_map(refused).collect();
        for reason in failed.iter().filter(|reason| !self.settings.unwritten.contains(reason)) {
            let sentence = "cannot write a kernel setting; write it otherwise, or keep in its key";
            let fields = [("reason", reason.clone())];
            self.journal.record(EventKind::Kernel, Level::Warn, sentence, &fields);
        }
        self.settings.unwritten = failed;
    }
}
