//! `-a`: a real server.

use ipvs::{Forwarding, Tunnel, TunnelChecksum};

use super::options::{Given, Options};
use super::service::{host_and_port, number};
use crate::foreign::report::Reporter;
use crate::foreign::table::{Report, did_you_mean, host, unchecked_server};
use crate::foreign::word::Word;
use crate::model::{Listen, RealServer, VirtualServer};

/// The kernel's largest weight and threshold.
const MOST: u32 = 2_147_483_647;

/// The real server of a line, and where its address stands.
pub(super) fn server(
    report: &mut Report<'_>,
    at: &Word,
    options: &Options,
    service: &VirtualServer,
) -> Option<(RealServer, Word)> {
    let Some(given) = options.get("real-server") else {
        report.error(&at.span, "no real server is named", "add -r ADDRESS:PORT");
        return None;
    };
    let place = given.value();
    let (name, port) = host_and_port(report, place)?;
    let host = host(report, &name)?;
    let of = |report: &mut Report<'_>, name, fallback| match options.get(name) {
        Some(given) => number(report, given.value(), 0, MOST).unwrap_or(fallback),
        None => fallback,
    };
    let weight = of(report, "weight", 1);
    let (upper_threshold, lower_threshold) =
        (of(report, "u-threshold", 0), of(report, "l-threshold", 0));
    let forwarding = forwarding(report, options);
    let mut port = port.filter(|port| Some(*port) != port_of(service) && *port != 0);
    // ipvsadm itself does so, because packets arrive as they were sent.
    if let (Some(own), Some(_), true) = (port, port_of(service), forwarding != Forwarding::Nat) {
        let help = "write the service's port, or forward with -m";
        report.warning(
            &place.span,
            format!("port {own} is not used: -g and -i keep the service's"),
            help,
        );
        port = None;
    }
    let server = RealServer {
        weight,
        tunnel: tunnel(report, options).unwrap_or_default(),
        upper_threshold,
        lower_threshold,
        ..unchecked_server(host, port, forwarding)
    };
    Some((server, place.clone()))
}

fn port_of(service: &VirtualServer) -> Option<u16> {
    match &service.listen {
        Listen::Addresses(endpoints) => endpoints.first().map(|e| e.address.port()),
        Listen::Mark { .. } => None,
    }
}

fn forwarding(report: &mut Report<'_>, options: &Options) -> Forwarding {
    let ways = [
        ("gatewaying", Forwarding::Direct),
        ("ipip", Forwarding::Tunnel),
        ("masquerading", Forwarding::Nat),
    ];
    let mut given = ways.iter().filter_map(|(name, way)| Some((options.get(name)?, *way)));
    let first = given.next();
    if let Some((second, _)) = given.next() {
        let help = "keep one of -g, -i and -m";
        report.error(&second.word.span, "two ways of forwarding are given", help);
    }
    first.map_or(Forwarding::Direct, |(_, way)| way)
}

fn tunnel(report: &mut Report<'_>, options: &Options) -> Option<Tunnel> {
    let kind = options.get("tun-type")?.value();
    let checksum = checksum(options);
    let port = options.get("tun-port").map(Given::value);
    match kind.text.as_str() {
        "ipip" => Some(Tunnel::Ipip),
        "gre" => Some(Tunnel::Gre { checksum }),
        "gue" => match port {
            Some(port) => {
                number(report, port, 1, u16::MAX).map(|port| Tunnel::Gue { port, checksum })
            }
            None => {
                report.error(&kind.span, "gue needs a port", "add --tun-port 6080");
                None
            }
        },
        other => {
            let help = did_you_mean(other, &["ipip", "gue", "gre"]);
            report.error(&kind.span, format!("`{other}` is no tunnel"), help);
            None
        }
    }
}

fn checksum(options: &Options) -> TunnelChecksum {
    match options.any(&["tun-nocsum", "tun-csum", "tun-remcsum"]).map(|given| given.name) {
        Some("tun-csum") => TunnelChecksum::Full,
        Some("tun-remcsum") => TunnelChecksum::Remote,
        _ => TunnelChecksum::None,
    }
}
