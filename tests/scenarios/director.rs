//! The single director: lvsd without a partner, with a configuration of ldirectord's.

mod comparison;
mod death;
mod edits;
mod marks;
mod operator;
mod restart;
mod sysctls;

use std::collections::BTreeSet;
use std::time::Duration;

use lab::kernel_table::KernelServer;
use lab::{Daemon, Failure, Node, Outcome, Seed, WebServer, seed, wait_until};

pub(crate) use comparison::run as like_ldirectord;
pub(crate) use death::{run as death, without_refusal};
pub(crate) use edits::run as edits;
pub(crate) use marks::run as marks;
pub(crate) use operator::run as operator;
pub(crate) use restart::run as restart;
pub(crate) use sysctls::run as sysctls;

/// The seed's service, mended, with checks quick enough for a test. A busy emulated machine may
/// take seconds for an answer, which is no illness here.
const CONFIGURATION: &str = "checktimeout=8
checkinterval=1
autoreload=yes
quiescent=no

virtual=192.168.1.1:80
    real=192.168.1.4:80 gate
    real=192.168.1.5:80 gate
    fallback=127.0.0.1:80 gate
    service=http
    request=\".testpage\"
    receive=\"test page\"
    scheduler=rr
    protocol=tcp
    checktype=negotiate
";

const PATH: &str = "/etc/ha.d/ldirectord.cf";

/// The table with both servers.
const BOTH: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 1
-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 1
";

/// The table with the sorry server alone.
const SORRY: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 127.0.0.1:80 -g -w 1
";

/// The seed network with the floating address on the router, web servers and a sorry server.
struct Director {
    net: Seed,
    one: WebServer,
    two: WebServer,
    _sorry: WebServer,
}

impl Director {
    fn build(run: &lab::Run, configuration: &str) -> Outcome<Self> {
        let net = Seed::build(run)?;
        let (one, two) = net.web()?;
        let sorry = WebServer::start_named(&net.ra, 80, "sorry")?;
        net.ra.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
        net.ra.write(PATH, configuration)?;
        Ok(Self { net, one, two, _sorry: sorry })
    }

    fn start(&self) -> Outcome<Daemon> {
        self.net.ra.start(&["lvsd", "--config", PATH])
    }

    /// Waits until the kernel has exactly this table; returns how long that took.
    fn has(&self, table: &str) -> Outcome<Duration> {
        let limit = Duration::from_secs(10);
        has_table(&self.net.ra, table, limit)
    }

    /// The daemon's status.
    fn status(&self) -> Outcome<serde_json::Value> {
        let text = self.net.ra.execute(&["lvsctl", "status", "--json"])?;
        let status: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))?;
        Ok(status.get("lvsd").cloned().unwrap_or(status))
    }
}

/// Waits until a router has exactly this table, in whatever order. `/proc` is looked at often,
/// and ipvsadm has the last word.
pub(crate) fn has_table(router: &Node, table: &str, limit: Duration) -> Outcome<Duration> {
    let wanted = servers_in(table);
    let waited = wait_until(limit, "the kernel has the wanted table", || {
        let services = router.kernel_table()?;
        let shown = services.iter().flat_map(|service| {
            let service_name = service.name.rsplit(' ').next().unwrap_or_default().to_owned();
            let server =
                move |one: &KernelServer| format!("{service_name} {} {}", one.address, one.weight);
            service.servers.iter().map(server)
        });
        let servers = shown.collect::<BTreeSet<_>>() == wanted;
        Ok(servers && sorted(&router.table()?) == sorted(table))
    });
    let found = router.table()?;
    waited.map_err(|failure| Failure::new(format!("{failure}; wanted:\n{table}found:\n{found}")))
}

/// `SERVICE SERVER WEIGHT` of each line of ipvsadm that adds a server.
fn servers_in(table: &str) -> BTreeSet<String> {
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words
        .filter_map(|words| match words.as_slice() {
            ["-a", _, service, "-r", server, _, "-w", weight] => {
                Some(format!("{service} {server} {weight}"))
            }
            _ => None,
        })
        .collect()
}

pub(crate) fn sorted(table: &str) -> Vec<&str> {
    let mut lines: Vec<_> = table.lines().collect();
    lines.sort_unstable();
    lines
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
