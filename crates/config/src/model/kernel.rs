//! What is set in the kernel beside the table.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kernel's IPVS settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Idle time of TCP connections; none leaves the kernel's.
    pub tcp_timeout: Option<Duration>,
    /// Idle time after a FIN.
    pub tcp_fin_timeout: Option<Duration>,
    /// Idle time of UDP flows.
    pub udp_timeout: Option<Duration>,
    /// Connections are copied to the partner.
    pub sync: Option<ConnectionSync>,
    /// Settings below `/proc/sys/net`.
    pub sysctls: Sysctls,
}

/// What is done about a setting that is on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Switch {
    /// Seen to be on.
    #[default]
    On,
    /// Seen to be off.
    Off,
    /// Left as it is.
    Keep,
}

/// Settings of the kernel that the table needs to do what is expected of it. What was there before
/// comes back when they are wanted no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctls {
    /// A connection whose real server is gone from the table ends at its next packet, so that a UDP
    /// client gets another server.
    pub expire_nodest_conn: Switch,
    /// A client that persistence keeps at a server of weight 0 gets another one.
    pub expire_quiescent_template: Switch,
    /// What becomes of a connection whose client uses a port again; none is left as it is.
    pub conn_reuse_mode: Option<u8>,
    /// Packets pass through this host; none is on while a virtual server forwards by NAT.
    pub ip_forward: Option<Switch>,
    /// This host tells hosts of shorter ways; none is off while a virtual server forwards by NAT.
    pub send_redirects: Option<Switch>,
}

/// Copying of connections to the partner; both roles run on both routers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSync {
    /// Interface the copies go over.
    pub interface: String,
    /// Identity on that wire, 0 to 255.
    pub id: u8,
    /// Multicast group; none is the kernel's 224.0.0.81.
    pub group: Option<IpAddr>,
    /// UDP port; none is the kernel's 8848.
    pub port: Option<u16>,
    /// Time to live; none is 1.
    pub ttl: Option<u8>,
    /// Largest datagram; none is the interface's.
    pub max_length: Option<u16>,
}
