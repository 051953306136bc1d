//! pulse, when it has started us.

use control::PROTOCOL_VERSION;
use control::worker::{FromLvsd, Readiness, ToLvsd};
use runtime::ExitError;
use runtime::lines::{JsonLines, LineError, LineReader, LineWriter};

/// What pulse asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// These groups are active here.
    Roles(Vec<String>),
    /// This router has a partner, to which pulse carries letters; this router's name.
    Partner(String),
    /// The partner's lvsd has written.
    Letter(String),
    /// Read the configuration.
    Reload,
    /// End in order.
    Stop,
    /// pulse is gone: end, and leave the table as it is.
    Orphaned,
}

/// The socket to pulse; nobody is there when lvsd was started alone.
pub(super) struct Parent {
    lines: Option<(LineReader<ToLvsd>, LineWriter<FromLvsd>)>,
    told: Option<Readiness>,
}

impl Parent {
    /// Nobody.
    pub(super) fn none() -> Self {
        Self { lines: None, told: None }
    }

    /// Greets pulse over standard input.
    pub(super) async fn greet() -> Result<Self, ExitError> {
        let lines = JsonLines::from_stdin().map_err(|error| ExitError::usage(error.to_string()))?;
        let (reader, mut writer) = lines.split();
        let hello = FromLvsd::Hello { version: PROTOCOL_VERSION, letters: true };
        writer.send(&hello).await.map_err(|error| lost(&error))?;
        Ok(Self { lines: Some((reader, writer)), told: None })
    }

    /// There is one.
    pub(super) fn is_there(&self) -> bool {
        self.lines.is_some()
    }

    /// The next wish; never without a parent. May be dropped and called again.
    pub(super) async fn wish(&mut self) -> Result<Wish, ExitError> {
        let Some((reader, _)) = &mut self.lines else { return std::future::pending().await };
        loop {
            return match reader.next().await.map_err(|error| lost(&error))? {
                None => Ok(Wish::Orphaned),
                Some(ToLvsd::Roles { active }) => Ok(Wish::Roles(active)),
                Some(ToLvsd::Reload) => Ok(Wish::Reload),
                Some(ToLvsd::Stop) => Ok(Wish::Stop),
                Some(ToLvsd::Hello { version: PROTOCOL_VERSION, router: Some(router) }) => {
                    Ok(Wish::Partner(router))
                }
                Some(ToLvsd::Hello { version: PROTOCOL_VERSION, router: None }) => continue,
                Some(ToLvsd::Letter { text }) => Ok(Wish::Letter(text)),
                Some(ToLvsd::Hello { version, .. }) => Err(ExitError::internal(format!(
                    "pulse speaks version {version} and lvsd {PROTOCOL_VERSION}: \
                     install both from one package and restart pulse"
                ))),
            };
        }
    }

    /// Tells how we are, if that is news or `again`. A pulse that does not read is no reason to
    /// stop working: the end of the stream is noticed by [`wish`](Self::wish).
    pub(super) async fn tell(&mut self, readiness: Readiness, again: bool) {
        if self.told == Some(readiness) && !again {
            return;
        }
        self.told = Some(readiness);
        self.say(FromLvsd::Readiness(readiness)).await;
    }

    /// Writes to the partner's lvsd.
    pub(super) async fn letter(&mut self, text: String) {
        self.say(FromLvsd::Letter { text }).await;
    }

    async fn say(&mut self, message: FromLvsd) {
        let Some((_, writer)) = &mut self.lines else { return };
        let sent = writer.send(&message);
        match tokio::time::timeout(std::time::Duration::from_secs(1), sent).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "cannot tell pulse"),
            Err(_) => tracing::warn!("pulse does not read what lvsd tells it"),
        }
    }
}

fn lost(error: &LineError) -> ExitError {
    ExitError::internal(format!("cannot talk to pulse: {error}"))
}
