//! What both daemons say to one question: what one has said counts, whatever the other one does.

use control::status::SCHEMA_VERSION;
use runtime::ExitError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{AskError, Daemons, unless_silent};

/// Both answers. A single director has no pulse.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Said<Pulse, Lvsd> {
    pub(crate) schema: u32,
    pub(crate) pulse: Option<Pulse>,
    pub(crate) lvsd: Option<Lvsd>,
    /// What pulse gave instead of an answer, if it is there.
    #[serde(skip)]
    pub(crate) pulse_fails: Option<ExitError>,
    /// What lvsd gave instead.
    #[serde(skip)]
    pub(crate) lvsd_fails: Option<ExitError>,
}

impl<Pulse, Lvsd> Said<Pulse, Lvsd> {
    /// With these answers, or the errors of those that did not answer.
    pub(crate) fn new(pulse: Result<Pulse, AskError>, lvsd: Result<Lvsd, AskError>) -> Self {
        let (pulse, pulse_fails) = apart(pulse);
        let (lvsd, lvsd_fails) = apart(lvsd);
        Self { schema: SCHEMA_VERSION, pulse, lvsd, pulse_fails, lvsd_fails }
    }

    /// The error with which a command ends after it has shown what was said.
    pub(crate) fn failure(&self) -> Option<ExitError> {
        together([&self.pulse_fails, &self.lvsd_fails].into_iter().flatten().cloned())
    }

    /// How the command ends.
    pub(crate) fn end(&self) -> Result<(), ExitError> {
        self.failure().map_or(Ok(()), Err)
    }
}

/// Asks both at a time: one that hangs holds up the other one's answer no longer than its own.
///
/// # Errors
/// When neither has anything to say.
pub(crate) async fn ask<Pulse: DeserializeOwned, Lvsd: DeserializeOwned>(
    daemons: &Daemons,
    path: &str,
) -> Result<Said<Pulse, Lvsd>, ExitError> {
    let (pulse, lvsd) = tokio::join!(daemons.pulse.get(path, &[]), daemons.lvsd.get(path, &[]));
    let said = Said::new(pulse, lvsd);
    if said.pulse.is_none() && said.lvsd.is_none() {
        return Err(said.failure().unwrap_or_else(|| daemons.lvsd.silent()));
    }
    Ok(said)
}

/// The answer, or the error of one that is there and gave none.
fn apart<Answer>(asked: Result<Answer, AskError>) -> (Option<Answer>, Option<ExitError>) {
    match unless_silent(asked) {
        Ok(answer) => (answer, None),
        Err(error) => (None, Some(error)),
    }
}

/// One error of several: the first one's code, and all that was said.
pub(crate) fn together(errors: impl IntoIterator<Item = ExitError>) -> Option<ExitError> {
    errors.into_iter().reduce(|first, next| {
        ExitError::new(first.exit, format!("{}; {}", first.message, next.message))
    })
}
