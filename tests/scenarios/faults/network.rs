//! Interfaces, addresses, tables and wires that misbehave.

use super::interface::PATHS;
use super::{LONG, SPELL, Stage, flood, headings};
use lab::pair::wait_for_address;
use lab::seed::VIP;
use lab::{Outcome, Run, Seed, ensure};
use std::time::{Duration, Instant};

/// What somebody does by hand to the active router.
pub(crate) fn by_hand(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut stage = Stage::set(&net, "dead_after: 600ms")?;
    headings(run);
    let row = stage.fault(run, "ip address del, by hand, on the active", |_| {
        net.ra.ip(&["address del 192.168.1.1/24 dev eth0"])?;
        wait_for_address(&net.ra, VIP, LONG).map(drop)
    })?;
    row.nobody_moved()?;
    let row = stage.fault(run, "ipvsadm -C, by hand, on the active", |_| {
        net.ra.execute(&["ipvsadm", "-C"])?;
        lab::pair::wait_for_servers(&net.ra, 2, LONG).map(drop)
    })?;
    row.nobody_moved()?;
    stage.fault(run, "eth0 down and up on the active", |_| {
        net.ra.ip(&["link set eth0 down"])?;
        wait_for_address(&net.rb, VIP, LONG)?;
        net.ra.ip(&["link set eth0 up"])
    })?;
    stage.bring_home()?;
    stage.fault(run, "eth0 renamed, and named as before, on the active", |_| {
        net.ra.ip(&["link set eth0 down", "link set eth0 name away", "link set away up"])?;
        wait_for_address(&net.rb, VIP, LONG)?;
        net.ra.ip(&["link set away down", "link set away name eth0", "link set eth0 up"])
    })?;
    stage.bring_home()?;
    ensure!(!net.rb.has_address(VIP)?, "rb has the address too");
    Ok(())
}

/// Noise on the wires and in the clock, which moves nobody.
pub(crate) fn noise(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (mut r1, _r2) = net.web()?;
    let mut stage = Stage::set(&net, PATHS)?;
    headings(run);
    let row = stage.fault(run, "30 % loss on the heartbeat wire, both ways", |_| {
        for router in net.routers() {
            router.wire(1)?.disturb("loss 30%")?;
        }
        endure();
        net.ra.wire(1)?.calm()?;
        net.rb.wire(1)?.calm()
    })?;
    row.nobody_noticed()?;
    let row = stage.fault(run, "junk at line rate on the heartbeat port", |_| {
        flood::at_line_rate(run, &net.ra, &net.rb, &net.c)
    })?;
    row.nobody_noticed()?;
    let row = stage.fault(run, "a flapping web server, five times", |_| {
        for _ in 0..5 {
            r1.close()?;
            lab::pair::wait_for_servers(&net.ra, 1, LONG)?;
            r1.open()?;
            lab::pair::wait_for_servers(&net.ra, 2, LONG)?;
        }
        Ok(())
    })?;
    row.nobody_moved()?;
    clocks(run, &mut stage)
}

/// The wall clock of everybody goes ten years ahead, twenty back, and home.
fn clocks(run: &Run, stage: &mut Stage<'_>) -> Outcome {
    const YEAR: u64 = 365 * 24 * 3600;
    let row = stage.fault(run, "the clock ten years ahead, then ten years back", |stage| {
        let begun = (Instant::now(), clock());
        set_clock(stage, begun.1 + Duration::from_secs(10 * YEAR))?;
        endure();
        set_clock(stage, begun.1.saturating_sub(Duration::from_secs(10 * YEAR)))?;
        endure();
        set_clock(stage, begun.1 + begun.0.elapsed())
    })?;
    row.nobody_noticed()
}

fn clock() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// All hosts of the lab have one clock.
fn set_clock(stage: &Stage<'_>, to: Duration) -> Outcome {
    let to = format!("@{}", to.as_secs_f64());
    stage.net.c.execute(&["date", "--utc", "--set", &to]).map(drop)
}

/// Lets a spell pass: what is shown is that nothing happens, so there is nothing to wait for.
fn endure() {
    let end = Instant::now() + SPELL;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        std::thread::sleep(left);
    }
}
