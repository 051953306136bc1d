//! Files that grow at their end, where only root may make them.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file to write at its end, as root where we can be; made with this mode where it is not
/// there. A pipe that nobody reads is an error and no wait.
///
/// # Errors
/// Those of open(2).
pub fn open(path: &Path, mode: u32) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = File::options();
    options.append(true).create(true).mode(mode).custom_flags(flags);
    crate::privilege::as_root(|| options.open(path))
}
