//! Programs of the host that the chores call.

use crate::trouble::{Context, Result, Trouble};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs are looked for. The superuser's are not in everybody's `PATH`.
const MORE_FOLDERS: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

/// The full path of a program, if the host has it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:{MORE_FOLDERS}")
        .split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

/// A command by the program's name, with its full path when the host has it.
pub(crate) fn command(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| PathBuf::from(name)))
}

/// Runs a program to its end, with its output on the person's terminal.
pub(crate) fn show(command: &mut Command) -> Result<bool> {
    let name = command.get_program().display().to_string();
    Ok(command.status().trying(format_args!("starting {name}"))?.success())
}

/// Runs a program to its end and returns what it printed; an error carries what it complained.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().trying(format_args!("starting {name}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Trouble::new(format!("{name} failed: {}", said.trim().replace('\n', "; "))))
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}
