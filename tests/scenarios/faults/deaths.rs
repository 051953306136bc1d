//! Daemons that are killed, paused, or replaced.

use super::{LONG, Stage, headings, log_of};
use lab::pair::wait_for_address;
use lab::seed::{VIP, web_address};
use lab::{Node, Outcome, Run, Seed, ensure, wait_until};
use rustix::process::Signal;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pieces of a download, one each 10 ms, that outlasts the scenario.
const ENDLESS: usize = 30_000;
/// What has come of it so far.
const PAGE: &str = "/run/page";

/// `kill -9` of each daemon on each router: whoever watches it starts it again, and nobody
/// notices.
pub(crate) fn kill(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    // What a start takes under emulation must be less than what makes a partner dead.
    let mut stage = Stage::set(&net, "dead_after: 2s")?;
    headings(run);
    for router in net.routers() {
        for daemon in ["nanny", "lvsd", "pulse"] {
            let name = format!("kill -9 {daemon} on {}", router.name());
            stage.fault(run, &name, |stage| kill_one(stage, router, daemon))?.nobody_noticed()?;
        }
    }
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    Ok(())
}

/// pulse is killed for the second time while what the first death has set off still waits: that it
/// is not there at that moment is nothing new.
pub(crate) fn kill_again(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut stage = Stage::set(&net, "dead_after: 6s")?;
    headings(run);
    // The addresses would go `dead_after` less an interval of 200 ms after the first death.
    let (again, back) = (Duration::from_millis(5300), Duration::from_millis(6300));
    let name = "kill -9 pulse on ra, started again, killed again";
    let row = stage.fault(run, name, |stage| {
        let begun = Instant::now();
        kill_one(stage, &net.ra, "pulse")?;
        sleep(again.saturating_sub(begun.elapsed()));
        stage.process(&net.ra, "pulse")?.kill()?;
        sleep(back.saturating_sub(begun.elapsed()));
        stage.start_pulse(&net.ra)
    })?;
    row.nobody_noticed()?;
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    Ok(())
}

fn kill_one(stage: &mut Stage<'_>, router: &Node, daemon: &str) -> Outcome {
    let before = stage.process(router, daemon)?;
    before.kill()?;
    if daemon == "pulse" {
        stage.start_pulse(router)?;
    }
    let what = format!("another {daemon} runs on {}", router.name());
    let anew = || Ok(stage.process(router, daemon).is_ok_and(|now| now.id != before.id));
    wait_until(LONG, &what, anew).map(drop)
}

/// A new binary of each daemon: it takes the place of the old one in the same process. A download
/// goes on meanwhile.
pub(crate) fn upgrade(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut stage = Stage::set(&net, "dead_after: 2s")?;
    let page = format!("http://{}/download/{ENDLESS}", web_address());
    let mut download = net.c.start(&["curl", "-sS", "-m", "300", "-o", PAGE, &page])?;
    headings(run);
    for router in net.routers() {
        for daemon in ["lvsd", "pulse"] {
            let name = format!("new binary of {daemon} on {}", router.name());
            stage.fault(run, &name, |stage| replace(stage, router, daemon))?.nobody_noticed()?;
        }
    }
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    let size = || net.c.execute(&["stat", "-c", "%s", PAGE]).map(|text| text.trim().to_owned());
    let then = size()?;
    wait_until(LONG, "the download goes on", || Ok(size()? != then))?;
    ensure!(download.ended()?.is_none(), "the download broke off: {}", download.log()?);
    run.step(format!("a download that was open all the time goes on, after {then} bytes"));
    download.kill()
}

fn replace(stage: &Stage<'_>, router: &Node, daemon: &str) -> Outcome {
    let line = format!("{daemon}: {daemon} started ");
    let starts = || Ok(log_of(router)?.matches(&line).count());
    let (process, before) = (stage.process(router, daemon)?, starts()?);
    process.signal(Signal::USR2)?;
    let what = format!("{daemon} begins anew on {}", router.name());
    wait_until(LONG, &what, || Ok(starts()? > before))?;
    // pulse has nobody above it in the lab; lvsd is started by its parent.
    let same = stage.process(router, daemon)?.id == process.id;
    ensure!(same == (daemon == "pulse"), "{daemon}: the same process is {same}");
    Ok(())
}

/// pulse is killed and nobody starts it again; then everything is killed at once. The addresses
/// go by themselves, and the partner serves.
pub(crate) fn abandoned(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    // Leases are whole seconds: with a shorter time the kernel can be quicker than lvsd's order.
    let mut stage = Stage::set(&net, "dead_after: 3s")?;
    headings(run);
    stage.fault(run, "kill -9 pulse on ra, nobody starts it again", |stage| {
        let begun = Instant::now();
        net.ra.process("pulse")?.kill()?;
        wait_for_address(&net.rb, VIP, LONG)?;
        let gone = || Ok(!net.ra.has_address(VIP)?);
        wait_until(LONG, "ra has no address", gone)?;
        run.step(format!("ra has no address {} ms after the kill", begun.elapsed().as_millis()));
        let told = || Ok(log_of(&net.ra)?.contains("its floating addresses are removed"));
        wait_until(LONG, "the log says that they were removed, before their lease ended", told)?;
        stage.start_pulse(&net.ra)
    })?;
    stage.bring_home()?;
    stage.fault(run, "kill -9 of everything on ra at once", |stage| {
        let begun = Instant::now();
        kill_all(&net.ra)?;
        wait_for_address(&net.rb, VIP, LONG)?;
        let gone = || Ok(!net.ra.has_address(VIP)?);
        wait_until(LONG, "the kernel of ra has taken its address back", gone)?;
        run.step(format!("the lease ended {} ms after the kill", begun.elapsed().as_millis()));
        stage.start_pulse(&net.ra)
    })?;
    Ok(())
}

/// All daemons at one moment: none of them sees another one die.
fn kill_all(router: &Node) -> Outcome {
    let ours = ["pulse", "lvsd", "nanny"];
    let mut all = router.processes()?;
    all.retain(|process| ours.contains(&process.name.as_str()));
    for process in &all {
        process.signal(Signal::STOP)?;
    }
    for process in &all {
        process.signal(Signal::KILL)?;
    }
    let what = format!("no daemon is left on {}", router.name());
    let none = || Ok(!router.processes()?.iter().any(|left| ours.contains(&left.name.as_str())));
    wait_until(Duration::from_secs(5), &what, none).map(drop)
}
