//! nanny as lvsd starts it.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use control::PROTOCOL_VERSION;
use control::nanny::{FromNanny, ToNanny};
use runtime::lines::{JsonLines, LineError, LineReader, LineWriter};
use runtime::signals::Request;
use runtime::{Context, ExitError};
use tokio::time::{MissedTickBehavior, interval};

use crate::board::Board;
use crate::engine::Engine;
use crate::shared::Shared;

/// Time between two reports of the counters. They are told whether or not anything happened: by them
/// lvsd knows that this process does not hang.
const COUNTERS: Duration = Duration::from_secs(1);

/// Takes the raw ICMP sockets from lvsd, which passes them before it says anything else. Blocks,
/// so it comes before everything that is asynchronous.
///
/// # Errors
/// Standard input is not lvsd's socket.
pub fn passed_sockets() -> Result<Vec<OwnedFd>, ExitError> {
    if !runtime::lines::stdin_is_socket() {
        return Err(ExitError::usage(LineError::NoSocket.to_string()));
    }
    runtime::fdpass::receive_first(rustix::stdio::stdin())
        .map_err(|error| ExitError::internal(format!("cannot take sockets from lvsd: {error}")))
}

/// Watches what lvsd says until lvsd is gone or a signal comes.
///
/// # Errors
/// lvsd cannot be talked to, or speaks another version.
pub async fn run(mut context: Context, passed: Vec<OwnedFd>) -> Result<(), ExitError> {
    raise_descriptor_limit();
    let lines = JsonLines::<ToNanny, FromNanny>::from_stdin().map_err(lost)?;
    let board = Arc::new(Board::default());
    let shared = Arc::new(Shared::new(passed));
    let engine = Mutex::new(Engine::new(shared, Arc::clone(&board)));
    let (reader, writer) = lines.split();
    tracing::info!("nanny started");
    // Reading and writing go on side by side: if each side waited for the other one to read,
    // both would wait for ever.
    tokio::select! {
        ended = listen(reader, &engine, &board) => ended?,
        ended = tell(writer, &engine, &board) => ended.or_else(gone)?,
        () = stop_requested(&mut context) => {}
    }
    tracing::info!("nanny ends");
    Ok(())
}

async fn listen(
    mut reader: LineReader<ToNanny>,
    engine: &Mutex<Engine>,
    board: &Board,
) -> Result<(), ExitError> {
    loop {
        let message = match reader.next().await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(error) => return gone(error),
        };
        match message {
            ToNanny::Hello { version: PROTOCOL_VERSION } => {}
            ToNanny::Hello { version } => {
                return Err(ExitError::internal(format!(
                    "lvsd speaks version {version} and nanny {PROTOCOL_VERSION}: \
                     install both from one package and restart lvsd"
                )));
            }
            ToNanny::Watch(watch) => locked(engine).watch(&watch),
            ToNanny::Unwatch { id } => locked(engine).unwatch(id),
            ToNanny::Recall { id } => board.ask_results(id),
        }
    }
}

async fn tell(
    mut writer: LineWriter<FromNanny>,
    engine: &Mutex<Engine>,
    board: &Board,
) -> Result<(), LineError> {
    writer.send(&FromNanny::Hello { version: PROTOCOL_VERSION }).await?;
    let mut ticks = interval(COUNTERS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            (verdicts, recalls) = board.take() => {
                for verdict in &verdicts {
                    writer.feed(verdict).await?;
                }
                for id in recalls {
                    let results = locked(engine).results(id);
                    writer.feed(&results).await?;
                }
                writer.flush().await?;
            }
            _ = ticks.tick() => writer.send(&board.counters()).await?,
        }
    }
}

/// lvsd may be gone before it has read what it was told, and the socket says so to whoever reads or
/// writes next: that is an end in order.
fn gone(error: LineError) -> Result<(), ExitError> {
    match error {
        LineError::Socket(error)
            if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
        {
            Ok(())
        }
        other => Err(lost(other)),
    }
}

/// HUP means nothing to nanny: lvsd reads the configuration. The log is reopened by the runtime.
async fn stop_requested(context: &mut Context) {
    while context.signals.next().await != Request::Stop {}
}

fn locked(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost(error: LineError) -> ExitError {
    ExitError::internal(format!("cannot talk to lvsd: {error}"))
}

/// Each check that waits holds a descriptor, and the usual limit of 1024 is soon reached.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(reason = %error, "cannot raise the limit of open files");
    }
}
