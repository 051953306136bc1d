//! Real servers, as the kernel knows them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What identifies a real server within a virtual server. With a firewall mark, port 0 keeps the
/// client's port.
pub type DestinationKey = SocketAddr;

/// How packets reach a real server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forwarding {
    /// Network address translation: answers come back through the router (`-m`).
    Nat,
    /// Direct routing: the real server holds the floating address itself (`-g`).
    #[default]
    Direct,
    /// Tunnelling: packets are wrapped, the real server may be far (`-i`).
    Tunnel,
}

/// The wrapping of tunnelled packets (`IP_VS_CONN_F_TUNNEL_TYPE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tunnel {
    /// IP in IP.
    #[default]
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// UDP port of the real server's decapsulator.
        port: u16,
        /// How the outer checksum is made.
        checksum: TunnelChecksum,
    },
    /// Generic routing encapsulation.
    Gre {
        /// How the outer checksum is made.
        checksum: TunnelChecksum,
    },
}

/// Outer checksum of GUE and GRE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TunnelChecksum {
    /// None (`IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM`).
    #[default]
    None,
    /// Computed (`IP_VS_TUNNEL_ENCAP_FLAG_CSUM`).
    Full,
    /// Left to the receiver (`IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM`, GUE only).
    Remote,
}

/// The attributes of one real server of one virtual server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// The wrapping; read only with [`Forwarding::Tunnel`].
    pub tunnel: Tunnel,
    /// Its share; 0 takes no new connections. The kernel takes 0 to 2^31-1.
    pub weight: u32,
    /// No new connections above this many; 0 is no limit.
    pub upper_threshold: u32,
    /// New connections again below this many; 0 lets the kernel choose three quarters of the upper.
    pub lower_threshold: u32,
}

impl Destination {
    /// Whether the kernel would treat both alike: the wrapping counts only when packets are wrapped.
    pub fn same_in_kernel(&self, other: &Self) -> bool {
        let wrapping = |one: &Self| (one.forwarding == Forwarding::Tunnel).then_some(one.tunnel);
        wrapping(self) == wrapping(other)
            && Self { tunnel: Tunnel::Ipip, ..self.clone() }
                == Self { tunnel: Tunnel::Ipip, ..other.clone() }
    }
}
