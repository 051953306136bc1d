//! Open descriptors handed from a parent to its child.
//!
//! nanny holds no privilege, so lvsd opens the sockets that need one and passes them over the
//! socket pair between the two. They travel with one newline that comes before the first line,
//! as the kernel ties descriptors to bytes of the stream, and a reader that does not ask for them
//! with those very bytes loses them.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, sendmsg,
};

/// Most descriptors that are passed.
pub const MOST: usize = 8;

/// The byte that carries them.
const CARRIER: u8 = b'\n';

/// The parent's side: passes `descriptors` to the child at the other end of `socket`. To be
/// called before anything else is sent; also with none, or not at all.
///
/// # Errors
/// More than [`MOST`], or what sendmsg(2) says.
pub fn send_first(socket: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty()
        && (descriptors.len() > MOST
            || !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)))
    {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors to pass"));
    }
    let carrier = [io::IoSlice::new(&[CARRIER])];
    sendmsg(socket, &carrier, &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The child's side: waits for the parent's first byte and takes the descriptors that come with
/// it. Anything else that the parent says first is left unread. It blocks, so it belongs at the
/// very start of a program.
///
/// # Errors
/// What recvmsg(2) says: `ENOTSOCK` when it is none, `EAGAIN` when it does not block.
pub fn receive_first(socket: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let socket = socket.as_fd();
    let mut first = [0];
    let length = loop {
        match recv(socket, first.as_mut_slice(), RecvFlags::PEEK) {
            Ok((length, _)) => break length,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 || first != [CARRIER] {
        return Ok(Vec::new());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(
        socket,
        &mut [io::IoSliceMut::new(&mut first)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(passed) = message {
            descriptors.extend(passed);
        }
    }
    Ok(descriptors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_passed_descriptor_is_the_same_open_file() {
        let (mut parent, mut child) = UnixStream::pair().unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        send_first(&parent, &[far.as_fd()]).unwrap();
        parent.write_all(b"{}\n").unwrap();
        let mut passed = receive_first(&child).unwrap();
        assert_eq!(passed.len(), 1);
        UnixStream::from(passed.remove(0)).write_all(b"x").unwrap();
        let mut byte = [0];
        near.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        let mut line = [0; 3];
        child.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"{}\n");
    }

    #[test]
    fn a_parent_that_passes_nothing_loses_nothing() {
        let (mut parent, mut child) = UnixStream::pair().unwrap();
        parent.write_all(b"{}\n").unwrap();
        assert!(receive_first(&child).unwrap().is_empty());
        let mut line = [0; 3];
        child.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"{}\n");
        send_first(&parent, &[]).unwrap();
        assert!(receive_first(&child).unwrap().is_empty());
        drop(parent);
        assert!(receive_first(&child).unwrap().is_empty());
    }
}
