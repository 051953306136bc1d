//! The one system call of the lab that has no safe wrapper.

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Moves the calling thread into fresh namespaces of the given kinds; threads and processes
/// that it starts afterwards are born in them. A table of file descriptors is never split.
pub(crate) fn separate(kinds: UnshareFlags) -> std::io::Result<()> {
    let kinds = kinds.difference(UnshareFlags::FILES);
    // SAFETY: unshare(2) is unsound only with CLONE_FILES, which was just taken out.
    #[expect(unsafe_code, reason = "unshare(2) has no safe wrapper")]
    let done = unsafe { unshare_unsafe(kinds) };
    Ok(done?)
}
