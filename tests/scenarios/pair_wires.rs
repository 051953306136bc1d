//! Paths that are cut: one, all with a witness, and a router that is paused.

use crate::pair_moves::{WEB, config, warm};
use lab::pair::{self, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Load, Outcome, Run, Seed, ensure, wait_until};
use rustix::process::Signal;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// The client of the seed network is everybody's neighbour on the service wire.
const WITNESS: &str = ", witness: [192.168.1.200]";

/// One of two heartbeat paths is cut and mended: it is told, and nothing moves.
pub(crate) fn one_path(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut pair = warm(&net, &config(WEB, ""))?;
    net.rb.wire(1)?.cut()?;
    for daemon in [&mut pair.a, &mut pair.b].into_iter().flatten() {
        daemon.wait_for_log(LONG, "path silent path=\"172.16.1.")?;
    }
    run.step("both say that the second wire is silent");
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    net.rb.wire(1)?.mend()?;
    let up = || {
        let log = pair.b.as_ref().map_or_else(|| Ok(String::new()), lab::Daemon::log)?;
        Ok(log.matches("path up path=\"172.16.1.").count() >= 2)
    };
    wait_until(LONG, "the second wire is heard again", up)?;
    for daemon in [&pair.a, &pair.b].into_iter().flatten() {
        let log = daemon.log()?;
        ensure!(!log.contains("partner lost"), "the partner was called lost:\n{log}");
    }
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    Ok(())
}

/// The active router is cut off from everything: the other one reaches the witness and takes over,
/// the first gives up by itself. Mended, it stands by.
pub(crate) fn witness(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut pair = warm(&net, &config(WEB, WITNESS))?;
    net.ra.cut()?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("the standby reaches the witness and has the address after {took:.1?}"));
    if let Some(daemon) = &mut pair.a {
        daemon.wait_for_log(LONG, "reason=\"all paths silent and no witness answers\"")?;
    }
    let gone = || Ok(!net.ra.has_address(VIP)?);
    wait_until(LONG, "the router that is cut off has no address", gone)?;
    for router in net.routers() {
        let lost = || Ok(!pair::partner_is_ready(router)?);
        wait_until(LONG, &format!("{} misses its partner", router.name()), lost)?;
    }
    net.ra.mend()?;
    for router in net.routers() {
        let found = || pair::partner_is_ready(router);
        wait_until(LONG, &format!("{} has its partner back", router.name()), found)?;
    }
    run.step("mended, both hear each other again");
    ensure!(net.rb.has_address(VIP)? && !net.ra.has_address(VIP)?, "the address moved again");
    Ok(())
}

/// One of three witnesses is reached by the standby alone (the third one by nobody): the group goes to
/// it under load, and comes back once both reach the same ones.
pub(crate) fn fewer_witnesses(run: &mut Run) -> Outcome {
    const WITNESSES: &str = ", yield_on_fewer_witnesses: true, \
                             witness: [192.168.1.200, 192.168.1.4, 192.168.1.250]";
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let automatic = WEB.replace("failback: manual", "failback: automatic, failback_delay: 1s");
    let mut pair = warm(&net, &config(&automatic, WITNESSES))?;
    let Some(daemon) = &mut pair.a else { return Ok(()) };
    daemon.wait_for_log(LONG, "witness does not answer witness=192.168.1.250")?;
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(100, LONG)?;
    // What ra sends to the client is lost, or there is no way to it; what the client sends to the
    // address is not lost.
    let lost = "neigh replace 192.168.1.200 lladdr 02:00:00:00:00:99 dev eth0 nud permanent";
    let no_way = "route add unreachable 192.168.1.200/32";
    for (cut, mended) in [
        (lost, "neigh del 192.168.1.200 dev eth0"),
        (no_way, "route del unreachable 192.168.1.200/32"),
    ] {
        net.ra.ip(&[cut])?;
        let took = wait_for_address(&net.rb, VIP, LONG)?;
        run.step(format!("the standby, which reaches one more, has the address after {took:.1?}"));
        daemon.wait_for_log(LONG, "witness does not answer witness=192.168.1.200")?;
        daemon.wait_for_log(LONG, "reason=\"the partner reaches more witnesses\"")?;
        let status = net.ra.execute(&["lvsctl", "status"])?;
        let told = status.contains("Witness 192.168.1.200 did not answer");
        ensure!(told, "the status says:\n{status}");
        load.answered(200, LONG)?;
        ensure!(!net.ra.has_address(VIP)?, "the address came back to who reaches fewer");
        net.ra.ip(&[mended])?;
        let took = wait_for_address(&net.ra, VIP, LONG)?;
        run.step(format!("mended, it is back after {took:.1?}"));
        daemon.wait_for_log(LONG, "witness answers again witness=192.168.1.200")?;
        load.answered(100, LONG)?;
    }
    let report = load.finish()?;
    run.step(report.summary());
    ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
    Ok(())
}

/// The active daemon is stopped for three times `dead_after`, as a paused machine is. When it goes
/// on, it has lost the group before it says anything.
pub(crate) fn paused(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut pair = warm(&net, &config(WEB, ""))?;
    let Some(daemon) = &mut pair.a else { return Ok(()) };
    daemon.signal(Signal::STOP)?;
    wait_for_address(&net.rb, VIP, LONG)?;
    daemon.signal(Signal::CONT)?;
    daemon.wait_for_log(LONG, "this router was paused")?;
    let gone = || Ok(!net.ra.has_address(VIP)?);
    let took = wait_until(LONG, "the paused router has no address", gone)?;
    run.step(format!("awake, it let the address go after {took:.1?}"));
    daemon.wait_for_log(LONG, "partner found")?;
    ensure!(net.rb.has_address(VIP)? && !net.ra.has_address(VIP)?, "the address moved again");
    Ok(())
}

/// The active daemon is killed and started again at once: the partner takes nothing over.
pub(crate) fn restart(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    // What a start takes under emulation must be less than what makes a partner dead.
    let patient = config(WEB, "").replace("dead_after: 600ms", "dead_after: 8s");
    let mut pair = warm(&net, &patient)?;
    if let Some(mut daemon) = pair.a.take() {
        daemon.kill()?;
    }
    let mut again = pair::start_pulse(&net.ra)?;
    again.wait_for_log(LONG, "reason=\"held before the restart\"")?;
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    let log = pair.b.as_ref().map_or_else(|| Ok(String::new()), lab::Daemon::log)?;
    ensure!(!log.contains("taking over"), "the partner took over:\n{log}");
    ensure!(log.contains("partner restarted"), "the partner did not notice:\n{log}");
    Ok(())
}
