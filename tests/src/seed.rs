//! The networks of the examples: a client, two routers, two real servers.

use crate::{Failure, Host, Network, Node, Outcome, Run, WebServer};
use std::net::{Ipv6Addr, SocketAddr};

/// The hosts of an example network.
#[derive(Debug)]
pub struct Seed {
    /// The client, 192.168.1.200.
    pub c: Node,
    /// The router called master, 192.168.1.2.
    pub ra: Node,
    /// The router called backup, 192.168.1.3.
    pub rb: Node,
    /// A real server.
    pub r1: Node,
    /// A real server.
    pub r2: Node,
}

/// Where a host's users are.
pub const PASSWD: &str = "/etc/passwd";
/// The users that the package makes on a router, as `passwd(5)`.
pub const USERS: &str = "\
caribe:x:990:990:Caribe router:/:/usr/sbin/nologin
caribe-nanny:x:991:991:Caribe health checks:/:/usr/sbin/nologin
caribe-script:x:992:992:Caribe external checks:/:/usr/sbin/nologin
caribe-fence:x:993:993:Caribe fencing:/:/usr/sbin/nologin
";

/// The floating address.
pub const VIP: &str = "192.168.1.1";
/// The IPv6 floating address of the direct-routing network.
pub const VIP6: &str = "2001:db8:1::1";
/// The web service.
pub const VIP_WEB: &str = "192.168.1.1:80";
/// The floating address through which the real servers of the NAT network answer.
pub const NAT_ROUTER: &str = "10.11.12.10";

impl Seed {
    /// The seed network, for direct routing and for tunnels. One wire for all hosts, with
    /// 192.168.1.0/24 (client .200, routers .2 and .3, real servers .4 and .5) and the same
    /// numbers in 2001:db8:1::/64; a second wire, 172.16.1.0/24, for the routers' heartbeats.
    /// No program runs on it yet.
    ///
    /// # Errors
    /// When the kernel refuses a part of it.
    pub fn build(run: &Run) -> Outcome<Self> {
        Self::one_wire(run, |server| server.answers_for(VIP).answers_for(VIP6).ends_tunnels())
    }

    /// The same with real servers that nobody has set up.
    ///
    /// # Errors
    /// When the kernel refuses a part of it.
    pub fn build_bare(run: &Run) -> Outcome<Self> {
        Self::one_wire(run, |server| server)
    }

    fn one_wire(run: &Run, set_up: impl Fn(Host) -> Host) -> Outcome<Self> {
        let router = |name, host_name, last: u8| {
            Host::new(name)
                .called(host_name)
                .on("lan", &[&lan(last), &lan6(last)])
                .on("beat", &[&format!("172.16.1.{last}/24")])
                .router()
        };
        let server = |name, last| {
            let addresses = [lan(last), lan6(last)];
            set_up(Host::new(name).on("lan", &addresses.each_ref().map(String::as_str)))
        };
        Self::five(
            run,
            [
                Host::new("c").on("lan", &[&lan(200), "2001:db8:1::200/64"]),
                router("ra", "master", 2),
                router("rb", "backup", 3),
                server("r1", 4),
                server("r2", 5),
            ],
        )
    }

    /// The NAT network: client and routers on 192.168.1.0/24, the real servers 10.11.12.4 and .5
    /// behind the routers' second wire (10.11.12.2 and .3); they answer through [`NAT_ROUTER`].
    ///
    /// # Errors
    /// When the kernel refuses a part of it.
    pub fn build_nat(run: &Run) -> Outcome<Self> {
        let router = |name, host_name, last: u8| {
            Host::new(name)
                .called(host_name)
                .on("lan", &[&lan(last)])
                .on("inner", &[&format!("10.11.12.{last}/24")])
                .router()
        };
        let server = |name, last: u8| {
            Host::new(name)
                .on("inner", &[&format!("10.11.12.{last}/24")])
                .ip(&format!("route add default via {NAT_ROUTER}"))
        };
        Self::five(
            run,
            [
                Host::new("c").on("lan", &[&lan(200)]),
                router("ra", "master", 2),
                router("rb", "backup", 3),
                server("r1", 4),
                server("r2", 5),
            ],
        )
    }

    fn five(run: &Run, hosts: [Host; 5]) -> Outcome<Self> {
        let nodes = hosts.into_iter().fold(Network::new(), Network::with).build(run)?;
        let nodes: [Node; 5] =
            nodes.try_into().map_err(|_| Failure::new("the plan has five hosts"))?;
        let [c, ra, rb, r1, r2] = nodes;
        for router in [&ra, &rb] {
            let known = router.read(PASSWD)?;
            router.write(PASSWD, &format!("{known}{USERS}"))?;
        }
        Ok(Self { c, ra, rb, r1, r2 })
    }

    /// Starts a web server on port 80 of each real server.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn web(&self) -> Outcome<(WebServer, WebServer)> {
        Ok((WebServer::start(&self.r1, 80)?, WebServer::start(&self.r2, 80)?))
    }

    /// Both routers.
    pub fn routers(&self) -> [&Node; 2] {
        [&self.ra, &self.rb]
    }

    /// All hosts.
    pub fn hosts(&self) -> [&Node; 5] {
        [&self.c, &self.ra, &self.rb, &self.r1, &self.r2]
    }
}

fn lan(last: u8) -> String {
    format!("192.168.1.{last}/24")
}

fn lan6(last: u8) -> String {
    format!("2001:db8:1::{last}/64")
}

/// The web service as an address.
pub fn web_address() -> SocketAddr {
    SocketAddr::from(([192, 168, 1, 1], 80))
}

/// The web service's IPv6 address.
pub fn web_address6() -> SocketAddr {
    SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1), 80))
}
