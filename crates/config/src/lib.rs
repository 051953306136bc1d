//! One checked model of a router pair, and the file formats that produce it.
//!
//! Every format module turns text into a [`Cluster`] or into [`Diagnostic`]s, all problems of the
//! text in one run. Nothing here opens a file or asks a name server.

mod check;
pub mod diagnostic;
pub mod fencing;
pub mod files;
mod foreign;
mod glob;
mod heartbeat_v1;
pub mod in_force;
mod ipvsadm;
mod keepalived;
pub mod keys;
mod ldirectord;
pub mod load;
mod lvs_cf;
mod lvs_dr;
pub mod model;
pub mod native;
pub mod passwords;
mod percent;
pub mod places;
pub mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, nearest, render, render_notes};
pub use load::{Disk, Format, Given, Loaded, detect, load, load_from};
pub use model::Cluster;
pub use percent::Percent;
pub use source::Source;
