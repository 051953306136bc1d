//! Settings below `/proc/sys/net` that the table needs.

use config::Cluster;
use config::model::Switch;
use ipvs::{Family, Forwarding};
use runtime::sysctl::Values;

/// What a configuration wants on a host with these interfaces.
pub(crate) fn wanted(cluster: &Cluster, interfaces: &[String]) -> Values {
    let sysctls = &cluster.kernel.sysctls;
    let mut values = Values::new();
    let mut put = |file: String, value: &str| values.insert(file, value.to_owned());
    let switches = [
        ("ipv4/vs/expire_nodest_conn", sysctls.expire_nodest_conn),
        ("ipv4/vs/expire_quiescent_template", sysctls.expire_quiescent_template),
    ];
    for (file, switch) in switches {
        digit(switch).map(|digit| put(file.to_owned(), digit));
    }
    if let Some(mode) = sysctls.conn_reuse_mode {
        put("ipv4/vs/conn_reuse_mode".to_owned(), &mode.to_string());
    }
    let (four, six) = (uses_nat(cluster, Family::Inet), uses_nat(cluster, Family::Inet6));
    let forward = |needed| sysctls.ip_forward.or(needed_as(needed, Switch::On)).and_then(digit);
    forward(four).map(|digit| put("ipv4/ip_forward".to_owned(), digit));
    if six {
        forward(six).map(|digit| put("ipv6/conf/all/forwarding".to_owned(), digit));
    }
    let redirects = sysctls.send_redirects.or(needed_as(four, Switch::Off)).and_then(digit);
    if let Some(digit) = redirects {
        // An interface sends them when it or `all` says so.
        for interface in ["all", "default"].into_iter().chain(interfaces.iter().map(String::as_str))
        {
            put(format!("ipv4/conf/{interface}/send_redirects"), digit);
        }
    }
    values
}

fn needed_as(needed: bool, switch: Switch) -> Option<Switch> {
    needed.then_some(switch)
}

fn digit(switch: Switch) -> Option<&'static str> {
    match switch {
        Switch::On => Some("1"),
        Switch::Off => Some("0"),
        Switch::Keep => None,
    }
}

/// Whether a virtual server of this family forwards by NAT.
fn uses_nat(cluster: &Cluster, wanted: Family) -> bool {
    let mut by_nat = cluster.services.iter().filter(|service| {
        service.servers.iter().any(|server| server.forwarding == Forwarding::Nat)
    });
    by_nat.any(|service| service.listen.family() == wanted)
}

#[cfg(test)]
mod tests;
