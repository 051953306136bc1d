//! nanny watches real servers, one task for each check, and tells lvsd who is up.
//!
//! What a server answers is hostile input, so nanny holds no privilege: lvsd starts it, passes it
//! the two ICMP sockets that need one, and believes nothing but its verdicts.

#[doc(hidden)]
pub mod answers;
pub mod arguments;
pub mod board;
pub mod command;
pub mod daemon;
mod data_path;
pub mod engine;
pub mod failure;
pub mod icmp;
pub mod pinger;
pub mod probe;
pub mod sandbox;
pub mod shared;
pub mod trace;
mod watch;
