//! A router that has no room and no descriptors.

use super::{LONG, Stage, headings};
use lab::{Node, Outcome, Run, Seed, wait_until};

/// Where sockets and state are kept; in the lab it has a file system of its own.
const RUN: &str = "/run";

/// Each of them on the active router, with a daemon killed meanwhile, and mended again.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut stage = Stage::set(&net, "dead_after: 2s")?;
    headings(run);
    let row = stage.fault(run, "no room in /run while lvsd is killed", |stage| {
        net.ra.execute(&["mount", "-o", "remount,size=64k", RUN])?;
        net.ra.try_execute(&["dd", "if=/dev/zero", "of=/run/full", "bs=4k", "count=64"])?;
        killed(stage, &net.ra, "lvsd")?;
        net.ra.execute(&["rm", "/run/full"])?;
        net.ra.execute(&["mount", "-o", "remount,size=64m", RUN]).map(drop)
    })?;
    row.nobody_noticed()?;
    let row = stage.fault(run, "/run is read-only while each is killed", |stage| {
        net.ra.execute(&["mount", "-o", "remount,ro", RUN])?;
        for daemon in ["nanny", "lvsd"] {
            killed(stage, &net.ra, daemon)?;
        }
        let pulse = stage.process(&net.ra, "pulse")?;
        pulse.kill()?;
        stage.start_pulse(&net.ra)?;
        another(stage, &net.ra, "pulse", pulse.id)?;
        net.ra.execute(&["mount", "-o", "remount,rw", RUN]).map(drop)
    })?;
    row.nobody_noticed()?;
    let row = stage.fault(run, "no descriptors left for any daemon", |stage| {
        for daemon in ["pulse", "lvsd", "nanny"] {
            limit_descriptors(stage, &net.ra, daemon, "8")?;
        }
        for _ in 0..2 {
            // Whoever asks gets no answer; nothing else happens.
            net.ra.try_execute(&["timeout", "3", "lvsctl", "status"])?;
        }
        for daemon in ["pulse", "lvsd", "nanny"] {
            limit_descriptors(stage, &net.ra, daemon, "1024")?;
        }
        Ok(())
    })?;
    // A check that cannot open a socket says nothing about the server.
    row.nobody_noticed()
}

fn limit_descriptors(stage: &Stage<'_>, router: &Node, daemon: &str, most: &str) -> Outcome {
    let id = stage.process(router, daemon)?.id;
    let limit = format!("--nofile={most}:4096");
    router.execute(&["prlimit", "--pid", &id.to_string(), &limit]).map(drop)
}

fn killed(stage: &Stage<'_>, router: &Node, daemon: &str) -> Outcome {
    let process = stage.process(router, daemon)?;
    process.kill()?;
    another(stage, router, daemon, process.id)
}

fn another(stage: &Stage<'_>, router: &Node, daemon: &str, old: u32) -> Outcome {
    let what = format!("another {daemon} runs on {}", router.name());
    let anew = || Ok(stage.process(router, daemon).is_ok_and(|now| now.id != old));
    wait_until(LONG, &what, anew).map(drop)
}
