//! The hosts of all cases.

use lab::seed::{PASSWD, USERS};
use lab::{Failure, Host, Network, Node, Outcome, Run};

use super::cases::PROGRAMS;
use super::farm::{Certificate, Server};
use super::perl::in_memory;

const HOSTS: &str = "192.168.1.1 www.example.com www
192.168.1.4 web1.example.com web1
192.168.1.5 web2.example.com web2
192.168.1.6 web3.example.com web3 sorry.example.com
";

pub(super) struct Stage {
    pub(super) servers: [Server; 2],
    /// For lvsd, and for ldirectord.
    pub(super) routers: Vec<[Node; 2]>,
    /// The folder of ldirectord's modules.
    pub(super) modules: String,
}

impl Stage {
    /// Two real servers, the second with another address for ranges, and two routers for each place.
    pub(super) fn build(run: &Run, places: u8) -> Outcome<Self> {
        let mut plan = Network::new();
        for (name, addresses) in [
            ("r1", &["192.168.1.4/24", "2001:db8:1::4/64"][..]),
            ("r2", &["192.168.1.5/24", "192.168.1.6/24", "2001:db8:1::5/64"]),
        ] {
            plan = plan.with(Host::new(name).on("lan", addresses));
        }
        for place in 0..places {
            for (side, last) in [("ours", 10 + 2 * place), ("theirs", 11 + 2 * place)] {
                let addresses = [format!("192.168.1.{last}/24"), format!("2001:db8:1::{last}/64")];
                let host = Host::new(&format!("{side}{place}"));
                plan =
                    plan.with(host.on("lan", &addresses.each_ref().map(String::as_str)).router());
            }
        }
        let mut nodes = plan.build(run)?.into_iter();
        let missing = || Failure::new("a host is missing");
        let mut next = || nodes.next().ok_or_else(missing);
        let (first, second) = (next()?, next()?);
        let certificate = Certificate::new(&first)?;
        let servers = [Server::start(first, &certificate)?, Server::start(second, &certificate)?];
        let routers = (0..places).map(|_| Ok([prepared(next()?)?, prepared(next()?)?]));
        let routers = routers.collect::<Outcome<Vec<_>>>()?;
        let [_, theirs] = routers.first().ok_or_else(missing)?;
        Ok(Self { servers, modules: in_memory(theirs)?, routers })
    }
}

/// A router with the users, the names and the programs that the files speak of.
fn prepared(router: Node) -> Outcome<Node> {
    let known = router.read(PASSWD)?;
    router.write(PASSWD, &format!("{known}{USERS}"))?;
    router.write("/etc/hosts", HOSTS)?;
    router.write("/etc/ha.d/maintenance/192.168.1.5:80", "")?;
    for (name, text) in PROGRAMS {
        router.write_mode(&format!("/etc/ha.d/{name}"), text, 0o755)?;
    }
    Ok(router)
}
