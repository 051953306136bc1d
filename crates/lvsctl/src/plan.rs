//! `lvsctl plan`: what a configuration would change in the kernel, and which live connections that
//! touches, before it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use config::Cluster;
use config::model::Host;
use control::plan::{PlanAnswer, PlanRequest, PlannedChange};
use health::{Decisions, Fitness, Knowledge, Names};
use ipvs::{Step, TableStats};
use netlink::{IpvsSocket, KernelError};
use runtime::logging::sentence;
use runtime::{Exit, ExitError, config_file};

use crate::check::counted;
use crate::client::{Daemons, unless_silent};
use crate::output::{self, BAD, DIM, ODD, styled};

pub(crate) async fn run(daemons: &Daemons, path: Option<PathBuf>) -> Result<(), ExitError> {
    let path = config_file::locate(path.as_deref())?;
    let cluster = read(path).await?;
    let request = PlanRequest { cluster: Some(Box::new(cluster)) };
    let answer = match unless_silent(daemons.lvsd.post("/v1/plan", &request).await)? {
        Some(answer) => answer,
        None => {
            output::remark("lvsd does not run, so every real server is taken to be up\n");
            let cluster = request.cluster.map(|cluster| *cluster).unwrap_or_default();
            without_lvsd(&cluster).await?
        }
    };
    output::print(&render(&answer))?;
    output::remark(&summary(&answer));
    Ok(())
}

async fn read(path: PathBuf) -> Result<Cluster, ExitError> {
    let shown = sentence(&path.display().to_string());
    let loaded = config_file::reload(path).await?;
    output::remark(&config::render(&loaded.diagnostics, output::has_colour()));
    loaded.cluster.ok_or_else(|| {
        ExitError::configuration(format!("cannot plan {shown}: mend the errors above first"))
    })
}

/// Plans against the kernel itself. Nobody knows which services are ours, so none is removed.
async fn without_lvsd(cluster: &Cluster) -> Result<PlanAnswer, ExitError> {
    let mut socket = IpvsSocket::open().await.map_err(|error| refused(&error))?;
    let dump = socket.dump().await.map_err(|error| refused(&error))?;
    let names = resolve(cluster).await;
    let decisions = Decisions::default();
    let none = &BTreeSet::new();
    let knowledge = Knowledge {
        names: &names,
        fitness: &|_| Fitness::UP,
        load: &|_| None,
        risen: &|_| None,
        decisions: &decisions,
        resting: none,
        below_quorum: none,
    };
    let wanted = health::wanted(cluster, &knowledge);
    let plan = ipvs::plan(&wanted.table, &dump.table, &BTreeSet::new());
    let changes = plan.steps.iter().map(|step| change(step, &dump.stats)).collect();
    let marks = cluster.mark_rules().into_iter().map(|rule| format!("set by lvsd: {rule}"));
    Ok(PlanAnswer { changes, marks: marks.collect(), unchecked: Vec::new() })
}

fn refused(error: &KernelError) -> ExitError {
    let exit = match error {
        KernelError::NoIpvs => Exit::Unavailable,
        KernelError::NotPermitted => Exit::Privilege,
        _ => Exit::Internal,
    };
    ExitError::new(exit, format!("cannot read the kernel's table: {error}"))
}

/// Names that do not resolve leave their servers out, as lvsd does.
async fn resolve(cluster: &Cluster) -> Names {
    let servers = cluster.services.iter().flat_map(|service| {
        let sorry = service.sorry.iter().map(|sorry| &sorry.host);
        service.servers.iter().map(|server| &server.host).chain(sorry)
    });
    let mut names: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for host in servers {
        let Host::Name(name) = host else { continue };
        if names.contains_key(name) {
            continue;
        }
        match tokio::net::lookup_host((name.as_str(), 0)).await {
            Ok(found) => {
                names.insert(name.clone(), found.map(|address| address.ip()).collect());
            }
            Err(error) => {
                let name = sentence(name);
                output::remark(&format!("{name} does not resolve and is left out: {error}\n"));
            }
        }
    }
    names
}

fn change(step: &Step, stats: &TableStats) -> PlannedChange {
    let of_service = stats.get(step.service());
    let live = |connections: &ipvs::Connections| {
        u64::from(connections.active) + u64::from(connections.inactive)
    };
    let one = step.destination().and_then(|key| of_service?.destinations.get(key));
    let connections = match step {
        Step::AddService(..) | Step::AddDestination(..) => 0,
        Step::EditService(..) | Step::RemoveService(_) => of_service.map_or(0, |pool| {
            pool.destinations.values().map(|destination| live(&destination.connections)).sum()
        }),
        Step::EditDestination(..) | Step::RemoveDestination(..) => {
            one.map_or(0, |destination| live(&destination.connections))
        }
    };
    let ends_connections = matches!(step, Step::RemoveService(_) | Step::RemoveDestination(..));
    PlannedChange { line: step.to_string(), connections, ends_connections }
}

/// One ipvsadm line a change; what it does to live connections stands behind it as a comment, so
/// that the lines could be given to a shell.
fn render(answer: &PlanAnswer) -> String {
    let width = answer.changes.iter().map(|change| change.line.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for PlannedChange { line, connections, ends_connections } in &answer.changes {
        let what = counted(usize::try_from(*connections).unwrap_or(usize::MAX), "live connection");
        let comment = match (connections, ends_connections) {
            (0, _) => String::new(),
            (_, true) => styled(&format!("# ends {what}"), BAD),
            (_, false) => styled(&format!("# {what} go on"), DIM),
        };
        let line = format!("ipvsadm {:width$}  {comment}", sentence(line));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for mark in &answer.marks {
        text.push_str(&(styled(&format!("# firewall mark {mark}"), DIM) + "\n"));
    }
    for server in &answer.unchecked {
        let note = format!("# {server} joins once its first check has passed");
        text.push_str(&(styled(&note, ODD) + "\n"));
    }
    text
}

fn summary(answer: &PlanAnswer) -> String {
    let marks = match answer.marks.len() {
        0 => String::new(),
        marks => format!(", and {}", counted(marks, "firewall mark")),
    };
    if answer.changes.is_empty() && answer.marks.is_empty() {
        return "nothing to change\n".to_owned();
    }
    let ended: u64 = answer
        .changes
        .iter()
        .filter(|change| change.ends_connections)
        .map(|change| change.connections)
        .sum();
    let ended = counted(usize::try_from(ended).unwrap_or(usize::MAX), "live connection");
    format!("{}, ending {ended}{marks}\n", counted(answer.changes.len(), "change"))
}

#[cfg(test)]
mod tests;
