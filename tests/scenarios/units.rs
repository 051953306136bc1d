//! The units as a package installs them, under systemd itself: ready, killed, hung, replaced and
//! stopped, and all of it from inside of their sandbox.

use crate::pair_moves::{WEB, config, wait_until_both_warm, wait_until_ready};
use crate::privileges::{self, LOG, RESULTS, Right};
use lab::failure::Context;
use lab::pair::{self, CONFIG, KEY, wait_for_address};
use lab::seed::{PASSWD, USERS, VIP, web_address};
use lab::{Failure, Load, Node, Outcome, Run, Seed, Systemd, ensure, wait_until};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const PULSE: &str = "pulse.service";
const LVSD: &str = "lvsd.service";

/// The files of `etc/`, and where the README puts them.
const INSTALLED: [(&str, &str); 5] = [
    ("systemd/pulse.service", "/etc/systemd/system/pulse.service"),
    ("systemd/lvsd.service", "/etc/systemd/system/lvsd.service"),
    ("systemd/caribe-realserver.service", "/etc/systemd/system/caribe-realserver.service"),
    ("sysusers.d/caribe.conf", "/etc/sysusers.d/caribe.conf"),
    ("modules-load.d/caribe.conf", "/etc/modules-load.d/caribe.conf"),
];
/// Half a minute is long for a scenario; it is longer than a partner waits.
const WATCHDOG: &str = "[Service]\nWatchdogSec=12s\n";
/// Together longer than the watchdog waits; one alone is shorter than the pause between two signs of life.
const BINARIES: usize = 5;
const BETWEEN_BINARIES: Duration = Duration::from_secs(4);

const PROGRAM_EACH_SECOND: &str = "[/etc/caribe/who, check] }, interval: 1s";
const PROGRAM_SELDOM: &str = "[/etc/caribe/who, check] }, interval: 5s";

const REAL_SERVER: &str = "caribe-realserver.service";
/// Addresses that no other host has.
const OTHER: &str = "192.168.1.9";
const OTHER6: &str = "2001:db8:1::9";
const RESOURCES: &str = "systemd/pulse-resources.conf";
const SHARED: &str = "/srv";
const MOUNT: &str = "{ name: shared, start: [/bin/mount, -t, tmpfs, shared, /srv], \
                     stop: [/bin/umount, /srv], timeout: 5s }";

/// One director, with what its unit lets it do.
const SINGLE: &str = "\
services:
  www:
    listen: 192.168.1.1:80/tcp
    scheduler: rr
    forward: direct
    check: { type: data-path, interval: 1s, timeout: 3s, fall: 3, rise: 1 }
    servers: [ 192.168.1.4:80, 192.168.1.5:80 ]
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let text = privileges::needing_all(&net)?
        .replace(LOG, "/var/log/caribe.log")
        .replace(RESULTS, "/var/log/caribe-checks.log")
        // What systemd takes for a start under emulation must be less than what makes a partner dead.
        .replace("dead_after: 600ms", "dead_after: 6s")
        // Two programs a second on each router leave an emulated machine no time for the requests.
        .replace(PROGRAM_EACH_SECOND, PROGRAM_SELDOM);
    pair::prepare(&net, &text)?;
    let others = std::env::temp_dir().join("caribe-lab-of-somebody-else");
    fs::write(&others, "").context(others.display())?;
    let mut managers = Vec::new();
    for router in net.routers() {
        install(router)?;
        managers.push(Systemd::boot(router)?);
    }
    // A file that is gone would be somebody's: the lab may run without a machine of its own.
    fs::remove_file(&others).context("the temporary files outside")?;
    run.step("systemd is up on both routers");
    for systemd in &managers {
        systemd.control(&["start", PULSE])?;
    }
    wait_until_both_warm(&net)?;
    run.step("pulse.service is started on both, and they are warm");
    let [a, b] = &mut managers[..] else { return Ok(()) };
    rights(run, &net)?;
    journal(run, a)?;
    unnoticed(run, &net, a)?;
    rotate_key(run, &net)?;
    hang(run, &net, a)?;
    stop(run, &net, b)?;
    single(run, &net.rb, b)?;
    resources(run, &net.ra, a)?;
    real_server(run, &net.r1)
}

/// What the README says of a fresh host, but for the programs and the manual.
fn install(router: &Node) -> Outcome {
    let known = router.read(PASSWD)?.replace(USERS, "");
    router.write(PASSWD, &known)?;
    for (from, to) in INSTALLED {
        router.execute(&["install", "-D", "-m", "644", &etc(from), to])?;
    }
    for unit in [PULSE, LVSD] {
        router.write(&drop_in(unit), WATCHDOG)?;
    }
    router.execute(&["systemd-sysusers"]).map(drop)
}

/// A file that comes with the project.
fn etc(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc");
    folder.join(name).display().to_string()
}

/// A file of settings that goes before a unit's own.
fn drop_in(unit: &str) -> String {
    format!("/etc/systemd/system/{unit}.d/lab.conf")
}

/// Every process has what it needs and no more, and nothing that the configuration wants failed.
fn rights(run: &Run, net: &Seed) -> Outcome {
    let rights = privileges::rights().map(Right::in_unit);
    for router in net.routers() {
        for line in privileges::processes(router, &rights)? {
            run.step(line);
        }
        let log = router.read("/var/log/caribe.log")?;
        let missing = ["ERROR", "without a part of its sandbox", "runs as root"];
        let bad = log.lines().find(|line| missing.iter().any(|words| line.contains(words)));
        ensure!(bad.is_none(), "{}: {}", router.name(), bad.unwrap_or_default());
    }
    let scripts = net.ra.execute(&["id", "-u", "caribe-script"])?;
    privileges::who_runs_what(&net.ra, scripts.trim())?;
    let line = "check passed service=ping server=192.168.1.4:84 check=ping reason=";
    let told =
        || Ok(net.ra.read("/var/log/caribe-checks.log").is_ok_and(|text| text.contains(line)));
    wait_until(LONG, "a result of a check is in its file", told).map(drop)
}

/// The journal has the level of each line, and no time twice.
fn journal(run: &Run, systemd: &Systemd<'_>) -> Outcome {
    let warnings = systemd.journal(&["--unit=pulse", "--priority=warning"])?;
    let line = warnings.lines().find(|line| line.starts_with("pulse: taking over "));
    let line = line.ok_or_else(|| Failure::new(format!("no warning is found:\n{warnings}")))?;
    ensure!(!warnings.contains("lvsd started"), "a message is a warning:\n{warnings}");
    let all = systemd.journal(&["--unit=pulse"])?;
    for start in ["pulse: ", "lvsd: ", "nanny: "] {
        ensure!(all.lines().any(|line| line.starts_with(start)), "no line of {start}\n{all}");
    }
    run.step(format!("journalctl --priority=warning finds: {line}"));
    Ok(())
}

/// Requests while something happens: none is lost, and the address stays.
fn quietly(run: &Run, net: &Seed, what: &str, fault: impl FnOnce() -> Outcome) -> Outcome {
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    fault()?;
    wait_until_ready(&net.ra)?;
    wait_until_ready(&net.rb)?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    run.step(format!("{what}: {}", report.summary()));
    ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
    ensure!(net.ra.has_address(VIP)? && !net.rb.has_address(VIP)?, "the address moved");
    Ok(())
}

/// Deaths, a new binary and a new configuration of the active router.
fn unnoticed(run: &Run, net: &Seed, systemd: &mut Systemd<'_>) -> Outcome {
    let restarts = |systemd: &Systemd<'_>| systemd.property(PULSE, "NRestarts");
    quietly(run, net, "kill -9 pulse", || {
        net.ra.process("pulse")?.kill()?;
        wait_until(LONG, "systemd starts it again", || Ok(restarts(systemd)? == "1")).map(drop)
    })?;
    quietly(run, net, "kill -9 lvsd", || net.ra.process("lvsd")?.kill())?;
    quietly(run, net, "systemctl reload", || {
        let (listen, scheduler) = ("listen: 192.168.1.1:84/tcp", "\n    scheduler: sh");
        let text = net.ra.read(CONFIG)?.replace(listen, &format!("{listen}{scheduler}"));
        net.ra.write(CONFIG, &text)?;
        net.rb.write(CONFIG, &text)?;
        systemd.control(&["reload", PULSE])?;
        let there = || Ok(net.ra.table()?.contains("-s sh"));
        wait_until(LONG, "the new scheduler is in the kernel", there).map(drop)
    })?;
    let main = systemd.property(PULSE, "MainPID")?;
    quietly(run, net, "new binaries, one after the other", || {
        for number in 1..=BINARIES {
            systemd.control(&["kill", "--kill-whom=main", "--signal=USR2", PULSE])?;
            let log = || net.ra.read("/var/log/caribe.log");
            let told = || Ok(log()?.matches("pulse is replaced").count() == number);
            wait_until(LONG, "pulse is replaced", told)?;
            std::thread::sleep(BETWEEN_BINARIES);
        }
        Ok(())
    })?;
    ensure!(systemd.property(PULSE, "MainPID")? == main, "it is another process");
    ensure!(restarts(systemd)? == "1", "systemd started it again");
    ensure!(systemd.is(PULSE, "active"), "the unit is not active");
    Ok(())
}

/// It writes a file of root's, which the rest of the sandbox does not let it see.
fn rotate_key(run: &Run, net: &Seed) -> Outcome {
    let before = net.ra.read(KEY)?;
    quietly(run, net, "a new key", || net.ra.execute(&["lvsctl", "rotate-key"]).map(drop))?;
    let (a, b) = (net.ra.read(KEY)?, net.rb.read(KEY)?);
    ensure!(a == b && a != before, "the key is not a new one on both");
    Ok(())
}

/// A pulse that stands still: the partner serves, and the manager starts it again.
fn hang(run: &Run, net: &Seed, systemd: &mut Systemd<'_>) -> Outcome {
    let process = net.ra.process("pulse")?;
    process.signal(Signal::STOP)?;
    wait_for_address(&net.rb, VIP, LONG)?;
    let gone = || Ok(!net.ra.has_address(VIP)?);
    wait_until(LONG, "the address left the router whose pulse hangs", gone)?;
    let again = || Ok(systemd.property(PULSE, "NRestarts")? == "2");
    wait_until(LONG, "the watchdog starts it again", again)?;
    let line = systemd.wait_for_log(LONG, "Watchdog timeout")?;
    wait_until_ready(&net.ra)?;
    ensure!(net.rb.has_address(VIP)? && !net.ra.has_address(VIP)?, "the address came back");
    run.step(format!("a pulse that hangs is replaced: {line}"));
    Ok(())
}

/// An ordered stop of the active router hands over, and leaves nothing behind.
fn stop(run: &Run, net: &Seed, systemd: &Systemd<'_>) -> Outcome {
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    systemd.control(&["stop", PULSE])?;
    wait_for_address(&net.ra, VIP, LONG)?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    run.step(format!("systemctl stop hands over: {}", report.summary()));
    ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
    ensure!(!net.rb.has_address(VIP)?, "the address is still here");
    let ours = ["pulse", "lvsd", "nanny"];
    let none = || Ok(!net.rb.processes()?.iter().any(|left| ours.contains(&left.name.as_str())));
    wait_until(LONG, "no daemon is left", none)?;
    ensure!(systemd.is(PULSE, "inactive"), "the unit is not inactive");
    Ok(())
}

/// `lvsd.service` alone, and that the two do not run beside each other.
fn single(run: &Run, router: &Node, systemd: &mut Systemd<'_>) -> Outcome {
    router.execute(&["ipvsadm", "-C"])?;
    router.write(CONFIG, SINGLE)?;
    systemd.control(&["start", LVSD])?;
    pair::wait_for_servers(router, 2, LONG)?;
    router.process("lvsd")?.kill()?;
    let again = || Ok(systemd.property(LVSD, "NRestarts")? == "1" && systemd.is(LVSD, "active"));
    wait_until(LONG, "systemd starts lvsd again", again)?;
    systemd.control(&["stop", LVSD])?;
    ensure!(systemd.is(LVSD, "inactive"), "the unit is not inactive");
    trouble(run, router, systemd)?;
    systemd.control(&["stop", LVSD])?;
    pair::wait_for_servers(router, 2, Duration::ZERO)?;
    run.step("lvsd.service alone fills the table, returns after its death, and leaves the table");
    Ok(())
}

/// With a file that cannot be read the start fails at once; it is tried again and again, at a pace
/// that leaves the log readable, and once the file is mended the unit is up by itself.
fn trouble(run: &Run, router: &Node, systemd: &mut Systemd<'_>) -> Outcome {
    router.write(CONFIG, "services: [\n")?;
    ensure!(systemd.control(&["start", LVSD]).is_err(), "it started with a broken file");
    systemd.wait_for_log(LONG, "this start failed like the last one")?;
    router.write(CONFIG, SINGLE)?;
    let up = || Ok(systemd.is(LVSD, "active"));
    wait_until(LONG, "lvsd is up with the mended file", up)?;
    run.step("a broken file: the start fails, is tried at a pace, and works once the file does");
    Ok(())
}

/// A program that mounts, with the drop-in that takes the sandbox away: the whole host sees it.
fn resources(run: &Run, router: &Node, systemd: &Systemd<'_>) -> Outcome {
    let hook = format!("hooks: [ {MOUNT} ], preferred");
    systemd.control(&["stop", PULSE])?;
    router.write(CONFIG, &config(&WEB.replace("preferred", &hook), ""))?;
    router.execute(&["install", "-D", "-m", "644", &etc(RESOURCES), &drop_in(PULSE)])?;
    systemd.control(&["daemon-reload"])?;
    let mounted = || Ok(systemd.execute(&["mountpoint", SHARED])?.code == 0);
    ensure!(!mounted()?, "{SHARED} is mounted before");
    systemd.control(&["start", PULSE])?;
    wait_for_address(router, VIP, LONG)?;
    wait_until(LONG, "what the program has mounted is seen on the host", mounted)?;
    systemd.control(&["stop", PULSE])?;
    ensure!(!mounted()?, "{SHARED} is mounted after the stop");
    run.step("with the drop-in for resources a program of a group mounts and unmounts");
    Ok(())
}

/// `caribe-realserver.service`, told of its address as the unit says.
fn real_server(run: &Run, server: &Node) -> Outcome {
    install(server)?;
    let told = format!("[Service]\nEnvironment=ADDRESSES=\"{OTHER} {OTHER6}\"\n");
    server.write(&drop_in(REAL_SERVER), &told)?;
    let systemd = Systemd::boot(server)?;
    let has = || Ok::<_, Failure>(server.has_address(OTHER)? && server.has_address(OTHER6)?);
    systemd.control(&["start", REAL_SERVER])?;
    ensure!(has()?, "the addresses are not there");
    systemd.control(&["reload", REAL_SERVER])?;
    ensure!(has()?, "a reload took an address away");
    systemd.control(&["stop", REAL_SERVER])?;
    ensure!(!server.has_address(OTHER)?, "the address is still there");
    ensure!(!server.has_address(OTHER6)?, "the other address is still there");
    run.step("caribe-realserver.service sets up and puts back");
    Ok(())
}
