//! The rule for one real server: is it in the table, with which weight, and why.

use config::model::OnFailure;

use super::{Fitness, WantedServer};
use crate::load::{Reading, weigh};
use crate::{Decided, Verdict};

/// Where a real server belongs, and the rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In the table with its weight.
    Serving(u32),
    /// In the table with weight 0: an operator drains it.
    Draining,
    /// In the table with weight 0: its check failed and open connections may go on.
    Quiesced,
    /// In the table with its weight although its check failed: enough others are out already.
    Held(u32),
    /// Out: its check failed.
    Failed,
    /// Out: no check has answered yet.
    Unchecked,
    /// Out: an operator drained it and its connections have ended.
    Drained,
    /// Out: an operator disabled it.
    Disabled,
    /// It is up, and what is up is less than the quorum: out, or in the table with weight 0.
    GivenUp(OnFailure),
    /// A file of the maintenance folder names it: out, or in the table with weight 0.
    Resting(OnFailure),
    /// Out: its name has no address of the virtual server's family.
    Unresolved,
}

impl Placement {
    /// Its weight in the table; none is out.
    pub fn weight(self) -> Option<u32> {
        match self {
            Self::Serving(weight) | Self::Held(weight) => Some(weight),
            Self::Draining
            | Self::Quiesced
            | Self::GivenUp(OnFailure::Quiesce)
            | Self::Resting(OnFailure::Quiesce) => Some(0),
            _ => None,
        }
    }
}

/// The rule. The operator's word goes before the check's, and "out" before "in".
pub(super) fn place(
    weight: u32,
    on_failure: OnFailure,
    fitness: Fitness,
    decided: Option<&Decided>,
    resting: bool,
) -> Placement {
    let drain = decided.and_then(|decided| decided.drain.as_ref());
    if decided.is_some_and(|decided| decided.disabled.is_some()) {
        return Placement::Disabled;
    }
    if drain.is_some_and(|drain| drain.done) {
        return Placement::Drained;
    }
    if resting {
        return Placement::Resting(on_failure);
    }
    match (fitness.verdict, on_failure) {
        (Verdict::Unknown, _) => Placement::Unchecked,
        (Verdict::Down, OnFailure::Remove) => Placement::Failed,
        (Verdict::Down, OnFailure::Quiesce) => Placement::Quiesced,
        (Verdict::Up, _) if drain.is_some() => Placement::Draining,
        (Verdict::Up, _) => {
            let set = decided.and_then(|decided| decided.weight.as_ref());
            Placement::Serving(set.map_or(weight, |(set, _)| *set))
        }
    }
}

/// What one check of a real server says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// What the check is called.
    pub check: &'a str,
    /// Its verdict.
    pub fitness: Fitness,
    /// Why; or why the server's name does not resolve.
    pub reason: &'a str,
}

/// The rule in words, from the configuration to the operator; one sentence each.
pub(super) fn because(
    server: &WantedServer,
    configured: u32,
    said: &[Said<'_>],
    decided: Option<&Decided>,
) -> Vec<String> {
    let placement = server.placement;
    if placement == Placement::Unresolved {
        return said.iter().map(|said| format!("out: {}", said.reason)).collect();
    }
    let mut lines = vec![format!("weight {configured} in the configuration")];
    let asked = server.fitness.asked.weight(configured);
    if !server.fitness.asked.is_none() {
        lines.push(format!("weight {asked} asked for by its check"));
    }
    match &server.load {
        Some((_, Some(Reading { load, share }))) => {
            let weight = weigh(asked, *share);
            lines.push(format!("load {load:.1}: weight {weight} of {asked}"));
        }
        Some((_, None)) => lines.push("load not known: the configured weight".to_owned()),
        None => {}
    }
    if let Some(rising) = server.rising {
        let (up_for, over) = (rising.up_for.as_secs(), rising.over.as_secs());
        lines.push(format!("slow start: up again for {up_for} s of {over} s"));
    }
    if let Some((weight, note)) = decided.and_then(|decided| decided.weight.as_ref()) {
        lines.push(format!("weight {weight} set{note}"));
    }
    match said {
        [] => lines.push(check_in_words("check", server.fitness, "")),
        [one] => lines.push(check_in_words("check", one.fitness, one.reason)),
        several => {
            lines.extend(several.iter().map(|one| {
                check_in_words(&format!("check {}", one.check), one.fitness, one.reason)
            }))
        }
    }
    if let Some(drain) = decided.and_then(|decided| decided.drain.as_ref()) {
        lines.push(format!("{}{}", if drain.done { "drained" } else { "draining" }, drain.note));
    }
    if let Some(note) = decided.and_then(|decided| decided.disabled.as_ref()) {
        lines.push(format!("disabled{note}"));
    }
    if server.resting {
        lines.push("out by a file of the maintenance folder".to_owned());
    }
    if matches!(placement, Placement::Held(_)) {
        lines.push("kept: max_down lets no more servers leave".to_owned());
    }
    if matches!(placement, Placement::GivenUp(_)) {
        lines.push("left out: what is up is below the quorum".to_owned());
    }
    lines.push(match placement.weight() {
        Some(weight) => format!("in the table with weight {weight}"),
        None => "out of the table".to_owned(),
    });
    lines
}

fn check_in_words(what: &str, fitness: Fitness, reason: &str) -> String {
    let verdict = match fitness.verdict {
        Verdict::Unknown => "has not answered yet",
        Verdict::Up => "up",
        Verdict::Down => "down",
    };
    let source = if fitness.provisional { " (as found at start, not checked yet)" } else { "" };
    match reason {
        "" => format!("{what}: {verdict}{source}"),
        reason => format!("{what}: {verdict}{source}: {reason}"),
    }
}
