//! configure-lvs with its lvs_dr.conf: one director, telnet and the web on two real servers by
//! direct routing. The file is converted, and the outcome sets up all three machines.

use super::LONG;
use crate::director::has_table;
use lab::seed::{PASSWD, USERS};
use lab::talk::{self, Manner, Talker};
use lab::{Failure, Host, Load, Network, Node, Outcome, Run, WebServer, ensure};
use std::net::SocketAddr;

const FILE: &str = "/etc/lvs/lvs_dr.conf";
const CONFIG: &str = "/etc/caribe/cluster.yaml";
const VIP: &str = "192.168.0.101";
/// The real servers by the names that the file has.
const NAMES: &str = "192.168.0.3 rs1\n192.168.0.4 rs2\n";
const TABLE: &str = "-A -t 192.168.0.101:23 -s rr
-a -t 192.168.0.101:23 -r 192.168.0.3:23 -g -w 1
-a -t 192.168.0.101:23 -r 192.168.0.4:23 -g -w 1
-A -t 192.168.0.101:80 -s rr
-a -t 192.168.0.101:80 -r 192.168.0.3:80 -g -w 1
-a -t 192.168.0.101:80 -r 192.168.0.4:80 -g -w 1
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let host = |name, last| Host::new(name).on("lan", &[&format!("192.168.0.{last}/24")]);
    let plan = Network::new()
        .with(host("client", 200))
        .with(host("vs1", 1).router())
        .with(host("rs1", 3))
        .with(host("rs2", 4));
    let nodes: [Node; 4] =
        plan.build(run)?.try_into().map_err(|_| Failure::new("the plan has four hosts"))?;
    let [client, director, rs1, rs2] = nodes;
    let _web = [WebServer::start(&rs1, 80)?, WebServer::start(&rs2, 80)?];
    // Whoever logs in sees on which server he is; any service that says so will do.
    let telnet = |node| Talker::start(node, 23, Manner::Stream(talk::daytime));
    let _telnet = [telnet(&rs1)?, telnet(&rs2)?];

    director.ip(&["addr add 192.168.0.101/24 dev eth0 label eth0:101"])?;
    director.write("/etc/hosts", NAMES)?;
    let known = director.read(PASSWD)?;
    director.write(PASSWD, &format!("{known}{USERS}"))?;
    director.write(FILE, include_str!("configure_lvs/lvs_dr.conf"))?;
    let converted = director.execute(&["lvsctl", "convert", FILE])?;
    director.write(CONFIG, &converted)?;
    for server in [&rs1, &rs2] {
        set_up(run, server, &converted)?;
    }
    let _lvsd = director.start(&["lvsd"])?;
    has_table(&director, TABLE, LONG)?;

    let target = SocketAddr::from(([192, 168, 0, 101], 80));
    let report = Load::new(target).most(20).start(&client)?.complete()?;
    run.step(report.summary());
    let turns: Vec<usize> = report.answers().into_values().collect();
    ensure!(turns == [10, 10] && report.lost() == 0, "no turns: {}", report.summary());
    super::daytime::answered_by(&client, ([192, 168, 0, 101], 23), &["rs1", "rs2"])
}

/// A real server, from the director's file and the names in it; the address is on the interface
/// that `SERVER_VIP_DEVICE` names.
fn set_up(run: &Run, server: &Node, converted: &str) -> Outcome {
    server.write("/etc/hosts", NAMES)?;
    server.write(CONFIG, converted)?;
    let done = server.execute(&["lvsctl", "realserver", "up", "--interface", "dummy0"])?;
    ensure!(done.contains(VIP), "{} does not answer for {VIP}: {done}", server.name());
    run.step(format!("{}: {}", server.name(), done.trim().replace('\n', "; ")));
    server.execute(&["lvsctl", "realserver", "check", "--interface", "dummy0"]).map(drop)
}
