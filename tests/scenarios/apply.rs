//! An edit that removes much waits for a word; a trial goes back by itself.

use lab::pair::{self, Pair, ROUTERS, wait_for_address};
use lab::seed::VIP;
use lab::{Node, Outcome, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const ADDRESSES: [&str; 3] = [VIP, "192.168.1.10", "192.168.1.11"];

/// A pair with this many floating addresses, each with its service. A killed pulse is back before
/// its partner calls it dead: what it takes into force is asked here, not who is active.
fn config(count: usize) -> String {
    let used = || ADDRESSES.into_iter().take(count);
    let addresses: Vec<String> =
        used().map(|ip| format!("{{ ip: {ip}/24, interface: eth0 }}")).collect();
    let services: String = used()
        .map(|ip| {
            format!(
                "  at-{ip}:\n    listen: {ip}:80/tcp\n    check: {{ type: connect, interval: 1s, \
                 rise: 1 }}\n    servers: [ 192.168.1.4:80, 192.168.1.5:80 ]\n"
            )
        })
        .collect();
    let routers = ROUTERS.replace("dead_after: 600ms", "dead_after: 6s");
    format!(
        "\
{routers}groups:
  web: {{ preferred: master, addresses: [ {} ] }}
services:
{services}",
        addresses.join(", ")
    )
}

/// Waits until the router has this many of the addresses, and of their services in its kernel.
fn has(router: &Node, count: usize) -> Outcome<Duration> {
    let what = format!("{} has {count} addresses and services", router.name());
    wait_until(LONG, &what, || is(router, count))
}

fn is(router: &Node, count: usize) -> Outcome<bool> {
    let mut held = 0;
    for address in ADDRESSES {
        held += usize::from(router.has_address(address)?);
    }
    let table = router.kernel_table()?;
    let filled = table.iter().filter(|service| service.servers.len() == 2).count();
    Ok(held == count && filled == count && table.len() == count)
}

/// Waits until both daemons say this of the newest edit.
fn refused(router: &Node, why: &str) -> Outcome {
    let what = format!("both daemons on {} say \"{why}\"", router.name());
    let said = || {
        // A daemon that was killed is on its way back.
        let Ok(status) = pair::status(router) else { return Ok(false) };
        let says = |daemon: &str| {
            let reasons = status.pointer(&format!("/{daemon}/config/refused"));
            reasons.is_some_and(|reasons| reasons.to_string().contains(why))
        };
        Ok(says("pulse") && says("lvsd"))
    };
    wait_until(LONG, &what, said).map(drop)
}

fn on_trial(router: &Node) -> Outcome<bool> {
    let status = pair::status(router)?;
    let left = |daemon: &str| status.pointer(&format!("/{daemon}/config/trial_seconds")).cloned();
    Ok([left("pulse"), left("lvsd")].iter().flatten().any(serde_json::Value::is_u64))
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut pair = Pair::start(&net, &config(3))?;
    pair::wait_until_warm(&net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    let router = &net.ra;
    has(router, 3)?;

    router.write(pair::CONFIG, &config(1))?;
    refused(router, "it removes 2 of 3 services")?;
    refused(router, "2 of 3 floating addresses")?;
    let plain = router.try_execute(&["lvsctl", "apply"])?;
    ensure!(plain.code == 78, "without a word: {} {}", plain.code, plain.stderr);
    ensure!(plain.stderr.contains("lvsctl apply --confirm"), "{}", plain.stderr);
    let status = router.execute(&["lvsctl", "status"])?;
    ensure!(status.contains("it removes 2 of 3 services"), "{status}");
    ensure!(is(router, 3)?, "a refused edit changed something: {}", router.table()?);
    run.step("an edit that removes two of three services and addresses waits for a word");

    router.process("lvsd")?.kill()?;
    if let Some(mut pulse) = pair.a.take() {
        pulse.kill()?;
    }
    pair.a = Some(pair::start_pulse(router)?);
    refused(router, "it removes 2 of 3 services")?;
    wait_for_address(router, VIP, LONG)?;
    has(router, 3)?;
    run.step("neither daemon takes it when it is killed and comes back");

    trial(run, router)?;

    router.execute(&["lvsctl", "apply", "--confirm", "60s"])?;
    has(router, 1)?;
    ensure!(on_trial(router)?, "nothing is on trial");
    router.execute(&["lvsctl", "apply", "--keep"])?;
    ensure!(!on_trial(router)?, "still on trial after it was kept");
    let again = router.try_execute(&["lvsctl", "apply", "--keep"])?;
    ensure!(again.code != 0 && again.stderr.contains("on trial"), "{}", again.stderr);
    ensure!(is(router, 1)?, "what is kept went: {}", router.table()?);
    run.step("what is kept stays");

    router.write(pair::CONFIG, &config(3))?;
    let took = has(router, 3)?;
    run.step(format!("what only adds goes in by itself, after {} ms", took.as_millis()));
    Ok(())
}

/// A trial during which lvsd is killed.
fn trial(run: &mut Run, router: &Node) -> Outcome {
    let said = router.execute(&["lvsctl", "apply", "--confirm", "10s"])?;
    ensure!(said.contains("lvsctl apply --keep"), "{said}");
    has(router, 1)?;
    let status = router.execute(&["lvsctl", "status"])?;
    ensure!(status.contains("on trial"), "{status}");
    router.process("lvsd")?.kill()?;
    let took = has(router, 3)?;
    refused(router, "it was on trial, and nobody kept it in time")?;
    ensure!(router.read(pair::CONFIG)? == config(1), "the file was changed");
    run.step(format!("nobody keeps the trial, and {} ms later all is back", took.as_millis()));
    Ok(())
}
