//! The heartbeat key is rotated while the pair works under load.

use crate::pair_moves::{WEB, config, wait_until_ready, warm};
use lab::pair::{self, KEY, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Load, Node, Outcome, Report, Run, Seed, ensure, wait_until};
use serde_json::Value;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

/// A number of the status.
fn number(status: &Value, place: &str) -> u64 {
    status.pointer(place).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

fn fingerprints(router: &Node) -> Outcome<Vec<String>> {
    let status = pair::status(router)?;
    let keys = status.pointer("/pulse/key_fingerprints").and_then(Value::as_array).cloned();
    Ok(keys.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Waits until both hold one key, the same, and no other than `old`.
fn one_new_key(net: &Seed, old: &str) -> Outcome<String> {
    let same = || -> Outcome<bool> {
        let (a, b) = (fingerprints(&net.ra)?, fingerprints(&net.rb)?);
        Ok(a.len() == 1 && a == b && a.first().is_some_and(|key| key != old))
    };
    wait_until(LONG, "both routers hold the new key alone", same)?;
    let files = (net.ra.read(KEY)?, net.rb.read(KEY)?);
    ensure!(files.0 == files.1, "the key files differ");
    for router in net.routers() {
        let mode = router.execute(&["stat", "-c", "%u %a", KEY])?;
        ensure!(mode.trim() == "0 600", "the key file of {} is {mode}", router.name());
    }
    Ok(fingerprints(&net.ra)?.first().cloned().unwrap_or_default())
}

/// Nothing was refused on any path, and nothing was called late or silent.
fn nothing_missed(net: &Seed, pair: &Pair) -> Outcome<String> {
    let mut said = Vec::new();
    for router in net.routers() {
        let status = pair::status(router)?;
        for path in status.pointer("/pulse/paths").and_then(Value::as_array).into_iter().flatten() {
            ensure!(number(path, "/rejected_tag") == 0, "{}: {path}", router.name());
        }
        let count = |key| number(&status, &format!("/pulse/key_use/{key}"));
        ensure!(count("unknown") == 0 && count("wrong") == 0, "{}: {status}", router.name());
        said.push(format!(
            "{} heard {} packets with its first key, {} with another one, none with an unknown one",
            router.name(),
            count("first"),
            count("other")
        ));
    }
    for daemon in [&pair.a, &pair.b].into_iter().flatten() {
        let log = daemon.log()?;
        for bad in ["heartbeats late", "path silent", "partner lost", "partner is late"] {
            ensure!(!log.contains(bad), "a heartbeat was missed ({bad}):\n{log}");
        }
    }
    Ok(said.join("; "))
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    // Emulation itself must not be taken for a missed heartbeat.
    let patient = config(WEB, "").replace("dead_after: 600ms", "dead_after: 2s");
    let mut pair = warm(&net, &patient)?;
    let mut key = fingerprints(&net.ra)?.first().cloned().unwrap_or_default();

    for router in net.routers() {
        let load = Load::new(web_address()).start(&net.c)?;
        load.answered(50, LONG)?;
        run.step(router.execute(&["lvsctl", "rotate-key"])?.trim());
        load.answered(100, LONG)?;
        let report: Report = load.finish()?;
        ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
        key = one_new_key(&net, &key)?;
        run.step(format!("asked on {}: both hold {key}; {}", router.name(), report.summary()));
    }
    run.step(nothing_missed(&net, &pair)?);
    let active = || Ok(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?);
    ensure!(active()?, "the address moved");
    net.ra.execute(&["lvsctl", "failover"])?;
    wait_for_address(&net.rb, VIP, LONG)?;
    run.step("handed over with the new key");
    one_router_off(run, &net, &mut pair, &key)
}

/// A router that is off is waited for, and one that dies in between finishes when it is back.
fn one_router_off(run: &Run, net: &Seed, pair: &mut Pair, key: &str) -> Outcome {
    if let Some(mut daemon) = pair.a.take() {
        daemon.kill()?;
    }
    let lost = || Ok(!pair::partner_is_ready(&net.rb)?);
    wait_until(LONG, "the partner is lost", lost)?;
    let refused = net.rb.try_execute(&["lvsctl", "rotate-key"])?;
    ensure!(refused.code != 0, "a key was made without the partner: {}", refused.stdout);
    ensure!(refused.stderr.contains("the partner is not heard"), "{}", refused.stderr);
    ensure!(fingerprints(&net.rb)? == [key], "a refused rotation changed the keys");
    run.step(format!("without the partner: {}", refused.stderr.trim()));
    pair.a = Some(pair::start_pulse(&net.ra)?);
    wait_until_ready(&net.ra)?;
    wait_until_ready(&net.rb)?;

    // The partner is killed as soon as it believes the new key.
    let asked = std::thread::scope(|scope| -> Outcome<_> {
        let asked = scope.spawn(|| net.rb.try_execute(&["lvsctl", "rotate-key"]));
        if let Some(daemon) = &mut pair.a {
            daemon.wait_for_log(LONG, "new key is believed")?;
            daemon.kill()?;
        }
        asked.join().map_err(|_| lab::Failure::new("lvsctl broke"))?
    })?;
    run.step(format!("killed in between: {}{}", asked.stdout.trim(), asked.stderr.trim()));
    pair.a = Some(pair::start_pulse(&net.ra)?);
    wait_until_ready(&net.rb)?;
    if fingerprints(&net.rb)? == [key] {
        // Its answer died with it: nothing was changed here, and the next one is as good.
        net.rb.execute(&["lvsctl", "rotate-key"])?;
    }
    let new = one_new_key(net, key)?;
    run.step(format!("back again, both came to {new}"));
    Ok(())
}
