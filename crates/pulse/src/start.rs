//! From the command line to a driver that runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use config::Loaded;
use config::in_force::Beginning;
use config::model::{ConnectionSync, KeySource, Pair};
use heartbeat::{Failover, Session, SharedKey, Side};
use ring::rand::{SecureRandom, SystemRandom};
use runtime::applied::Applied;
use runtime::dirs::RuntimeDir;
use runtime::logging::LogOutput;
use runtime::presence::Presence;
use runtime::privilege::{self, Capabilities};
use runtime::{Context, Exit, ExitError, config_file, readiness, whoami};
use tokio::sync::mpsc;

use crate::Arguments;
use crate::announce::Announce;
use crate::aside::Thread;
use crate::driver::{Driver, Ended, Parts};
use crate::host::{self, Host};
use crate::mover::Tools;
use crate::notice::NOTICES;
use crate::plan::Plan;
use crate::sockets::Sockets;
use crate::worker::Worker;
use crate::{clock, control, keys, priority, release};

/// Its folder in the runtime directory.
pub(crate) const FOLDER: &str = "pulse";

/// What pulse may go on doing: addresses, ARP and pings, its port, its children.
const NEEDED: Capabilities = Capabilities::NET_ADMIN
    .union(Capabilities::NET_RAW)
    .union(Capabilities::NET_BIND_SERVICE)
    .union(privilege::CHILDREN);

/// Comes first, while there is one thread: real-time priority, and everything that pulse does not
/// need is given up.
///
/// # Errors
/// The runtime directory cannot be used, or the kernel refuses.
pub fn prepare(arguments: &Arguments) -> Result<(), ExitError> {
    // A heartbeat that is late looks like a death; without the right to it, pulse runs as it is.
    if !arguments.release
        && let Err(error) = priority::raise()
    {
        tracing::info!(%error, "runs without real-time priority");
    }
    let standing = privilege::settle(arguments.runtime_dir.as_deref(), NEEDED)?;
    if standing.still_root && !arguments.release {
        tracing::warn!(
            "runs as root with few capabilities: make the user caribe (systemd-sysusers)"
        );
    }
    Ok(())
}

/// Runs pulse to its end.
///
/// # Errors
/// Whatever keeps it from starting; nothing is half-started then.
pub async fn run(arguments: Arguments, mut context: Context) -> Result<ExitCode, ExitError> {
    if arguments.release {
        let after = Duration::from_millis(arguments.after_ms);
        return release::run(&arguments, after, &context).await;
    }
    let path = config_file::locate(arguments.config.as_deref())?;
    let path = std::path::absolute(&path).map_err(|error| {
        ExitError::configuration(format!("cannot use {}: {error}", path.display()))
    })?;
    let mut loaded = config_file::load_file(&path);
    let folder = RuntimeDir::choose(arguments.runtime_dir.as_deref()).join(FOLDER);
    let (applied, beginning) = Applied::begin(&folder, &path, &mut loaded)
        .ok_or_else(|| ExitError::configuration(refusal(&loaded)))?;
    let Beginning { loaded, refused } = beginning;
    let pair = pair_of(&loaded)?;
    let runtime_dir = RuntimeDir::prepare(arguments.runtime_dir.as_deref())?;
    // Before the addresses are looked at: until then somebody may be removing them.
    let presence = Presence::claim(&runtime_dir, release::LOCK).await?;
    let host = Host::read().await.map_err(|error| {
        ExitError::internal(format!("cannot list this host's interfaces: {error}"))
    })?;
    let me = which(&pair, arguments.node.as_deref(), &host)?;
    let mut plan = Plan::new(&pair, sync_of(&loaded), me, loaded.hash, &host)
        .map_err(|error| ExitError::configuration(error.to_string()))?;
    let keys = keys::read(&pair.heartbeat.keys, &path)?;
    let session = session(&plan, &keys::shared(&keys))?;
    let mut sockets = Sockets::default();
    sockets.renew(&mut plan.paths)?;
    let setup = plan.setup(&host, &[]);
    let failover = Failover::new(setup, clock::now())
        .map_err(|error| ExitError::configuration(error.to_string()))?;
    let thread = Thread::start()?;
    let aside = thread.aside();
    let announce = Announce::start(&aside).map_err(|error| {
        ExitError::privilege(format!(
            "cannot announce addresses: {error}; run as root, or with CAP_NET_RAW and CAP_NET_ADMIN"
        ))
    })?;
    runtime_dir.private(FOLDER)?;
    let (notices, inbox) = mpsc::channel(NOTICES);
    let journal = context.journal.clone();
    let server = control::serve(runtime_dir.socket("pulse"), journal.clone(), notices.clone())?;
    host::watch(notices.clone())?;
    let worker =
        Worker::start(&path, runtime_dir.path(), &plan.names[0], &context.log, notices.clone())?;
    let tools = Tools { aside, announce, journal, notices, folder: folder.into() };
    let parts =
        Parts { plan, host, keys, session, failover, sockets, worker, tools, inbox, applied };
    let driver = Driver::new(parts, path, &loaded, refused);
    readiness::ready("running");
    let exit = driver.run(&mut context.signals).await;
    drop(server);
    end(exit?, thread, presence, &context.output)
}

/// The last things, in their order.
fn end(
    exit: Ended,
    thread: Thread,
    presence: Presence,
    log: &LogOutput,
) -> Result<ExitCode, ExitError> {
    thread.end(exit == Ended::Replaced);
    // Held to the very end, and taken again at once by the one who takes our place.
    drop(presence);
    match exit {
        Ended::Stopped => Ok(Exit::Done.into()),
        Ended::Replaced => Err(runtime::replace(log)),
    }
}

/// The pair of a configuration that can be used.
pub(crate) fn pair_of(loaded: &Loaded) -> Result<Pair, ExitError> {
    let Some(cluster) = &loaded.cluster else {
        return Err(ExitError::configuration(refusal(loaded)));
    };
    cluster.pair.clone().ok_or_else(|| {
        ExitError::configuration(
            "the configuration has no routers, so there is no pair to keep: run lvsd alone, or name \
             the two routers",
        )
    })
}

/// How connections are copied to the partner, if they are.
pub(crate) fn sync_of(loaded: &Loaded) -> Option<&ConnectionSync> {
    loaded.cluster.as_ref().and_then(|cluster| cluster.kernel.sync.as_ref())
}

/// Every error of a configuration on one line.
pub(crate) fn refusal(loaded: &Loaded) -> String {
    refused_for(&loaded.diagnostics).message
}

/// The error of a configuration with these problems.
pub(crate) fn refused_for(problems: &[config::Diagnostic]) -> ExitError {
    let errors = problems
        .iter()
        .filter(|diagnostic| diagnostic.severity == config::Severity::Error)
        .map(config::Diagnostic::one_line);
    let errors = errors.collect::<Vec<_>>().join("; ");
    ExitError::configuration(format!("the configuration is refused: {errors}"))
}

fn which(pair: &Pair, node: Option<&str>, host: &Host) -> Result<Side, ExitError> {
    let own: Vec<_> = host.addresses.iter().map(|address| address.ip).collect();
    let place = whoami::whoami(pair, node, &whoami::host_name(), &own)?;
    Ok(if place == 0 { Side::First } else { Side::Second })
}

fn session(plan: &Plan, keys: &[SharedKey]) -> Result<Session, ExitError> {
    let random = SystemRandom::new();
    let (mut boot, mut seed) = ([0; 8], [0; 32]);
    random.fill(&mut boot).and_then(|()| random.fill(&mut seed)).map_err(|_| {
        ExitError::internal("the system gives no random bits, and there is no session without")
    })?;
    let [me, partner] = &plan.names;
    Session::new(me, partner, keys, u64::from_be_bytes(boot), seed)
        .map_err(|error| ExitError::configuration(error.to_string()))
}

/// Where the keys of a configuration are, to be watched like it.
pub(crate) fn watched(loaded: &Loaded, source: Option<&KeySource>, path: &Path) -> Vec<PathBuf> {
    let key = source.map(|source| keys::path_of(source, path));
    loaded.files.iter().cloned().chain(key).collect()
}
