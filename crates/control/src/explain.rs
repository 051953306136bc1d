//! `GET /v1/explain?server=…` of lvsd: why a real server has the weight that it has.

use serde::{Deserialize, Serialize};

use crate::nanny::ProbeResult;
use crate::status::ServerStatus;

/// Everything about the real servers that match a name or an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// One for each virtual server that has it.
    pub servers: Vec<ExplainedServer>,
}

/// One real server of one virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedServer {
    /// Name of the virtual server.
    pub service: String,
    /// How its packets come to be those of one service, where lvsd marks them.
    #[serde(default)]
    pub marked: Option<String>,
    /// The real server as in the status.
    pub server: ServerStatus,
    /// Its last check results, the newest last; empty when it needs no check.
    pub results: Vec<ProbeResult>,
}
