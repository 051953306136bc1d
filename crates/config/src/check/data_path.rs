//! Rules over checks of the data path.

use ipvs::{Forwarding, Protocol};

use super::Rules;
use crate::model::{Check, CheckKind, Listen, VirtualServer};
use crate::places::Part;

/// A SYN is sent to the virtual server's address, the way that direct routing and tunnels send it.
pub(super) fn check(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    let own = service.servers.iter().enumerate().filter_map(|(number, server)| {
        Some((server.check.as_ref()?, Part::ServerCheck(index, number)))
    });
    let asks = |check: &Check| matches!(check.kind, CheckKind::DataPath { .. });
    let every = std::iter::once((&service.check, Part::Check(index))).chain(own);
    for (_, part) in every.filter(|(check, _)| asks(check)) {
        match &service.listen {
            Listen::Mark { .. } => {
                let help = "write its addresses and ports under `listen`, or another check";
                rules.error(part, "a firewall mark has no address to ask for", help);
            }
            Listen::Addresses(all) if all.iter().any(|at| at.protocol != Protocol::Tcp) => {
                let help = "write another check, such as ping";
                rules.error(part, "a data path is asked over TCP only", help);
            }
            Listen::Addresses(_) => {}
        }
    }
    for (number, server) in service.servers.iter().enumerate() {
        let check = server.check.as_ref().unwrap_or(&service.check);
        if asks(check) && server.forwarding == Forwarding::Nat {
            let part = Part::Server(index, number);
            let help = "with NAT a check of its own address goes the same way: write connect";
            rules.error(part, "this server gets its packets by NAT", help);
        }
    }
}
