//! 40,000 real servers on one director.

use super::files::TableFiles;
use super::usage::{memory, processor_seconds};
use super::{LIMIT, OUR_FILE, accept_everything, restore, wait_for_lines, wait_for_weight};
use crate::addresses::{LATE, SILENT};
use lab::pair::{CONFIG, ROUTERS, prepare, start_pulse};
use lab::{Daemon, Node, Outcome, Run, Seed, ensure};
use std::fmt::Write;
use std::time::{Duration, Instant};

const FILES: TableFiles = TableFiles { services: 400, servers: 100 };
/// Seconds between two checks of a server.
const INTERVAL: u64 = 60;
/// How long heartbeats are counted once a reload has begun.
const WATCHED: Duration = Duration::from_secs(20);

/// Filled once beside `ipvsadm -R`; then, on a router that has a partner, each server is checked by
/// a TCP connection a minute, and one weight is changed in the file.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let router = &net.ra;
    router.ip(&["addr add 192.168.1.1/32 dev eth0", "route add 10.50.0.0/16 via 192.168.1.4"])?;
    net.r1.ip(&["route add local 10.50.0.0/16 dev lo"])?;
    accept_everything(&net.r1)?;
    let floor = restore(router, &FILES)?;
    router.write(OUR_FILE, &FILES.ldirectord(1))?;
    let mut daemon = router.start(&["lvsd", "--config", OUR_FILE])?;
    let filled = served(run, router, &mut daemon, "192.168.1.10:1000", "without checks")?;
    daemon.stop(LIMIT)?;
    router.execute(&["ipvsadm", "-C"])?;
    run.figure("full table: ipvsadm -R", "s", &[floor])?;
    run.figure("full table: Caribe", "s", &[filled])?;
    run.figure("full table: Caribe / ipvsadm -R", "times", &[filled / floor])?;

    prepare(&net, &head())?;
    router.write(CONFIG, &checked(1))?;
    let (mut ours, partner) = (start_pulse(router)?, start_pulse(&net.rb)?);
    let all = served(run, router, &mut ours, "10.50.0.1:1000", "with checks")?;
    run.figure("all checked and in the table", "s", &[all])?;
    let nanny = memory(&router.process("nanny")?, "VmRSS:")?;
    run.figure("memory of nanny", "MB", &[nanny])?;
    reload(run, &net, &[&ours, &partner])
}

/// One weight is changed: until the kernel has it, what lvsd needed, and whether heartbeats suffered.
fn reload(run: &mut Run, net: &Seed, daemons: &[&Daemon]) -> Outcome {
    let logs = || -> Outcome<Vec<String>> { daemons.iter().map(|one| one.log()).collect() };
    let lvsd = net.ra.process("lvsd")?;
    let (said, used, start) = (logs()?, processor_seconds(&lvsd)?, Instant::now());
    net.ra.write(CONFIG, &checked(7))?;
    let changed = wait_for_weight(&net.ra, start)?;
    let used = processor_seconds(&lvsd)? - used;
    std::thread::sleep(WATCHED);
    run.figure("one weight of 40,000 changed in the file", "s", &[changed.as_secs_f64()])?;
    run.figure("processor time of lvsd for that", "ms", &[used * 1000.0])?;
    for (before, after) in said.iter().zip(logs()?) {
        let since = after.get(before.len()..).unwrap_or_default();
        let late = since.matches(LATE).count();
        run.step(format!("{late} heartbeats late by half an interval within {WATCHED:?}"));
        let silent = SILENT.iter().find(|silent| since.contains(**silent));
        ensure!(silent.is_none(), "{silent:?}:\n{since}");
    }
    Ok(())
}

/// Waits until a daemon's table is full, and asks it; how long it took, in seconds.
fn served(
    run: &mut Run,
    router: &Node,
    daemon: &mut Daemon,
    server: &str,
    what: &str,
) -> Outcome<f64> {
    let start = Instant::now();
    let full = wait_for_lines(router, daemon, FILES.lines(), start)?;
    run.step(format!("{what}: full after {:.1} s", full.as_secs_f64()));
    let megabytes = memory(&router.process("lvsd")?, "VmRSS:")?;
    run.figure(&format!("memory of lvsd, {what}"), "MB", &[megabytes])?;
    for verb in [&["status"][..], &["explain", server]] {
        let begun = Instant::now();
        let said = router.execute(&[&["lvsctl"], verb].concat())?;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        ensure!(said.contains(server), "{verb:?} does not name {server}:\n{said}");
        run.figure(&format!("lvsctl {}, {what}", verb.join(" ")), "ms", &[took])?;
    }
    Ok(full.as_secs_f64())
}

/// The two routers and their group.
fn head() -> String {
    format!(
        "{ROUTERS}groups:\n  web:\n    preferred: master\n    addresses:\n      \
         - {{ ip: 192.168.1.1/24, interface: eth0 }}\n"
    )
}

/// With an address of its own for each server; all are listened to on one port. The very first
/// server has another weight.
fn checked(first_weight: usize) -> String {
    let mut text = head();
    text.push_str("services:\n");
    for service in 0..FILES.services {
        let port = 1000 + service;
        let _ = writeln!(
            text,
            "  s{port}:\n    listen: 192.168.1.1:{port}\n    on_failure: remove\n    \
             check: {{ type: connect, port: 80, interval: {INTERVAL}s, timeout: 5s, fall: 1, rise: 1 }}\n    servers:"
        );
        for index in service * FILES.servers..(service + 1) * FILES.servers {
            let weight = if index == 0 { first_weight } else { 1 };
            let (third, last) = (index / 250, index % 250 + 1);
            let _ = writeln!(text, "      - {{ address: 10.50.{third}.{last}, weight: {weight} }}");
        }
    }
    text
}
