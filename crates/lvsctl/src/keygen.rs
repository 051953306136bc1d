//! `lvsctl keygen`: a key for the heartbeats.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use runtime::{Exit, ExitError};

use crate::output;

/// Length of a key in bytes: that of the tag of HMAC-SHA256, as RFC 2104 advises.
const LENGTH: usize = 32;

/// Number of the first key of a file.
const FIRST: u8 = 1;

/// Only the owner may read it; the daemons refuse a file that others can read.
const MODE: u32 = 0o600;

pub(crate) fn run(path: &Path) -> Result<(), ExitError> {
    let mut key = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| ExitError::internal("cannot make a key: the kernel gives no random bytes"))?;
    write(path, &key)?;
    let shown = runtime::logging::sentence(&path.display().to_string());
    output::print(&format!(
        "{shown} holds a new key; copy it to the partner, readable by its owner only:\n\
         scp -p {shown} PARTNER:{shown}\n"
    ))
}

/// A key that is in use is never overwritten: the routers would stop hearing each other.
fn write(path: &Path, key: &[u8; LENGTH]) -> Result<(), ExitError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text(key).as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let shown = path.display();
        let message = match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("cannot make {shown}: it exists already; move it away first, or name another file")
            }
            ErrorKind::NotFound => format!("cannot make {shown}: its folder does not exist; make that first"),
            _ => format!("cannot make {shown}: {error}"),
        };
        ExitError::from_io(&error, Exit::Usage, message)
    })
}

fn text(key: &[u8; LENGTH]) -> String {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "# Keys of the heartbeats, the same file on both routers: a number and 64 hexadecimal\n\
         # digits a line. The first key signs, every key is believed.\n\
         {FIRST} {hex}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_readable_by_its_owner_and_never_overwritten() {
        let path = std::env::temp_dir().join(format!("caribe-keygen-{}", std::process::id()));
        run(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = run(&path).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("exists already"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), first);
        std::fs::remove_file(&path).unwrap();
        run(&path).unwrap();
        assert_ne!(std::fs::read(&path).unwrap(), first, "two keys are never the same");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_daemons_read_what_is_made() {
        let key: [u8; LENGTH] = std::array::from_fn(|n| u8::try_from(n * n % 251).unwrap_or(0));
        let read = config::keys::parse_key_file("heartbeat.key", text(&key).as_bytes()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].id, read[0].secret.expose()), (FIRST, &key[..]));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let error = run(Path::new("/nowhere/heartbeat.key")).unwrap_err();
        assert!(error.message.contains("its folder does not exist"), "{error}");
    }
}
