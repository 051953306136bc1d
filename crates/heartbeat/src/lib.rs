//! Heartbeats between two routers, and who holds what.
//!
//! - [`session::Session`] turns a [`packet::Beat`] into an authenticated packet and back; replays,
//!   reflections and alterations end there.
//! - [`failover::Failover`] is the state machine: `handle_*(event, now)` returns
//!   [`action::Actions`] to be carried out in order, [`failover::Failover::next_deadline`] says when
//!   to come back.
//!
//! Neither has a clock, a socket or randomness: [`moment::Moment`] and random bits are arguments.

pub mod action;
mod decide;
pub mod exchange;
pub mod failover;
pub mod fence;
mod group;
pub mod key;
pub mod moment;
mod pace;
pub mod packet;
pub mod partner;
pub mod paths;
mod probe;
pub mod question;
mod reach;
pub mod request;
pub mod rotation;
pub mod session;
pub mod setup;
pub mod timing;
mod witness;

pub use action::{Action, Actions, Event, Reason};
pub use exchange::Exchange;
pub use failover::{Failover, GroupState, Worker};
pub use fence::{FenceSetup, Fencing};
pub use key::SharedKey;
pub use moment::Moment;
pub use packet::{Beat, Claim, GroupId, Role, RouterId};
pub use partner::Presence;
pub use question::QuestionId;
pub use request::{Refusal, Request};
pub use session::{Received, Rejected, Session};
pub use setup::{GroupSetup, PathId, PathSetup, Setup, Side};
pub use timing::Timing;
