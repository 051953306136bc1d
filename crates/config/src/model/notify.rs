//! Who is told of changes, beside the log.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who is told when a virtual server's real servers come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// Program and arguments, run when no real server is up any more; nothing when empty.
    pub empty: Vec<String>,
    /// Program and arguments, run when one is up again.
    pub filled: Vec<String>,
    /// Who gets a mail about each real server that goes or returns.
    pub mail: Option<Mail>,
    /// Full path of a file in which each result of a check is a line; none is no file.
    pub results: Option<String>,
}

/// Programs run when one real server goes and returns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerNotify {
    /// Program and arguments, run when it is up again; nothing when empty.
    pub up: Vec<String>,
    /// Program and arguments, run when it is down.
    pub down: Vec<String>,
}

/// Mails about real servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Who gets them; at least one.
    pub to: Vec<String>,
    /// Who they come from; none is the user that lvsd runs as.
    pub from: Option<String>,
    /// The mail server, by name or address, with a port or without; none is that of this host.
    pub server: Option<String>,
    /// Sent again after this long while the real server stays down; none is never.
    pub repeat: Option<Duration>,
}
