//! A router that has no room and no descriptors.

use super::{LONG, Stage, headings, log_of};
use crate::pair_moves::{WEB, config, warm};
use lab::{Node, Outcome, Run, Seed, ensure, wait_until};

/// Where sockets and state are kept; in the lab it has a file system of its own.
const RUN: &str = "/run";
/// Configuration, key, log and results of checks, on a small disk of their own here.
const ETC: &str = "/etc/caribe";
const LOG: &str = "/etc/caribe/routers.log";
const RESULTS: &str = "/etc/caribe/checks.log";

/// Each of them on the active router, with a daemon killed meanwhile, and mended again.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    for router in net.routers() {
        router.execute(&["mkdir", "-p", ETC])?;
        router.execute(&["mount", "-t", "tmpfs", "-o", "size=256k", "caribe", ETC])?;
    }
    let results = format!("    notify: {{ results: {RESULTS} }}\n    scheduler: rr");
    let text = config(WEB, "").replace("dead_after: 600ms", "dead_after: 2s");
    let text = text.replace("    scheduler: rr", &results);
    let pair = warm(&net, &format!("{text}log_file: {LOG}\n"))?;
    let mut stage = Stage::of(&net, pair);
    headings(run);
    full_disk(run, &mut stage)?;
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

/// The log and a new key find no room. Both are told, and nothing else happens.
fn full_disk(run: &Run, stage: &mut Stage<'_>) -> Outcome {
    let ra = &stage.net.ra;
    let row = stage.fault(run, "no room for log and key while each is killed", |stage| {
        // They themselves take all the room, that of their last pages, too; dd ends when there is none.
        for file in [LOG, RESULTS] {
            let of = format!("of={file}");
            ra.try_execute(&["dd", "if=/dev/zero", &of, "oflag=append", "conv=notrunc", "bs=4k"])?;
        }
        let answer = ra.try_execute(&["lvsctl", "rotate-key"])?;
        let told = answer.stderr.contains("No space left on device");
        ensure!(answer.code != 0 && told, "a new key on a full disk: {answer:?}");
        for daemon in ["nanny", "lvsd"] {
            killed(stage, ra, daemon)?;
        }
        let told = || {
            let log = log_of(ra)?;
            let second = log.split("pulse: lvsd started pid=").nth(2);
            Ok(second.is_some_and(|log| log.contains("results of checks cannot be written")))
        };
        wait_until(LONG, "the new lvsd says that there is no room", told)?;
        ra.execute(&["truncate", "-s", "0", LOG, RESULTS]).map(drop)
    })?;
    row.nobody_noticed()?;
    ra.execute(&["lvsctl", "rotate-key"])?;
    let again = || {
        let log = ra.read(LOG)?;
        let results = "results of checks are written again file=/etc/caribe/checks.log missing=";
        Ok(log.contains("log file takes lines again") && log.contains(results))
    };
    wait_until(LONG, "the log file says how much both files lack", again)?;
    let log = log_of(ra)?;
    ensure!(log.contains("log file takes no lines, they are missing there"), "not told:\n{log}");
    ensure!(ra.read(RESULTS)?.contains("check passed service=www"), "no result is written");
    run.step("and with room again: a new key, and the log goes on");
    Ok(())
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
