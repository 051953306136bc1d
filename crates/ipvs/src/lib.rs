//! The vocabulary of IPVS and the pure decision of what to change in the kernel's table.
//!
//! A [`Table`] says what is balanced where. [`plan`](plan::plan) compares the wanted table with the
//! kernel's and answers with steps, each legal on its own, that never empty a pool in between.

mod destination;
#[cfg(test)]
mod examples;
pub mod fake_kernel;
mod ipvsadm;
mod marking;
pub mod plan;
mod scheduler;
mod service;
mod stats;
mod table;
pub mod wire;

pub use destination::{Destination, DestinationKey, Forwarding, Tunnel, TunnelChecksum};
pub use ipvsadm::ipvsadm_lines;
pub use marking::{MarkRule, Ports};
pub use plan::{Plan, Step, plan};
pub use scheduler::{Scheduler, SchedulerFlags};
pub use service::{Family, Persistence, Protocol, Service, ServiceKey};
pub use stats::{Connections, Counters, DestinationStats, PoolStats, TableStats};
pub use table::{Pool, Table};
