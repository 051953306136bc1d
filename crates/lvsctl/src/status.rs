//! `lvsctl status`: the pair, the table and the checks at one glance.

mod pair;
mod table;

use control::status::{ConfigStatus, LvsdStatus, PulseStatus};
use runtime::logging::sentence;
use runtime::{ExitError, timestamp};

use crate::ago;
use crate::client::Daemons;
use crate::output::{self, BAD, DIM, ODD, styled};
use crate::said::{self, Said};

/// How both daemons are.
pub(crate) type Snapshot = Said<PulseStatus, LvsdStatus>;

pub(crate) async fn run(daemons: &Daemons, json: bool) -> Result<(), ExitError> {
    let snapshot = gather(daemons).await?;
    if json {
        output::print(&output::json(&snapshot)?)?;
    } else {
        let width = output::terminal_size().map(|(width, _)| width);
        output::print(&render(&snapshot, width, timestamp::unix_ms()))?;
    }
    snapshot.end()
}

/// Asks both daemons; an error when neither answers.
pub(crate) async fn gather(daemons: &Daemons) -> Result<Snapshot, ExitError> {
    said::ask(daemons, "/v1/status").await
}

/// The whole picture, with colours; lines fit `width` when there is one.
pub(crate) fn render(snapshot: &Snapshot, width: Option<usize>, now_unix_ms: u64) -> String {
    let mut out = String::new();
    match (&snapshot.pulse, &snapshot.lvsd) {
        (Some(pulse), _) => pair::render(pulse, width, now_unix_ms, &mut out),
        (None, Some(lvsd)) => {
            let (line, style) = match &snapshot.pulse_fails {
                None => {
                    let up = ago::span(lvsd.uptime_seconds);
                    (format!("Single director, up {up}"), output::BOLD)
                }
                Some(_) => ("pulse does not answer".to_owned(), BAD),
            };
            out.push_str(&(styled(&line, style) + "\n"));
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
