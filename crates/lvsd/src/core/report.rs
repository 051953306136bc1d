//! Log lines: one for each verdict, kernel change and decision.

use config::model::{Check, CheckKind, VirtualServer};
use health::wanted::Placement;
use health::{Verdict, WantedService};
use ipvs::Step;
use runtime::journal::{EventKind, Level};

use super::Entry;
use super::verdicts::Turned;
use super::watches::{Watched, Watches};
use crate::reconciler::{Finding, Refusal};

/// More changes than this in one batch are told as one sum.
const CHANGES_TOLD: usize = 16;

/// More virtual servers than this share one line in short.
const SERVICES_TOLD: usize = 3;

/// A check was found to pass or to fail; mostly that is its real server, up or down.
pub(super) fn verdict(
    services: &[WantedService],
    watched: &Watched,
    turned: &[Turned],
    after: u32,
) -> Entry {
    let first = turned.iter().find(|one| one.before != one.now).or(turned.first());
    let now = first.map_or(watched.fitness.verdict, |one| one.now);
    let (level, message) = match now {
        _ if first.is_some_and(|one| one.before == one.now) => match watched.fitness.verdict {
            Verdict::Down => (Level::Warn, "check fails, its real server was not up before"),
            _ => (Level::Info, "check passes, its real server is not up before all of them do"),
        },
        Verdict::Up => (Level::Info, "real server up"),
        Verdict::Down => (Level::Warn, "real server down"),
        Verdict::Unknown => (Level::Info, "real server unknown"),
    };
    let server = first.map_or_else(|| watched.probe.server.to_string(), |one| one.label.clone());
    Entry::new(EventKind::Verdict, level, message)
        .with("service", service_names(services, &watched.users))
        .with("server", server)
        .with("check", check_name(&watched.probe.check.kind))
        .with("reason", &watched.reason)
        .with("after", after)
}

fn service_names(services: &[WantedService], users: &[usize]) -> String {
    let names = users.iter().filter_map(|user| services.get(*user));
    let told: Vec<_> = names.take(SERVICES_TOLD).map(|service| service.name.as_str()).collect();
    let told = told.join(",");
    match users.len().checked_sub(SERVICES_TOLD) {
        None | Some(0) => told,
        Some(more) => format!("{told} and {more} more"),
    }
}

/// The name of a kind of check, as in the log.
pub(super) fn check_name(kind: &CheckKind) -> &'static str {
    match kind {
        CheckKind::On => "on",
        CheckKind::Off => "off",
        CheckKind::Connect => "connect",
        CheckKind::SendExpect { udp: false, .. } => "tcp",
        CheckKind::SendExpect { udp: true, .. } => "udp",
        CheckKind::Http(http) if http.tls.is_some() => "https",
        CheckKind::Http(_) => "http",
        CheckKind::Dialogue(_) => "dialogue",
        CheckKind::Dns(_) => "dns",
        CheckKind::Login(check) => check.service.name(),
        CheckKind::External { .. } => "external",
        CheckKind::Ping => "ping",
        CheckKind::DataPath { .. } => "data-path",
    }
}

/// What one of several checks is called: its kind, with what tells it from others of that kind.
pub(super) fn check_label(check: &Check, port: u16) -> String {
    let name = check_name(&check.kind);
    match &check.kind {
        CheckKind::Http(http) => format!("{name} {} on port {port}", http.path),
        CheckKind::External { argv, .. } => {
            format!("{name} {}", argv.first().map_or("", String::as_str))
        }
        CheckKind::Ping | CheckKind::On | CheckKind::Off => name.to_owned(),
        _ => format!("{name} on port {port}"),
    }
}

/// Every check has answered for the first time.
pub(super) fn warm(watches: &Watches) -> Entry {
    let up = watches.iter().filter(|(_, one)| one.fitness.verdict == Verdict::Up).count();
    let all = watches.iter().count();
    Entry::new(EventKind::Verdict, Level::Info, "every real server has been checked")
        .with("up", up)
        .with("down", all - up)
}

/// The sorry server came in or went.
pub(super) fn sorry(service: &WantedService) -> Entry {
    let (level, message) = match service.on_sorry {
        true => (Level::Warn, "sorry server takes the traffic"),
        false => (Level::Info, "sorry server is no longer needed"),
    };
    Entry::new(EventKind::Verdict, level, message).with("service", &service.name)
}

/// Too little of a virtual server is up, or enough again.
pub(super) fn quorum(service: &VirtualServer, wanted: &WantedService) -> Entry {
    let (level, message) = match wanted.below_quorum {
        true => (Level::Warn, "virtual server is below its quorum"),
        false => (Level::Info, "virtual server has its quorum"),
    };
    let entry = Entry::new(EventKind::Verdict, level, message).with("service", &wanted.name);
    entry.with("quorum", service.quorum.weight)
}

/// Real servers stay in although their checks fail, or no longer.
pub(super) fn failing_open(service: &VirtualServer, wanted: &WantedService) -> Entry {
    let kept: Vec<_> = wanted
        .servers
        .iter()
        .filter(|server| matches!(server.placement, Placement::Held(_)))
        .map(|server| server.label.as_str())
        .collect();
    let entry = match wanted.failing_open {
        true => Entry::new(
            EventKind::Verdict,
            Level::Error,
            "too many real servers are down at once, the latest to fail stay in",
        ),
        false => Entry::new(
            EventKind::Verdict,
            Level::Info,
            "no real server stays in although it is down any more",
        ),
    };
    let entry = entry.with("service", &wanted.name).with("max_down", service.max_down);
    if kept.is_empty() { entry } else { entry.with("kept", kept.join(",")) }
}

/// The kernel has made changes.
pub(super) fn changes(steps: &[Step], results: &[Result<(), Refusal>], entries: &mut Vec<Entry>) {
    let done: Vec<_> = steps
        .iter()
        .zip(results)
        .filter(|(_, result)| result.is_ok())
        .map(|(step, _)| step)
        .collect();
    let entry = || Entry::new(EventKind::Kernel, Level::Info, "kernel changed");
    if done.len() > CHANGES_TOLD {
        entries.push(entry().with("changes", done.len()));
    } else {
        entries.extend(done.into_iter().map(|step| entry().with("change", step)));
    }
}

/// What the reconciler found.
pub(super) fn findings(findings: Vec<Finding>, entries: &mut Vec<Entry>) {
    for finding in findings {
        entries.push(match finding {
            Finding::Refused { step, reason } => Entry::new(
                EventKind::Kernel,
                Level::Error,
                "kernel refuses a change, it is tried again",
            )
            .with("change", step)
            .with("reason", reason),
            Finding::Mended { step } => Entry::new(
                EventKind::Kernel,
                Level::Info,
                "kernel takes a change it refused before",
            )
            .with("change", step),
            Finding::Drift { service } => Entry::new(
                EventKind::Kernel,
                Level::Warn,
                "kernel's table was changed by somebody else, it is mended",
            )
            .with("service", service),
        });
    }
}
