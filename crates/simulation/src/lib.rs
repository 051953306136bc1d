//! The pair of routers in a world of its own: the real state machine and the real sessions, on
//! virtual clocks and a virtual network, with everything going wrong that can.
//!
//! A run is one number, the seed: [`Schedule::of`] makes a pair and its fate from it, [`run()`]
//! plays it, and [`shrink`] cuts a run that breaks a promise down to the faults that matter.
//! [`Invariant`] lists the promises, [`Bug`] the deliberate bugs that show that each can be broken.

pub mod bug;
pub mod campaign;
mod clock;
pub mod coverage;
mod director;
mod farm;
pub mod fault;
pub mod invariants;
mod node;
mod random;
mod release;
mod router;
pub mod run;
pub mod schedule;
pub mod story;
#[cfg(test)]
mod tests;
mod toy;
pub mod words;
mod world;

pub use bug::Bug;
pub use campaign::{Campaign, campaign};
pub use coverage::Coverage;
pub use fault::Fault;
pub use invariants::{Invariant, Violation};
pub use run::{Failure, run, shrink, tell};
pub use schedule::{FenceShape, Schedule, Shape};
pub use story::Story;
