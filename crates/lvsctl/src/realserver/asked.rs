//! For which addresses: those of the command line, else those of the virtual servers that this
//! host is a real server of.

use std::net::IpAddr;

use config::Cluster;
use config::model::{Host, Listen, RealServer, VirtualServer};
use ipvs::{Forwarding, Tunnel};
use runtime::logging::sentence;
use runtime::{ExitError, config_file};

use super::need::{Asked, Way};
use crate::arguments::RealServer as Given;
use crate::output;

/// The addresses that are meant; none is an error.
pub(super) async fn asked(given: &Given, own: &[IpAddr]) -> Result<Asked, ExitError> {
    if !given.addresses.is_empty() {
        let way = |ip: &IpAddr| match given.tunnel {
            true => Way::Tunnel { outer_v6: ip.is_ipv6() },
            false => Way::Direct,
        };
        return Ok(given.addresses.iter().map(|ip| (*ip, way(ip))).collect());
    }
    let path = config_file::locate(given.config.as_deref())?;
    let shown = sentence(&path.display().to_string());
    let loaded = config_file::reload(path).await?;
    let Some(cluster) = loaded.cluster else {
        output::remark(&config::render(&loaded.diagnostics, output::has_colour()));
        return Err(ExitError::configuration(format!("cannot use {shown}: mend the errors above")));
    };
    let (asked, remarks) = of_cluster(&cluster, own);
    for remark in remarks {
        output::remark(&format!("{}\n", sentence(&remark)));
    }
    if asked.is_empty() {
        return Err(ExitError::configuration(format!(
            "no virtual server of {shown} reaches this host by direct routing or a tunnel: \
             give the floating addresses on the command line"
        )));
    }
    Ok(asked)
}

/// What a configuration wants of the host with these addresses, and what it does not tell.
pub(super) fn of_cluster(cluster: &Cluster, own: &[IpAddr]) -> (Asked, Vec<String>) {
    let (mut asked, mut remarks) = (Asked::new(), Vec::new());
    for service in &cluster.services {
        for server in service.servers.iter().filter(|server| is_own(server, own)) {
            remarks.extend(remark(service, server));
            let Some(way) = way(server) else { continue };
            asked.extend(service.listen.ports().iter().map(|ports| (ports.ip, way)));
        }
    }
    (asked, remarks)
}

fn is_own(server: &RealServer, own: &[IpAddr]) -> bool {
    matches!(&server.host, Host::Address(ip) if own.contains(ip))
}

fn way(server: &RealServer) -> Option<Way> {
    let Host::Address(ip) = &server.host else { return None };
    match server.forwarding {
        Forwarding::Nat => None,
        Forwarding::Direct => Some(Way::Direct),
        Forwarding::Tunnel => Some(Way::Tunnel { outer_v6: ip.is_ipv6() }),
    }
}

/// What this command cannot know or do.
fn remark(service: &VirtualServer, server: &RealServer) -> Option<String> {
    let name = &service.name;
    match (&service.listen, server.forwarding, server.tunnel) {
        (_, Forwarding::Nat, _) => {
            Some(format!("{name} reaches this host by NAT: it needs no floating address here"))
        }
        (Listen::Mark { mark, marked, .. }, ..) if marked.is_empty() => Some(format!(
            "{name} takes mark {mark}, and the file tells no address: give it on the command line"
        )),
        (_, Forwarding::Tunnel, Tunnel::Gue { .. } | Tunnel::Gre { .. }) => Some(format!(
            "{name} wraps by GUE or GRE: its tunnel's end is yours to make, see ip-link(8)"
        )),
        _ => None,
    }
}
