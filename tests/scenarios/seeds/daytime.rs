//! daytime on two machines, one of which is the director and a real server at once: a table by
//! ipvsadm, kept in a file, and the second machine with the address on its loopback. The file is
//! converted for lvsd, which goes on with that table.

use super::LONG;
use lab::seed::{PASSWD, USERS};
use lab::talk::{self, Manner, Talker};
use lab::{Failure, Host, Network, Node, Outcome, Run, ensure, wait_until};
use std::collections::BTreeSet;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const COMMANDS: &str = include_str!("daytime/commands");
/// Where Red Hat's `service ipvsadm save` keeps the table.
const SAVED: &str = "/etc/sysconfig/ipvsadm";
const CONFIG: &str = "/etc/caribe/cluster.yaml";
/// What the conversion writes, as ipvsadm checks nobody; it says to leave that out for a check.
const UNCHECKED: &str = "    check: on\n";
const SERVICE: ([u8; 4], u16) = ([192, 168, 0, 110], 13);
const TABLE: &str = "-A -t 192.168.0.110:13 -s wlc
-a -t 192.168.0.110:13 -r 192.168.0.115:13 -g -w 1
-a -t 192.168.0.110:13 -r 192.168.0.128:13 -g -w 1
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let hosts = [("client", 200), ("server1", 115), ("server2", 128)];
    let plan = hosts.into_iter().fold(Network::new(), |plan, (name, last)| {
        plan.with(Host::new(name).on("lan", &[&format!("192.168.0.{last}/24")]))
    });
    let nodes: [Node; 3] =
        plan.build(run)?.try_into().map_err(|_| Failure::new("the plan has three hosts"))?;
    let [client, server1, server2] = nodes;
    let daytime = |node| Talker::start(node, 13, Manner::Stream(talk::daytime));
    let (_first, mut second) = (daytime(&server1)?, daytime(&server2)?);

    by_hand(&server1, &server2)?;
    answered_by(&client, SERVICE, &["server1", "server2"])?;
    run.step("the table of the text's commands: both servers answer");

    let known = server1.read(PASSWD)?;
    server1.write(PASSWD, &format!("{known}{USERS}"))?;
    server1.write(SAVED, &server1.table()?)?;
    let converted = server1.execute(&["lvsctl", "convert", SAVED])?;
    ensure!(converted.contains(UNCHECKED), "the conversion checks by itself: {converted}");
    server1.write(CONFIG, &converted.replace(UNCHECKED, ""))?;
    let mut lvsd = server1.start(&["lvsd"])?;
    lvsd.wait_for_log(LONG, "every real server has been checked")?;
    ensure!(!lvsd.log()?.contains("kernel changed"), "the table was changed:\n{}", lvsd.log()?);
    ensure!(server1.table()? == TABLE, "found:\n{}", server1.table()?);
    answered_by(&client, SERVICE, &["server1", "server2"])?;
    run.step("lvsd with the converted table takes it over as it is");

    second.close()?;
    let alone = || Ok(!server1.table()?.contains("192.168.0.128"));
    wait_until(LONG, "the dead server is out of the table", alone)?;
    answered_by(&client, SERVICE, &["server1"])?;
    second.open()?;
    wait_until(LONG, "the server is back", || Ok(server1.table()? == TABLE))?;
    answered_by(&client, SERVICE, &["server1", "server2"])?;
    run.step("a server dies, which the text's table does not notice, and returns");
    Ok(())
}

/// What the text has its reader type and edit, on both machines.
fn by_hand(server1: &Node, server2: &Node) -> Outcome {
    address(server1, include_str!("daytime/ifcfg-eth0:0"))?;
    settings(server1, include_str!("daytime/server1.sysctl.conf"))?;
    for line in COMMANDS.lines() {
        server1.execute(&line.split_whitespace().collect::<Vec<_>>())?;
    }
    ensure!(server1.table()? == TABLE, "found:\n{}", server1.table()?);
    // Silent before it has the address, so that nobody hears of it.
    settings(server2, include_str!("daytime/server2.sysctl.conf"))?;
    address(server2, include_str!("daytime/ifcfg-lo:0"))?;
    let route = include_str!("daytime/route-lo:0").trim();
    server2.ip(&[&format!("route replace {route}")])
}

/// The address of a file of Red Hat's network scripts.
fn address(node: &Node, file: &str) -> Outcome {
    let value = |key: &str| {
        let line = file.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.ok_or_else(|| Failure::new(format!("the file has no {key}")))
    };
    let (address, mask, name) = (value("IPADDR")?, value("NETMASK")?, value("DEVICE")?);
    let device = name.split(':').next().unwrap_or(name);
    node.ip(&[&format!("addr add {address}/{mask} dev {device} label {name}")])
}

/// The settings of a sysctl.conf, as far as they are the network's: the others are of the whole
/// machine.
fn settings(node: &Node, file: &str) -> Outcome {
    let lines = file.lines().filter(|line| line.starts_with("net."));
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        node.namespace().sysctl(&key.trim().replace('.', "/"), value.trim())?;
    }
    Ok(())
}

/// Asks for the day, ten times or until all have answered: exactly these servers do. `wlc` counts
/// closed connections for minutes, so that one server may have to catch up with the other.
pub(super) fn answered_by(
    client: &Node,
    target: impl Into<SocketAddr>,
    wanted: &[&str],
) -> Outcome {
    let target = target.into();
    let mut seen = BTreeSet::new();
    for number in 1..=60 {
        let answer = client.run(move || {
            let limit = Duration::from_secs(10);
            let mut stream = TcpStream::connect_timeout(&target, limit)?;
            stream.set_read_timeout(Some(limit))?;
            let mut text = String::new();
            stream.read_to_string(&mut text).map(|_| text)
        })?;
        let answer = answer.map_err(|error| Failure::of("daytime", error))?;
        seen.extend(answer.split_whitespace().last().map(str::to_owned));
        if number >= 10 && seen.len() >= wanted.len() {
            break;
        }
    }
    ensure!(seen.iter().eq(wanted), "answered by {seen:?}, wanted {wanted:?}");
    Ok(())
}
