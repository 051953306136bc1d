//! Firewall marks that lvsd sets itself: one service of several ports, mended, and gone at the end.

use std::net::SocketAddr;
use std::time::Duration;

use lab::{Failure, Load, Node, Outcome, Run, Seed, WebServer, ensure, seed, wait_until};

const LIMIT: Duration = Duration::from_secs(20);
const PATH: &str = "/etc/caribe/cluster.yaml";
/// A table of somebody else with a rule of its own, before and after.
const FOREIGN: &str = "table inet other { chain in { type filter hook prerouting priority 0; \
                       tcp dport 9 meta mark set 9; }\n}\n";

fn configuration(four: &str) -> String {
    format!(
        "\
services:
  www:
    listen: {four}
    mark: 80
    scheduler: rr
    persistence: 5m
    check: {{ type: on }}
    servers: [ 192.168.1.4, 192.168.1.5 ]
  www6:
    listen: [ '[{six}]:80', '[{six}]:8080-8081' ]
    mark: 86
    scheduler: rr
    persistence: 5m
    check: {{ type: on }}
    servers: [ '2001:db8:1::4', '2001:db8:1::5' ]
on_stop: remove
",
        six = seed::VIP6
    )
}

/// What `nft` lists of our table: each rule, in both chains.
fn rules(router: &Node) -> Outcome<Vec<String>> {
    let listed = router.try_execute(&["nft", "list", "table", "inet", "caribe"])?;
    let rules = listed.stdout.lines().map(str::trim).filter(|line| line.contains("mark set"));
    Ok(rules.map(str::to_owned).collect())
}

fn twice(rules: &[&str]) -> Vec<String> {
    [rules, rules].concat().into_iter().map(str::to_owned).collect()
}

fn has_rules(router: &Node, wanted: &[String], what: &str) -> Outcome {
    let waited = wait_until(LIMIT, what, || Ok(rules(router)? == wanted));
    let found = || rules(router).unwrap_or_default();
    waited.map(drop).map_err(|failure| {
        Failure::of(failure, format!("wanted: {wanted:#?}\nfound: {:#?}", found()))
    })
}

fn writes(router: &Node) -> Outcome<usize> {
    let log = router.folder().join("lvsd.log");
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    Ok(text.lines().filter(|line| line.contains("firewall marks")).count())
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let router = &net.ra;
    let _more = [WebServer::start(&net.r1, 8080)?, WebServer::start(&net.r2, 8080)?];
    let (_one, _two) = net.web()?;
    router.ip(&[
        &format!("addr add {}/32 dev eth0", seed::VIP),
        &format!("addr add {}/128 dev eth0 nodad", seed::VIP6),
    ])?;
    router.execute_with(&["nft", "-f", "-"], FOREIGN)?.good("nft")?;
    let foreign = router.execute(&["nft", "list", "table", "inet", "other"])?;

    router.write(PATH, &configuration("[ '192.168.1.1:80', '192.168.1.1:8080' ]"))?;
    let mut daemon = router.start(&["lvsd"])?;
    let six = [
        "ip6 daddr 2001:db8:1::1 tcp dport 80 meta mark set 0x00000056",
        "ip6 daddr 2001:db8:1::1 tcp dport 8080-8081 meta mark set 0x00000056",
    ];
    let four = [
        "ip daddr 192.168.1.1 tcp dport 80 meta mark set 0x00000050",
        "ip daddr 192.168.1.1 tcp dport 8080 meta mark set 0x00000050",
    ];
    let wanted = twice(&[four, six].concat());
    has_rules(router, &wanted, "the marks are set")?;
    one_service(run, &net)?;

    daemon.kill()?;
    let before = writes(router)?;
    let mut daemon = router.start(&["lvsd"])?;
    let answers = || Ok(router.try_execute(&["lvsctl", "status"])?.code == 0);
    wait_until(LIMIT, "lvsd answers again", answers)?;
    let status = router.execute(&["lvsctl", "status"])?;
    ensure!(status.contains("192.168.1.1:8080/tcp"), "the status tells no ports: {status}");
    ensure!(writes(router)? == before, "a restart wrote marks that were there");
    ensure!(rules(router)? == wanted, "they are not as they were");
    run.step("killed and started again: no mark was written");

    for spoiled in ["delete table inet caribe", "flush chain inet caribe output"] {
        router.execute(&[&["nft"][..], &spoiled.split(' ').collect::<Vec<_>>()].concat())?;
        has_rules(router, &wanted, "they are back")?;
        run.step(format!("after `nft {spoiled}` they are back"));
    }
    router.write(PATH, &configuration("[ '192.168.1.1:80-90' ]"))?;
    let range = ["ip daddr 192.168.1.1 tcp dport 80-90 meta mark set 0x00000050"];
    has_rules(router, &twice(&[&range[..], &six].concat()), "the edit is there")?;
    run.step("an edit makes a range of it");

    daemon.stop(LIMIT)?;
    let tables = router.execute(&["nft", "list", "tables"])?;
    ensure!(tables.trim() == "table inet other", "left behind: {tables}");
    let now = router.execute(&["nft", "list", "table", "inet", "other"])?;
    ensure!(now == foreign, "the table of somebody else was changed: {now}");
    run.step("stopped in order: our table is gone, the other one is as it was");
    Ok(())
}

/// A client meets one server on both ports, over either family.
fn one_service(run: &mut Run, net: &Seed) -> Outcome {
    for ip in [seed::web_address().ip(), seed::web_address6().ip()] {
        let mut met = Vec::new();
        for port in [80, 8080] {
            let target = SocketAddr::new(ip, port);
            let report = Load::new(target).most(10).start(&net.c)?.complete()?;
            ensure!(report.lost() == 0, "{target}: {}", report.summary());
            met.push(report.answers().clone());
        }
        ensure!(met.first() == met.last(), "{ip}: the ports went to two servers");
        run.step(format!("{ip}: both ports of a client are at one server"));
    }
    Ok(())
}
