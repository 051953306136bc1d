//! Giving up what root may, as far as it is not needed.
//!
//! User, groups and capabilities are a thread's own in the kernel. They are given up before the
//! event loop starts, while there is one thread: all later ones begin with what is left.

use std::io;
use std::path::Path;

use rustix::process::{Gid, Uid};
pub use rustix::thread::CapabilitySet as Capabilities;
use rustix::thread::{CapabilitySets, capabilities, set_capabilities};

use crate::child::RunAs;
use crate::dirs::RuntimeDir;
use crate::exit::ExitError;
use crate::users;

/// What starting children as other users takes: becoming them, and ending them.
pub const CHILDREN: Capabilities =
    Capabilities::SETUID.union(Capabilities::SETGID).union(Capabilities::KILL);

/// How a daemon goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It is root, because the host has no other user for it.
    pub still_root: bool,
}

/// Becomes `user` if this is root, and keeps of the capabilities at most these. `user` is none
/// where the host has no such user; root then stays, with the same few capabilities.
///
/// # Errors
/// 77: the kernel refuses. 70: there are threads already, which would keep everything.
pub fn reduce(user: Option<RunAs>, keep: Capabilities) -> Result<Standing, ExitError> {
    alone()?;
    let refused = |what: &str, error: io::Error| {
        ExitError::privilege(format!(
            "cannot give up privileges: {what}: {error}; start it as root, or from its unit"
        ))
    };
    let held = held().map_err(|error| refused("capget", error))?;
    if held.permitted.contains(Capabilities::SETGID) {
        let none = rustix::thread::set_thread_groups(&[]);
        none.map_err(|error| refused("setgroups", error.into()))?;
    }
    if let Some(user) = user.filter(|_| is_root()) {
        become_user(user).map_err(|error| refused("setresuid", error))?;
    }
    limit(held.permitted & keep).map_err(|error| refused("capset", error))?;
    Ok(Standing { still_root: is_root() })
}

/// What pulse and lvsd do first: the runtime directory is made for their user, root becomes that
/// user, and the capabilities beside `keep` go.
///
/// # Errors
/// As of [`RuntimeDir::prepare_for`] and [`reduce`].
pub fn settle(runtime_dir: Option<&Path>, keep: Capabilities) -> Result<Standing, ExitError> {
    let user = users::find(users::ROUTER);
    if let Some(user) = user.filter(|_| is_root()) {
        RuntimeDir::prepare_for(runtime_dir, user)?;
    }
    reduce(user, keep)
}

/// Root, for a child that starts as root and gives it up itself; none where we cannot choose.
pub fn root_if_allowed() -> Option<RunAs> {
    may_choose_users().then_some(users::ROOT)
}

/// Keeps no capability, and no program that is started from here on gets one.
///
/// # Errors
/// 77: the kernel refuses.
pub fn give_up_all() -> Result<(), ExitError> {
    let refused = |error: io::Error| {
        ExitError::privilege(format!("cannot give up every capability: {error}"))
    };
    limit(Capabilities::empty()).map_err(refused)?;
    rustix::thread::set_no_new_privs(true).map_err(|error| refused(error.into()))
}

/// Children that root starts cannot have more than this either. Silently nothing without the
/// right to it: what the parent has left then decides.
pub fn bound(keep: Capabilities) {
    let may = held().is_ok_and(|held| held.effective.contains(Capabilities::SETPCAP));
    if !may {
        return;
    }
    for capability in Capabilities::all().iter().filter(|one| !keep.contains(*one)) {
        // One that this kernel does not know cannot be had either.
        let _unknown = rustix::thread::remove_capability_from_bounding_set(capability);
    }
}

/// A program that takes the place of this one keeps its capabilities, as a user other than root
/// otherwise would not.
///
/// # Errors
/// What prctl(2) and capset(2) say; the program then starts with less.
pub fn keep_over_exec() -> io::Result<()> {
    if is_root() {
        return Ok(());
    }
    let held = held()?;
    set_capabilities(None, CapabilitySets { inheritable: held.permitted, ..held })?;
    for capability in held.permitted.iter() {
        rustix::thread::configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Whether children can be started as another user.
pub fn may_choose_users() -> bool {
    let needed = Capabilities::SETUID | Capabilities::SETGID;
    held().is_ok_and(|held| held.effective.contains(needed))
}

/// Does a piece of work as root, on a thread of its own that ends with it: files of root that
/// only root may read or write. Without the right to it, the work is done as we are.
///
/// # Errors
/// Those of the work.
pub fn as_root<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    if is_root() || !may_choose_users() {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, || {
            become_user(users::ROOT)?;
            work()
        })?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread ended early")))
    })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn held() -> io::Result<CapabilitySets> {
    Ok(capabilities(None)?)
}

/// This thread's group and user, for good. Its capabilities stay where the kernel lets them.
fn become_user(user: RunAs) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    rustix::thread::set_keep_capabilities(true)?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

fn limit(keep: Capabilities) -> io::Result<()> {
    match rustix::thread::clear_ambient_capability_set() {
        // Kernels before 4.3 have none.
        Ok(()) | Err(rustix::io::Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    let inheritable = Capabilities::empty();
    set_capabilities(None, CapabilitySets { effective: keep, permitted: keep, inheritable })?;
    Ok(())
}

fn alone() -> Result<(), ExitError> {
    let threads = std::fs::read_dir("/proc/self/task").map(Iterator::count);
    match threads {
        Ok(1) => Ok(()),
        Ok(count) => Err(ExitError::internal(format!(
            "privileges are given up too late: there are {count} threads"
        ))),
        Err(error) => {
            Err(ExitError::internal(format!("cannot count the threads in /proc: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone_for_this_thread() {
        give_up_all().unwrap();
        let held = held().unwrap();
        assert_eq!(held.permitted, Capabilities::empty());
        assert_eq!(held.effective, Capabilities::empty());
        assert!(rustix::thread::no_new_privs().unwrap());
        assert!(!may_choose_users());
        assert!(std::net::UdpSocket::bind("127.0.0.1:1").is_err(), "a port of root");
    }

    #[test]
    fn privileges_are_not_given_up_beside_other_threads() {
        let error = reduce(None, Capabilities::empty()).unwrap_err();
        assert!(error.message.contains("too late"), "{error}");
    }

    #[test]
    fn work_as_root_is_done_with_and_without_the_right_to_it() {
        assert_eq!(as_root(|| Ok(7)).unwrap(), 7);
        let failed = as_root(|| Err::<(), _>(io::Error::other("no"))).unwrap_err();
        assert_eq!(failed.to_string(), "no");
    }
}
