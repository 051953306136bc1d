//! The upper half: routers, groups, paths.

use control::status::{
    AddressStatus, GroupStatus, PartnerStatus, PathStatus, PulseStatus, WitnessStatus,
};

use super::render_config;
use crate::ago;
use crate::output::{BAD, DIM, GOOD, ODD, PLAIN, styled};
use crate::table::{Cell, Table, headline};

pub(super) fn render(pulse: &PulseStatus, width: Option<usize>, now: u64, out: &mut String) {
    let router = format!("Router {}", pulse.router);
    let up = format!("up {}", ago::span(pulse.uptime_seconds));
    let (partner, style) = partner(&pulse.partner);
    let (ready, ready_style) = readiness(pulse);
    let parts = [
        (router.as_str(), PLAIN),
        (up.as_str(), DIM),
        (partner.as_str(), style),
        (ready.as_str(), ready_style),
    ];
    headline(&parts, width, out);
    render_config(&pulse.config, now, out);
    if pulse.partner.config_differs {
        let text = "The partner has another configuration: copy the file to both routers";
        out.push_str(&(styled(text, ODD) + "\n"));
    }
    if pulse.lvsd_restarts > 0 {
        let text = format!("lvsd was restarted {} times: look at its log", pulse.lvsd_restarts);
        out.push_str(&(styled(&text, ODD) + "\n"));
    }
    for group in &pulse.groups {
        out.push('\n');
        render_group(group, width, now, out);
    }
    if !pulse.paths.is_empty() {
        out.push('\n');
        paths(&pulse.paths).render(width, out);
    }
    for witness in &pulse.witness {
        out.push_str(&witness_line(witness));
    }
    out.push_str(&fencing(&pulse.fencing));
    keys(pulse, width, out);
}

/// Which key signs, and where a rotation stands.
fn keys(pulse: &PulseStatus, width: Option<usize>, out: &mut String) {
    let Some((first, others)) = pulse.key_fingerprints.split_first() else { return };
    let mut parts = vec![(format!("Key {first} signs"), DIM)];
    let more = others.iter().map(|other| (format!("{other} is believed too"), ODD));
    parts.extend(more);
    let stage = match pulse.key_mode.as_str() {
        "observe" => "a new one waits for the partner to sign with it",
        "prefer" => "the old one leaves once the partner signs with the first",
        _ => "",
    };
    parts.push((stage.to_owned(), ODD));
    let number = first.split(':').next().and_then(|number| number.parse().ok());
    if let Some(signs) = pulse.partner_signs.filter(|signs| Some(*signs) != number) {
        parts.push((format!("the partner signs with key {signs}"), ODD));
    }
    parts.retain(|(text, _)| !text.is_empty());
    let parts: Vec<_> = parts.iter().map(|(text, style)| (text.as_str(), *style)).collect();
    headline(&parts, width, out);
}

fn partner(partner: &PartnerStatus) -> (String, anstyle::Style) {
    let heard = partner
        .last_heard_ms
        .map_or_else(String::new, |ms| format!(", heard {} ago", ago::heard(ms)));
    let style = match partner.state.as_str() {
        "alive" => GOOD,
        "stopped" | "silent" => ODD,
        _ => BAD,
    };
    (format!("partner {} {}{heard}", partner.name, partner.state), style)
}

fn readiness(pulse: &PulseStatus) -> (String, anstyle::Style) {
    let ready = pulse.readiness;
    let text = match (ready.table_in_place, ready.checks_warm) {
        (true, true) => return ("ready".to_owned(), GOOD),
        (false, _) => "not ready: the table is not in place",
        (true, false) => "not ready: not every server is checked yet",
    };
    (text.to_owned(), ODD)
}

/// Its role and why, then its addresses.
fn render_group(group: &GroupStatus, width: Option<usize>, now: u64, out: &mut String) {
    let name = format!("Group {}", group.name);
    let since = match ago::since(group.since_unix_ms, now) {
        since if since.is_empty() => String::new(),
        since => format!(" for {since}"),
    };
    let role = format!("{} here{since}", group.role);
    let active = group.role == "active";
    let holder = match (&group.held_by, active) {
        (_, true) => String::new(),
        (Some(router), false) => format!("held by {router}"),
        (None, false) => "held by nobody known".to_owned(),
    };
    let failback = match &group.preferred {
        Some(preferred) => format!("{} failback to {preferred}", group.failback),
        None => "no failback".to_owned(),
    };
    let parts = [
        (name.as_str(), PLAIN),
        (role.as_str(), if active { GOOD } else { PLAIN }),
        (holder.as_str(), if group.held_by.is_some() { PLAIN } else { BAD }),
        (failback.as_str(), DIM),
        (group.reason.as_str(), DIM),
    ];
    headline(&parts, width, out);
    let mut table = Table::new(2, &[], &[]);
    for address in &group.addresses {
        table.row(vec![
            Cell::new(&address.address),
            Cell::new(&address.interface),
            address_state(address, active),
        ]);
    }
    table.render(width, out);
}

/// Where it is, or what is wrong with it.
fn address_state(address: &AddressStatus, active: bool) -> Cell {
    match (&address.problem, address.present, active) {
        (Some(problem), ..) => Cell::styled(problem, BAD),
        (None, true, true) => Cell::styled("here", GOOD),
        (None, false, true) => Cell::styled("missing", BAD),
        (None, true, false) => Cell::styled("here, though the group is not", BAD),
        (None, false, false) => Cell::styled("not here", DIM),
    }
}

fn paths(paths: &[PathStatus]) -> Table {
    let header = ["Path", "State", "Heard", "Sent", "Received", "Refused"];
    let mut table = Table::new(0, &header, &[2, 3, 4]);
    for path in paths {
        let absent = path.absent.as_ref().map(|why| format!("absent: {why}"));
        let (state, style) = match (&absent, path.alive, path.carrier) {
            (Some(absent), ..) => (absent.as_str(), BAD),
            (None, _, false) => ("no carrier", BAD),
            (None, true, true) => ("alive", GOOD),
            (None, false, true) => ("silent", BAD),
        };
        table.row(vec![
            Cell::new(&path.name),
            Cell::styled(state, style),
            Cell::new(path.last_heard_ms.map_or_else(|| "never".to_owned(), ago::heard)),
            Cell::new(path.sent.to_string()),
            Cell::new(path.received.to_string()),
            refused(path),
        ]);
    }
    table
}

/// Packets that were not believed, by reason.
fn refused(path: &PathStatus) -> Cell {
    let reasons = [
        (path.rejected_tag, "with another key"),
        (path.rejected_replay, "replayed"),
        (path.rejected_malformed, "malformed"),
    ];
    let words: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{count} {reason}"))
        .collect();
    let style = if path.rejected_tag > 0 { BAD } else { ODD };
    if words.is_empty() { Cell::new("none") } else { Cell::styled(words.join(", "), style) }
}

/// Whether the partner is switched off; nothing where there is nothing to tell.
fn fencing(state: &str) -> String {
    let (text, style) = match state {
        "pending" => ("The partner is being switched off, its groups wait for that", ODD),
        "failed" => (
            "The partner cannot be switched off, its groups wait: see that it is off, then say \
             `lvsctl takeover --force`",
            BAD,
        ),
        "done" => ("The partner is switched off", ODD),
        _ => return String::new(),
    };
    styled(text, style) + "\n"
}

fn witness_line(witness: &WitnessStatus) -> String {
    let (state, style) = match witness.reachable {
        Some(true) => ("answered when last asked", GOOD),
        Some(false) => ("did not answer when last asked", BAD),
        None => ("was not asked yet", DIM),
    };
    format!("Witness {} {}\n", witness.address, styled(state, style))
}
