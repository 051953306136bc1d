//! The supplementary groups of a socket's peer: `SO_PEERGROUPS` (Linux 4.13), which no crate
//! that we use wraps.
#![expect(unsafe_code, reason = "getsockopt with an option that has no safe wrapper")]

use std::os::fd::{AsFd, AsRawFd};

/// The kernel's own limit (`NGROUPS_MAX`).
const MAX_GROUPS: usize = 65_536;

/// The groups as they were when the peer connected.
pub(super) fn peer_groups(socket: impl AsFd) -> std::io::Result<Vec<u32>> {
    let mut groups = vec![0u32; 64];
    loop {
        let bytes = groups.len() * size_of::<u32>();
        let mut length = libc::socklen_t::try_from(bytes).unwrap_or(libc::socklen_t::MAX);
        // SAFETY: the descriptor is open for as long as it is borrowed; `groups` is writable
        // memory of `length` bytes, in which any bit pattern is a valid u32; the kernel writes at
        // most `length` bytes and sets `length` to what it wrote, or to what it would need.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = usize::try_from(length).unwrap_or(usize::MAX) / size_of::<u32>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = std::io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || groups.len() >= MAX_GROUPS {
            return Err(error);
        }
        groups.resize(count.clamp(groups.len() + 1, MAX_GROUPS), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_a_pair_are_our_own() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut found = peer_groups(&ours).unwrap();
        let mut own: Vec<u32> =
            rustix::process::getgroups().unwrap().iter().map(|group| group.as_raw()).collect();
        found.sort_unstable();
        own.sort_unstable();
        assert_eq!(found, own);
    }
}
