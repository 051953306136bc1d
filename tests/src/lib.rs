//! The lab: a client, two routers and real servers, each in namespaces of its own, joined by
//! wires that can be cut. Scenarios drive the real programs in it, as a person would.
//!
//! Everything a scenario makes lives in namespaces that the run made itself and goes away with
//! its process: on the host that runs it nothing stays behind.
//!
//! A scenario is a function `fn(&mut Run) -> Outcome` in a file of `tests/scenarios`, named in the
//! table of `tests/scenarios/main.rs`:
//!
//! ```no_run
//! use lab::seed::{VIP, web_address};
//! use lab::{Load, Outcome, Pair, Run, Seed, ensure, pair};
//! # const CONFIG: &str = "";
//! # const LONG: std::time::Duration = std::time::Duration::from_secs(30);
//!
//! fn a_router_loses_power(run: &mut Run) -> Outcome {
//!     let net = Seed::build(run)?;                            // hosts and cables
//!     let _web = net.web()?;                                  // a web server on each real server
//!     let _pair = Pair::start(&net, CONFIG)?;                 // pulse on both routers
//!     pair::wait_until_warm(&net, VIP, 2)?;
//!     let load = Load::new(web_address()).start(&net.c)?;     // a request each 10 ms
//!     load.answered(50, LONG)?;
//!     net.ra.power_off()?;
//!     pair::wait_for_address(&net.rb, VIP, LONG)?;
//!     load.answered(100, LONG)?;
//!     let report = load.finish()?;
//!     run.step(report.summary());
//!     let outage = report.longest_outage().as_secs_f64() * 1000.0;
//!     ensure!(outage < 1000.0, "the outage lasted {outage:.0} ms");
//!     run.figure("outage at a power loss", "ms", &[outage])
//! }
//! ```
//!
//! Nothing waits for a fixed time: [`wait_until`] looks every few milliseconds and fails with what
//! it waited for. Logs of every program are kept for each host, and shown when a scenario fails.

pub mod arp;
pub mod cgroup;
pub mod client;
pub mod command;
pub mod console;
pub mod daemon;
pub mod failure;
pub mod figure;
pub mod ftp;
pub mod guest;
pub mod kernel_table;
mod link_batch;
pub mod namespace;
pub mod network;
pub mod node;
pub mod pair;
pub mod run;
pub mod runner;
pub mod scenario;
pub mod seed;
mod separate;
pub mod systemd;
pub mod talk;
pub mod wait;
pub mod web;
pub mod wire;

pub use cgroup::Cgroup;
pub use client::{Load, Report};
pub use daemon::Daemon;
pub use failure::{Failure, Outcome};
pub use kernel_table::{KernelServer, KernelService};
pub use network::{Host, Network};
pub use node::Node;
pub use pair::Pair;
pub use run::Run;
pub use scenario::{Scenario, Set};
pub use seed::Seed;
pub use systemd::Systemd;
pub use wait::wait_until;
pub use web::WebServer;
