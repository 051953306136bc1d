//! From the command line to a running daemon. Whatever can be wrong is found before the first
//! change of the kernel's table.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use config::in_force::Beginning;
use config::{Loaded, Severity, render};
use runtime::applied::Applied;
use runtime::dirs::RuntimeDir;
use runtime::journal::{EventKind, Level};
use runtime::privilege::{self, Capabilities};
use runtime::{Context, ExitError, config_file, readiness};
use tokio::sync::{mpsc, watch};

use super::configuration::{Configuration, tell_warnings};
use super::guard::Guard;
use super::nannies::Nannies;
use super::notices::Tellers;
use super::parent::Parent;
use super::questions::Waiting;
use super::results::Results;
use super::store::{FOLDER, Store};
use super::{Driver, Settings, WAITING_EVENTS, api, kernel, maintenance, names, now};
use crate::core::{Core, names_needed};
use crate::options::Options;

/// What lvsd may go on doing: the table, the sockets that it opens for nanny, its children.
const NEEDED: Capabilities =
    Capabilities::NET_ADMIN.union(Capabilities::NET_RAW).union(privilege::CHILDREN);

/// Comes first, while there is one thread: everything that lvsd does not need is given up.
///
/// # Errors
/// The runtime directory cannot be used, or the kernel refuses.
pub fn prepare(options: &Options) -> Result<(), ExitError> {
    privilege::bound(NEEDED);
    let standing = privilege::settle(options.runtime_dir.as_deref(), NEEDED)?;
    // Under pulse, pulse has said so.
    if standing.still_root && !options.control_stdin {
        tracing::warn!(
            "runs as root with few capabilities: make the user caribe (systemd-sysusers)"
        );
    }
    Ok(())
}

/// Runs lvsd until it is asked to end.
pub async fn run(options: Options, context: Context) -> Result<(), ExitError> {
    let mut driver = start(options, context).await?;
    let end = driver.work().await?;
    driver.finish(end).await
}

async fn start(options: Options, context: Context) -> Result<Driver, ExitError> {
    let path = config_file::locate(options.config.as_deref())?;
    let (mut applied, beginning) = begin(&options, &path).await?;
    let Some(cluster) = beginning.loaded.cluster.clone() else {
        return Err(refused(&beginning.loaded));
    };
    let dir = RuntimeDir::prepare(options.runtime_dir.as_deref())?;
    let mut socket = kernel::open().await?;
    let (server, questions) = api::serve(dir.socket("lvsd"), context.journal.clone())?;
    let parent = if options.control_stdin { Parent::greet().await? } else { Parent::none() };
    let guard = parent.is_there().then(|| Guard::new(&path, &options, &context.log));
    tell(&beginning, &context);
    let dump = socket.dump().await;
    let dump = dump.map_err(|error| kernel::as_exit("cannot read the kernel's table", &error))?;

    let store = Store::open(&dir)?;
    applied.remember();
    let (mut memory, sync_ours) = store.load();
    let before = store.load_sysctls();
    let needed = names_needed(&cluster);
    names::resolve_new(needed.clone(), &mut memory.seen.names).await;
    let configuration = Configuration::new(path, applied, &beginning);
    let mut core = Core::new(memory, dump.table, dump.stats, now());
    core.configure(Arc::new(cluster), now());

    let (sender, events) = mpsc::channel(WAITING_EVENTS);
    let (wanted_names, name_list) = watch::channel(needed);
    tokio::spawn(names::keep(name_list, sender.clone()));
    let nannies = Nannies::start(&context, &sender)?;
    tell_start(&configuration, &core, &context);
    if !parent.is_there() {
        readiness::ready("started");
    }
    Ok(Driver {
        maintenance: maintenance::start(&core, &sender),
        core,
        store,
        tellers: Tellers::new(context.journal.clone()),
        results: Results::new(context.journal.clone()),
        journal: context.journal,
        output: context.output,
        signals: context.signals,
        parent,
        guard,
        kernel: kernel::start(socket, sender),
        settings: Settings { due: true, sync_ours, before, ..Settings::default() },
        events,
        nannies,
        checks: std::collections::BTreeMap::new(),
        names: wanted_names,
        configuration,
        questions,
        waiting: Waiting::default(),
        _socket: server,
        started: Instant::now(),
        beat: Instant::now(),
    })
}

/// The file's configuration, or the one that it must not replace.
async fn begin(options: &Options, path: &Path) -> Result<(Applied, Beginning), ExitError> {
    let mut loaded = config_file::reload(path.to_owned()).await?;
    let folder = RuntimeDir::choose(options.runtime_dir.as_deref()).join(FOLDER);
    Applied::begin(&folder, path, &mut loaded).ok_or_else(|| refused(&loaded))
}

/// What is to be known of the configuration that it begins with.
fn tell(beginning: &Beginning, context: &Context) {
    let log_file =
        beginning.loaded.cluster.as_ref().and_then(|cluster| cluster.log_file.as_deref());
    context.journal.also_to(log_file);
    tell_warnings(&beginning.loaded.diagnostics);
    for reason in &beginning.refused {
        let fields = [("problem", reason.one_line())];
        let sentence = "configuration refused, the one before the restart stays";
        context.journal.record(EventKind::Configuration, Level::Error, sentence, &fields);
    }
}

fn tell_start(configuration: &Configuration, core: &Core, context: &Context) {
    let status = configuration.status();
    let started = [
        ("path", status.path),
        ("format", status.format),
        ("services", core.cluster().services.len().to_string()),
    ];
    context.journal.record(EventKind::Daemon, Level::Info, "lvsd started", &started);
}

/// Every problem as a person wants to see it on standard error, and one line for the log.
fn refused(loaded: &Loaded) -> ExitError {
    let mut stderr = std::io::stderr();
    let text = render(&loaded.diagnostics, stderr.is_terminal());
    if let Err(error) = write!(stderr, "{text}") {
        tracing::debug!(%error, "cannot write to standard error");
    }
    let errors = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error);
    let first = errors.clone().next().map(config::Diagnostic::one_line).unwrap_or_default();
    ExitError::configuration(format!(
        "cannot use the configuration: {first}; mend it and start again, problems: {}",
        errors.count()
    ))
}
