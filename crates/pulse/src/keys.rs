//! The heartbeat's keys, from a file that nobody else can read.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use config::keys::{KeyMaterial, weakness};
use config::model::KeySource;
use heartbeat::SharedKey;
use runtime::config_file::{NotPrivate, read_private as read_secret};
use runtime::{ExitError, privilege};

/// The key file when the configuration names none.
const DEFAULT_NAME: &str = "heartbeat.key";

/// Where the keys are. A relative name is beside the configuration.
pub(crate) fn path_of(source: &KeySource, configuration: &Path) -> PathBuf {
    let folder = if configuration.is_dir() {
        configuration
    } else {
        configuration.parent().unwrap_or(Path::new("/"))
    };
    match source {
        KeySource::File(name) | KeySource::Authkeys(name) => folder.join(name),
        KeySource::Default => folder.join(DEFAULT_NAME),
    }
}

/// Reads them. The text is forgotten at once; errors never hold any of it.
pub(crate) fn read(
    source: &KeySource,
    configuration: &Path,
) -> Result<Vec<KeyMaterial>, ExitError> {
    let path = path_of(source, configuration);
    let text = read_private(&path, matches!(source, KeySource::Authkeys(_)))?;
    let name = path.display().to_string();
    let parsed = match source {
        KeySource::Authkeys(_) => config::keys::parse_authkeys(&name, &text),
        KeySource::File(_) | KeySource::Default => config::keys::parse_key_file(&name, &text),
    };
    let keys = parsed.map_err(|diagnostics| {
        let lines: Vec<String> = diagnostics.iter().map(config::Diagnostic::one_line).collect();
        ExitError::configuration(format!("cannot use the heartbeat keys: {}", lines.join("; ")))
    })?;
    let weak = keys.iter().filter_map(|key| Some((key.id, weakness(key.secret.expose())?)));
    for (key, reason) in weak {
        tracing::warn!(
            key,
            reason,
            "a heartbeat key can be guessed: write a long one on both routers"
        );
    }
    Ok(keys)
}

/// The keys as the session takes them.
pub(crate) fn shared(keys: &[KeyMaterial]) -> Vec<SharedKey> {
    let one = |key: &KeyMaterial| SharedKey { id: key.id, secret: key.secret.expose().to_vec() };
    keys.iter().map(one).collect()
}

fn read_private(path: &Path, authkeys: bool) -> Result<Vec<u8>, ExitError> {
    let shown = path.display();
    let make = if authkeys {
        format!(
            "write one with two lines, `auth 1` and `1 sha1 SECRET`, the same on both routers, \
                 and `chmod 600 {shown}`"
        )
    } else {
        format!(
            "make one with: lvsctl keygen {shown}, and copy it to the other router: \
                 scp -p {shown} PARTNER:{shown}"
        )
    };
    let me = rustix::process::geteuid().as_raw();
    let read = privilege::as_root(|| Ok(read_secret(path, me))).unwrap_or_else(|e| Err(e.into()));
    read.map_err(|error| {
        ExitError::configuration(match &error {
            NotPrivate::Unreadable(error) => {
                let mend = if error.kind() == std::io::ErrorKind::NotFound {
                    make
                } else {
                    format!("mend it with chown root {shown}, and chmod 600 {shown}")
                };
                format!("cannot read the heartbeat key file {shown}: {error}; {mend}")
            }
            NotPrivate::Foreign(_) => format!(
                "cannot use the heartbeat key file {shown}: {error}; mend it with chown root {shown}"
            ),
            NotPrivate::Open(_) => format!(
                "cannot use the heartbeat key file {shown}: {error}; mend it with chmod 600 \
                 {shown}, and make a new key if somebody else may have read it"
            ),
        })
    })
}

/// The first eight hexadecimal digits of a key's SHA-256: enough to see whether both routers hold
/// the same one.
pub(crate) fn fingerprint(key: &KeyMaterial) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, key.secret.expose());
    hash.as_ref().iter().take(4).fold(format!("{}:", key.id), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let folder = std::env::temp_dir().join(format!("caribe-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("open.key");
        std::fs::write(&path, "1 00\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let source = KeySource::File("open.key".to_owned());
        let error = read(&source, &folder.join("cluster.yaml")).unwrap_err();
        assert!(error.message.contains(&format!("chmod 600 {}", path.display())), "{error}");
        let source = KeySource::File("missing.key".to_owned());
        let error = read(&source, &folder.join("cluster.yaml")).unwrap_err();
        let key = folder.join("missing.key");
        let command = format!("lvsctl keygen {}, ", key.display());
        assert!(error.message.contains(&command), "{error}");
        assert_eq!(error.exit, runtime::Exit::Configuration);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_fingerprint_shows_the_number_and_no_secret() {
        let secret = config::keys::Secret::new(b"secret".to_vec());
        let stage = config::keys::Stage::InUse;
        let key = KeyMaterial { id: 3, secret, origin: String::new(), stage };
        assert_eq!(fingerprint(&key), "3:2bb80d53");
    }
}
