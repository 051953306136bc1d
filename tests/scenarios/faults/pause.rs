//! The active router is paused for three times what makes it dead, and wakes up.

use super::LONG;
use crate::bench::power_loss::{clean, keepalived, start_keepalived};
use crate::pair_moves::{WEB, config, wait_until_ready};
use lab::pair::{self, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Daemon, Load, Outcome, Run, Seed, ensure, wait_until};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How often each of the two is paused.
const ROUNDS: usize = 5;
/// Three times `dead_after`, which is three of keepalived's adverts too.
const PAUSE: Duration = Duration::from_millis(1800);

/// What was seen of one pause.
struct Seen {
    /// From the wake-up to the moment when only the new one has the address; nothing when the
    /// kernel of the sleeping router had taken it back.
    both: Duration,
    lost: usize,
}

/// Caribe, and keepalived beside it.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    pair::prepare(&net, &config(WEB, ""))?;
    for (name, with) in [("Caribe", caribe as fn(&Seed) -> Outcome<Seen>), ("keepalived", theirs)] {
        let (mut both, mut lost) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let seen = with(&net)?;
            both.push(seen.both.as_secs_f64() * 1000.0);
            lost.push(u32::try_from(seen.lost).map_or(f64::INFINITY, f64::from));
        }
        run.figure(&format!("two with the address after waking: {name}"), "ms", &both)?;
        run.figure(&format!("requests lost after waking: {name}"), "requests", &lost)?;
        if name == "Caribe" {
            ensure!(lost.iter().all(|lost| *lost == 0.0), "a request was lost: {lost:?}");
            ensure!(both.iter().all(|both| *both == 0.0), "two had the address: {both:?}");
        }
    }
    Ok(())
}

fn caribe(net: &Seed) -> Outcome<Seen> {
    let mut first = pair::start_pulse(&net.ra)?;
    let mut second = pair::start_pulse(&net.rb)?;
    pair::wait_until_warm(net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    wait_until_ready(&net.rb)?;
    let all = net.ra.processes()?;
    let seen = paused(net, &all)?;
    ensure!(!net.ra.has_address(VIP)?, "the one that slept has the address again");
    let log = first.log()?;
    let slept = log.rsplit("this router was paused").next().unwrap_or_default();
    ensure!(!slept.contains("taking over"), "the one that slept took over again:\n{slept}");
    let had_it = slept.contains("addresses removed");
    ensure!(!had_it, "the kernel had taken the address back, and it came again:\n{slept}");
    stop(&mut first, &mut second, net)?;
    Ok(seen)
}

fn theirs(net: &Seed) -> Outcome<Seen> {
    // Whoever took over keeps it, as with ours.
    let text =
        |priority| keepalived(priority).replace("state BACKUP", "state BACKUP\n    nopreempt");
    let mut first = start_keepalived(&net.ra, &text(150))?;
    wait_for_address(&net.ra, VIP, LONG)?;
    let mut second = start_keepalived(&net.rb, &text(100))?;
    pair::wait_until_warm(net, VIP, 2)?;
    let all = net.ra.processes()?;
    let seen = paused(net, &all)?;
    stop(&mut first, &mut second, net)?;
    Ok(seen)
}

/// Every process of the active router stops, and goes on.
fn paused(net: &Seed, all: &[lab::daemon::Process]) -> Outcome<Seen> {
    for process in all {
        process.signal(Signal::STOP)?;
    }
    let begun = Instant::now();
    wait_for_address(&net.rb, VIP, LONG)?;
    wait_until(LONG, "the pause is over", || Ok(begun.elapsed() >= PAUSE))?;
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(20, LONG)?;
    let had_it = net.ra.has_address(VIP)?;
    let woken = Instant::now();
    for process in all {
        process.signal(Signal::CONT)?;
    }
    let only = || Ok(!(net.ra.has_address(VIP)? && net.rb.has_address(VIP)?));
    wait_until(LONG, "only one router has the address", only)?;
    let both = if had_it { woken.elapsed() } else { Duration::ZERO };
    load.answered(100, LONG)?;
    Ok(Seen { both, lost: load.finish()?.lost() })
}

fn stop(first: &mut Daemon, second: &mut Daemon, net: &Seed) -> Outcome {
    first.stop(LONG)?;
    second.stop(LONG)?;
    clean(net)
}
