//! For which addresses: those of the command line, else those of the virtual servers that this
//! host is a real server of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use config::Cluster;
use config::model::{Host, Listen, RealServer, VirtualServer};
use ipvs::{Forwarding, Tunnel};
use runtime::logging::sentence;
use runtime::{ExitError, config_file};
use tokio::task::JoinSet;

use super::need::{Asked, Way};
use crate::arguments::RealServer as Given;
use crate::output;

/// How long one name may take.
const LOOKED_UP: Duration = Duration::from_secs(10);

/// Names that are looked up at a time.
const AT_A_TIME: usize = 16;

/// What the names of real servers stand for, or why that is not known.
pub(super) type Names = BTreeMap<String, Result<Vec<IpAddr>, String>>;

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
    let loaded = config_file::reload_without_passwords(path).await?;
    let Some(cluster) = loaded.cluster else {
        output::remark(&config::render(&loaded.diagnostics, output::has_colour()));
        return Err(ExitError::configuration(format!("cannot use {shown}: mend the errors above")));
    };
    let names = look_up(&cluster).await;
    let (asked, remarks) = of_cluster(&cluster, own, &names);
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

/// As the routers do it, and from this host's own files as well.
async fn look_up(cluster: &Cluster) -> Names {
    let hosts = cluster.services.iter().flat_map(|service| &service.servers);
    let names: BTreeSet<String> = hosts
        .filter_map(|server| match &server.host {
            // On each host this is another one.
            Host::Name(name) if name != "localhost" => Some(name.clone()),
            _ => None,
        })
        .collect();
    let mut known = Names::new();
    for some in names.into_iter().collect::<Vec<_>>().chunks(AT_A_TIME) {
        let asked: JoinSet<_> = some.iter().cloned().map(addresses_of).collect();
        known.extend(asked.join_all().await);
    }
    known
}

async fn addresses_of(name: String) -> (String, Result<Vec<IpAddr>, String>) {
    let found = async {
        let found = tokio::net::lookup_host((name.as_str(), 0)).await;
        found.map(|found| found.map(|address| address.ip()).collect())
    };
    let found = match tokio::time::timeout(LOOKED_UP, found).await {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOKED_UP.as_secs())),
    };
    (name, found)
}

/// What a configuration wants of the host with these addresses, and what it does not tell.
pub(super) fn of_cluster(cluster: &Cluster, own: &[IpAddr], names: &Names) -> (Asked, Vec<String>) {
    let (mut asked, mut remarks) = (Asked::new(), Vec::new());
    for (name, found) in names {
        if let Err(why) = found {
            remarks.push(format!("{name} cannot be looked up, and may be this host: {why}"));
        }
    }
    for service in &cluster.services {
        for server in &service.servers {
            let Some(ip) = own_address(server, own, names) else { continue };
            remarks.extend(remark(service, server));
            let Some(way) = way(server, ip) else { continue };
            asked.extend(service.listen.ports().iter().map(|ports| (ports.ip, way)));
        }
    }
    (asked, remarks)
}

/// The address by which the routers reach this host, if the server is this host. Many hosts know
/// their own name as an address of loopback.
fn own_address(server: &RealServer, own: &[IpAddr], names: &Names) -> Option<IpAddr> {
    match &server.host {
        Host::Address(ip) => own.contains(ip).then_some(*ip),
        Host::Name(name) => {
            let found = names.get(name)?.as_ref().ok()?;
            let known = found.iter().find(|ip| own.contains(ip));
            known.or_else(|| found.iter().find(|ip| ip.is_loopback())).copied()
        }
    }
}

fn way(server: &RealServer, ip: IpAddr) -> Option<Way> {
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
