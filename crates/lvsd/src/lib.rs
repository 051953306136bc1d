//! lvsd keeps the kernel's IPVS table equal to the wanted one, and watches over nanny.
//!
//! [`core`] decides, [`reconciler`] finds the next changes, [`driver`] carries both to the kernel,
//! to nanny, to pulse and to whoever asks.

pub mod core;
pub mod driver;
pub mod metrics;
pub mod options;
pub mod reconciler;
mod sysctl;
