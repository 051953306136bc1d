//! The status snapshots: a stable, documented schema.
//!
//! Fields are added, never renamed or removed, within one [`SCHEMA_VERSION`].

use config::Diagnostic;
use ipvs::{Forwarding, Ports, ServiceKey};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use crate::nanny::Verdict;
use crate::worker::Readiness;

/// Version of the status JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// The configuration in force, and the newest one that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigStatus {
    /// The file or folder.
    pub path: String,
    /// `native`, `lvs.cf`, `ldirectord.cf`, `ha.d`.
    pub format: String,
    /// Hash of the configuration in force, 16 hexadecimal digits.
    pub hash: String,
    /// When it was applied, milliseconds since the Unix epoch.
    pub applied_at_unix_ms: u64,
    /// Problems of the newest edit, if that was refused; empty once it is mended.
    pub refused: Vec<Diagnostic>,
    /// The one in force is on trial: so many seconds from now it goes back to the one before.
    #[serde(default)]
    pub trial_seconds: Option<u64>,
}

/// Answer to `GET /v1/status` of pulse.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PulseStatus {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// This router's name.
    pub router: String,
    /// Seconds since pulse started.
    pub uptime_seconds: u64,
    /// Configuration.
    pub config: ConfigStatus,
    /// The other router.
    pub partner: PartnerStatus,
    /// Heartbeat paths.
    pub paths: Vec<PathStatus>,
    /// Witnesses, when configured.
    pub witness: Vec<WitnessStatus>,
    /// Switching the partner off: `not needed`, `pending`, `failed`, `done`; empty where it is not
    /// configured.
    #[serde(default)]
    pub fencing: String,
    /// What moves.
    pub groups: Vec<GroupStatus>,
    /// Whether this router may take over.
    pub readiness: Readiness,
    /// lvsd's process number, while it runs.
    pub lvsd_pid: Option<u32>,
    /// How often lvsd was restarted.
    pub lvsd_restarts: u64,
    /// Fingerprints of the heartbeat keys, the signing one first; never the keys.
    pub key_fingerprints: Vec<String>,
    /// `observe` while a new key is only believed, `prefer` while the old one is still believed,
    /// `enforce` when neither is so.
    #[serde(default)]
    pub key_mode: String,
    /// Number of the key that the partner signs with.
    #[serde(default)]
    pub partner_signs: Option<u8>,
    /// What became of the packets' tags.
    #[serde(default)]
    pub key_use: KeyUse,
}

/// Packets by the key that they were signed with, since pulse started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// With the first key here.
    pub first: u64,
    /// With another key that is held here.
    pub other: u64,
    /// With a key that is not held here.
    pub unknown: u64,
    /// With none: the tag does not verify.
    pub wrong: u64,
}

/// The other router, as its last heartbeat tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartnerStatus {
    /// Its name.
    pub name: String,
    /// `alive`, `silent` (some paths), `lost`, `stopped`, `never seen`.
    pub state: String,
    /// Milliseconds since it was last heard on any path.
    pub last_heard_ms: Option<u64>,
    /// Its readiness.
    pub readiness: Option<Readiness>,
    /// Its configuration is another one than ours.
    pub config_differs: bool,
}

/// One heartbeat path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PathStatus {
    /// `172.16.1.2 -> 172.16.1.3`, `broadcast eth1`.
    pub name: String,
    /// Heartbeats arrive on it.
    pub alive: bool,
    /// The interface has a carrier.
    pub carrier: bool,
    /// Why it has no place on this router at the moment; none when it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// Milliseconds since the last good heartbeat.
    pub last_heard_ms: Option<u64>,
    /// Heartbeats sent.
    pub sent: u64,
    /// Good heartbeats received.
    pub received: u64,
    /// Packets whose tag did not verify.
    pub rejected_tag: u64,
    /// Packets that were replayed or of an old session.
    pub rejected_replay: u64,
    /// Packets that were malformed or of an unknown version.
    pub rejected_malformed: u64,
}

/// One witness.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WitnessStatus {
    /// Address.
    pub address: String,
    /// Whether it answered when last asked; none before it was.
    pub reachable: Option<bool>,
}

/// A group of addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// This router's role: `starting`, `standby`, `active`.
    pub role: String,
    /// Name of the router that holds it, when known.
    pub held_by: Option<String>,
    /// Preferred router.
    pub preferred: Option<String>,
    /// `manual` or `automatic`.
    pub failback: String,
    /// Why the role is what it is.
    pub reason: String,
    /// Since when, milliseconds since the Unix epoch.
    pub since_unix_ms: u64,
    /// Its addresses, each with where it is and what is wrong with it.
    pub addresses: Vec<AddressStatus>,
}

/// A floating address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AddressStatus {
    /// `192.168.1.1/24`.
    pub address: String,
    /// Interface.
    pub interface: String,
    /// It is on this router now.
    pub present: bool,
    /// What is wrong: another host answers for it, the kernel refused it.
    pub problem: Option<String>,
}

/// Answer to `GET /v1/status` of lvsd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LvsdStatus {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Seconds since lvsd started.
    pub uptime_seconds: u64,
    /// Configuration.
    pub config: ConfigStatus,
    /// Readiness as told to pulse.
    pub readiness: Readiness,
    /// Virtual servers.
    pub services: Vec<ServiceStatus>,
    /// Services in the kernel that are not ours, and stay untouched.
    pub foreign: Vec<String>,
    /// Kernel changes made since start.
    pub kernel_writes: u64,
    /// Kernel changes that were refused since start.
    pub kernel_refusals: u64,
    /// Times that the kernel's table was found changed by somebody else, and mended.
    pub drift_repairs: u64,
    /// Process numbers of nanny while it runs.
    pub nanny_pids: Vec<u32>,
    /// How often nanny was restarted.
    pub nanny_restarts: u64,
    /// What nanny counted.
    pub checks_passed: u64,
    /// What nanny counted.
    pub checks_failed: u64,
}

/// One virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// What it is in the kernel.
    pub keys: Vec<ServiceKey>,
    /// What lvsd marks so that it is one service in the kernel; empty where nothing is marked.
    #[serde(default)]
    pub marked: Vec<Ports>,
    /// Scheduler.
    pub scheduler: String,
    /// Persistence timeout in seconds.
    pub persistence_seconds: Option<u32>,
    /// The sorry server carries the traffic.
    pub on_sorry_server: bool,
    /// More real servers are down than checks may take out: the latest to fail stay in.
    #[serde(default)]
    pub failing_open: bool,
    /// At most this share of the real servers is taken out by checks, in percent.
    #[serde(default)]
    pub max_down_percent: u8,
    /// The sorry server, when configured.
    pub sorry: Option<String>,
    /// Why the kernel does not hold it as wanted.
    pub problem: Option<String>,
    /// Real servers.
    pub servers: Vec<ServerStatus>,
}

/// One real server of one virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Its name, or address and port.
    pub name: String,
    /// Address and port; none while its name does not resolve.
    pub address: Option<SocketAddr>,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Verdict of its check.
    pub verdict: Verdict,
    /// Why: `connection refused`.
    pub reason: String,
    /// Its checks, all of which it has to pass; none when it needs no answer.
    #[serde(default)]
    pub checks: Vec<CheckStatus>,
    /// Since when, milliseconds since the Unix epoch.
    pub since_unix_ms: u64,
    /// Weight in the configuration.
    pub configured_weight: u32,
    /// Weight in the kernel; none when it is not in the table.
    pub kernel_weight: Option<u32>,
    /// Why the weight in the kernel is what it is, from the configuration to the operator.
    pub weight_because: Vec<String>,
    /// The operator's decision, in words, with who, why and until when.
    pub decision: Option<String>,
    /// Open connections.
    pub active_connections: u32,
    /// Connections that are closing.
    pub inactive_connections: u32,
    /// Connections ever.
    pub connections: u64,
    /// Bytes towards it.
    pub bytes_in: u64,
}

/// One check of a real server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckStatus {
    /// Its kind, with what tells it from others: `http /status on port 80`.
    pub check: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Since when, milliseconds since the Unix epoch.
    pub since_unix_ms: u64,
}
