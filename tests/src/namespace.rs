//! One host's view of the world: a thread that lives in namespaces of its own and does what it
//! is asked there. Starting a process costs tens of milliseconds under emulation, so whatever
//! can be done in a thread is done in a thread.

use crate::failure::Context;
use crate::separate::separate;
use crate::{Failure, Outcome};
use rustix::mount::{MountFlags, MountPropagationFlags, mount_bind, mount_change};
use rustix::thread::UnshareFlags;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Where `ip netns` looks for names.
const NETNS_DIR: &str = "/run/netns";
/// Jobs that may wait for a host's thread; more make the asking thread wait.
const JOBS: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// Network, mounts and host name of one host.
#[derive(Debug, Clone)]
pub struct Namespace {
    name: String,
    jobs: SyncSender<Job>,
    inode: u64,
}

impl Namespace {
    /// Makes the namespaces, and a name for `ip netns` in the maker's own mounts.
    ///
    /// # Errors
    /// When the system refuses, which it does without root.
    pub fn new(name: &str, host_name: &str) -> Outcome<Self> {
        let (jobs, queue) = sync_channel::<Job>(JOBS);
        let (ready, born) = sync_channel(1);
        let host_name = host_name.to_owned();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let made = settle(&host_name).map(|()| rustix::thread::gettid());
                let failed = made.is_err();
                let _ = ready.send(made);
                if failed {
                    return;
                }
                while let Ok(job) = queue.recv() {
                    job();
                }
            })
            .context(format_args!("starting the thread of host {name}"))?;
        let thread = born
            .recv()
            .context(format_args!("host {name} did not start"))?
            .context(format_args!("making the namespaces of host {name}"))?;
        let own = format!("/proc/self/task/{}/ns/net", thread.as_raw_nonzero());
        let file = PathBuf::from(NETNS_DIR).join(name);
        fs::create_dir_all(NETNS_DIR).context(NETNS_DIR)?;
        fs::write(&file, "").context(file.display())?;
        mount_bind(&own, &file).context(format_args!("naming the network of host {name}"))?;
        let inode = network_of(Path::new(&own))
            .ok_or_else(|| Failure::new(format!("{own} cannot be read")))?;
        Ok(Self { name: name.to_owned(), jobs, inode })
    }

    /// The host's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number by which the kernel tells this network from others.
    pub fn network(&self) -> u64 {
        self.inode
    }

    /// Does `job` in the host's thread. Processes and threads that the job starts are born there.
    ///
    /// # Errors
    /// When the job panicked.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let (give, take) = sync_channel(1);
        let job: Job = Box::new(move || {
            let _ = give.send(job());
        });
        self.jobs.send(job).map_err(|_| self.dead())?;
        take.recv().map_err(|_| self.dead())
    }

    fn dead(&self) -> Failure {
        Failure::new(format!("the thread of host {} ended early", self.name))
    }

    /// Sets a kernel parameter (`net/ipv4/ip_forward`) of this host.
    ///
    /// # Errors
    /// When there is no such parameter or it does not take the value.
    pub fn sysctl(&self, key: &str, value: &str) -> Outcome {
        let (path, text) = (format!("/proc/sys/{key}"), value.to_owned());
        let file = path.clone();
        self.run(move || fs::write(&file, text))?
            .context(format_args!("setting {path} to {value} on {}", self.name))
    }
}

/// Moves the calling thread into namespaces of its own, with a view of /sys that fits them.
fn settle(host_name: &str) -> std::io::Result<()> {
    separate(UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::NEWUTS)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    rustix::system::sethostname(host_name.as_bytes())?;
    rustix::mount::mount("sysfs", "/sys", "sysfs", MountFlags::empty(), None)?;
    // A link-local address that is being tried for a second cannot look for neighbours: the
    // first packets of a fresh network would be lost. Nobody has the same address here.
    for kind in ["all", "default"] {
        fs::write(format!("/proc/sys/net/ipv6/conf/{kind}/accept_dad"), "0")?;
    }
    Ok(())
}

/// The number of the network that a `ns/net` link points to.
pub(crate) fn network_of(link: &Path) -> Option<u64> {
    let target = fs::read_link(link).ok()?;
    target.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}
