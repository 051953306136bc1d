//! authkeys, as far as a checker may look: what is wrong with it, never what is in it.

use std::io::ErrorKind;
use std::path::Path;

use crate::Severity;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::files::Files;
use crate::keys::{KeyMaterial, parse_authkeys, weakness};

/// Fewer characters than these can be guessed from recorded heartbeats.
const LEAST: usize = 16;

/// Reports what is wrong with authkeys. The secrets go into no hash, because that travels in
/// heartbeats; and whoever may not read the file is not told, because pulse will be.
pub(super) fn check(folder: &Path, files: &mut Files<'_>, out: &mut Diagnostics) {
    let path = folder.join("authkeys");
    let shown = path.display().to_string();
    let text = match files.read_unhashed(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return,
        Err(error) => {
            let help = format!(
                "write two lines, `auth 1` and `1 sha1 SECRET`, the same on both routers, and `chmod 600 {shown}`"
            );
            out.whole_file(Severity::Warning, &shown, format!("cannot be read: {error}"), help);
            return;
        }
    };
    match parse_authkeys(&shown, &text) {
        Ok(keys) => keys.iter().for_each(|key| weak(&shown, key, out)),
        Err(problems) => problems.into_iter().for_each(|problem| out.push(problem)),
    }
}

fn weak(file: &str, key: &KeyMaterial, out: &mut Diagnostics) {
    let secret = key.secret.expose();
    let message = match weakness(secret) {
        None => return,
        Some(_) if secret.len() < LEAST => {
            format!("the secret of key {} is short: {} characters", key.id, secret.len())
        }
        Some(why) => format!("the secret of key {} can be guessed: {why}", key.id),
    };
    let line = key.origin.rsplit(':').next().and_then(|line| line.parse().ok()).unwrap_or(0);
    out.push(Diagnostic {
        severity: Severity::Warning,
        file: file.to_string(),
        line,
        column: 1,
        length: 1,
        source_line: String::new(),
        message,
        help: Some(format!(
            "who records heartbeats can guess it; write {LEAST} or more on both routers, such as `openssl rand -hex 32` prints"
        )),
    });
}
