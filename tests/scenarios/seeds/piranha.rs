//! The English handbook of Piranha: a pair with direct routing, the two ports of a shop bundled by
//! a firewall mark with persistence, weights and a quiesce server.

use super::{LONG, lose_power, power_returns, start_piranha};
use crate::director::has_table;
use crate::routing::mark;
use lab::seed::VIP;
use lab::{Load, Outcome, Run, Seed, WebServer, ensure};
use std::net::SocketAddr;

const FILE: &str = include_str!("piranha/lvs.cf");
const TABLE: &str = "-A -f 80 -s wlc -p 30
-a -f 80 -r 192.168.1.4:0 -g -w 1
-a -f 80 -r 192.168.1.5:0 -g -w 5
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (mut one, mut two) = net.web()?;
    let _secure = [WebServer::start(&net.r1, 443)?, WebServer::start(&net.r2, 443)?];
    mark(&net, [80, 443])?;
    let [mut primary, _backup] = start_piranha(&net, FILE, VIP)?;
    has_table(&net.ra, TABLE, LONG)?;
    has_table(&net.rb, TABLE, LONG)?;
    sticks(run, &net, "the shop")?;

    // Whoever served the client dies, with weight 0 and not removed: `quiesce_server`.
    two.close()?;
    has_table(&net.ra, &TABLE.replace("-w 5", "-w 0"), LONG)?;
    one.close()?;
    has_table(&net.ra, &TABLE.replace("-w 5", "-w 0").replace("-w 1", "-w 0"), LONG)?;
    one.open()?;
    two.open()?;
    // Piranha let a server begin with little and rise; here it takes 100 s.
    for router in net.routers() {
        has_table(router, &TABLE.replace("-w 5", "-w 1"), LONG)?;
    }
    for router in net.routers() {
        has_table(router, &TABLE.replace("-w 5", "-w 2"), LONG)?;
    }
    run.step("real servers died and returned, the heavy one slowly");

    lose_power(run, &net, &[VIP])?;
    sticks(run, &net, "from the backup")?;
    power_returns(&net, &mut primary, &[VIP])?;
    sticks(run, &net, "the primary is the hot backup now")
}

/// One client finds one server behind both ports.
fn sticks(run: &Run, net: &Seed, what: &str) -> Outcome {
    let mut servers = Vec::new();
    for port in [80, 443] {
        let target = SocketAddr::from(([192, 168, 1, 1], port));
        let report = Load::new(target).most(20).start(&net.c)?.complete()?;
        run.step(format!("{what}, port {port}: {}", report.summary()));
        ensure!(report.lost() == 0, "{what}: {}", report.summary());
        servers.extend(report.answers().into_keys());
    }
    servers.dedup();
    ensure!(servers.len() == 1, "one client went to {servers:?}");
    Ok(())
}
