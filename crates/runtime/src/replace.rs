//! A new binary of a running daemon takes its place: same process, same parent, same arguments.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::exit::ExitError;
use crate::logging::LogOutput;
use crate::run::LAST_LINES;

/// What the kernel appends to the path of a program whose file was replaced.
const DELETED: &str = " (deleted)";

/// Executes the program that is installed now where this one was. Returns only when that fails;
/// this process then has nothing left to go on with and must end, to be started again.
///
/// What was logged is written before. Whatever is open and not inherited is closed, so children that were started with a socket end.
pub fn replace(log: &LogOutput) -> ExitError {
    let failed = |error| {
        ExitError::internal(format!(
            "cannot be replaced by the program that is installed now: {error}"
        ))
    };
    if let Err(error) = crate::privilege::keep_over_exec() {
        return failed(error);
    }
    log.flush(LAST_LINES);
    match own_path() {
        Ok(path) => failed(Command::new(path).args(std::env::args_os().skip(1)).exec()),
        Err(error) => failed(error),
    }
}

fn own_path() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let installed = path.to_str().and_then(|text| text.strip_suffix(DELETED)).map(PathBuf::from);
    Ok(installed.unwrap_or(path))
}
