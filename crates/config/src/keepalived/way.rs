//! `lvs_method`: how packets reach a real server.

use ipvs::{Forwarding, Tunnel, TunnelChecksum};

use super::report::Report;
use super::tree::Node;

/// The method, and the wrapping of tunnelled packets.
pub(super) type Way = (Forwarding, Tunnel);

/// Reads `NAT`, `DR`, or `TUN [type {ipip|gue port N|gre}] [nocsum|csum|remcsum]`.
pub(super) fn way(report: &mut Report, node: &Node) -> Option<Way> {
    let word = report.value(node, "DR")?;
    match word.text.as_str() {
        "NAT" => Some((Forwarding::Nat, Tunnel::Ipip)),
        "DR" => Some((Forwarding::Direct, Tunnel::Ipip)),
        "TUN" => Some((Forwarding::Tunnel, tunnel(report, node)?)),
        other => {
            let near = crate::nearest(other, ["NAT", "DR", "TUN"]);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write NAT, DR or TUN".to_string(),
            };
            report.error(&word.at, format!("`{other}` is no forwarding method"), help);
            None
        }
    }
}

fn tunnel(report: &mut Report, node: &Node) -> Option<Tunnel> {
    let (mut kind, mut port, mut checksum) = ("ipip", None, TunnelChecksum::None);
    let mut words = node.words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "type" => {}
            "ipip" => kind = "ipip",
            "gre" => kind = "gre",
            "gue" => kind = "gue",
            "port" => port = words.next().and_then(|word| report.port(word)),
            "nocsum" => checksum = TunnelChecksum::None,
            "csum" => checksum = TunnelChecksum::Full,
            "remcsum" => checksum = TunnelChecksum::Remote,
            other => {
                let help = "write `TUN`, `TUN type gre csum` or `TUN type gue port 6080 remcsum`";
                report.error(&word.at, format!("`{other}` is no part of a tunnel"), help);
                return None;
            }
        }
    }
    match (kind, port) {
        ("gre", _) if checksum == TunnelChecksum::Remote => {
            let help = "write csum or nocsum, or take gue";
            report.error(node.value_at(), "gre has no remote checksum", help);
            None
        }
        ("gre", _) => Some(Tunnel::Gre { checksum }),
        ("gue", Some(port)) => Some(Tunnel::Gue { port, checksum }),
        ("gue", None) => {
            let help = "write `type gue port 6080`";
            report.error(node.value_at(), "gue needs a port", help);
            None
        }
        _ => Some(Tunnel::Ipip),
    }
}
