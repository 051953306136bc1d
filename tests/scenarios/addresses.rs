//! A group of a thousand floating addresses: handed over, and taken after a power loss.

mod beside;

use crate::faults::{Stage, headings, log_of};
use crate::pair_moves::{WEB, config, wait_until_both_warm};
use lab::arp::{ArpListener, mac_of};
use lab::failure::Context;
use lab::wait::wait_for;
use lab::{Node, Outcome, Pair, Run, Seed, ensure};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

pub(crate) use beside::bench;

const LONG: Duration = Duration::from_secs(60);
/// Floating addresses beside the one of the web service.
const MANY: usize = 1000;
/// What a router says when heartbeats are so late that its partner could be dead.
pub(crate) const SILENT: [&str; 2] = ["path silent", "partner lost"];
/// What it says when one comes later than one and a half intervals: counted, as a busy machine
/// makes them late as well.
pub(crate) const LATE: &str = "partner is late";

/// All floating addresses but the web service's.
fn all() -> BTreeSet<Ipv4Addr> {
    let last = |index: usize| [index / 250, index % 250 + 1].map(|n| u8::try_from(n).unwrap_or(0));
    (0..MANY).map(last).map(|[third, fourth]| Ipv4Addr::new(10, 60, third, fourth)).collect()
}

/// The pair of most scenarios with all of them in its group.
fn many() -> String {
    let more: Vec<String> =
        all().iter().map(|ip| format!(", {{ ip: {ip}/32, interface: eth0 }}")).collect();
    let group =
        WEB.replace("interface: eth0 } ]", &format!("interface: eth0 }}{} ]", more.concat()));
    config(&group, ", warn_after: 300ms")
}

/// Which of them a host has. No process is started.
fn held(host: &Node) -> Outcome<BTreeSet<Ipv4Addr>> {
    let path = "/proc/thread-self/net/fib_trie";
    let text = host.run(move || std::fs::read_to_string(path))?.context(path)?;
    let mut last = None;
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(ip) = line.strip_prefix("|-- ") {
            last = ip.parse().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(last.filter(|ip: &Ipv4Addr| ip.octets().starts_with(&[10, 60])));
        }
    }
    Ok(found)
}

/// Waits until a host has all of them; when that was.
fn wait_until_held(host: &Node) -> Outcome<Instant> {
    let (what, all) = (format!("{} has all addresses", host.name()), all());
    wait_for(LONG, &what, || Ok((held(host)? == all).then(Instant::now)))
}

/// Waits until a host has announced all of them; when it announced the last one.
fn wait_until_announced(listener: &ArpListener, host: &Node) -> Outcome<Instant> {
    let (what, mac) = (format!("{} has announced all", host.name()), mac_of(host, "eth0")?);
    wait_for(LONG, &what, || {
        let announced = listener.announced_by(mac);
        let whole = all().iter().all(|ip| announced.contains_key(ip));
        Ok(announced.values().max().copied().filter(|_| whole))
    })
}

/// Handed over, with both routers at work; then the new one loses power.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let listener = ArpListener::start(&net.c)?;
    let mut stage = Stage::of(&net, Pair::start(&net, &many())?);
    wait_until_both_warm(&net)?;
    wait_until_held(&net.ra)?;
    wait_until_announced(&listener, &net.ra)?;
    headings(run);
    let row = stage.fault(run, "1,000 addresses are handed over", |_| {
        net.ra.execute(&["lvsctl", "failover"])?;
        wait_until_held(&net.rb)?;
        wait_until_announced(&listener, &net.rb).map(drop)
    })?;
    ensure!(row.role_changes == 2, "a role flapped");
    ensure!(held(&net.ra)?.is_empty(), "ra has some of the addresses too");
    for router in net.routers() {
        let log = log_of(router)?;
        let silent = SILENT.iter().find(|silent| log.contains(**silent));
        ensure!(silent.is_none(), "{}: {silent:?}:\n{log}", router.name());
        let late = log.matches(LATE).count();
        run.step(format!("{}: {late} heartbeats late by half an interval", router.name()));
    }
    let [held, announced] = lose_power(&net.rb, &net.ra, &listener)?;
    run.figure("from a power loss to the last of 1,000 addresses", "ms", &[held])?;
    run.figure("from a power loss to the last announcement", "ms", &[announced])
}

/// Milliseconds from a power loss to the last address in place, and to its announcement.
fn lose_power(dies: &Node, lives: &Node, listener: &ArpListener) -> Outcome<[f64; 2]> {
    listener.forget();
    let begun = Instant::now();
    dies.power_off()?;
    let ends = [wait_until_held(lives)?, wait_until_announced(listener, lives)?];
    Ok(ends.map(|end| (end - begun).as_secs_f64() * 1000.0))
}
