//! A daemon that fails again and again. A service manager starts it anew at once, so that one that
//! died is back before anybody notices; the log is not to be full of one that cannot start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::dirs;
use crate::exit::Exit;

/// Failures closer together than this are one trouble.
const TROUBLE: Duration = Duration::from_secs(30);
/// The second one ends so much later.
const PAUSE: Duration = Duration::from_secs(5);
/// The folder that a service manager has made for us (systemd.exec(5), `RuntimeDirectory=`).
const FOLDER: &str = "RUNTIME_DIRECTORY";
/// The time of the last failure is this file's.
const MODE: u32 = 0o644;

/// Waits where a start that follows at once would fail like the last ones; not for long, since
/// somebody may mend the cause meanwhile, and not when asked to end.
pub(crate) fn pause(name: &str, exit: Exit) {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    if !folder.is_some_and(|folder| fails_again(&folder, name, exit)) {
        return;
    }
    let seconds = PAUSE.as_secs();
    tracing::info!(seconds, "this start failed like the last one, the next one waits");
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(until_asked()),
        Err(error) => tracing::debug!(%error, "cannot wait"),
    }
}

async fn until_asked() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    // Either is the end.
    let _asked = tokio::time::timeout(PAUSE, terminate.recv()).await;
}

/// Whether a failure that somebody has to mend comes soon after another one; it is noted.
fn fails_again(folder: &Path, name: &str, exit: Exit) -> bool {
    if matches!(exit, Exit::Done | Exit::Internal) {
        return false;
    }
    let note = folder.join(format!("{name}.failed"));
    let time = std::fs::symlink_metadata(&note).and_then(|note| note.modified()).ok();
    // A clock that was set back makes it news, which costs one more line.
    let again = time.and_then(|time| time.elapsed().ok()).is_some_and(|age| age < TROUBLE);
    if let Err(error) = dirs::write_atomic(&note, b"", MODE) {
        tracing::debug!(%error, "cannot note that the start failed");
    }
    again
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_second_failure_in_a_row_waits_and_a_late_one_does_not() {
        let folder = TestFolder::new();
        let fails = |name, exit| fails_again(folder.path(), name, exit);
        assert!(!fails("pulse", Exit::Configuration), "a person who starts it is told at once");
        assert!(fails("pulse", Exit::Configuration));
        assert!(fails("pulse", Exit::Unavailable));
        assert!(!fails("lvsd", Exit::Configuration), "each has its own");
        assert!(!fails("pulse", Exit::Internal), "a defect is over at once");
        for (age, again) in [(TROUBLE, false), (TROUBLE / 2, true)] {
            let note = std::fs::File::open(folder.path().join("pulse.failed")).unwrap();
            note.set_modified(SystemTime::now() - age).unwrap();
            assert_eq!(fails("pulse", Exit::Privilege), again, "{age:?}");
        }
    }

    #[test]
    fn where_nothing_can_be_noted_nothing_waits() {
        let folder = Path::new("/nowhere/at/all");
        assert!(!fails_again(folder, "pulse", Exit::Configuration));
        assert!(!fails_again(folder, "pulse", Exit::Configuration));
    }
}
