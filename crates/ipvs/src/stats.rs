//! What the kernel counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DestinationKey, ServiceKey};

/// Traffic since the entry was added or set to 0, and the kernel's estimate of its rate. The kernel
/// sums its processors' counts every two seconds, so the last two seconds may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets towards the real servers.
    pub packets_in: u64,
    /// Packets back to the clients that passed the router (with NAT).
    pub packets_out: u64,
    /// Bytes towards the real servers.
    pub bytes_in: u64,
    /// Bytes back to the clients that passed the router.
    pub bytes_out: u64,
    /// Connections a second.
    pub connections_per_second: u64,
    /// Packets in a second.
    pub packets_in_per_second: u64,
    /// Packets out a second.
    pub packets_out_per_second: u64,
    /// Bytes in a second.
    pub bytes_in_per_second: u64,
    /// Bytes out a second.
    pub bytes_out_per_second: u64,
}

/// Connections that a real server has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Established.
    pub active: u32,
    /// Opening, closing, or without a state (UDP).
    pub inactive: u32,
    /// Templates that keep clients with it.
    pub persistent: u32,
}

/// What the kernel counts for a real server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationStats {
    /// Connections now.
    pub connections: Connections,
    /// Traffic.
    pub counters: Counters,
}

/// What the kernel counts for a virtual server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStats {
    /// Traffic of the virtual server, also of real servers that have left since.
    pub counters: Counters,
    /// Each real server's.
    pub destinations: BTreeMap<DestinationKey, DestinationStats>,
}

/// The counters that go with a [`Table`](crate::Table).
pub type TableStats = BTreeMap<ServiceKey, PoolStats>;
