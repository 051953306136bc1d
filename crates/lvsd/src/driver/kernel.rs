//! The task that owns the socket to the kernel: one job at a time.

use std::path::Path;
use std::time::Duration;

use config::model::{ConnectionSync, Kernel};
use ipvs::wire::{SyncDaemon, SyncRole, Timeouts};
use ipvs::{MarkRule, Step};
use netlink::{Dump, IpvsSocket, KernelError, MarksSocket};
use runtime::ExitError;
use tokio::sync::mpsc;

use super::Event;
use super::marks::{self, Marked};
use crate::reconciler::Refusal;

/// A folder for each interface of the network namespace that it was mounted in.
const INTERFACES: &str = "/sys/class/net";

/// Jobs that may wait: one of the core's, one of the settings, one of the marks.
const WAITING_JOBS: usize = 4;

/// What the kernel is asked.
#[derive(Debug)]
pub(super) enum Job {
    /// Read everything.
    Dump,
    /// Make changes.
    Apply(Vec<Step>),
    /// Set timeouts and sync daemons as configured; `ours` are running daemons that are ours.
    Settings { kernel: Box<Kernel>, ours: Option<SyncOn> },
    /// Mark exactly so.
    Marks(Vec<MarkRule>),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    /// Everything, as it was read.
    Dumped(Result<Dump, String>),
    /// One result a step.
    Applied(Vec<Step>, Vec<Result<(), Refusal>>),
    /// What was changed, what failed, and the daemons that are ours now.
    Settled { changed: Vec<String>, failed: Vec<String>, ours: Option<SyncOn> },
    /// Marks are as wanted, or why not.
    Marked(Marked),
}

/// Where the sync daemons were started: the number of their interface. The kernel tells only its
/// name, and goes on listening to one that is gone when another one bears that name. Unknown when
/// an earlier version started them.
pub(super) type SyncOn = Option<u32>;

/// Opens the socket; the error says what to do.
pub(super) async fn open() -> Result<IpvsSocket, ExitError> {
    IpvsSocket::open().await.map_err(|error| as_exit("cannot use the kernel's IPVS", &error))
}

/// The exit code that fits.
pub(super) fn as_exit(tried: &str, error: &KernelError) -> ExitError {
    let message = format!("{tried}: {error}");
    match error {
        KernelError::NoIpvs => ExitError::unavailable(message),
        KernelError::NotPermitted => ExitError::privilege(message),
        _ => ExitError::internal(message),
    }
}

/// Starts the task; it ends when the sender is dropped.
pub(super) fn start(mut socket: IpvsSocket, events: mpsc::Sender<Event>) -> mpsc::Sender<Job> {
    let (sender, mut jobs) = mpsc::channel(WAITING_JOBS);
    tokio::spawn(async move {
        let mut netfilter = None;
        while let Some(job) = jobs.recv().await {
            let answer = work(&mut socket, &mut netfilter, job).await;
            if events.send(Event::Kernel(answer)).await.is_err() {
                return;
            }
        }
    });
    sender
}

async fn work(socket: &mut IpvsSocket, netfilter: &mut Option<MarksSocket>, job: Job) -> Answer {
    match job {
        Job::Dump => Answer::Dumped(socket.dump().await.map_err(|error| error.to_string())),
        Job::Apply(steps) => {
            let results = socket.apply(&steps).await.into_iter();
            // Without IPVS nothing was tried, which the next look tells.
            let tried = results.take_while(|result| *result != Err(KernelError::NoIpvs));
            let results = tried.map(|result| result.map_err(|error| refusal(&error))).collect();
            Answer::Applied(steps, results)
        }
        Job::Settings { kernel, ours } => settle(socket, &kernel, ours).await,
        Job::Marks(wanted) => Answer::Marked(marks::work(netfilter, wanted).await),
    }
}

fn refusal(error: &KernelError) -> Refusal {
    Refusal { errno: error.errno().unwrap_or_default(), text: error.to_string() }
}

async fn settle(socket: &mut IpvsSocket, kernel: &Kernel, ours: Option<SyncOn>) -> Answer {
    let (mut changed, mut failed) = (Vec::new(), Vec::new());
    match set_timeouts(socket, kernel).await {
        Ok(true) => changed.push("timeouts".to_owned()),
        Ok(false) => {}
        Err(error) => failed.push(format!("timeouts: {error}")),
    }
    let ours = match set_sync(socket, kernel.sync.as_ref(), ours, &mut changed).await {
        Ok(ours) => ours,
        Err(error) => {
            failed.push(format!("sync daemons: {error}"));
            ours
        }
    };
    Answer::Settled { changed, failed, ours }
}

/// Sets those that are configured and differ. Returns whether anything was changed.
async fn set_timeouts(socket: &mut IpvsSocket, kernel: &Kernel) -> Result<bool, KernelError> {
    let Kernel { tcp_timeout: tcp, tcp_fin_timeout: tcp_fin, udp_timeout: udp, .. } = kernel;
    let wanted = Timeouts { tcp: *tcp, tcp_fin: *tcp_fin, udp: *udp };
    if wanted == (Timeouts { tcp: None, tcp_fin: None, udp: None }) {
        return Ok(false);
    }
    let found = socket.timeouts().await?;
    let differs = |wanted: Option<Duration>, found: Option<Duration>| {
        // The kernel counts whole seconds, and requests are rounded up to them.
        let up = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        wanted.is_some_and(|wanted| found.map(up) != Some(up(wanted).max(1)))
    };
    let differ = differs(wanted.tcp, found.tcp)
        || differs(wanted.tcp_fin, found.tcp_fin)
        || differs(wanted.udp, found.udp);
    if differ {
        socket.set_timeouts(&wanted).await?;
    }
    Ok(differ)
}

/// Both roles run on both routers, so that a change of roles has nothing to swap. Daemons that
/// somebody else started are replaced only by configured ones. Returns those that run now, if they
/// are ours.
async fn set_sync(
    socket: &mut IpvsSocket,
    sync: Option<&ConnectionSync>,
    ours: Option<SyncOn>,
    changed: &mut Vec<String>,
) -> Result<Option<SyncOn>, KernelError> {
    if sync.is_none() && ours.is_none() {
        return Ok(None);
    }
    let is = sync.and_then(|sync| index_of(Path::new(INTERFACES), &sync.interface));
    let was = ours.flatten();
    let running = socket.daemons().await?;
    for role in [SyncRole::Master, SyncRole::Backup] {
        let found = running.iter().find(|daemon| daemon.role == role);
        let wanted = sync.map(|sync| daemon(role, sync));
        if let (Some(wanted), Some(found)) = (&wanted, found)
            && serves_as(wanted, found)
            && !is_made_anew(was, is)
        {
            continue;
        }
        if found.is_some() {
            socket.stop_daemon(role).await?;
            changed.push(format!("stopped sync daemon {role:?}").to_lowercase());
        }
        if let Some(wanted) = wanted {
            socket.start_daemon(&wanted).await?;
            changed.push(format!("started sync daemon {role:?}").to_lowercase());
        }
    }
    Ok(sync.map(|_| is.or(was)))
}

/// The number of an interface, if this host has it now. Asked for over netlink it would wait for the
/// lock under which the kernel changes interfaces, which a network card that is reset holds for
/// seconds, and lvsd with it.
fn index_of(interfaces: &Path, name: &str) -> Option<u32> {
    let number = std::fs::read_to_string(interfaces.join(name).join("ifindex")).ok()?;
    number.trim_ascii().parse().ok()
}

/// An interface that is away is waited for.
fn is_made_anew(was: Option<u32>, is: Option<u32>) -> bool {
    was.zip(is).is_some_and(|(was, is)| was != is)
}

fn daemon(role: SyncRole, sync: &ConnectionSync) -> SyncDaemon {
    SyncDaemon {
        role,
        interface: sync.interface.clone(),
        id: sync.id,
        max_length: sync.max_length,
        group: sync.group,
        port: sync.port,
        ttl: sync.ttl,
    }
}

/// What is not configured may be anything.
fn serves_as(wanted: &SyncDaemon, found: &SyncDaemon) -> bool {
    fn fits<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
        wanted.is_none() || wanted == found
    }
    wanted.interface == found.interface
        && wanted.id == found.id
        && fits(&wanted.max_length, &found.max_length)
        && fits(&wanted.group, &found.group)
        && fits(&wanted.port, &found.port)
        && fits(&wanted.ttl, &found.ttl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_the_number_that_the_kernel_shows_as_a_file() {
        assert_eq!(index_of(Path::new(INTERFACES), "lo"), Some(1));
        assert_eq!(index_of(Path::new(INTERFACES), "no-such"), None);
        let folder = std::env::temp_dir().join(format!("caribe-index-{}", std::process::id()));
        for (name, text) in [("eth1", "9\n"), ("eth2", "\n")] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("ifindex"), text).unwrap();
        }
        assert_eq!(index_of(&folder, "eth1"), Some(9));
        assert_eq!(index_of(&folder, "eth2"), None);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn daemons_are_started_again_on_an_interface_that_was_made_anew() {
        assert!(is_made_anew(Some(3), Some(9)));
        assert!(!is_made_anew(Some(3), Some(3)));
        assert!(!is_made_anew(Some(3), None), "it is away");
        assert!(!is_made_anew(None, Some(9)), "nobody knows where they were started");
    }

    #[test]
    fn a_running_daemon_serves_when_what_is_configured_fits() {
        let sync = ConnectionSync {
            interface: "eth1".into(),
            id: 7,
            group: None,
            port: None,
            ttl: None,
            max_length: None,
        };
        let wanted = daemon(SyncRole::Master, &sync);
        let found = SyncDaemon { port: Some(8848), ttl: Some(1), ..wanted.clone() };
        assert!(serves_as(&wanted, &found));
        assert!(!serves_as(&SyncDaemon { port: Some(9000), ..wanted.clone() }, &found));
        assert!(!serves_as(&SyncDaemon { id: 8, ..wanted }, &found));
    }
}
