//! A silent partner is switched off before its addresses are taken.

use crate::pair_moves::{WEB, config, warm};
use lab::pair::{Pair, wait_for_address};
use lab::seed::VIP;
use lab::{Daemon, Outcome, Run, Seed, ensure};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// The program succeeds while this file is there: it stands for the power supply of a router.
const POWER: &str = "/run/power-master";
const FENCE: &str = "fence: { run: [/etc/caribe/fence, \"%r\"], timeout: 5s }";
/// It says who it is, where anybody may write.
const PROGRAM: &str = "#!/bin/sh\numask 0\nid -u > /etc/caribe/open/fence\ntest -e /run/power-$1\n";

/// A pair whose active router has lost its power, and whose other one cannot switch it off.
fn refused(run: &mut Run) -> Outcome<(Seed, Pair)> {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let fenced = config(WEB, "").replace("groups:\n", &format!("{FENCE}\ngroups:\n"));
    for router in net.routers() {
        router.write_mode("/etc/caribe/fence", PROGRAM, 0o755)?;
        router.execute(&["install", "-d", "-m", "1777", "/etc/caribe/open"])?;
    }
    let mut pair = warm(&net, &fenced)?;
    net.ra.power_off()?;
    standby(&mut pair)?.wait_for_log(LONG, "partner could not be switched off")?;
    ensure!(!net.rb.has_address(VIP)?, "the address was taken although fencing failed");
    let plain = net.rb.try_execute(&["lvsctl", "takeover"])?;
    ensure!(plain.code != 0, "an operator took it without force: {}", plain.stdout);
    ensure!(!net.rb.has_address(VIP)?, "the address was taken without force");
    let status = net.rb.execute(&["lvsctl", "status"])?;
    ensure!(status.contains("takeover --force"), "the status says nothing of it:\n{status}");
    run.step("while the partner cannot be switched off nothing is taken");
    Ok((net, pair))
}

fn standby(pair: &mut Pair) -> Outcome<&mut Daemon> {
    pair.b.as_mut().ok_or_else(|| lab::Failure::new("pulse of the standby is gone"))
}

/// It is tried again, and the address is taken once it succeeds.
pub(crate) fn retried(run: &mut Run) -> Outcome {
    let (net, mut pair) = refused(run)?;
    net.rb.write(POWER, "")?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("switched off, its address is here after {took:?}"));
    let log = standby(&mut pair)?.log()?;
    let (fenced, taken) = (log.find("partner is switched off"), log.find("taking over"));
    ensure!(fenced.is_some() && fenced < taken, "it was not fenced first:\n{log}");
    let user = net.rb.read("/etc/caribe/open/fence")?;
    ensure!(user.trim() == "993", "the fence program ran as {user}");
    Ok(())
}

/// An operator who has seen that the partner is off says so.
pub(crate) fn forced(run: &mut Run) -> Outcome {
    let (net, _pair) = refused(run)?;
    net.rb.execute(&["lvsctl", "takeover", "--force", "local", "foreign"])?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("on an operator's word the address is here after {took:?}"));
    Ok(())
}
