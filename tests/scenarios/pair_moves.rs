//! Groups that move because somebody wants it: hand-over under load, failback, two groups.

use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Load, Node, Outcome, Report, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// How often a group is handed over.
const MOVES: usize = 4;

/// One pair for all: `group` is what the scenario is about.
pub(crate) fn config(groups: &str, more: &str) -> String {
    format!(
        "\
routers:
  master: {{ paths: [192.168.1.2, 172.16.1.2] }}
  backup: {{ paths: [192.168.1.3, 172.16.1.3] }}
heartbeat: {{ interval: 200ms, dead_after: 600ms, key_file: heartbeat.key{more} }}
groups:
{groups}
services:
  www:
    listen: 192.168.1.1:80/tcp
    scheduler: rr
    forward: direct
    check: {{ http: {{ path: / }}, interval: 1s, timeout: 3s, fall: 3, rise: 1 }}
    servers: [ 192.168.1.4:80, 192.168.1.5:80 ]
kernel: {{ sync: {{ interface: eth1, id: 7 }} }}
"
    )
}

/// The group of most scenarios, on the router called master if that is well.
pub(crate) const WEB: &str = "  web: { preferred: master, failback: manual, addresses: [ { ip: \
                              192.168.1.1/24, interface: eth0 } ] }";

/// `lvsctl failover` and back, a few times, with a request each 10 ms.
pub(crate) fn handover(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let _pair = Pair::start(&net, &config(WEB, ""))?;
    let mut holder = pair::wait_until_warm(&net, VIP, 2)?;
    let mut outages = Vec::new();
    for number in 1..=MOVES {
        let other = other(&net, holder);
        wait_until_ready(other)?;
        let load = Load::new(web_address()).start(&net.c)?;
        load.answered(100, LONG)?;
        holder.execute(&["lvsctl", "failover"])?;
        wait_for_address(other, VIP, LONG)?;
        load.answered(150, LONG)?;
        let report: Report = load.finish()?;
        run.step(format!("hand-over {number} to {}: {}", other.name(), report.summary()));
        ensure!(!holder.has_address(VIP)?, "{} still has the address", holder.name());
        outages.push(report.longest_outage().as_secs_f64() * 1000.0);
        ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
        holder = other;
    }
    run.figure("longest outage of a hand-over", "ms", &outages)
}

/// The preferred router loses power and comes back: the group returns by itself, and only once
/// that router is ready.
pub(crate) fn failback(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let automatic = WEB.replace("failback: manual", "failback: automatic, failback_delay: 2s");
    let mut pair = warm(&net, &config(&automatic, ""))?;
    pair.a = None;
    net.ra.power_off()?;
    let took = wait_for_address(&net.rb, VIP, Duration::from_secs(5))?;
    run.step(format!("power loss: rb has the address after {} ms", took.as_millis()));

    wait_until_answered(&net)?;
    power_back(run, &net, &mut pair)?;
    let log = pair.a.as_ref().map_or_else(|| Ok(String::new()), lab::Daemon::log)?;
    ensure!(log.contains("failback to the preferred router"), "nothing said why:\n{log}");
    Ok(())
}

/// Gives ra power again, and waits until the group is back with it: under load, and none lost.
pub(crate) fn power_back(run: &Run, net: &Seed, pair: &mut Pair) -> Outcome {
    let load = Load::new(web_address()).start(&net.c)?;
    net.ra.power_on()?;
    pair.a = Some(pair::start_pulse(&net.ra)?);
    let took = wait_for_address(&net.ra, VIP, LONG)?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    run.step(format!("failback {} ms after the start: {}", took.as_millis(), report.summary()));
    ensure!(!net.rb.has_address(VIP)?, "rb still has the address");
    ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
    Ok(())
}

/// Two groups, each on its own router; one router takes both, and gives back what it is asked for.
pub(crate) fn two_groups(run: &mut Run) -> Outcome {
    const SECOND: &str = "192.168.1.10";
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let groups = format!(
        "{WEB}\n  mail: {{ preferred: backup, failback: manual, addresses: [ {{ ip: {SECOND}/24, \
         interface: eth0 }} ] }}"
    );
    let _pair = Pair::start(&net, &config(&groups, ""))?;
    pair::wait_until_warm(&net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    wait_for_address(&net.rb, SECOND, LONG)?;
    run.step("each router holds its own group");
    wait_until_ready(&net.ra)?;
    wait_until_ready(&net.rb)?;

    net.ra.execute(&["lvsctl", "takeover", "mail"])?;
    wait_for_address(&net.ra, SECOND, LONG)?;
    ensure!(net.ra.has_address(VIP)?, "the other group moved too");
    ensure!(!net.rb.has_address(SECOND)?, "both hold mail");
    run.step("master fetched the second group");

    net.ra.execute(&["lvsctl", "failover", "mail"])?;
    wait_for_address(&net.rb, SECOND, LONG)?;
    ensure!(net.ra.has_address(VIP)?, "the other group moved too");
    run.step("and gave it back");
    Ok(())
}

/// A pair that is warm: ra has the address, and both routers are ready.
pub(crate) fn warm(net: &Seed, config: &str) -> Outcome<Pair> {
    let pair = Pair::start(net, config)?;
    wait_until_both_warm(net)?;
    Ok(pair)
}

/// Waits until ra has the address, and both routers are ready.
pub(crate) fn wait_until_both_warm(net: &Seed) -> Outcome {
    pair::wait_until_warm(net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    net.routers().into_iter().try_for_each(wait_until_ready)
}

/// Waits until the client is answered: an address that is a millisecond old is not announced yet.
pub(crate) fn wait_until_answered(net: &Seed) -> Outcome {
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(1, LONG)?;
    load.finish().map(drop)
}

pub(crate) fn other<'a>(net: &'a Seed, one: &Node) -> &'a Node {
    if one.name() == net.ra.name() { &net.rb } else { &net.ra }
}

/// Waits until a router says that it could serve at once.
pub(crate) fn wait_until_ready(router: &Node) -> Outcome {
    let what = format!("{} is ready", router.name());
    let words = ["curl", "-s", "--unix-socket", "/run/caribe/pulse.sock", "http://pulse/metrics"];
    let ready = || {
        // A daemon that is just being started again does not answer yet.
        let metrics = router.try_execute(&words)?;
        Ok(metrics.stdout.lines().any(|line| line == "caribe_pulse_ready 1"))
    };
    wait_until(LONG, &what, ready).map(drop)
}
