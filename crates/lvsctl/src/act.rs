//! The operator's hand: what changes something.

use control::action::{ActionResult, Apply, Decision, MoveGroups, ServerAction};
use runtime::ExitError;
use runtime::logging::sentence;
use serde::Serialize;

use crate::arguments::{self, Drain, Groups, Weight, Which};
use crate::client::{AskError, Daemon, Daemons, unless_silent};
use crate::output;
use crate::said::together;

pub(crate) async fn move_groups(
    daemons: &Daemons,
    action: &str,
    groups: Groups,
    force: bool,
) -> Result<(), ExitError> {
    let question = MoveGroups { groups: groups.groups, force };
    say(daemons.pulse.post(&format!("/v1/{action}"), &question).await?)
}

pub(crate) async fn drain(daemons: &Daemons, drain: Drain) -> Result<(), ExitError> {
    let deadline_seconds = drain.deadline.map(|deadline| deadline.as_secs());
    decide(&daemons.lvsd, drain.which, Decision::Drain { deadline_seconds }).await
}

pub(crate) async fn undrain(daemons: &Daemons, which: Which) -> Result<(), ExitError> {
    decide(&daemons.lvsd, which, Decision::Undrain).await
}

pub(crate) async fn disable(daemons: &Daemons, which: Which) -> Result<(), ExitError> {
    decide(&daemons.lvsd, which, Decision::Disable).await
}

pub(crate) async fn enable(daemons: &Daemons, which: Which) -> Result<(), ExitError> {
    decide(&daemons.lvsd, which, Decision::Enable).await
}

pub(crate) async fn weight(daemons: &Daemons, weight: Weight) -> Result<(), ExitError> {
    decide(&daemons.lvsd, weight.which, Decision::Weight { weight: weight.weight }).await
}

pub(crate) async fn rotate_key(daemons: &Daemons) -> Result<(), ExitError> {
    say(daemons.pulse.post("/v1/rotate-key", &serde_json::json!({})).await?)
}

/// Under pulse both daemons read the configuration; a single director has only lvsd.
pub(crate) async fn reload(daemons: &Daemons) -> Result<(), ExitError> {
    both(daemons, "/v1/reload", &serde_json::json!({})).await
}

/// Both daemons have the configuration in force; what pulse refuses, lvsd is not asked.
pub(crate) async fn apply(daemons: &Daemons, apply: arguments::Apply) -> Result<(), ExitError> {
    let question = match apply {
        arguments::Apply { keep: true, .. } => return keep(daemons).await,
        arguments::Apply { confirm: None, .. } => Apply::Unconfirmed,
        arguments::Apply { confirm: Some(trial), .. } => {
            // A trial of half a second is one of a second, and not one without end.
            let trial_seconds = trial.map(|trial| trial.as_millis().div_ceil(1000));
            let trial_seconds =
                trial_seconds.map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX));
            Apply::Confirmed { trial_seconds }
        }
    };
    both(daemons, "/v1/apply", &question).await
}

/// Asks pulse, if there is one, and then lvsd. What one has done is told whatever the other says.
async fn both(daemons: &Daemons, path: &str, question: &impl Serialize) -> Result<(), ExitError> {
    let under_pulse = match unless_silent(daemons.pulse.post(path, question).await)? {
        Some(done) => {
            say(done)?;
            true
        }
        None => false,
    };
    match daemons.lvsd.post(path, question).await {
        Ok(done) => say(done),
        Err(AskError::Silent(_)) if under_pulse => Err(daemons.lvsd.missed()),
        Err(error) => Err(error.into()),
    }
}

/// Done when one of them had something to keep: the other may have been restarted in between, and
/// has nothing on trial then. Nothing else is a reason not to keep it.
async fn keep(daemons: &Daemons) -> Result<(), ExitError> {
    let pulse = daemons.pulse.post("/v1/apply", &Apply::Keep).await;
    let under_pulse = !matches!(&pulse, Err(AskError::Silent(_)));
    let lvsd = match daemons.lvsd.post("/v1/apply", &Apply::Keep).await {
        Err(AskError::Silent(_)) if under_pulse => Err(AskError::Failed(daemons.lvsd.missed())),
        lvsd => lvsd,
    };
    let (mut kept, mut nothing, mut failed) = (false, None, Vec::new());
    for answer in [pulse, lvsd] {
        match answer {
            Ok(done) => {
                say(done)?;
                kept = true;
            }
            Err(AskError::Silent(_)) => {}
            Err(AskError::Conflict(error)) => nothing = Some(error),
            Err(AskError::Failed(error)) => failed.push(error),
        }
    }
    match (together(failed), nothing) {
        (Some(error), _) => Err(error),
        (None, _) if kept => Ok(()),
        (None, Some(nothing)) => Err(nothing),
        (None, None) => Err(daemons.lvsd.silent()),
    }
}

async fn decide(lvsd: &Daemon, which: Which, decision: Decision) -> Result<(), ExitError> {
    let Which { server, service, reason } = which;
    let question = ServerAction { server, service, decision, reason, who: Some(who()) };
    say(lvsd.post("/v1/server", &question).await?)
}

fn say(result: ActionResult) -> Result<(), ExitError> {
    let lines: String = result.done.iter().map(|line| sentence(line) + "\n").collect();
    output::print(&lines)
}

/// The person's name, for whoever reads the status later. It proves nothing: lvsd knows the user
/// number from the kernel.
fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    named.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}
