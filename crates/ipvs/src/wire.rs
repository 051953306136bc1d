//! The IPVS family of generic netlink, as bytes: what is asked of the kernel and what it answers.
//!
//! Bytes here begin after the generic netlink header. Numbers are in the host's byte order unless a
//! constant says otherwise. Source: `include/uapi/linux/ip_vs.h` and `net/netfilter/ipvs/ip_vs_ctl.c`.
//! Attributes that are not known are skipped, since newer kernels add some.

mod attribute;
mod destination;
pub mod marks;
mod service;
mod settings;
mod stats;
#[cfg(test)]
mod tests;

pub use attribute::{ALIGNMENT, Attribute, Attributes, Payload, WireError, pad};
pub use destination::decode_destination;
pub use service::decode_service;
pub use settings::{
    Info, SyncDaemon, SyncRole, Timeouts, decode_daemon, decode_info, decode_timeouts, get_daemons,
    get_info, get_timeouts, set_timeouts, start_daemon, stop_daemon,
};

use crate::{ServiceKey, Step};

/// Name of the family (`IPVS_GENL_NAME`).
pub const FAMILY: &str = "IPVS";
/// Version of the family (`IPVS_GENL_VERSION`).
pub const VERSION: u8 = 1;

/// What the kernel is to do (`IPVS_CMD_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    /// Adds a virtual server.
    NewService = 1,
    /// Changes a virtual server.
    SetService = 2,
    /// Removes a virtual server.
    DelService = 3,
    /// Lists virtual servers.
    GetService = 4,
    /// Adds a real server.
    NewDest = 5,
    /// Changes a real server.
    SetDest = 6,
    /// Removes a real server.
    DelDest = 7,
    /// Lists the real servers of one virtual server.
    GetDest = 8,
    /// Starts a sync daemon.
    NewDaemon = 9,
    /// Stops a sync daemon.
    DelDaemon = 10,
    /// Lists sync daemons.
    GetDaemon = 11,
    /// Sets the timeouts.
    SetConfig = 12,
    /// Tells the timeouts.
    GetConfig = 13,
    /// Tells version and size of the connection table.
    GetInfo = 15,
    /// Sets counters to 0.
    Zero = 16,
}

/// First-level attributes (`IPVS_CMD_ATTR_*`).
mod top {
    pub(super) const SERVICE: u16 = 1;
    pub(super) const DEST: u16 = 2;
    pub(super) const DAEMON: u16 = 3;
    pub(super) const TIMEOUT_TCP: u16 = 4;
    pub(super) const TIMEOUT_TCP_FIN: u16 = 5;
    pub(super) const TIMEOUT_UDP: u16 = 6;
}

/// One request: a command and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub command: Command,
    /// To what, encoded.
    pub attributes: Vec<u8>,
}

impl Request {
    fn new(command: Command, build: impl FnOnce(&mut Payload)) -> Self {
        let mut payload = Payload::default();
        build(&mut payload);
        Self { command, attributes: payload.into_bytes() }
    }
}

/// The request that takes one step.
pub fn step_request(step: &Step) -> Request {
    let command = match step {
        Step::AddService(..) => Command::NewService,
        Step::EditService(..) => Command::SetService,
        Step::RemoveService(_) => Command::DelService,
        Step::AddDestination(..) => Command::NewDest,
        Step::EditDestination(..) => Command::SetDest,
        Step::RemoveDestination(..) => Command::DelDest,
    };
    Request::new(command, |payload| match step {
        Step::AddService(key, service) | Step::EditService(key, service) => {
            payload.nested(top::SERVICE, |inner| service::put(inner, key, service));
        }
        Step::RemoveService(key) => payload.nested(top::SERVICE, |inner| {
            service::put_key(inner, key);
        }),
        Step::AddDestination(key, real, destination)
        | Step::EditDestination(key, real, destination) => {
            payload.nested(top::SERVICE, |inner| service::put_key(inner, key));
            payload.nested(top::DEST, |inner| destination::put(inner, real, destination));
        }
        Step::RemoveDestination(key, real) => {
            payload.nested(top::SERVICE, |inner| service::put_key(inner, key));
            payload.nested(top::DEST, |inner| destination::put_key(inner, real));
        }
    })
}

/// Lists all virtual servers; to be sent as a dump.
pub fn list_services() -> Request {
    Request::new(Command::GetService, |_| {})
}

/// Lists the real servers of one virtual server; to be sent as a dump.
pub fn list_destinations(key: &ServiceKey) -> Request {
    Request::new(Command::GetDest, |payload| {
        payload.nested(top::SERVICE, |inner| service::put_key(inner, key));
    })
}

/// Sets the counters of one virtual server, or of all, to 0.
pub fn zero(key: Option<&ServiceKey>) -> Request {
    Request::new(Command::Zero, |payload| {
        if let Some(key) = key {
            payload.nested(top::SERVICE, |inner| service::put_key(inner, key));
        }
    })
}
