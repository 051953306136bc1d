//! What the daemons and lvsctl say to each other.
//!
//! Inside, parent and child exchange one JSON object a line over a socketpair, which is the
//! child's standard input: [`worker`] between pulse and lvsd, [`nanny`] between lvsd and nanny.
//! Outside, each daemon answers HTTP with JSON on a Unix socket: [`status`], [`action`], and of
//! lvsd [`explain`] and [`plan`].

pub mod action;
pub mod explain;
pub mod history;
pub mod letter;
pub mod nanny;
pub mod plan;
pub mod status;
pub mod worker;

/// Longest line between parent and child, in bytes. A longer one is a defect and ends the child.
pub const MAX_LINE: usize = 1 << 20;

/// Version of the messages between parent and child; both are of one build, and say so first.
pub const PROTOCOL_VERSION: u32 = 1;
