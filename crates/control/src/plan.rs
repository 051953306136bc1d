//! `POST /v1/plan` of lvsd: what a configuration would change in the kernel now.

use config::Cluster;
use serde::{Deserialize, Serialize};

/// The question. Nothing is changed by asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// The configuration, checked; none asks for the one in force.
    #[serde(default)]
    pub cluster: Option<Box<Cluster>>,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAnswer {
    /// The changes, in the order in which they would be made.
    pub changes: Vec<PlannedChange>,
    /// Firewall marks that lvsd would set, or set no more, one sentence each.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Real servers that would wait for their first check before they join, as
    /// `www 192.168.1.6:80`.
    pub unchecked: Vec<String>,
}

/// One change of the kernel's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// As an ipvsadm command line.
    pub line: String,
    /// Live connections of what is changed or removed.
    pub connections: u64,
    /// The connections end or are no longer forwarded; else they go on.
    pub ends_connections: bool,
}
