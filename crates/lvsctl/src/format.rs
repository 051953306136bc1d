//! `lvsctl format`: the layout of a native configuration.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::{Diagnostic, Format, detect};
use runtime::dirs::write_atomic;
use runtime::logging::sentence;
use runtime::{Exit, ExitError, config_file};

use crate::output;

/// What becomes of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// It is printed.
    Output,
    /// It takes the place of the file.
    File,
    /// It is compared with the file.
    Nowhere,
}

/// Lays out a file, by default the one that the daemons would read.
pub(crate) fn run(path: Option<&Path>, to: To) -> Result<ExitCode, ExitError> {
    let path = config_file::locate(path)?;
    let shown = sentence(&path.display().to_string());
    let bytes = std::fs::read(&path).map_err(|error| {
        ExitError::from_io(&error, Exit::Configuration, format!("cannot read {shown}: {error}"))
    })?;
    let format = detect(&bytes);
    if format != Format::Native {
        let name = format.name();
        return Err(ExitError::configuration(format!(
            "cannot lay out {shown}: it is {name}; `lvsctl convert` makes a native file of it"
        )));
    }
    let formatted = laid_out(&path, &bytes).map_err(|told| {
        output::remark(&config::render(&told, output::has_colour()));
        ExitError::configuration(format!("cannot lay out {shown}: see above; nothing is changed"))
    })?;
    let is_same = formatted.as_bytes() == bytes;
    match to {
        To::Output => output::print(&formatted)?,
        To::File if is_same => {}
        To::File => replace(&path, &formatted)?,
        To::Nowhere if is_same => {}
        To::Nowhere => {
            let message =
                format!("{shown} has another layout; lvsctl format --write {shown} mends it");
            return Err(ExitError::configuration(message));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn laid_out(path: &Path, bytes: &[u8]) -> Result<String, Vec<Diagnostic>> {
    config::native::format(&path.display().to_string(), bytes)
}

/// The file with another content, but the same owner and rights; a link keeps leading to it.
fn replace(path: &Path, text: &str) -> Result<(), ExitError> {
    let written = std::fs::canonicalize(path).and_then(|path: PathBuf| {
        let before = std::fs::metadata(&path)?;
        let mode = before.permissions().mode() & 0o7777;
        write_atomic(&path, text.as_bytes(), mode)?;
        let after = std::fs::metadata(&path)?;
        if (after.uid(), after.gid()) != (before.uid(), before.gid()) {
            std::os::unix::fs::chown(&path, Some(before.uid()), Some(before.gid()))?;
        }
        std::fs::set_permissions(&path, before.permissions())
    });
    written.map_err(|error| {
        let shown = sentence(&path.display().to_string());
        ExitError::from_io(&error, Exit::Internal, format!("cannot write {shown}: {error}"))
    })
}
