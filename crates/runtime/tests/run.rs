//! Whole processes: each test starts itself again as the daemon that it watches.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use runtime::logging::OnPanic;
use runtime::signals::Request;
use runtime::{ExitError, LogOptions};
use rustix::process::{Pid, Signal, kill_process};

/// The log file, in the process that is the daemon.
const DAEMON: &str = "CARIBE_TEST_LOG";

/// Ends a test that would fail.
const LONG: Duration = Duration::from_secs(20);

fn options() -> Option<LogOptions> {
    let log_file = Some(std::env::var_os(DAEMON)?.into());
    Some(LogOptions { log_file, log_level: "info".into(), on_panic: OnPanic::Abort })
}

struct Daemon {
    process: Child,
    log: PathBuf,
}

impl Daemon {
    fn start(test: &str) -> Self {
        let log = std::env::temp_dir().join(format!("caribe-run-{test}-{}", std::process::id()));
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DAEMON, &log)
            .spawn()
            .unwrap();
        Self { process, log }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn wait_for(path: &Path, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(path).unwrap_or_default();
            if log.contains(text) {
                return log;
            }
            assert!(begun.elapsed() < LONG, "\"{text}\" was not logged: {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

#[test]
fn signals_reload_reopen_replace_and_stop() {
    if let Some(log) = options() {
        let code = runtime::run("lvsd", log, async |mut context| {
            tracing::info!("ready");
            loop {
                match context.signals.next().await {
                    Request::Reload => tracing::info!("asked to reload"),
                    Request::ReopenLog => tracing::info!("asked to reopen"),
                    Request::Replace => return Err(runtime::replace(&context.output)),
                    Request::Stop => return Ok(()),
                }
            }
        });
        assert_eq!(code, ExitCode::SUCCESS);
        return;
    }
    let mut daemon = Daemon::start("signals_reload_reopen_replace_and_stop");
    Daemon::wait_for(&daemon.log, " INFO lvsd: ready\n");
    daemon.signal(Signal::HUP);
    Daemon::wait_for(&daemon.log, "asked to reload\n");
    let rotated = daemon.log.with_extension("1");
    std::fs::rename(&daemon.log, &rotated).unwrap();
    daemon.signal(Signal::USR1);
    let fresh = Daemon::wait_for(&daemon.log, "asked to reopen\n");
    assert!(!fresh.contains("ready"), "{fresh}");
    std::fs::remove_file(&rotated).unwrap();
    daemon.signal(Signal::USR2);
    // The same process begins anew.
    Daemon::wait_for(&daemon.log, " INFO lvsd: ready\n");
    daemon.signal(Signal::TERM);
    assert!(daemon.process.wait().unwrap().success());
}

#[test]
fn an_error_is_one_line_and_the_exit_code() {
    if let Some(log) = options() {
        let code = runtime::run("lvsd", log, async |_| {
            Err::<(), _>(ExitError::configuration("cannot read\na thing"))
        });
        assert_eq!(code, ExitCode::from(78));
        return;
    }
    let mut daemon = Daemon::start("an_error_is_one_line_and_the_exit_code");
    assert!(daemon.process.wait().unwrap().success());
    let log = std::fs::read_to_string(&daemon.log).unwrap();
    assert!(log.ends_with(" ERROR lvsd: cannot read\\na thing\n"), "{log}");
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn a_panic_is_logged_and_ends_the_process_at_once() {
    if let Some(log) = options() {
        runtime::run("pulse", log, async |_| {
            let _ = tokio::spawn(async { panic!("half\ndead") }).await;
            Ok(())
        });
        return;
    }
    let mut daemon = Daemon::start("a_panic_is_logged_and_ends_the_process_at_once");
    assert_eq!(daemon.process.wait().unwrap().signal(), Some(6), "abort");
    let log = std::fs::read_to_string(&daemon.log).unwrap();
    assert!(log.contains("ERROR pulse: defect found, please report it at=crates/"), "{log}");
    assert!(log.contains(r#"reason="half\ndead""#), "{log}");
}

#[test]
fn a_panic_ends_one_task_where_that_is_asked_for() {
    if let Some(log) = options() {
        let code = runtime::run("nanny", log.panic_ends_the_task(), async |_| {
            let ended = tokio::spawn(async { panic!("one probe") }).await;
            assert!(ended.unwrap_err().is_panic());
            Ok(())
        });
        assert_eq!(code, ExitCode::SUCCESS);
        return;
    }
    let mut daemon = Daemon::start("a_panic_ends_one_task_where_that_is_asked_for");
    assert!(daemon.process.wait().unwrap().success());
    let log = std::fs::read_to_string(&daemon.log).unwrap();
    assert!(log.contains("ERROR nanny: defect found"), "{log}");
}

#[test]
fn a_log_that_cannot_be_opened_or_a_level_that_is_none_is_an_error_of_its_own() {
    let options = |file: &str, level: &str| LogOptions {
        log_file: Some(file.into()),
        log_level: level.into(),
        on_panic: OnPanic::Abort,
    };
    let never = async |_| -> Result<(), ExitError> { panic!("it must not get here") };
    let code = runtime::run("lvsd", options("/nowhere/log", "info"), never);
    assert_eq!(code, ExitCode::from(78));
    let code = runtime::run("lvsd", options("/dev/null", "lvsd=loud"), never);
    assert_eq!(code, ExitCode::from(64));
}
