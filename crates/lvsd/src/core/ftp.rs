//! FTP by NAT, which needs a helper of the kernel.

use config::model::VirtualServer;
use ipvs::{Forwarding, Protocol};

/// The port of control connections that the helper reads.
const CONTROL: u16 = 21;

/// Whether a virtual server takes FTP's control connections and forwards them by NAT.
pub(crate) fn needs_ftp_helper(service: &VirtualServer) -> bool {
    let control = service.listen.ports().iter().any(|ports| {
        ports.protocol == Protocol::Tcp && (ports.first..=ports.last).contains(&CONTROL)
    });
    control && service.servers.iter().any(|server| server.forwarding == Forwarding::Nat)
}
