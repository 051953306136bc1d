//! The lower half: virtual servers and their real servers.

use anstyle::Style;
use control::nanny::Verdict;
use control::status::{LvsdStatus, ServerStatus, ServiceStatus};

use crate::ago;
use crate::check::counted;
use crate::output::{BAD, DIM, GOOD, ODD, PLAIN, styled};
use crate::table::{Cell, Table, headline};

pub(super) fn render(lvsd: &LvsdStatus, width: Option<usize>, now: u64, out: &mut String) {
    for service in &lvsd.services {
        out.push('\n');
        head(service, width, out);
        if let Some(problem) = &service.problem {
            out.push_str(&format!("  {}\n", styled(problem, BAD)));
        }
        servers(&service.servers, now).render(width, out);
        if service.failing_open {
            let share = service.max_down_percent;
            let text = format!(
                "  More than {share} % are down at once: the latest to fail stay in the table"
            );
            out.push_str(&(styled(&text, BAD) + "\n"));
        }
        if let Some(sorry) = &service.sorry {
            let (text, style) = if service.on_sorry_server {
                (format!("  The sorry server {sorry} carries the traffic"), BAD)
            } else {
                (format!("  Sorry server {sorry} stands by"), DIM)
            };
            out.push_str(&(styled(&text, style) + "\n"));
        }
    }
    out.push('\n');
    tail(lvsd, width, out);
}

fn head(service: &ServiceStatus, width: Option<usize>, out: &mut String) {
    let keys: Vec<String> = service.keys.iter().map(ToString::to_string).collect();
    let mut keys = keys.join(", ");
    if !service.marked.is_empty() {
        let marked: Vec<String> = service.marked.iter().map(ToString::to_string).collect();
        keys = format!("{} ({keys})", marked.join(", "));
    }
    let persistence = service
        .persistence_seconds
        .map_or_else(String::new, |seconds| format!("persistent {seconds} s"));
    let up = service.servers.iter().filter(|server| server.verdict == Verdict::Up).count();
    let all = service.servers.len();
    let count = format!("{up} of {all} up");
    let style = match up {
        0 => BAD,
        up if up < all => ODD,
        _ => GOOD,
    };
    let parts = [
        (service.name.as_str(), PLAIN),
        (keys.as_str(), PLAIN),
        (service.scheduler.as_str(), PLAIN),
        (persistence.as_str(), PLAIN),
        (count.as_str(), style),
    ];
    headline(&parts, width, out);
}

fn servers(servers: &[ServerStatus], now: u64) -> Table {
    let header = ["Server", "State", "Since", "Weight", "Active", "Closing", "Why"];
    let mut table = Table::new(2, &header, &[3, 4, 5]);
    for server in servers {
        let (state, style) = state(server);
        table.row(vec![
            Cell::new(name(server)),
            Cell::styled(state, style),
            Cell::new(ago::since_short(server.since_unix_ms, now)),
            weight(server),
            Cell::new(server.active_connections.to_string()),
            Cell::new(server.inactive_connections.to_string()),
            Cell::styled(why(server), if style == GOOD { DIM } else { style }),
        ]);
    }
    table
}

/// `www1 192.168.1.4:80`, or only the address when that is its name, with or without the port.
pub(crate) fn name(server: &ServerStatus) -> String {
    match server.address {
        Some(address) if [address.to_string(), address.ip().to_string()].contains(&server.name) => {
            address.to_string()
        }
        Some(address) => format!("{} {address}", server.name),
        None => format!("{} unresolved", server.name),
    }
}

pub(crate) fn state(server: &ServerStatus) -> (&'static str, Style) {
    match (server.verdict, &server.decision) {
        (Verdict::Down, _) => ("down", BAD),
        (_, Some(_)) => ("by hand", ODD),
        (Verdict::Up, None) => ("up", GOOD),
        (Verdict::Unknown, None) => ("unchecked", ODD),
    }
}

/// What the kernel has; the configuration's in brackets when that is another one.
fn weight(server: &ServerStatus) -> Cell {
    let configured = server.configured_weight;
    match server.kernel_weight {
        Some(weight) if weight == configured => Cell::new(weight.to_string()),
        Some(weight) => Cell::styled(format!("{weight} ({configured})"), ODD),
        None => Cell::styled(format!("out ({configured})"), ODD),
    }
}

/// The decision, the reason of a failure, or whatever else keeps the weight from being as
/// configured.
fn why(server: &ServerStatus) -> String {
    let mut parts = Vec::new();
    parts.extend(server.decision.clone());
    if server.verdict != Verdict::Up && !server.reason.is_empty() {
        parts.push(server.reason.clone());
    }
    if server.verdict == Verdict::Down && server.kernel_weight.is_some_and(|weight| weight > 0) {
        parts.push("kept in the table".to_owned());
    }
    if parts.is_empty() && server.kernel_weight != Some(server.configured_weight) {
        parts.extend(server.weight_because.last().cloned());
    }
    parts.join("; ")
}

fn tail(lvsd: &LvsdStatus, width: Option<usize>, out: &mut String) {
    let checks = format!("{} checks passed, {} failed", lvsd.checks_passed, lvsd.checks_failed);
    let writes = format!("{} kernel changes", lvsd.kernel_writes);
    let refusals = some(lvsd.kernel_refusals, "refused");
    let repairs = some(lvsd.drift_repairs, "repaired after somebody else's change");
    let restarts = some(lvsd.nanny_restarts, "restarts of nanny");
    let foreign = match lvsd.foreign.len() {
        0 => String::new(),
        count => format!("{} not ours, left alone", counted(count, "kernel service")),
    };
    let parts = [
        (checks.as_str(), PLAIN),
        (writes.as_str(), PLAIN),
        (refusals.as_str(), BAD),
        (repairs.as_str(), ODD),
        (restarts.as_str(), ODD),
        (foreign.as_str(), DIM),
    ];
    headline(&parts, width, out);
}

fn some(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("{count} {what}") }
}
