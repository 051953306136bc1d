//! Passwords of checks that stand in files of their own.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::model::{Secret, SecretUse};
use crate::places::{Part, Places};
use crate::{Cluster, Severity};

/// What one file holds, or why nothing can be had of it.
type Held = Result<String, String>;

/// Reads every password that stands in a file, each file once.
pub(crate) fn read(
    cluster: &mut Cluster,
    folder: &Path,
    files: &mut Files<'_>,
    out: &mut Diagnostics,
    places: &Places,
) {
    let mut known: HashMap<PathBuf, Held> = HashMap::new();
    let mut told: BTreeSet<(Part, PathBuf)> = BTreeSet::new();
    cluster.each_secret(|_, part, what, secret| {
        let Some(file) = &secret.file else { return };
        let path = folder.join(file);
        let held = known.entry(path.clone()).or_insert_with(|| one(&path, files));
        match held {
            Ok(text) => secret.read(text.clone()),
            Err(why) if told.insert((part, path.clone())) => {
                let (name, shown) = (what.name(), path.display());
                let message = format!("{name}_file: {shown} {why}");
                let help = format!(
                    "write the {name} into {shown}, alone on one line, then chown root {shown} and chmod 600 {shown}"
                );
                places.report(out, Severity::Error, part, message, help);
            }
            Err(_) => {}
        }
    });
}

/// A password is guessed from a hash of it sooner than a key, so its file is watched and not
/// hashed.
fn one(path: &Path, files: &mut Files<'_>) -> Held {
    held(files.read_private(path).map_err(|error| format!("cannot be read: {error}"))?)
}

/// The password that a file with these bytes holds: one line of text.
///
/// # Errors
/// What the file is instead, as the rest of a sentence that begins with its name.
pub fn held(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("holds more than one line, or control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A file that somebody has to make, because a password has none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, relative to the configuration's folder.
    pub file: String,
    /// What it has to hold.
    pub secret: Secret,
    /// What that is for.
    pub what: SecretUse,
    /// The virtual server that needs it first.
    pub service: String,
}

/// Gives each password that stands in the configuration itself the name of a file of its own, so
/// that the configuration can be written without it. An empty one needs none. Passwords that are the same within a virtual
/// server share a file.
pub fn name_files(cluster: &mut Cluster) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    cluster.each_secret(|service, _, what, secret| {
        if secret.file.is_some() || secret.expose().is_empty() {
            return;
        }
        let known = wanted
            .iter()
            .find(|one| one.service == service && one.what == what && one.secret == *secret);
        let file = match known {
            Some(one) => one.file.clone(),
            None => {
                let file = free_name(service, what, &wanted);
                let (secret, service) = (secret.clone(), service.to_owned());
                wanted.push(Wanted { file: file.clone(), secret, what, service });
                file
            }
        };
        secret.file = Some(file);
    });
    wanted
}

/// `mail.password`, or `mail-2.password` when that is taken.
fn free_name(service: &str, what: SecretUse, taken: &[Wanted]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let stem: String = service.chars().map(plain).collect();
    let end = what.name();
    let mut file = format!("{stem}.{end}");
    let mut number = 2;
    while taken.iter().any(|one| one.file == file) {
        file = format!("{stem}-{number}.{end}");
        number += 1;
    }
    file
}

#[cfg(test)]
mod tests;
