//! Settings of IPVS as a whole on the wire: version, timeouts, sync daemons.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Attributes, Command, Payload, Request, WireError, top};

/// What IPVS tells of itself (`IPVS_INFO_ATTR_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Major, minor and patch version of IPVS.
    pub version: (u8, u8, u8),
    /// Buckets of the connection table.
    pub connection_buckets: u32,
}

/// Asks for [`Info`].
pub fn get_info() -> Request {
    Request::new(Command::GetInfo, |_| {})
}

/// Reads the answer to [`get_info`].
pub fn decode_info(message: &[u8]) -> Result<Info, WireError> {
    const VERSION: u16 = 1;
    const CONN_TAB_SIZE: u16 = 2;
    let number = |kind, what| {
        let found = Attributes::new(message).find_kind(kind)?;
        found.ok_or(WireError::Missing(what))?.u32()
    };
    let [_, major, minor, patch] = number(VERSION, "version")?.to_be_bytes();
    let connection_buckets = number(CONN_TAB_SIZE, "size of the connection table")?;
    Ok(Info { version: (major, minor, patch), connection_buckets })
}

/// How long idle connections are kept. The kernel counts whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// TCP connections; none leaves the kernel's.
    pub tcp: Option<Duration>,
    /// TCP connections after a FIN.
    pub tcp_fin: Option<Duration>,
    /// UDP flows.
    pub udp: Option<Duration>,
}

/// Asks for [`Timeouts`].
pub fn get_timeouts() -> Request {
    Request::new(Command::GetConfig, |_| {})
}

/// Sets those timeouts that are given, rounded up to seconds; 0 is taken as 1, because 0 would
/// leave the kernel's.
pub fn set_timeouts(timeouts: &Timeouts) -> Request {
    let seconds = |timeout: Duration| {
        let whole = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        u32::try_from(whole.max(1)).unwrap_or(u32::MAX)
    };
    Request::new(Command::SetConfig, |payload| {
        for (kind, timeout) in [
            (top::TIMEOUT_TCP, timeouts.tcp),
            (top::TIMEOUT_TCP_FIN, timeouts.tcp_fin),
            (top::TIMEOUT_UDP, timeouts.udp),
        ] {
            if let Some(timeout) = timeout {
                payload.u32(kind, seconds(timeout));
            }
        }
    })
}

/// Reads the answer to [`get_timeouts`].
pub fn decode_timeouts(message: &[u8]) -> Result<Timeouts, WireError> {
    let timeout = |kind| {
        let found = Attributes::new(message).find_kind(kind)?;
        found.map(|one| one.u32().map(|seconds| Duration::from_secs(seconds.into()))).transpose()
    };
    Ok(Timeouts {
        tcp: timeout(top::TIMEOUT_TCP)?,
        tcp_fin: timeout(top::TIMEOUT_TCP_FIN)?,
        udp: timeout(top::TIMEOUT_UDP)?,
    })
}

/// What a sync daemon does; one of each may run (`IP_VS_STATE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncRole {
    /// Sends this router's connections.
    Master,
    /// Takes in the partner's.
    Backup,
}

impl SyncRole {
    fn number(self) -> u32 {
        match self {
            Self::Master => 1,
            Self::Backup => 2,
        }
    }
}

/// A sync daemon (`IPVS_DAEMON_ATTR_*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDaemon {
    /// What it does.
    pub role: SyncRole,
    /// Interface that the copies go over.
    pub interface: String,
    /// Identity on that wire.
    pub id: u8,
    /// Largest datagram; none is the interface's.
    pub max_length: Option<u16>,
    /// Multicast group; none is 224.0.0.81.
    pub group: Option<IpAddr>,
    /// UDP port; none is 8848.
    pub port: Option<u16>,
    /// Time to live; none is 1.
    pub ttl: Option<u8>,
}

/// `IPVS_DAEMON_ATTR_*`.
mod daemon {
    pub(super) const STATE: u16 = 1;
    pub(super) const MCAST_IFN: u16 = 2;
    pub(super) const SYNC_ID: u16 = 3;
    pub(super) const SYNC_MAXLEN: u16 = 4;
    /// Four bytes in network order.
    pub(super) const MCAST_GROUP: u16 = 5;
    pub(super) const MCAST_GROUP6: u16 = 6;
    /// In the host's byte order.
    pub(super) const MCAST_PORT: u16 = 7;
    pub(super) const MCAST_TTL: u16 = 8;
}

/// Lists the sync daemons; to be sent as a dump.
pub fn get_daemons() -> Request {
    Request::new(Command::GetDaemon, |_| {})
}

/// Starts a sync daemon.
pub fn start_daemon(wanted: &SyncDaemon) -> Request {
    Request::new(Command::NewDaemon, |payload| {
        payload.nested(top::DAEMON, |inner| put_daemon(inner, wanted));
    })
}

/// Stops the sync daemon of a role.
pub fn stop_daemon(role: SyncRole) -> Request {
    Request::new(Command::DelDaemon, |payload| {
        payload.nested(top::DAEMON, |inner| inner.u32(daemon::STATE, role.number()));
    })
}

fn put_daemon(payload: &mut Payload, wanted: &SyncDaemon) {
    payload.u32(daemon::STATE, wanted.role.number());
    payload.text(daemon::MCAST_IFN, &wanted.interface);
    payload.u32(daemon::SYNC_ID, wanted.id.into());
    if let Some(length) = wanted.max_length {
        payload.u16(daemon::SYNC_MAXLEN, length);
    }
    match wanted.group {
        Some(IpAddr::V4(group)) => payload.bytes(daemon::MCAST_GROUP, &group.octets()),
        Some(IpAddr::V6(group)) => payload.bytes(daemon::MCAST_GROUP6, &group.octets()),
        None => {}
    }
    if let Some(port) = wanted.port {
        payload.u16(daemon::MCAST_PORT, port);
    }
    if let Some(ttl) = wanted.ttl {
        payload.u8(daemon::MCAST_TTL, ttl);
    }
}

/// Reads one answer to [`get_daemons`]. The kernel tells every value, also those it chose itself.
pub fn decode_daemon(message: &[u8]) -> Result<SyncDaemon, WireError> {
    let outer = Attributes::new(message).find_kind(top::DAEMON)?;
    let inner = outer.ok_or(WireError::Missing("sync daemon"))?.nested();
    let find = |kind| inner.clone().find_kind(kind);
    let state = find(daemon::STATE)?.ok_or(WireError::Missing("state"))?.u32()?;
    let role = match state {
        1 => SyncRole::Master,
        2 => SyncRole::Backup,
        value => return Err(WireError::Unknown { what: "sync state", value }),
    };
    let id = find(daemon::SYNC_ID)?.map_or(Ok(0), |one| one.u32())?;
    let group = match find(daemon::MCAST_GROUP6)? {
        Some(six) => Some(six.ipv6()?),
        None => find(daemon::MCAST_GROUP)?.map(|four| four.ipv4()).transpose()?,
    };
    Ok(SyncDaemon {
        role,
        interface: find(daemon::MCAST_IFN)?.map(|one| one.text()).unwrap_or_default(),
        id: u8::try_from(id).map_err(|_| WireError::Unknown { what: "sync id", value: id })?,
        max_length: find(daemon::SYNC_MAXLEN)?.map(|one| one.u16()).transpose()?,
        group: group.filter(|group| *group != IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        port: find(daemon::MCAST_PORT)?.map(|one| one.u16()).transpose()?,
        ttl: find(daemon::MCAST_TTL)?.map(|one| one.u8()).transpose()?,
    })
}
