//! `lvsctl convert`: any known format to the native one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::passwords::Wanted;
use config::{Cluster, Diagnostic, Disk, Format, Given};
use runtime::logging::sentence;
use runtime::{Exit, ExitError, config_file};

use crate::{key_file, output};

/// What the result is called in messages about it, as it has no name yet.
const RESULT: &str = "the converted configuration";

/// Where the result will most likely stand.
const FOLDER: &str = "/etc/caribe";

/// Converts a file or folder, with `partner` that of the other router, to `target` or the standard
/// output. The format is told from the content unless it is given.
pub(crate) async fn run(
    path: &Path,
    partner: Option<PathBuf>,
    from: Option<Format>,
    target: Option<&Path>,
) -> Result<ExitCode, ExitError> {
    let loaded = config_file::reload_given(named(path)?, partner, from).await?;
    // What cannot be carried over was told by the reader of the old format.
    output::remark(&config::render(&loaded.diagnostics, output::has_colour()));
    output::remark(&config::render_notes(&loaded.notes));
    let shown = sentence(&path.display().to_string());
    let Some(mut cluster) = loaded.cluster else {
        return Err(ExitError::configuration(format!(
            "cannot convert {shown}: mend the errors above first"
        )));
    };
    let passwords = config::passwords::name_files(&mut cluster);
    let devices = config::fencing::name_files(&mut cluster, &folder_for(target));
    let converted = convert(&cluster);
    match target {
        None => output::print(&converted.text)?,
        Some(target) => write(target, &converted.text)?,
    }
    output::remark(&key_file::to_do(&cluster, path, target));
    output::remark(&password_remarks(&passwords, target));
    output::remark(&device_remarks(&devices));
    if converted.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::remark(&config::render(&converted.problems, output::has_colour()));
    if converted.is_good {
        return Ok(ExitCode::SUCCESS);
    }
    // The native format is stricter in places: what it refuses is for the person to decide.
    Err(ExitError::configuration(format!("the result for {shown} needs the changes above")))
}

/// The path to read. What a folder of heartbeat names is written with its full path.
fn named(path: &Path) -> Result<PathBuf, ExitError> {
    let of_heartbeat = ["ha.cf", "haresources"].iter().any(|name| path.ends_with(name));
    if !of_heartbeat && !path.is_dir() {
        return Ok(path.to_owned());
    }
    std::path::absolute(path).map_err(|error| {
        ExitError::configuration(format!("cannot use {}: {error}", path.display()))
    })
}

struct Converted {
    text: String,
    problems: Vec<Diagnostic>,
    is_good: bool,
}

/// Writes the native format, and reads it again as a daemon would.
fn convert(cluster: &Cluster) -> Converted {
    let text = config::native::write(cluster);
    let read = |_: &Path| Ok(text.clone().into_bytes());
    // Somebody has yet to make the files with the passwords.
    let private = |_: &Path| Ok(b"any".to_vec());
    let disk = Disk { read: &read, private: &private, list: &|_| Vec::new() };
    let again = config::load_from(&disk, Path::new(RESULT), false, Given::default());
    Converted { problems: again.diagnostics, is_good: again.cluster.is_some(), text }
}

/// No file of ours is written with a password: which files have to be made, and with what.
fn password_remarks(wanted: &[Wanted], target: Option<&Path>) -> String {
    let folder = target.and_then(|target| std::path::absolute(target.parent()?).ok());
    let remark = |wanted: &Wanted| {
        let place = match &folder {
            Some(folder) => folder.join(&wanted.file).display().to_string(),
            None => format!("{} beside the new file", wanted.file),
        };
        let (what, service) = (wanted.what.name(), sentence(&wanted.service));
        let place = sentence(&place);
        format!(
            "warning: the {what} of {service} is not carried over: write it into {place}, with chmod 600\n"
        )
    };
    wanted.iter().map(remark).collect()
}

/// The folder that the result will stand in; the usual one where nobody says.
fn folder_for(target: Option<&Path>) -> PathBuf {
    let folder = target.and_then(|target| std::path::absolute(target.parent()?).ok());
    folder.unwrap_or_else(|| PathBuf::from(FOLDER))
}

/// Nor is one written with what a device is told that switches a router off.
fn device_remarks(wanted: &[config::fencing::Wanted]) -> String {
    let remark = |wanted: &config::fencing::Wanted| {
        let file = sentence(&wanted.file.display().to_string());
        let (device, routers) = (sentence(&wanted.device), sentence(&wanted.routers.join(" and ")));
        format!(
            "warning: what {device} is told is not carried over: write it, on one line, into {file} on {routers}, with chmod 600; nobody is switched off before it is there\n"
        )
    };
    wanted.iter().map(remark).collect()
}

fn write(target: &Path, text: &str) -> Result<(), ExitError> {
    let opened = OpenOptions::new().write(true).create_new(true).open(target);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let shown = target.display();
        let message = match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("cannot write {shown}: it exists already; move it away first")
            }
            _ => format!("cannot write {shown}: {error}"),
        };
        ExitError::from_io(&error, Exit::Usage, message)
    })
}
