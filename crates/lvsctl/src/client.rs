//! Asking the daemons over their control sockets.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use control::action::Failure;
use reqwest::StatusCode;
use runtime::{Exit, ExitError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a daemon may take to tell something: a person waits for it.
const TELL: Duration = Duration::from_secs(10);
/// How long it may take to do something. A failover under load and a plan of thousands of real
/// servers are the longest.
const ACT: Duration = Duration::from_secs(30);

/// The daemons of this router.
pub(crate) struct Daemons {
    /// Roles, heartbeats, addresses.
    pub(crate) pulse: Daemon,
    /// The table and the checks.
    pub(crate) lvsd: Daemon,
}

impl Daemons {
    pub(crate) fn new(runtime_dir: PathBuf) -> Self {
        let daemon =
            |name: &'static str| Daemon { name, socket: runtime_dir.join(format!("{name}.sock")) };
        Self { pulse: daemon("pulse"), lvsd: daemon("lvsd") }
    }
}

/// One daemon.
pub(crate) struct Daemon {
    name: &'static str,
    socket: PathBuf,
}

/// Why a daemon gave no good answer.
#[derive(Debug)]
pub(crate) enum AskError {
    /// Nothing answers on the socket.
    Silent(ExitError),
    /// It answered that it cannot as things are: nothing is there to do it on.
    Conflict(ExitError),
    /// It answered that it cannot, or the exchange failed.
    Failed(ExitError),
}

impl From<AskError> for ExitError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Silent(error) | AskError::Conflict(error) | AskError::Failed(error) => error,
        }
    }
}

impl Daemon {
    pub(crate) async fn get<Answer: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, AskError> {
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("http://{}{path}{mark}{}", self.name, query.join("&"));
        self.answer(self.client(TELL)?.get(url), TELL).await
    }

    pub(crate) async fn post<Question: Serialize, Answer: DeserializeOwned>(
        &self,
        path: &str,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let url = format!("http://{}{path}", self.name);
        self.answer(self.client(ACT)?.post(url).json(question), ACT).await
    }

    /// The error of commands that need one of both daemons and found none.
    pub(crate) fn silent(&self) -> ExitError {
        silent(self.name, &self.socket)
    }

    /// The error when pulse runs and this one, which it starts, does not answer.
    pub(crate) fn missed(&self) -> ExitError {
        ExitError::unavailable(format!(
            "nothing answers on {}: {name}, which pulse starts, has not done it; look at the log of \
             {name} and try again",
            self.socket.display(),
            name = self.name
        ))
    }

    fn client(&self, patience: Duration) -> Result<reqwest::Client, AskError> {
        let client = reqwest::Client::builder()
            .unix_socket(self.socket.clone())
            .timeout(patience)
            .no_proxy()
            .build();
        client.map_err(|error| AskError::Failed(self.unreadable(&error)))
    }

    async fn answer<Answer: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        patience: Duration,
    ) -> Result<Answer, AskError> {
        let failed = |error| self.unsent(&error, patience);
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| AskError::Failed(self.unreadable(&error)));
        }
        let text = match serde_json::from_slice::<Failure>(&body) {
            Ok(failure) => failure.error,
            Err(_) => format!("{} answered {status}", self.name),
        };
        let error = ExitError::new(exit_of(status), text);
        Err(match status {
            StatusCode::CONFLICT => AskError::Conflict(error),
            _ => AskError::Failed(error),
        })
    }

    fn unsent(&self, error: &reqwest::Error, patience: Duration) -> AskError {
        let socket = self.socket.display();
        let cause = io_cause(error);
        match cause.map(std::io::Error::kind) {
            Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                AskError::Silent(self.silent())
            }
            Some(ErrorKind::PermissionDenied) => AskError::Failed(ExitError::privilege(format!(
                "cannot reach {socket}: permission denied; run as root or join the group caribe"
            ))),
            _ if error.is_timeout() => AskError::Failed(ExitError::unavailable(format!(
                "{} did not answer on {socket} within {} s; look at its log",
                self.name,
                patience.as_secs()
            ))),
            _ => AskError::Failed(ExitError::unavailable(format!(
                "{} broke the exchange on {socket}: {}; look at its log",
                self.name,
                cause.map_or_else(|| error.to_string(), ToString::to_string)
            ))),
        }
    }

    fn unreadable(&self, error: &dyn Error) -> ExitError {
        ExitError::internal(format!(
            "cannot understand {}: {error}; are lvsctl and the daemon of one version?",
            self.name
        ))
    }
}

/// None instead of an error when nothing answers.
pub(crate) fn unless_silent<Answer>(
    asked: Result<Answer, AskError>,
) -> Result<Option<Answer>, ExitError> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(AskError::Silent(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn silent(name: &str, socket: &Path) -> ExitError {
    ExitError::unavailable(format!(
        "nothing answers on {}: is {name} running? start it with: {name} --config PATH; or say \
         where its sockets are with --runtime-dir",
        socket.display()
    ))
}

/// What the shell is told about a refusal.
fn exit_of(status: StatusCode) -> Exit {
    match status {
        StatusCode::FORBIDDEN => Exit::Privilege,
        StatusCode::SERVICE_UNAVAILABLE => Exit::Unavailable,
        StatusCode::UNPROCESSABLE_ENTITY => Exit::Configuration,
        status if status.is_client_error() => Exit::Usage,
        _ => Exit::Internal,
    }
}

fn io_cause(error: &reqwest::Error) -> Option<&std::io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

/// Percent-encoding of everything but unreserved characters (RFC 3986, section 2.3).
fn encode(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests;
