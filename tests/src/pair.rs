//! The pair of routers at work: the same configuration on both, and `pulse` on each.

use crate::failure::Context;
use crate::{Daemon, Failure, Node, Outcome, Seed, wait_until};
use std::time::Duration;

/// Where the native configuration is looked for when none is named.
pub const CONFIG: &str = "/etc/caribe/cluster.yaml";
/// The heartbeats' key, named in the configuration relative to its folder.
pub const KEY: &str = "/etc/caribe/heartbeat.key";
/// The two routers with their wires and heartbeats, at the head of a configuration.
pub const ROUTERS: &str = "\
routers:
  master: { paths: [192.168.1.2, 172.16.1.2] }
  backup: { paths: [192.168.1.3, 172.16.1.3] }
heartbeat: { interval: 200ms, dead_after: 600ms, key_file: heartbeat.key }
";
/// A group with the floating addresses of both families.
pub const WEB_GROUP: &str = "\
groups:
  web:
    preferred: master
    addresses:
      - { ip: 192.168.1.1/24, interface: eth0 }
      - { ip: '2001:db8:1::1/64', interface: eth0 }
";
/// What a daemon may take to start under emulation.
const START: Duration = Duration::from_secs(20);

/// `pulse` on both routers. An absent one was stopped or killed.
#[derive(Debug)]
pub struct Pair {
    /// On the router called master.
    pub a: Option<Daemon>,
    /// On the router called backup.
    pub b: Option<Daemon>,
}

impl Pair {
    /// Writes one configuration and one new key to both routers, and starts `pulse` on both.
    ///
    /// # Errors
    /// When a file cannot be written or a program cannot be started.
    pub fn start(net: &Seed, config: &str) -> Outcome<Self> {
        prepare(net, config)?;
        Self::launch(net)
    }

    /// Starts `pulse` on both with what is there.
    ///
    /// # Errors
    /// When a program cannot be started.
    pub fn launch(net: &Seed) -> Outcome<Self> {
        Ok(Self { a: Some(start_pulse(&net.ra)?), b: Some(start_pulse(&net.rb)?) })
    }
}

/// Writes one configuration and one new key to both routers.
///
/// # Errors
/// When a file cannot be written.
pub fn prepare(net: &Seed, config: &str) -> Outcome {
    for router in net.routers() {
        router.write(CONFIG, config)?;
    }
    share_key(net)
}

/// Gives both routers the same new heartbeat key.
///
/// # Errors
/// When `lvsctl keygen` fails, or a file cannot be written.
pub fn share_key(net: &Seed) -> Outcome {
    net.ra.execute(&["lvsctl", "keygen", KEY])?;
    net.rb.write_mode(KEY, &net.ra.read(KEY)?, 0o600)
}

/// Starts `pulse` with the configuration that it finds by itself.
///
/// # Errors
/// When the program cannot be started.
pub fn start_pulse(router: &Node) -> Outcome<Daemon> {
    router.start(&["pulse"])
}

/// Waits until one of the hosts has the address, and none of the others; returns that one.
///
/// # Errors
/// When that is not so in time; then with who has it.
pub fn wait_for_holder<'a>(
    hosts: &[&'a Node],
    address: &str,
    limit: Duration,
) -> Outcome<&'a Node> {
    let what = format!("exactly one router has {address}");
    crate::wait::wait_for(limit, &what, || {
        let mut holders = Vec::new();
        for host in hosts {
            if host.has_address(address)? {
                holders.push(*host);
            }
        }
        Ok(if let [only] = holders.as_slice() { Some(*only) } else { None })
    })
}

/// Waits until this host has the address.
///
/// # Errors
/// When it has not in time.
pub fn wait_for_address(host: &Node, address: &str, limit: Duration) -> Outcome<Duration> {
    let what = format!("{} has {address}", host.name());
    wait_until(limit, &what, || host.has_address(address))
}

/// Waits until every service of a host's kernel has this many real servers, all with a weight.
///
/// # Errors
/// When that is not so in time; then with the table as it is.
pub fn wait_for_servers(host: &Node, count: usize, limit: Duration) -> Outcome<Duration> {
    let what = format!("every service on {} has {count} real servers", host.name());
    let full = || {
        let table = host.kernel_table()?;
        let filled = |service: &crate::KernelService| {
            service.servers.iter().filter(|server| server.weight > 0).count() == count
        };
        Ok(!table.is_empty() && table.iter().all(filled))
    };
    wait_until(limit, &what, full)
        .map_err(|failure| Failure::of(failure, host.table().unwrap_or_default()))
}

/// Waits until both routers are warm: one has the address, and both kernels have a whole table.
///
/// # Errors
/// When that is not so within the time that programs need to start here.
pub fn wait_until_warm<'a>(net: &'a Seed, address: &str, servers: usize) -> Outcome<&'a Node> {
    for router in net.routers() {
        wait_for_servers(router, servers, START)?;
    }
    wait_for_holder(&net.routers(), address, START)
}

/// What `lvsctl status --json` says on a router.
///
/// # Errors
/// When lvsctl fails or writes something else.
pub fn status(router: &Node) -> Outcome<serde_json::Value> {
    let text = router.execute(&["lvsctl", "status", "--json"])?;
    serde_json::from_str(&text).context("the status")
}

/// Whether a router hears its partner, and that one may take over.
///
/// # Errors
/// When lvsctl fails, or its answer has no partner.
pub fn partner_is_ready(router: &Node) -> Outcome<bool> {
    let status = status(router)?;
    let partner = status
        .pointer("/pulse/partner")
        .ok_or_else(|| Failure::new("the status names no partner"))?;
    let says = |key| partner.pointer(key).and_then(serde_json::Value::as_bool) == Some(true);
    let alive = partner.get("state").and_then(serde_json::Value::as_str) == Some("alive");
    Ok(alive && says("/readiness/table_in_place") && says("/readiness/checks_warm"))
}
