//! `lvsctl status`: the pair, the table and the checks at one glance.

mod pair;
mod table;

use control::status::{ConfigStatus, LvsdStatus, PulseStatus, SCHEMA_VERSION};
use runtime::logging::sentence;
use runtime::{ExitError, timestamp};
use serde::Serialize;

use crate::ago;
use crate::client::Daemons;
use crate::output::{self, BAD, DIM, ODD, styled};

/// What both daemons say. A single director has no pulse.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Snapshot {
    schema: u32,
    pulse: Option<PulseStatus>,
    lvsd: Option<LvsdStatus>,
}

pub(crate) async fn run(daemons: &Daemons, json: bool) -> Result<(), ExitError> {
    let snapshot = gather(daemons).await?;
    if json {
        return output::print(&output::json(&snapshot)?);
    }
    let width = output::terminal_size().map(|(width, _)| width);
    output::print(&render(&snapshot, width, timestamp::unix_ms()))
}

/// Asks both daemons; an error when neither answers.
pub(crate) async fn gather(daemons: &Daemons) -> Result<Snapshot, ExitError> {
    let pulse = daemons.pulse.status().await?;
    let lvsd = daemons.lvsd.status().await?;
    if pulse.is_none() && lvsd.is_none() {
        return Err(daemons.lvsd.silent());
    }
    Ok(Snapshot { schema: SCHEMA_VERSION, pulse, lvsd })
}

/// The whole picture, with colours; lines fit `width` when there is one.
pub(crate) fn render(snapshot: &Snapshot, width: Option<usize>, now_unix_ms: u64) -> String {
    let mut out = String::new();
    match (&snapshot.pulse, &snapshot.lvsd) {
        (Some(pulse), _) => pair::render(pulse, width, now_unix_ms, &mut out),
        (None, Some(lvsd)) => {
            let line = format!("Single director, up {}", ago::span(lvsd.uptime_seconds));
            out.push_str(&(styled(&line, output::BOLD) + "\n"));
            render_config(&lvsd.config, now_unix_ms, &mut out);
        }
        (None, None) => {}
    }
    match &snapshot.lvsd {
        Some(lvsd) => {
            let of_pulse = snapshot.pulse.as_ref().map(|pulse| &pulse.config);
            if of_pulse.is_some_and(|config| config.hash != lvsd.config.hash) {
                out.push_str(&(styled("lvsd has another configuration than pulse:", ODD) + "\n"));
                render_config(&lvsd.config, now_unix_ms, &mut out);
            }
            table::render(lvsd, width, now_unix_ms, &mut out);
        }
        None => out.push_str(&format!("\n{}\n", styled("lvsd does not answer", BAD))),
    }
    out
}

/// The configuration in force, and why a newer one is not.
fn render_config(config: &ConfigStatus, now_unix_ms: u64, out: &mut String) {
    let applied = match ago::since(config.applied_at_unix_ms, now_unix_ms) {
        since if since.is_empty() => String::new(),
        since => format!(", applied {since} ago"),
    };
    let hash: String = config.hash.chars().take(8).collect();
    out.push_str(&sentence(&format!("Configuration {} ({}, {hash})", config.path, config.format)));
    out.push_str(&(styled(&applied, DIM) + "\n"));
    if let Some(seconds) = config.trial_seconds {
        let text =
            format!("It is on trial: back in {} unless `lvsctl apply --keep`", ago::span(seconds));
        out.push_str(&(styled(&text, ODD) + "\n"));
    }
    if config.refused.is_empty() {
        return;
    }
    out.push_str(&(styled("The newest edit is refused; what ran before goes on:", BAD) + "\n"));
    for problem in &config.refused {
        out.push_str(&format!("  {}\n", styled(&problem.one_line(), BAD)));
    }
}

pub(crate) use table::{name as server_name, state as server_state};

#[cfg(test)]
mod tests;
