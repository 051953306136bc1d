//! What identifies a check, so that virtual servers which need the same one share it.

use std::net::SocketAddr;

use config::model::{Check, CheckKind};
use ipvs::Forwarding;

/// One check of one place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// What is asked. For external programs the real server's own address and port; for the others
    /// the port that is asked; port 0 for a ping.
    pub server: SocketAddr,
    /// The virtual server, only where an external program is told of it or its address is asked for.
    pub virtual_server: Option<SocketAddr>,
    /// How it is asked. Where `server` already says the port, its `port` is none.
    pub check: Check,
}

impl Probe {
    /// Whether its answer may ask for a weight.
    pub fn sets_weight(&self) -> bool {
        matches!(self.check.kind, CheckKind::External { sets_weight: true, .. })
    }

    /// The probe that answers for a real server; none where the check needs no answer (on, off).
    pub fn new(
        server: SocketAddr,
        virtual_server: Option<SocketAddr>,
        check: &Check,
        forwarding: Forwarding,
    ) -> Option<Self> {
        let mut probe = Self { server, virtual_server: None, check: check.clone() };
        match &check.kind {
            CheckKind::On | CheckKind::Off => return None,
            CheckKind::External { argv, .. } => {
                let told = argv.iter().any(|word| word.contains("%H") || word.contains("%P"));
                probe.virtual_server = virtual_server.filter(|_| told);
            }
            CheckKind::Ping => {
                probe.server.set_port(0);
                probe.check.port = None;
            }
            CheckKind::DataPath { .. } => {
                probe.virtual_server = virtual_server;
                probe.check.kind = CheckKind::DataPath { tunnel: forwarding == Forwarding::Tunnel };
                probe.check.port = None;
            }
            CheckKind::Connect
            | CheckKind::SendExpect { .. }
            | CheckKind::Http(_)
            | CheckKind::Dialogue(_)
            | CheckKind::Dns(_)
            | CheckKind::Login(_) => {
                probe.server.set_port(check.port.unwrap_or(server.port()));
                probe.check.port = None;
            }
        }
        Some(probe)
    }
}
