//! From `main` to the daemon's own future, and back to an exit code.

use std::future::Future;
use std::panic::PanicHookInfo;
use std::process::{ExitCode, Termination};
use std::time::Duration;

use crate::exit::ExitError;
use crate::journal::Journal;
use crate::logging::{self, LogOptions, LogOutput, OnPanic, sentence};
use crate::pace;
use crate::signals::Signals;

/// How long a blocking call may outlive the daemon's end.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// How long the last lines of the log may take.
pub(crate) const LAST_LINES: Duration = Duration::from_secs(1);

/// The same after a defect: a daemon that is half dead must be gone soon.
const LAST_LINES_OF_A_DEFECT: Duration = Duration::from_millis(200);

/// Turns of tasks between two looks at timers and sockets, for a program that has many small tasks:
/// what the library chooses for itself.
pub const TURNS: u32 = 61;

/// What the daemon is given.
pub struct Context {
    /// The program's name, as in the log.
    pub name: &'static str,
    /// Its events.
    pub journal: Journal,
    /// Its signals.
    pub signals: Signals,
    /// The options its log was made with.
    pub log: LogOptions,
    /// Where its log goes, for children who cannot open that themselves.
    pub output: LogOutput,
}

/// Runs `main` on one thread, with the log set up. An error is logged as one line and becomes
/// the exit code; whatever `main` returns otherwise (nothing, or an [`ExitCode`]) is that.
pub fn run<Main, Work, Done>(name: &'static str, log: LogOptions, main: Main) -> ExitCode
where
    Main: FnOnce(Context) -> Work,
    Work: Future<Output = Result<Done, ExitError>>,
    Done: Termination,
{
    run_prepared(name, log, TURNS, || Ok(()), main)
}

/// [`run`], and `prepare` comes between the log and the event loop: while there is one thread,
/// so that what it gives up is given up for the whole process. After `turns` turns of tasks it is
/// looked whether a time has come or a packet.
pub fn run_prepared<Prepare, Main, Work, Done>(
    name: &'static str,
    log: LogOptions,
    turns: u32,
    prepare: Prepare,
    main: Main,
) -> ExitCode
where
    Prepare: FnOnce() -> Result<(), ExitError>,
    Main: FnOnce(Context) -> Work,
    Work: Future<Output = Result<Done, ExitError>>,
    Done: Termination,
{
    let output = match logging::start(name, &log) {
        Ok(output) => output,
        Err(error) => return complain(name, &error),
    };
    let (on_panic, last) = (log.on_panic, output.clone());
    std::panic::set_hook(Box::new(move |info| report_panic(info, on_panic, &last)));
    if let Err(error) = prepare() {
        return failed(name, &error);
    }
    if let Err(error) = output.start_thread(name) {
        tracing::warn!(%error, "the log has no thread of its own, a slow disk holds up this program");
    }
    let code = run_loop(name, log, turns, output.clone(), main);
    output.flush(LAST_LINES);
    code
}

fn run_loop<Main, Work, Done>(
    name: &'static str,
    log: LogOptions,
    turns: u32,
    output: LogOutput,
    main: Main,
) -> ExitCode
where
    Main: FnOnce(Context) -> Work,
    Work: Future<Output = Result<Done, ExitError>>,
    Done: Termination,
{
    let mut loops = tokio::runtime::Builder::new_current_thread();
    let runtime = match loops.enable_all().event_interval(turns).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("cannot start the event loop: {error}");
            return complain(name, &ExitError::internal(message));
        }
    };
    let ended = runtime.block_on(async {
        let journal = Journal::of(output.clone());
        let signals = Signals::new(output.clone())?;
        main(Context { name, journal, signals, log, output }).await
    });
    runtime.shutdown_timeout(LAST_WAIT);
    match ended {
        Ok(done) => done.report(),
        Err(error) => failed(name, &error),
    }
}

fn failed(name: &str, error: &ExitError) -> ExitCode {
    tracing::error!("{}", error.message);
    pace::pause(name, error.exit);
    error.exit.into()
}

/// Runs a command that a person typed: no log; an error is one line on standard error and becomes
/// the exit code. Signals do what they do by default.
pub fn run_command<Work, Done>(name: &'static str, work: Work) -> ExitCode
where
    Work: Future<Output = Result<Done, ExitError>>,
    Done: Termination,
{
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("cannot start the event loop: {error}");
            return complain(name, &ExitError::internal(message));
        }
    };
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WAIT);
    ended.map_or_else(|error| complain(name, &error), Termination::report)
}

/// Writes a command's result to standard output. A reader that has seen enough (`| head`) is no
/// failure.
pub fn print(text: &str) -> Result<(), ExitError> {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(ExitError::internal(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Where there is no log, standard error has to do.
#[expect(clippy::print_stderr, reason = "there is no log")]
fn complain(name: &str, error: &ExitError) -> ExitCode {
    eprintln!("{}{name}: {}", logging::error_mark(), sentence(&error.message));
    error.exit.into()
}

fn report_panic(info: &PanicHookInfo<'_>, on_panic: OnPanic, log: &LogOutput) {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(at = %place, reason = text, "defect found, please report it");
    if on_panic == OnPanic::Abort {
        log.flush(LAST_LINES_OF_A_DEFECT);
        std::process::abort();
    }
}
