//! FTP through the pair, passive and active, a file each way, before and after a hand-over.

use std::time::Duration;

use lab::ftp::{self, FtpServer, PASSIVE, Way};
use lab::pair::{self, ROUTERS, wait_for_holder, wait_until_warm};
use lab::seed::{NAT_ROUTER, VIP};
use lab::{Node, Outcome, Pair, Run, Seed, ensure, wait_until};

const LIMIT: Duration = Duration::from_secs(20);

/// The control port, the port of active data, and those of passive data are one service.
fn direct_routing() -> String {
    format!(
        "\
{ROUTERS}groups:
  ftp: {{ preferred: master, addresses: [ {{ ip: {VIP}/24, interface: eth0 }} ] }}
services:
  ftp:
    listen: [ '{VIP}:21', '{VIP}:20', '{VIP}:{PASSIVE}' ]
    mark: auto
    scheduler: rr
    persistence: 5m
    forward: direct
    check: {{ tcp: {{ expect: '220' }}, interval: 500ms, timeout: 400ms, fall: 2, rise: 1 }}
    servers: [ 192.168.1.4, 192.168.1.5 ]
"
    )
}

/// The kernel's ip_vs_ftp follows the control connection.
fn nat() -> String {
    format!(
        "\
routers:
  master: {{ paths: [192.168.1.2, 10.11.12.2] }}
  backup: {{ paths: [192.168.1.3, 10.11.12.3] }}
heartbeat: {{ interval: 200ms, dead_after: 600ms, key_file: heartbeat.key }}
groups:
  ftp:
    preferred: master
    addresses:
      - {{ ip: {VIP}/24, interface: eth0 }}
      - {{ ip: {NAT_ROUTER}/24, interface: eth1 }}
services:
  ftp:
    listen: {VIP}:21/tcp
    scheduler: rr
    forward: nat
    check: {{ tcp: {{ expect: '220' }}, interval: 500ms, timeout: 400ms, fall: 2, rise: 1 }}
    servers: [ 10.11.12.4:21, 10.11.12.5:21 ]
"
    )
}

pub(crate) fn direct(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    transfers(run, &net, &direct_routing())?;
    let mut rules = Vec::new();
    for router in net.routers() {
        let text = router.execute(&["nft", "list", "table", "inet", "caribe"])?;
        run.step(format!("{} marks: {}", router.name(), marked(&text)));
        rules.push(text);
    }
    ensure!(rules.first() == rules.last(), "the routers mark differently");
    Ok(())
}

pub(crate) fn through_nat(run: &mut Run) -> Outcome {
    let net = Seed::build_nat(run)?;
    transfers(run, &net, &nat())
}

/// The first rule.
fn marked(text: &str) -> String {
    let rule = text.lines().find(|line| line.contains("mark set")).unwrap_or_default();
    rule.trim().to_owned()
}

fn transfers(run: &mut Run, net: &Seed, config: &str) -> Outcome {
    let servers = [FtpServer::start(&net.r1)?, FtpServer::start(&net.r2)?];
    let _pair = Pair::start(net, config)?;
    let active = wait_until_warm(net, VIP, 2)?;
    ensure!(active.name() == "ra", "{VIP} is on {}", active.name());
    each_way(run, &net.c, &servers, "before the hand-over")?;
    wait_until(LIMIT, "the partner is ready", || pair::partner_is_ready(&net.ra))?;
    net.ra.execute(&["lvsctl", "failover"])?;
    let active = wait_for_holder(&net.routers(), VIP, LIMIT)?;
    ensure!(active.name() == "rb", "{VIP} is on {}", active.name());
    each_way(run, &net.c, &servers, "after the hand-over")
}

/// A file each way in every way of FTP.
fn each_way(run: &mut Run, client: &Node, servers: &[FtpServer], when: &str) -> Outcome {
    for way in Way::ALL {
        let from = ftp::fetch(client, VIP, way)?;
        ensure!(["r1", "r2"].contains(&from.as_str()), "{way:?} brought {from:?}");
        let name = format!("{way:?}-{}", when.replace(' ', "-"));
        let text = format!("{name}, put by the client\n").repeat(1000);
        ftp::put(client, VIP, way, &name, &text)?;
        let arrived = servers.iter().any(|server| server.received(&name).as_ref() == Some(&text));
        ensure!(arrived, "{name} arrived at no server as it was sent");
        run.step(format!("{when}, {way:?}: a file came from {from}, and one went there"));
    }
    Ok(())
}
