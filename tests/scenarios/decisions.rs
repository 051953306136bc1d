//! What an operator decides on one router holds on both, whatever happens to them.

use crate::pair_moves::{WEB, config, wait_until_ready, warm};
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Failure, Node, Outcome, Run, Seed, ensure, wait_until};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);
const SERVERS: [&str; 2] = ["192.168.1.4:80", "192.168.1.5:80"];

/// The server's weight in the kernel; none when it is out.
fn weight(router: &Node, server: &str) -> Outcome<Option<u32>> {
    let table = router.table()?;
    let line = table.lines().find(|line| line.contains(&format!("-r {server} ")));
    let weight = line.and_then(|line| line.rsplit_once("-w "));
    Ok(weight.and_then(|(_, weight)| weight.trim().parse().ok()))
}

fn becomes(router: &Node, server: &str, wanted: Option<u32>) -> Outcome<Duration> {
    let what = format!("the weight of {server} on {} is {wanted:?}", router.name());
    wait_until(LONG, &what, || Ok(weight(router, server)? == wanted))
}

/// What the status says of the server's decision.
fn decision(router: &Node, server: &str) -> Outcome<Option<String>> {
    let status = pair::status(router)?;
    let servers = status.pointer("/lvsd/services/0/servers").and_then(|all| all.as_array());
    let named = servers.into_iter().flatten().find(|known| known["name"] == server);
    Ok(named.and_then(|known| known["decision"].as_str()).map(str::to_owned))
}

/// When the drain ends by itself: no earlier and no later than this.
#[derive(Clone, Copy)]
struct Deadline(Instant, Instant);

impl Deadline {
    /// As a router tells it, in whole seconds of what is left.
    fn told(router: &Node, server: &str) -> Outcome<Self> {
        let asked = Instant::now();
        let said = decision(router, server)?.unwrap_or_default();
        let heard = Instant::now();
        let left = said.rsplit_once("at most ").and_then(|(_, left)| left.strip_suffix(" s more"));
        let left = left.and_then(|left| left.parse().ok()).map(Duration::from_secs);
        let left = left.ok_or_else(|| Failure::new(format!("{said} names no deadline")))?;
        Ok(Self(asked + left, heard + left + Duration::from_secs(1)))
    }

    /// The same on this router. What a decision weighs on its way is less than a second.
    fn is_kept(self, router: &Node, server: &str) -> Outcome {
        let now = Self::told(router, server)?;
        let slack = Duration::from_secs(1);
        let same = now.0 <= self.1 + slack && self.0 <= now.1 + slack;
        let off = now.0.max(self.0) - now.0.min(self.0);
        ensure!(same, "{} has another deadline: {} ms off", router.name(), off.as_millis());
        Ok(())
    }
}

/// The server that carries the download.
fn carrier(router: &Node) -> Outcome<&'static str> {
    let busy = |server: &'static str| -> Outcome<bool> {
        let status = pair::status(router)?;
        let servers = status.pointer("/lvsd/services/0/servers").and_then(|all| all.as_array());
        let named = servers.into_iter().flatten().find(|known| known["name"] == server);
        Ok(named.and_then(|known| known["active_connections"].as_u64()) > Some(0))
    };
    lab::wait::wait_for(LONG, "a server carries the download", || {
        for server in SERVERS {
            if busy(server)? {
                return Ok(Some(server));
            }
        }
        Ok(None)
    })
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut pair = warm(&net, &config(WEB, ""))?;
    let page = format!("http://{}/download/5000", web_address());
    let _download = net.c.start(&["curl", "-sS", "-m", "300", "-o", "/dev/null", &page])?;
    let drained = carrier(&net.ra)?;

    let words = ["drain", drained, "--reason", "new kernel", "--deadline", "10m"];
    net.ra.execute(&[&["lvsctl"], &words[..]].concat())?;
    let took = becomes(&net.rb, drained, Some(0))?;
    run.figure("a drain is on the other router", "ms", &[took.as_secs_f64() * 1000.0])?;
    ensure!(weight(&net.ra, drained)? == Some(0), "the active: {}", net.ra.table()?);
    let said = decision(&net.rb, drained)?.unwrap_or_default();
    for part in ["draining by ", " on master: new kernel, for ", " s more"] {
        ensure!(said.contains(part), "the standby says: {said}");
    }
    let explained = net.rb.execute(&["lvsctl", "explain", drained])?;
    ensure!(explained.contains("on master: new kernel"), "{explained}");
    run.step(format!("the standby drains too, and says why: {said}"));

    let deadline = Deadline::told(&net.ra, drained)?;
    deadline.is_kept(&net.rb, drained)?;
    kills(run, &net, &mut pair, drained)?;
    for router in net.routers() {
        deadline.is_kept(router, drained)?;
    }
    moves(run, &net, drained, deadline)?;
    power(run, &net, &mut pair, drained)
}

/// Daemons are killed and the configuration is reloaded; the drain holds.
fn kills(run: &mut Run, net: &Seed, pair: &mut Pair, drained: &str) -> Outcome {
    for router in net.routers() {
        router.process("lvsd")?.kill()?;
        wait_until_ready(router)?;
    }
    net.ra.write(pair::CONFIG, &format!("# edited\n{}", config(WEB, "")))?;
    net.ra.execute(&["lvsctl", "reload"])?;
    if let Some(mut pulse) = pair.b.take() {
        pulse.kill()?;
    }
    pair.b = Some(pair::start_pulse(&net.rb)?);
    wait_until(LONG, "the standby is back", || Ok(decision(&net.rb, drained).is_ok()))?;
    wait_until_ready(&net.rb)?;
    for router in net.routers() {
        ensure!(weight(router, drained)? == Some(0), "{}: {}", router.name(), router.table()?);
        let said = decision(router, drained)?.unwrap_or_default();
        ensure!(said.contains("new kernel"), "{} says: {said}", router.name());
    }
    net.ra.write(pair::CONFIG, &config(WEB, ""))?;
    run.step("it outlives kill -9 of either daemon and a reload");
    Ok(())
}

/// The group is handed over, the drain and its deadline with it; both daemons of the new active
/// are killed.
fn moves(run: &Run, net: &Seed, drained: &str, deadline: Deadline) -> Outcome {
    net.ra.execute(&["lvsctl", "failover"])?;
    wait_for_address(&net.rb, VIP, LONG)?;
    net.rb.process("lvsd")?.kill()?;
    wait_until_ready(&net.rb)?;
    for router in net.routers() {
        ensure!(weight(router, drained)? == Some(0), "{}: {}", router.name(), router.table()?);
        deadline.is_kept(router, drained)?;
    }
    net.rb.execute(&["lvsctl", "failover"])?;
    wait_for_address(&net.ra, VIP, LONG)?;
    deadline.is_kept(&net.ra, drained)?;
    run.step("a hand-over there and back keeps its deadline too");
    Ok(())
}

/// The active loses power; what is decided on the other one is there when it returns.
fn power(run: &mut Run, net: &Seed, pair: &mut Pair, drained: &str) -> Outcome {
    pair.a = None;
    net.ra.power_off()?;
    wait_for_address(&net.rb, VIP, LONG)?;
    let left = weight(&net.rb, drained)?;
    ensure!(left.is_none_or(|weight| weight == 0), "the new active serves it: {left:?}");
    run.step(format!("power loss: on the new active its weight is {left:?}"));

    let [one, two] = SERVERS;
    let other = if drained == one { two } else { one };
    net.rb.execute(&["lvsctl", "undrain", drained])?;
    becomes(&net.rb, drained, Some(1))?;
    net.rb.execute(&["lvsctl", "weight", other, "7", "--reason", "a faster disk"])?;
    becomes(&net.rb, other, Some(7))?;
    net.ra.power_on()?;
    pair.a = Some(pair::start_pulse(&net.ra)?);
    wait_until_ready(&net.ra)?;
    becomes(&net.ra, drained, Some(1))?;
    becomes(&net.ra, other, Some(7))?;
    ensure!(decision(&net.ra, drained)?.is_none(), "the drain came back");
    let said = decision(&net.ra, other)?.unwrap_or_default();
    ensure!(said.contains("on backup: a faster disk"), "the old one says: {said}");
    ensure!(decision(&net.rb, drained)?.is_none(), "the drain came back on the other");
    run.step("the old one returns with what was decided while it was off");

    for pulse in [&mut pair.a, &mut pair.b].into_iter().flatten() {
        pulse.stop(LONG)?;
    }
    pair.a = Some(pair::start_pulse(&net.ra)?);
    pair.b = Some(pair::start_pulse(&net.rb)?);
    for router in net.routers() {
        wait_until_ready(router)?;
        ensure!(weight(router, other)? == Some(7), "{}: {}", router.name(), router.table()?);
        ensure!(weight(router, drained)? == Some(1), "{}: {}", router.name(), router.table()?);
    }
    run.step("both are restarted, and nothing is forgotten");
    Ok(())
}
