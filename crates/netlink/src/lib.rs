//! What is asked of the kernel over netlink: IPVS, firewall marks, addresses, links and routes.
//!
//! Each socket has one owner and one request in flight; many changes share a write. Bytes are read
//! and written by the pure crate [`ipvs`]; here are the sockets.

mod addresses;
mod channel;
#[doc(hidden)]
pub mod datagram;
mod error;
mod family;
mod ipvs_socket;
mod links;
mod marks_socket;
mod message;
mod monitor;
mod route;
mod route_wire;

pub use addresses::{AddressChange, Addresses, HostAddress, Lease};
pub use error::KernelError;
pub use ipvs_socket::{Dump, IpvsSocket};
pub use links::{HostLink, LinkChange, Links};
pub use marks_socket::MarksSocket;
pub use monitor::LinkMonitor;
pub use route::{Neighbour, Route, Routes};
