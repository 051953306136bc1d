//! The router's daemon: heartbeats, roles, floating addresses, and lvsd as its child.
//!
//! What to do is decided by the pure crate `heartbeat`; here it is carried out. [`driver`] owns the
//! state machine and the sockets, so that nothing stands between a deadline and a heartbeat;
//! everything slow (addresses, programs, pings, lvsd) is a task of its own that reports back.

mod announce;
mod arguments;
mod aside;
mod clock;
mod connections;
mod control;
mod driver;
mod host;
mod keys;
mod lease;
mod metrics;
mod mover;
mod notice;
mod path;
mod plan;
mod priority;
mod probe;
mod release;
mod report;
mod sockets;
mod start;
mod status;
mod witness;
mod worker;

pub use arguments::Arguments;
pub use start::{prepare, run};
