//! Heartbeats leave on time even when the machine is busy.
#![expect(unsafe_code, reason = "sched_setscheduler has no safe wrapper")]

use std::io;

/// Round robin, the lowest real-time priority: before every ordinary program, after the kernel's
/// own threads. Children and threads begin as ordinary programs again.
pub(crate) fn raise() -> io::Result<()> {
    // SAFETY: the call takes no pointer; 0 means the calling thread.
    let now = unsafe { libc::sched_getscheduler(0) };
    if now & !libc::SCHED_RESET_ON_FORK == libc::SCHED_RR {
        return Ok(());
    }
    let parameters = libc::sched_param { sched_priority: 1 };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the pointer is to a live sched_param of the right type, which the call only reads;
    // 0 means the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
