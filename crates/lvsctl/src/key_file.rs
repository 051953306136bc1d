//! The file with the keys of the heartbeats, as far as a person has to be told of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use config::model::KeySource;
use config::{Cluster, Diagnostic, Format, Loaded, Severity};
use runtime::logging::sentence;

/// Its name where the configuration says none.
const DEFAULT: &str = "heartbeat.key";

/// The name of the file; none for a single director.
fn name(cluster: &Cluster) -> Option<&str> {
    match &cluster.pair.as_ref()?.heartbeat.keys {
        KeySource::File(name) | KeySource::Authkeys(name) => Some(name),
        KeySource::Default => Some(DEFAULT),
    }
}

/// The folder of a configuration, where a file of keys is looked for.
fn folder_of(path: &Path) -> Option<PathBuf> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    folder.and_then(|folder| std::path::absolute(folder).ok())
}

/// Whether nothing is there; what cannot be looked at may be.
fn is_missing(file: &Path) -> bool {
    file.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The file of this configuration, if pulse would look for it in vain.
pub(crate) fn missing(path: &Path, loaded: &Loaded) -> Option<Diagnostic> {
    let cluster = loaded.cluster.as_ref()?;
    // The reader of that folder looks into the file.
    if loaded.format == Format::HaFolder {
        return None;
    }
    let file = folder_of(path)?.join(name(cluster)?);
    let message = "the keys of the heartbeats are not there, and pulse does not start without";
    let shown = file.display().to_string();
    is_missing(&file)
        .then(|| Diagnostic::whole_file(Severity::Warning, &shown, message, make(cluster, &file)))
}

fn make(cluster: &Cluster, file: &Path) -> String {
    let shown = file.display();
    match cluster.pair.as_ref().map(|pair| &pair.heartbeat.keys) {
        Some(KeySource::Authkeys(_)) => format!(
            "write two lines, `auth 1` and `1 sha1 SECRET`, the same on both routers, and `chmod 600 {shown}`"
        ),
        _ => format!(
            "make one with `lvsctl keygen {shown}`, and copy it to the other router: `scp -p {shown} PARTNER:{shown}`"
        ),
    }
}

/// What has to be done about the file for a configuration that is converted from `path` to
/// `target`, which may be another place.
pub(crate) fn to_do(cluster: &Cluster, path: &Path, target: Option<&Path>) -> String {
    let Some(name) = name(cluster) else { return String::new() };
    let (old, new) = (folder_of(path), target.and_then(folder_of));
    let old_file = old.as_deref().unwrap_or(Path::new("")).join(name);
    if is_missing(&old_file) {
        let file = match &new {
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        };
        return format!(
            "there is no key for the heartbeats yet: {}\n",
            sentence(&make(cluster, &file))
        );
    }
    if Path::new(name).is_absolute() || new.is_some() && old == new {
        return String::new();
    }
    format!("copy {} beside the new file\n", sentence(&old_file.display().to_string()))
}
