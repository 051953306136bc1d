//! Figures beside those of others: the same work, one after the other, on one router.
//!
//! Everything is emulated, so that only the ratios mean something.

mod files;
pub(crate) mod large;
pub(crate) mod power_loss;
pub(crate) mod usage;

use files::{CheckFiles, TableFiles};
use lab::failure::Context;
use lab::figure::Figure;
use lab::{Daemon, Failure, Node, Outcome, Run, Seed, ensure};
use rustix::process::Signal;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use usage::Usage;

/// How often the kernel's table is looked at: rarely, because a look at ten thousand lines costs.
const LOOK: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(400);
const OUR_FILE: &str = "/etc/ha.d/ldirectord.cf";
const THEIR_FILE: &str = "/etc/keepalived/keepalived.conf";
/// How often a table is filled.
const ROUNDS: usize = 10;
/// How long checks are watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Servers that are checked once a second.
const CHECKS: usize = 1000;

/// 1,000 services of 10 servers, ten times, taking turns: from start to full table, and from the
/// save of one changed weight to the kernel.
pub(crate) fn table(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let router = &net.ra;
    router.ip(&["addr add 192.168.1.1/32 dev eth0"])?;
    let files = TableFiles { services: 1000, servers: 10 };
    let (mut floor, mut ours, mut theirs) = (Vec::new(), Times::default(), Times::default());
    for round in 1..=ROUNDS {
        floor.push(restore(router, &files)?);
        ours.push(lvsd(router, &files)?);
        router.execute(&["ipvsadm", "-C"])?;
        theirs.push(keepalived(router, &files)?);
        router.execute(&["ipvsadm", "-C"])?;
        run.step(format!("round {round} of {ROUNDS}"));
    }
    run.figure("full table: ipvsadm -R", "s", &floor)?;
    compare(run, "full table", "s", &ours.full, &theirs.full)?;
    compare(run, "one weight changed", "s", &ours.changed, &theirs.changed)
}

/// What a daemon needed in each round, in seconds.
#[derive(Default)]
struct Times {
    full: Vec<f64>,
    changed: Vec<f64>,
}

impl Times {
    fn push(&mut self, (full, changed): (Duration, Duration)) {
        self.full.push(full.as_secs_f64());
        self.changed.push(changed.as_secs_f64());
    }
}

/// Our figures, theirs, and the ratio of the medians.
pub(crate) fn compare(
    run: &mut Run,
    what: &str,
    unit: &str,
    ours: &[f64],
    theirs: &[f64],
) -> Outcome {
    run.figure(&format!("{what}: Caribe"), unit, ours)?;
    run.figure(&format!("{what}: keepalived"), unit, theirs)?;
    let ratio = median(theirs)? / median(ours)?;
    run.figure(&format!("{what}: keepalived / Caribe"), "times", &[ratio])
}

fn median(samples: &[f64]) -> Outcome<f64> {
    let figure =
        Figure::new("", "", samples).ok_or_else(|| Failure::new("nothing was measured"))?;
    Ok(figure.median)
}

/// `ipvsadm -R` of the same table, in seconds: what one process for all lines needs.
fn restore(router: &Node, files: &TableFiles) -> Outcome<f64> {
    let start = Instant::now();
    router.execute_with(&["ipvsadm", "-R"], &files.ipvsadm())?.good("ipvsadm -R")?;
    let took = start.elapsed();
    let lines = count(router)?;
    ensure!(lines == files.lines(), "ipvsadm -R left {lines} lines");
    router.execute(&["ipvsadm", "-C"])?;
    Ok(took.as_secs_f64())
}

fn lvsd(router: &Node, files: &TableFiles) -> Outcome<(Duration, Duration)> {
    router.write(OUR_FILE, &files.ldirectord(1))?;
    let start = Instant::now();
    let mut daemon = router.start(&["lvsd", "--config", OUR_FILE])?;
    let full = wait_for_lines(router, &mut daemon, files.lines(), start)?;
    let start = Instant::now();
    router.write(OUR_FILE, &files.ldirectord(7))?;
    let changed = wait_for_weight(router, start)?;
    daemon.stop(LIMIT)?;
    Ok((full, changed))
}

fn keepalived(router: &Node, files: &TableFiles) -> Outcome<(Duration, Duration)> {
    router.write(THEIR_FILE, &files.keepalived(1))?;
    let start = Instant::now();
    let mut daemon = router.start(&["keepalived", "-n", "-l", "-G", "-C", "-f", THEIR_FILE])?;
    let full = wait_for_lines(router, &mut daemon, files.lines(), start)?;
    let start = Instant::now();
    router.write(THEIR_FILE, &files.keepalived(7))?;
    daemon.signal(Signal::HUP)?;
    let changed = wait_for_weight(router, start)?;
    daemon.stop(LIMIT)?;
    Ok((full, changed))
}

/// Waits until the one server has its new weight. Only its service is looked at: a look at the
/// whole table takes longer than what is measured.
fn wait_for_weight(router: &Node, start: Instant) -> Outcome<Duration> {
    loop {
        let service = router.execute(&["ipvsadm", "-Ln", "-t", "192.168.1.1:1000"])?;
        if service.contains(" Route   7 ") {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < LIMIT, "the old weight after {LIMIT:?}:\n{service}");
    }
}

/// Waits until the kernel's table has so many lines; the time since `start`.
fn wait_for_lines(
    router: &Node,
    daemon: &mut Daemon,
    lines: usize,
    start: Instant,
) -> Outcome<Duration> {
    loop {
        if count(router)? == lines {
            return Ok(start.elapsed());
        }
        if let Some(status) = daemon.ended()? {
            return Err(Failure::new(format!(
                "it ended ({status}): {}",
                daemon.log()?.lines().last().unwrap_or_default()
            )));
        }
        ensure!(start.elapsed() < LIMIT, "{} lines after {LIMIT:?}", count(router)?);
        std::thread::sleep(LOOK);
    }
}

/// Lines of the kernel's table, its three headings left out.
fn count(router: &Node) -> Outcome<usize> {
    let path = "/proc/thread-self/net/ip_vs";
    let text = router.run(move || std::fs::read_to_string(path))?.context(path)?;
    Ok(text.lines().skip(3).count())
}

/// 1,000 TCP checks a second: processor and memory.
pub(crate) fn checks(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    net.ra.ip(&["addr add 192.168.1.1/32 dev eth0", "route add 10.50.0.0/16 via 192.168.1.4"])?;
    net.r1.ip(&["route add local 10.50.0.0/16 dev lo"])?;
    accept_everything(&net.r1)?;
    let files = CheckFiles { servers: CHECKS };

    net.ra.write(OUR_FILE, &files.ldirectord())?;
    let daemon = net.ra.start(&["lvsd", "--config", OUR_FILE])?;
    let ours = watch(run, &net.ra, daemon, "lvsd and nanny")?;
    net.ra.execute(&["ipvsadm", "-C"])?;
    net.ra.write(THEIR_FILE, &files.keepalived())?;
    let daemon = net.ra.start(&["keepalived", "-n", "-l", "-G", "-C", "-f", THEIR_FILE])?;
    let theirs = watch(run, &net.ra, daemon, "keepalived")?;

    let what = format!("{CHECKS} TCP checks a second");
    compare(run, &format!("{what}, share of a core"), "%", &[ours.percent], &[theirs.percent])?;
    compare(run, &format!("{what}, resident memory"), "MB", &[ours.megabytes], &[theirs.megabytes])
}

/// Accepts connections on port 80 and hangs up, for as long as the scenario lasts.
fn accept_everything(node: &Node) -> Outcome {
    let listener = node.run(|| TcpListener::bind(("0.0.0.0", 80)))?.context("port 80 on r1")?;
    let spawned = node.run(move || {
        std::thread::Builder::new()
            .name("accept".into())
            .spawn(move || listener.incoming().for_each(drop))
    })?;
    spawned.context("a thread on r1").map(drop)
}

/// What a daemon uses once all its servers are in the table.
fn watch(run: &Run, router: &Node, mut daemon: Daemon, name: &str) -> Outcome<Usage> {
    wait_for_lines(router, &mut daemon, CHECKS + 1, Instant::now())?;
    let usage = Usage::measure(router, WATCHED)?;
    ensure!(count(router)? == CHECKS + 1, "{name} took servers out that were well");
    let Usage { percent, megabytes, .. } = usage;
    run.step(format!("{name}: {percent:.0} % of a core, {megabytes:.1} MB"));
    daemon.stop(LIMIT)?;
    Ok(usage)
}
