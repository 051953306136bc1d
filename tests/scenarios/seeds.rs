//! The set-ups of five published texts, from the files as the texts have them.

mod configure_lvs;
mod daytime;
mod heartbeat;
mod piranha;
mod two_tier;

use lab::pair::{start_pulse, wait_for_address, wait_for_holder};
use lab::{Daemon, Load, Outcome, Run, Seed, ensure};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use configure_lvs::run as configure_lvs;
pub(crate) use daytime::run as daytime;
pub(crate) use heartbeat::run as heartbeat;
pub(crate) use piranha::run as piranha;
pub(crate) use two_tier::run as two_tier;

const LONG: Duration = Duration::from_secs(60);
/// Seldom enough for an outage of half a minute.
const BEAT: Duration = Duration::from_millis(100);
/// Piranha's file, and the key that Caribe wants beside it.
const LVS_CF: &str = "/etc/sysconfig/ha/lvs.cf";
const KEY: &str = "/etc/sysconfig/ha/heartbeat.key";

/// Piranha's file on both routers, one new key, and pulse on both; the primary is active.
fn start_piranha(net: &Seed, file: &str, address: &str) -> Outcome<[Daemon; 2]> {
    for router in net.routers() {
        router.write(LVS_CF, file)?;
    }
    net.ra.execute(&["lvsctl", "keygen", KEY])?;
    net.rb.write_mode(KEY, &net.ra.read(KEY)?, 0o600)?;
    let daemons = [start_pulse(&net.ra)?, start_pulse(&net.rb)?];
    wait_for_address(&net.ra, address, LONG)?;
    Ok(daemons)
}

/// Requests of a client; how often each server answered, the lesser first. None may be lost.
fn answers(run: &Run, net: &Seed, target: SocketAddr, what: &str) -> Outcome<Vec<usize>> {
    let report = Load::new(target).most(20).start(&net.c)?.complete()?;
    run.step(format!("{what}: {}", report.summary()));
    ensure!(report.lost() == 0, "{what}: {}", report.summary());
    let mut counts: Vec<usize> = report.answers().values().copied().collect();
    counts.sort_unstable();
    Ok(counts)
}

/// The primary loses power, and its partner has every address.
fn lose_power(run: &Run, net: &Seed, addresses: &[&str]) -> Outcome {
    lab::wait_until(LONG, "the backup is ready", || lab::pair::partner_is_ready(&net.ra))?;
    net.ra.power_off()?;
    let load = Load::new(lab::seed::web_address()).every(BEAT).start(&net.c)?;
    for address in addresses {
        let took = wait_for_address(&net.rb, address, LONG)?;
        run.step(format!("the primary lost its power: the backup has {address} after {took:.1?}"));
    }
    load.answered(10, LONG)?;
    load.finish().map(drop)
}

/// Its power returns: it is the backup now, and nothing moves.
fn power_returns(net: &Seed, primary: &mut Daemon, addresses: &[&str]) -> Outcome {
    net.ra.power_on()?;
    *primary = start_pulse(&net.ra)?;
    lab::wait_until(LONG, "the backup is ready again", || lab::pair::partner_is_ready(&net.rb))?;
    for address in addresses {
        let holder = wait_for_holder(&net.routers(), address, LONG)?;
        ensure!(holder.name() == "rb", "{address} went back to {}", holder.name());
    }
    Ok(())
}
