//! Why a check failed, in the words that a person wants.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use health::escape::show;
use health::expect::Mismatch;
use health::login::Refused;
use thiserror::Error;

use crate::trace::Phase;

/// What was seen when a check passed: `connected`, `status 200`.
pub type Seen = Cow<'static, str>;

/// Why a check failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// The network or the server said no.
    #[error("{}", words(.0))]
    Network(io::Error),
    /// This router could not even ask; it says nothing about the server.
    #[error("not checked, this router has a problem: {}", words(.0))]
    Here(io::Error),
    /// The limit for the whole check passed.
    #[error("{} within {}", .phase.missing(), shown(*.limit))]
    TooSlow {
        /// What was waited for.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// Something came, but not what was wanted, until the limit passed.
    #[error("answer {} is not the expected one, no other within {}", show(.heard), shown(*.limit))]
    Unexpected {
        /// The beginning of what came.
        heard: Vec<u8>,
        /// The limit.
        limit: Duration,
    },
    /// The server closed too early.
    #[error("connection closed {0}")]
    Closed(&'static str),
    /// What came is not what was wanted.
    #[error("{subject} {mismatch}")]
    Mismatch {
        /// `answer`, `body`, `file`, `output`.
        subject: &'static str,
        /// How it differs.
        mismatch: Mismatch,
    },
    /// The status code is not a good one.
    #[error("status {got}, wanted {wanted}")]
    Status {
        /// What came.
        got: u16,
        /// The good ones.
        wanted: String,
    },
    /// The answer leads to another page, and that is not followed, or failed itself.
    #[error("redirected to {to}, {why}")]
    Redirected {
        /// Where it leads, fit to be shown.
        to: String,
        /// Why that is no good answer.
        why: Box<Failure>,
    },
    /// No login, or nothing behind it.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// In these words: TLS, HTTP, programs, and checks that cannot be done as they are written.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The failure says nothing about the server, so no verdict may rest on it.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Here(_) => true,
            Self::Redirected { why, .. } => why.is_ours(),
            _ => false,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(
                rustix::io::Errno::MFILE
                | rustix::io::Errno::NFILE
                | rustix::io::Errno::NOMEM
                | rustix::io::Errno::NOBUFS
                | rustix::io::Errno::ADDRNOTAVAIL,
            ) => Self::Here(error),
            _ => Self::Network(error),
        }
    }
}

/// What an error of the network means.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by the server".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        io::ErrorKind::BrokenPipe => "connection closed while sending".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed in the middle".to_owned(),
        io::ErrorKind::AddrNotAvailable => "no free port or address".to_owned(),
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            let text = text.get(..end).unwrap_or(&text);
            // The kernel's own texts begin with a capital.
            if error.raw_os_error().is_some() { text.to_lowercase() } else { text.to_owned() }
        }
    }
}

/// A limit as it is written in the configuration: `3 s`, `500 ms`.
pub(crate) fn shown(limit: Duration) -> String {
    if limit.subsec_nanos() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}
