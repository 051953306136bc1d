//! An existing lvs.cf in each routing method, with persistence and with a firewall mark; and the
//! same with IPv6 in the native format.

use lab::pair::{start_pulse, wait_for_address, wait_for_holder};
use lab::seed::{NAT_ROUTER, VIP, VIP6, web_address, web_address6};
use lab::{Daemon, Failure, Load, Node, Outcome, Run, Seed, WebServer, ensure, wait_until};
use std::net::SocketAddr;
use std::time::Duration;

const LVS_CF: &str = "/etc/sysconfig/ha/lvs.cf";
const KEY: &str = "/etc/sysconfig/ha/heartbeat.key";
const LONG: Duration = Duration::from_secs(20);
/// From the save of an edit to the kernel.
const APPLIED: Duration = Duration::from_secs(3);

/// The file of a pair, as its web tool would write it.
struct LvsCf {
    network: &'static str,
    /// Global lines besides the common ones.
    global: &'static str,
    /// Lines of the virtual server besides the common ones.
    web: &'static str,
    servers: [&'static str; 2],
}

impl LvsCf {
    fn text(&self) -> String {
        let Self { network, global, web, servers: [one, two] } = self;
        format!(
            "serial_no = 7
primary = 192.168.1.2
service = lvs
backup_active = 1
backup = 192.168.1.3
heartbeat = 1
heartbeat_port = 539
keepalive = 1
deadtime = 3
network = {network}
debug_level = NONE
{global}
virtual www {{
     active = 1
     address = {VIP} eth0:1
     vip_nmask = 255.255.255.0
     port = 80
     send = \"GET /.testpage HTTP/1.0\\r\\n\\r\\n\"
     expect = \"HTTP\"
     use_regex = 0
     load_monitor = none
     scheduler = rr
     protocol = tcp
     timeout = 1
     reentry = 2
     quiesce_server = 0
     {web}
     server one {{
         address = {one}
         active = 1
         weight = 1
     }}
     server two {{
         address = {two}
         active = 1
         weight = 1
     }}
}}
"
        )
    }

    fn save(&self, net: &Seed) -> Outcome {
        net.routers().into_iter().try_for_each(|router| router.write(LVS_CF, &self.text()))
    }
}

const DIRECT: LvsCf =
    LvsCf { network: "direct", global: "", web: "", servers: ["192.168.1.4", "192.168.1.5"] };

/// Starts the pair with a new key.
fn start(net: &Seed, file: &LvsCf) -> Outcome<[Daemon; 2]> {
    file.save(net)?;
    net.ra.execute(&["lvsctl", "keygen", KEY])?;
    net.rb.write_mode(KEY, &net.ra.read(KEY)?, 0o600)?;
    let daemons = [start_pulse(&net.ra)?, start_pulse(&net.rb)?];
    wait_for_address(&net.ra, VIP, LONG)?;
    Ok(daemons)
}

/// Waits until both routers' kernels hold exactly this table.
fn table_is(net: &Seed, table: &str, limit: Duration) -> Outcome {
    for router in net.routers() {
        let waited =
            wait_until(limit, "the kernel has the wanted table", || Ok(router.table()? == table));
        let found = || router.table().unwrap_or_default();
        waited.map_err(|failure| {
            Failure::of(failure, format!("wanted:\n{table}found:\n{}", found()))
        })?;
    }
    Ok(())
}

/// How often each server answered 20 requests, the lesser first; none may be lost.
fn answers(run: &Run, net: &Seed, target: SocketAddr, what: &str) -> Outcome<Vec<usize>> {
    let report = Load::new(target).most(20).start(&net.c)?.complete()?;
    run.step(format!("{what}: {}", report.summary()));
    ensure!(report.lost() == 0, "{what}: {}", report.summary());
    Ok(report.answers().values().copied().collect())
}

/// Direct routing, then tunnels, persistence and a firewall mark by edits of the file.
pub(crate) fn lvs_cf(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (_one, _two) = net.web()?;
    let _pulse = start(&net, &DIRECT)?;
    table_is(&net, &served("-t 192.168.1.1:80 -s rr", "-t 192.168.1.1:80", ":80 -g"), LONG)?;
    ensure!(answers(run, &net, web_address(), "direct routing")? == [10, 10], "no turns");

    LvsCf { network: "tunnel", ..DIRECT }.save(&net)?;
    table_is(
        &net,
        &served("-t 192.168.1.1:80 -s rr", "-t 192.168.1.1:80", ":80 -i")
            .replace("-w 1", "-w 1 --tun-type ipip"),
        APPLIED,
    )?;
    ensure!(answers(run, &net, web_address(), "tunnels")? == [10, 10], "no turns");

    LvsCf { web: "persistent = 300", ..DIRECT }.save(&net)?;
    let persistent = "-t 192.168.1.1:80 -s rr -p 300";
    table_is(&net, &served(persistent, "-t 192.168.1.1:80", ":80 -g"), APPLIED)?;
    ensure!(answers(run, &net, web_address(), "persistence")? == [20], "the client did not stay");

    let _more = [WebServer::start(&net.r1, 8080)?, WebServer::start(&net.r2, 8080)?];
    mark(&net, [80, 8080])?;
    LvsCf { web: "persistent = 300\n     fwmark = 80", ..DIRECT }.save(&net)?;
    table_is(&net, &served("-f 80 -s rr -p 300", "-f 80", ":0 -g"), APPLIED)?;
    let first = Load::new(web_address()).most(10).start(&net.c)?.complete()?;
    let other = SocketAddr::from(([192, 168, 1, 1], 8080));
    let second = Load::new(other).most(10).start(&net.c)?.complete()?;
    run.step(format!("one mark, port 80: {}; port 8080: {}", first.summary(), second.summary()));
    ensure!(first.lost() + second.lost() == 0, "requests were lost");
    ensure!(first.answers() == second.answers(), "the ports of one mark went to two servers");
    Ok(())
}

/// What `ipvsadm -Sn` shows for one service with both servers.
fn served(service: &str, name: &str, way: &str) -> String {
    format!(
        "-A {service}\n-a {name} -r 192.168.1.4{way} -w 1\n-a {name} -r 192.168.1.5{way} -w 1\n"
    )
}

/// Marks two ports of the floating address as one, on both routers.
pub(crate) fn mark(net: &Seed, ports: [u16; 2]) -> Outcome {
    let [one, two] = ports;
    let rules = format!(
        "table ip marks {{
            chain in {{
                type filter hook prerouting priority mangle;
                ip daddr {VIP} tcp dport {{ {one}, {two} }} meta mark set 80
            }}
        }}"
    );
    for router in net.routers() {
        router.execute_with(&["nft", "-f", "-"], &rules)?.good("nft")?;
    }
    Ok(())
}

/// NAT: the inner floating address moves with the outer one, and the real servers answer
/// through it.
pub(crate) fn nat(run: &mut Run) -> Outcome {
    let net = Seed::build_nat(run)?;
    let (_one, _two) = net.web()?;
    let file = LvsCf {
        network: "nat",
        global: "nat_router = 10.11.12.10 eth1:1\nnat_nmask = 255.255.255.0",
        web: "",
        servers: ["10.11.12.4", "10.11.12.5"],
    };
    let mut pulse = start(&net, &file)?;
    let table = served("-t 192.168.1.1:80 -s rr", "-t 192.168.1.1:80", ":80 -m");
    table_is(
        &net,
        &table.replace("192.168.1.4", "10.11.12.4").replace("192.168.1.5", "10.11.12.5"),
        LONG,
    )?;
    ensure!(net.ra.has_address(NAT_ROUTER)?, "master has no {NAT_ROUTER}");
    ensure!(answers(run, &net, web_address(), "NAT")? == [10, 10], "no turns");

    let [master, _] = &mut pulse;
    master.stop(LONG)?;
    for address in [VIP, NAT_ROUTER] {
        let holder = wait_for_holder(&net.routers(), address, LONG)?;
        ensure!(holder.name() == "rb", "{address} is on {}", holder.name());
    }
    ensure!(answers(run, &net, web_address(), "after a hand-over")? == [10, 10], "no turns");
    Ok(())
}

const NATIVE6: &str = "\
routers:
  master: { paths: [2001:db8:1::2, 172.16.1.2] }
  backup: { paths: [2001:db8:1::3, 172.16.1.3] }
heartbeat: { interval: 200ms, dead_after: 600ms, key_file: heartbeat.key }
groups:
  web:
    preferred: master
    failback: manual
    addresses: [ { ip: '2001:db8:1::1/64', interface: eth0 } ]
services:
  www:
    listen: '[2001:db8:1::1]:80/tcp'
    scheduler: rr
    forward: direct
    check: { http: { path: /.testpage, expect: test page }, interval: 500ms, timeout: 500ms, fall: 2, rise: 2 }
    servers: [ '[2001:db8:1::4]:80', '[2001:db8:1::5]:80' ]
";

/// Direct routing with IPv6, and a power loss: the neighbour is told at once who has the address.
pub(crate) fn ipv6(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (_one, _two) = net.web()?;
    let _pair = lab::Pair::start(&net, NATIVE6)?;
    let holder = lab::pair::wait_until_warm(&net, VIP6, 2)?;
    ensure!(holder.name() == "ra", "{VIP6} is on {}", holder.name());
    ensure!(answers(run, &net, web_address6(), "IPv6")? == [10, 10], "no turns");
    power_loss(run, &net, &net.ra, &net.rb)
}

fn power_loss(run: &mut Run, net: &Seed, old: &Node, new: &Node) -> Outcome {
    let load = Load::new(web_address6()).start(&net.c)?;
    load.answered(50, LONG)?;
    old.power_off()?;
    wait_for_address(new, VIP6, LONG)?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    run.step(report.summary());
    let outage = report.longest_outage().as_secs_f64() * 1000.0;
    ensure!(outage < 2000.0, "the outage lasted {outage:.0} ms");
    run.figure("outage at a power loss, IPv6", "ms", &[outage])
}
