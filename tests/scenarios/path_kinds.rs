//! Each kind of heartbeat path alone: a pair is warm over it, hands over, and notices a power loss.

use crate::pair_moves::{WEB, config, wait_until_answered, warm};
use lab::pair::{self, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Failure, Load, Node, Outcome, Run, Seed, ensure};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);
/// The paths of both routers in the configuration of most scenarios.
const PATHS: [&str; 2] =
    ["{ paths: [192.168.1.2, 172.16.1.2] }", "{ paths: [192.168.1.3, 172.16.1.3] }"];

/// Unicast between addresses of a network.
pub(crate) fn ipv6(run: &mut Run) -> Outcome {
    works(run, ["{ paths: ['fd00:16::2'] }", "{ paths: ['fd00:16::3'] }"], "")
}

/// Unicast between addresses that mean something on their wire only.
pub(crate) fn link_local(run: &mut Run) -> Outcome {
    works(run, ["{ paths: ['fe80::2'] }", "{ paths: ['fe80::3'] }"], "")
}

/// Multicast on the second wire.
pub(crate) fn multicast(run: &mut Run) -> Outcome {
    works(run, ["{}"; 2], ", multicast: [ { interface: eth1, group: 239.0.0.42 } ]")
}

/// IPv6 multicast on the second wire.
pub(crate) fn multicast6(run: &mut Run) -> Outcome {
    works(run, ["{}"; 2], ", multicast: [ { interface: eth1, group: 'ff02::4242' } ]")
}

/// Broadcast on the second wire.
pub(crate) fn broadcast(run: &mut Run) -> Outcome {
    works(run, ["{}"; 2], ", broadcast: [eth1]")
}

/// A hand-over, and the death of the one who has the addresses then.
fn works(run: &mut Run, paths: [&str; 2], shared: &str) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    for (router, last) in [(&net.ra, 2), (&net.rb, 3)] {
        router.ip(&[
            &format!("address add fd00:16::{last}/64 dev eth1 nodad"),
            &format!("address add fe80::{last}/64 dev eth1 nodad"),
        ])?;
    }
    let mut text = config(WEB, shared);
    for (old, new) in PATHS.iter().zip(paths) {
        text = text.replace(old, new);
    }
    let mut pair = warm(&net, &text)?;
    only_path(run, &net.ra)?;

    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    net.ra.execute(&["lvsctl", "failover"])?;
    wait_for_address(&net.rb, VIP, LONG)?;
    load.answered(100, LONG)?;
    let report = load.finish()?;
    run.step(format!("hand-over: {}", report.summary()));
    ensure!(report.lost() == 0, "a request was lost: {}", report.summary());

    let begun = Instant::now();
    net.rb.power_off()?;
    wait_for_address(&net.ra, VIP, LONG)?;
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    pair.b = None;
    wait_until_answered(&net)?;
    let Some(daemon) = &mut pair.a else { return Ok(()) };
    daemon.wait_for_log(LONG, "partner lost")?;
    run.figure("from a power loss to the address", "ms", &[took])
}

/// The router has one path, and hears its partner on it.
fn only_path(run: &Run, router: &Node) -> Outcome {
    let status = pair::status(router)?;
    let paths = status.pointer("/pulse/paths").and_then(serde_json::Value::as_array);
    let [path] = paths.map(Vec::as_slice).unwrap_or_default() else {
        return Err(Failure::new(format!("there is more than one path: {status}")));
    };
    let alive = path.get("alive").and_then(serde_json::Value::as_bool);
    ensure!(alive == Some(true), "nothing is heard on the path: {path}");
    run.step(format!("the only path is {}", path["name"]));
    Ok(())
}
