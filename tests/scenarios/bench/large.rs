//! 40,000 real servers on one director.

use super::files::TableFiles;
use super::usage::memory;
use super::{LIMIT, OUR_FILE, accept_everything, restore, wait_for_lines};
use lab::{Node, Outcome, Run, Seed, ensure};
use std::fmt::Write;
use std::time::Instant;

const FILES: TableFiles = TableFiles { services: 400, servers: 100 };
const CHECKED: &str = "with checks";
/// Seconds between two checks of a server.
const INTERVAL: u64 = 60;

/// Filled once beside `ipvsadm -R`; then each server is checked by a TCP connection a minute.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let router = &net.ra;
    router.ip(&["addr add 192.168.1.1/32 dev eth0", "route add 10.50.0.0/16 via 192.168.1.4"])?;
    net.r1.ip(&["route add local 10.50.0.0/16 dev lo"])?;
    accept_everything(&net.r1)?;
    let floor = restore(router, &FILES)?;
    let filled = served(run, router, &FILES.ldirectord(1), "192.168.1.10:1000", "without checks")?;
    run.figure("full table: ipvsadm -R", "s", &[floor])?;
    run.figure("full table: Caribe", "s", &[filled])?;
    run.figure("full table: Caribe / ipvsadm -R", "times", &[filled / floor])?;
    let checked = served(run, router, &checked(), "10.50.0.1:1000", CHECKED)?;
    run.figure("all checked and in the table", "s", &[checked])
}

/// Runs lvsd until its table is full, and asks it; how long it took, in seconds.
fn served(run: &mut Run, router: &Node, text: &str, server: &str, what: &str) -> Outcome<f64> {
    router.write(OUR_FILE, text)?;
    let start = Instant::now();
    let mut daemon = router.start(&["lvsd", "--config", OUR_FILE])?;
    let full = wait_for_lines(router, &mut daemon, FILES.lines(), start)?;
    run.step(format!("{what}: full after {:.1} s", full.as_secs_f64()));
    // Without a check nobody runs who checks.
    let nanny = (what == CHECKED).then_some("nanny");
    for name in std::iter::once("lvsd").chain(nanny) {
        let megabytes = memory(&router.process(name)?, "VmRSS:")?;
        run.figure(&format!("memory of {name}, {what}"), "MB", &[megabytes])?;
    }
    for verb in [&["status"][..], &["explain", server]] {
        let begun = Instant::now();
        let said = router.execute(&[&["lvsctl"], verb].concat())?;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        ensure!(said.contains(server), "{verb:?} does not name {server}:\n{said}");
        run.figure(&format!("lvsctl {}, {what}", verb.join(" ")), "ms", &[took])?;
    }
    daemon.stop(LIMIT)?;
    router.execute(&["ipvsadm", "-C"])?;
    Ok(full.as_secs_f64())
}

/// ldirectord.cf with an address of its own for each server; all are listened to on one port.
fn checked() -> String {
    let mut text = format!("checktimeout=5\ncheckinterval={}\nquiescent=no\n", INTERVAL);
    for service in 0..FILES.services {
        let port = 1000 + service;
        let _ = writeln!(text, "virtual=192.168.1.1:{port}");
        for index in service * FILES.servers..(service + 1) * FILES.servers {
            let address = format!("10.50.{}.{}", index / 250, index % 250 + 1);
            let _ = writeln!(text, "    real={address}:{port} gate 1");
        }
        text.push_str("    scheduler=wlc\n    protocol=tcp\n    checktype=connect\n");
        text.push_str("    checkport=80\n");
    }
    text
}
