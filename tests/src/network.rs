//! Plans a network of hosts and bridges, and builds it.

use crate::failure::Context;
use crate::namespace::Namespace;
use crate::node::Node;
use crate::wire::{SWITCH, Wire, batch};
use crate::{Failure, Outcome, Run};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// One host of the plan. Its interfaces are eth0, eth1 … in the order of [`Host::on`].
#[derive(Debug, Clone)]
pub struct Host {
    name: String,
    host_name: String,
    links: Vec<(String, Vec<String>)>,
    sysctls: Vec<(String, String)>,
    commands: Vec<String>,
    ends_tunnels: bool,
}

impl Host {
    /// A host with a short name, which is its host name as well.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            host_name: name.to_owned(),
            links: Vec::new(),
            sysctls: Vec::new(),
            commands: Vec::new(),
            ends_tunnels: false,
        }
    }

    /// Another host name (what `uname -n` says).
    #[must_use]
    pub fn called(mut self, host_name: &str) -> Self {
        host_name.clone_into(&mut self.host_name);
        self
    }

    /// A cable into the bridge `bridge`, with addresses in the form `192.168.1.2/24`.
    #[must_use]
    pub fn on(mut self, bridge: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        self.links.push((bridge.to_owned(), addresses));
        self
    }

    /// A kernel parameter, for example `net/ipv4/ip_forward`.
    #[must_use]
    pub fn sysctl(mut self, key: &str, value: &str) -> Self {
        self.sysctls.push((key.to_owned(), value.to_owned()));
        self
    }

    /// A line for `ip -batch`, after the addresses: `route add default via 10.0.0.1`.
    #[must_use]
    pub fn ip(mut self, line: &str) -> Self {
        self.commands.push(line.to_owned());
        self
    }

    /// What a real server behind IP-in-IP tunnels needs besides [`Host::answers_for`].
    #[must_use]
    pub fn ends_tunnels(mut self) -> Self {
        self.ends_tunnels = true;
        self.ip("link set tunl0 up")
            .sysctl("net/ipv4/conf/all/rp_filter", "0")
            .sysctl("net/ipv4/conf/default/rp_filter", "0")
    }

    /// What every LVS router needs: it forwards.
    #[must_use]
    pub fn router(self) -> Self {
        self.sysctl("net/ipv4/ip_forward", "1")
            .sysctl("net/ipv6/conf/all/forwarding", "1")
            .sysctl("net/ipv4/ip_nonlocal_bind", "1")
    }

    /// What a real server behind direct routing needs: the floating address on its loopback
    /// interface, and silence about it on the wire.
    #[must_use]
    pub fn answers_for(self, address: &str) -> Self {
        let silent = self
            .sysctl("net/ipv4/conf/all/arp_ignore", "1")
            .sysctl("net/ipv4/conf/all/arp_announce", "2");
        let (length, more) = if address.contains(':') { (128, " nodad") } else { (32, "") };
        silent.ip(&format!("addr add {address}/{length} dev lo{more}"))
    }

    /// Makes the end of tunnels, which some hosts give to every network by themselves, and all
    /// that is made at every start.
    fn configure(&self, space: &Namespace) -> Outcome {
        let has_end = space.run(|| Path::new("/sys/class/net/tunl0").exists())?;
        let end = if self.ends_tunnels && !has_end {
            "link add tunl0 type ipip local any remote any\n"
        } else {
            ""
        };
        batch(space, &format!("{end}{}", self.batch()))
    }

    /// What is made at every start.
    fn batch(&self) -> String {
        let mut lines = String::from("link set lo up\n");
        for (index, (_, addresses)) in self.links.iter().enumerate() {
            for address in addresses {
                let more = if address.contains(':') { " nodad" } else { "" };
                let _ = writeln!(lines, "addr add {address} dev eth{index}{more}");
            }
            let _ = writeln!(lines, "link set eth{index} up");
        }
        for command in &self.commands {
            let _ = writeln!(lines, "{command}");
        }
        lines
    }
}

/// The plan of a network.
#[derive(Debug, Default)]
pub struct Network {
    hosts: Vec<Host>,
}

impl Network {
    /// An empty plan.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host.
    #[must_use]
    pub fn with(mut self, host: Host) -> Self {
        self.hosts.push(host);
        self
    }

    /// Builds the whole network; the hosts come back in the order of the plan.
    ///
    /// # Errors
    /// When the kernel refuses a part of it, with that part's name.
    pub fn build(&self, run: &Run) -> Outcome<Vec<Node>> {
        let switch = Namespace::new(SWITCH, SWITCH)?;
        batch(&switch, &self.bridges())?;
        let mut nodes = Vec::new();
        for host in &self.hosts {
            let space = Namespace::new(&host.name, &host.host_name)?;
            let links = host.links.iter().enumerate();
            let wire = |(index, (bridge, _)): (usize, &(String, _))| {
                Wire::new(&switch, &host.name, index, bridge)
            };
            nodes.push(Node::new(space, links.map(wire).collect(), host.batch(), run)?);
        }
        Wire::make(&nodes.iter().flat_map(Node::wires).collect::<Vec<_>>())?;
        self.configure(&nodes)?;
        Ok(nodes)
    }

    fn bridges(&self) -> String {
        let names: BTreeSet<&str> =
            self.hosts.iter().flat_map(|host| &host.links).map(|(name, _)| name.as_str()).collect();
        names.iter().fold(String::new(), |mut lines, name| {
            let _ = writeln!(lines, "link add {name} type bridge mcast_snooping 0");
            let _ = writeln!(lines, "link set {name} up");
            lines
        })
    }

    /// Sets parameters and addresses of all hosts, two at a time side by side.
    fn configure<'a>(&'a self, nodes: &'a [Node]) -> Outcome {
        for (host, node) in self.hosts.iter().zip(nodes) {
            for (key, value) in &host.sysctls {
                node.namespace().sysctl(key, value)?;
            }
        }
        std::thread::scope(|scope| {
            let pairs = self.hosts.iter().zip(nodes);
            let start = |(host, node): (&'a Host, &'a Node)| {
                scope.spawn(move || host.configure(node.namespace()))
            };
            let started: Vec<_> = pairs.map(start).collect();
            for thread in started {
                let done = thread.join().map_err(|_| Failure::new("a thread panicked"))?;
                done.context("giving addresses")?;
            }
            Ok(())
        })
    }
}
