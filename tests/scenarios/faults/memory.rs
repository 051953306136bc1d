//! Daemons that are at the limit of their memory, of whom the kernel kills one.

use super::{LONG, Stage, headings};
use crate::bench::usage::memory;
use crate::pair_moves::{WEB, config, wait_until_both_warm};
use lab::failure::Context;
use lab::pair;
use lab::seed::VIP;
use lab::{Cgroup, Failure, Node, Outcome, Pair, Run, Seed, ensure, wait_until};
use std::fs;

/// The limit is lowered by this much, until the kernel has to kill somebody.
const STEP: u64 = 64 * 1024;
/// What a pair needs many times over.
const GENEROUS: u64 = 64 * 1024 * 1024;
const DAEMONS: [&str; 3] = ["nanny", "lvsd", "pulse"];

/// The daemons of a router share a limit, as a unit of systemd does. It is reached, and the kernel
/// kills each of them in turn: the same as `kill -9`.
pub(crate) fn run(run: &mut Run) -> Outcome {
    // Before the hosts, which see what was mounted when they were made.
    let groups = [Cgroup::new(run, "ra")?, Cgroup::new(run, "rb")?];
    let net = Seed::build(run)?;
    let _web = net.web()?;
    // The kernel takes back memory before it kills: a router is slow then, and not dead.
    pair::prepare(&net, &config(WEB, "").replace("dead_after: 600ms", "dead_after: 6s"))?;
    let [a, b] = &groups;
    let (a, b) = (net.ra.start_within(a, &["pulse"])?, net.rb.start_within(b, &["pulse"])?);
    let mut stage = Stage::of(&net, Pair { a: Some(a), b: Some(b) });
    wait_until_both_warm(&net)?;
    sizes(run, &stage, &groups)?;
    headings(run);
    for (router, group) in net.routers().into_iter().zip(&groups) {
        for daemon in DAEMONS {
            let name = format!("{daemon} killed at the memory limit on {}", router.name());
            let row = stage.fault(run, &name, |stage| reached(stage, router, group, daemon))?;
            row.nobody_noticed()?;
        }
    }
    let name = format!("a limit of {} MB on both", GENEROUS >> 20);
    let before = met(&groups)?;
    stage.fault(run, &name, |_| generous(&groups))?.nobody_noticed()?;
    ensure!(met(&groups)? == before, "a generous limit was met");
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    Ok(())
}

/// Lowers the limit until the kernel kills, and lifts it again.
fn reached(stage: &mut Stage<'_>, router: &Node, group: &Cgroup, daemon: &str) -> Outcome {
    let victim = stage.process(router, daemon)?;
    prefer(stage, router, daemon)?;
    let before = group.killed()?;
    let mut limit = group.number("memory.stat", "anon")? + group.number("memory.stat", "kernel")?;
    while group.killed()? == before {
        limit = limit.checked_sub(STEP).ok_or_else(|| Failure::new("the kernel kills nobody"))?;
        group.limit(limit)?;
    }
    group.no_limit()?;
    if daemon == "pulse" {
        stage.started(router, router.start_within(group, &["pulse"])?);
    }
    let what = format!("another {daemon} runs on {}", router.name());
    let anew = || Ok(stage.process(router, daemon).is_ok_and(|now| now.id != victim.id));
    wait_until(LONG, &what, anew)?;
    let killed = group.killed()? - before;
    ensure!(killed == 1, "the kernel killed {killed} processes");
    Ok(())
}

/// Of all daemons of the router, the kernel kills this one.
fn prefer(stage: &Stage<'_>, router: &Node, daemon: &str) -> Outcome {
    for name in DAEMONS {
        let path = format!("/proc/{}/oom_score_adj", stage.process(router, name)?.id);
        fs::write(&path, if name == daemon { "1000" } else { "-1000" }).context(path)?;
    }
    Ok(())
}

/// A limit that nobody comes near to.
fn generous(groups: &[Cgroup]) -> Outcome {
    groups.iter().try_for_each(|group| group.limit(GENEROUS))
}

/// How often the limits were met so far.
fn met(groups: &[Cgroup]) -> Outcome<u64> {
    groups.iter().map(|group| group.number("memory.events", "max")).sum()
}

/// What each daemon of the active router needs, and all of them together.
fn sizes(run: &mut Run, stage: &Stage<'_>, groups: &[Cgroup; 2]) -> Outcome {
    for daemon in DAEMONS {
        let process = stage.process(&stage.net.ra, daemon)?;
        for (what, line) in [("resident", "VmRSS:"), ("its own", "RssAnon:")] {
            let name = format!("memory of {daemon}, {what}");
            run.figure(&name, "MB", &[memory(&process, line)?])?;
        }
    }
    let whole = |word| groups[0].number("memory.stat", word);
    let bytes = whole("anon")? + whole("kernel")? + whole("shmem")?;
    let name = "memory of all that cannot be given back";
    run.figure(name, "MB", &[f64::from(u32::try_from(bytes >> 10).context(name)?) / 1024.0])
}
