//! What each daemon may do, as the kernel tells it, and that they do their work with that.

use crate::pair_moves::{WEB, config, wait_until_ready};
use lab::pair::{self, CONFIG, KEY, Pair, wait_for_address};
use lab::seed::{PASSWD, USERS, VIP};
use lab::wait::wait_for;
use lab::{Daemon, Failure, Node, Outcome, Run, Seed, ensure, wait_until};
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

/// A check of each kind that needs something special, beside the web server's own.
const CHECKS: &str = "  ping:
    listen: 192.168.1.1:84/tcp
    forward: direct
    check: { type: ping, interval: 1s, timeout: 3s, fall: 3, rise: 1 }
    servers: [ 192.168.1.4:84, 192.168.1.5:84 ]
    notify: { results: /etc/caribe/checks.log }
  program:
    listen: 192.168.1.1:85/tcp
    forward: direct
    check: { external: { argv: [/etc/caribe/who, check] }, interval: 1s, timeout: 3s, fall: 3, rise: 1 }
    servers: [ 192.168.1.4:85, 192.168.1.5:85 ]
kernel:";
/// The web server's own check, and what takes its place.
const HTTP: &str = "{ http: { path: / }, interval";
const DATA_PATH: &str = "{ type: data-path, interval";
/// Where only root may make a file.
pub(crate) const RESULTS: &str = "/etc/caribe/checks.log";
pub(crate) const LOG: &str = "/etc/caribe/routers.log";
/// The programs say who they are, where anybody may write.
const WHO: &str = "#!/bin/sh\numask 0\nid -u > /etc/caribe/open/$1\n";

/// What a process must have: `/proc/PID/status` of every thread of it.
pub(crate) struct Right {
    program: &'static str,
    /// Of the arguments, to tell the nannies apart.
    argument: Option<&'static str>,
    user: &'static str,
    capabilities: &'static str,
    no_new_privileges: bool,
    /// Whether system calls are filtered.
    seccomp: bool,
}

impl Right {
    /// The same in the sandbox of a unit.
    pub(crate) fn in_unit(self) -> Self {
        Self { no_new_privileges: true, seccomp: true, ..self }
    }
}

const NONE: &str = "0000000000000000";
/// `NET_ADMIN`, `NET_RAW`, `NET_BIND_SERVICE`, `SETUID`, `SETGID`, `KILL`.
const PULSE: &str = "00000000000034e0";
/// `NET_ADMIN`, `NET_RAW`, `SETUID`, `SETGID`, `KILL`.
const LVSD: &str = "00000000000030e0";

/// What tells one nanny from another.
const KINDS: [&str; 2] = ["--programs", "--paths"];

pub(crate) fn rights() -> [Right; 5] {
    let trusted = |program, capabilities| Right {
        program,
        argument: None,
        user: "caribe",
        capabilities,
        no_new_privileges: false,
        seccomp: false,
    };
    let confined = |argument, user| Right { argument, user, ..trusted("nanny", NONE).in_unit() };
    [
        trusted("pulse", PULSE),
        trusted("lvsd", LVSD),
        confined(None, "caribe-nanny"),
        confined(Some("--programs"), "caribe-script"),
        confined(Some("--paths"), "caribe-nanny"),
    ]
}

/// Gives both routers the programs of a configuration that needs every right there is; returns it.
pub(crate) fn needing_all(net: &Seed) -> Outcome<String> {
    for router in net.routers() {
        router.write_mode("/etc/caribe/who", WHO, 0o755)?;
        router.execute(&["install", "-d", "-m", "1777", "/etc/caribe/open"])?;
    }
    let hooks = WEB.replace(
        "preferred",
        "hooks: [ { name: who, start: [/etc/caribe/who, hook], timeout: 5s } ], preferred",
    );
    let text = config(&hooks, "").replace("kernel:", CHECKS).replace(HTTP, DATA_PATH);
    Ok(text + &format!("log_file: {LOG}\n"))
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    for router in net.routers() {
        // State of an older start as root.
        router.execute(&["install", "-d", "-m", "755", "/run/caribe", "/run/caribe/lvsd"])?;
    }
    let text = needing_all(&net)?;
    let mut pair = Pair::start(&net, &text)?;
    pair::wait_until_warm(&net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    run.step("both routers are warm: frames, pings and programs find the servers well");
    for router in net.routers() {
        for line in processes(router, &rights())? {
            run.step(line);
        }
    }
    who_runs_what(&net.ra, "992")?;
    run.step("the resource's program ran as root, the check's program as caribe-script");
    files(&net)?;
    results(&net, pair.a.as_ref())?;
    run.step("log and results of checks are in files of root's, and in new ones after a rotation");
    for daemon in [&pair.a, &pair.b].into_iter().flatten() {
        let log = daemon.log()?;
        ensure!(!log.contains("without a part of its sandbox"), "a part is missing:\n{log}");
        ensure!(!log.contains("runs as root"), "root is still there:\n{log}");
    }
    wait_until_ready(&net.rb)?;
    net.ra.execute(&["lvsctl", "failover"])?;
    wait_for_address(&net.rb, VIP, LONG)?;
    run.step("the group is handed over");
    if let Some(daemon) = &mut pair.a {
        daemon.signal(Signal::USR2)?;
        daemon.wait_for_log(LONG, "pulse is replaced")?;
    }
    wait_until_ready(&net.ra)?;
    let same = || Ok(processes(&net.ra, &rights()).is_ok());
    wait_until(LONG, "a pulse that took the place of the old one has the same rights", same)?;
    if let Some(mut daemon) = pair.b.take() {
        daemon.kill()?;
    }
    wait_for_address(&net.ra, VIP, LONG)?;
    let gone = || Ok(!net.rb.has_address(VIP)?);
    wait_until(LONG, "the address left the router whose pulse was killed", gone)?;
    run.step("a replaced pulse has the same rights, a killed one leaves no address behind");
    pair.b = Some(pair::start_pulse(&net.rb)?);
    wait_until_ready(&net.rb)?;
    for daemon in [&mut pair.a, &mut pair.b].into_iter().flatten() {
        let ended = daemon.stop(LONG)?;
        ensure!(ended.success(), "pulse ended with {ended}");
    }
    drop(pair);
    refusals(run, &net.rb)?;
    without_users(run, &net.ra)
}

/// One line for each process of ours, and all as they must be.
pub(crate) fn processes(router: &Node, rights: &[Right]) -> Outcome<Vec<String>> {
    let mut lines = Vec::new();
    for right in rights {
        let id = find(router, right)?;
        let uid = router.execute(&["id", "-u", right.user])?;
        for thread in fs::read_dir(format!("/proc/{id}/task")).map_err(broken)?.flatten() {
            let text = fs::read_to_string(thread.path().join("status")).map_err(broken)?;
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().trim().replace('\t', " ")
            };
            let line = format!(
                "{} {:5} {:10} uid {} groups [{}] effective {} permitted {} no_new_privs {} seccomp {}",
                router.name(),
                right.program,
                right.argument.unwrap_or_default(),
                field("Uid:"),
                field("Groups:"),
                field("CapEff:"),
                field("CapPrm:"),
                field("NoNewPrivs:"),
                field("Seccomp:"),
            );
            let uids = [uid.trim(); 4].join(" ");
            let good = field("Uid:") == uids
                && field("Gid:") == uids
                && field("Groups:").is_empty()
                && ["CapEff:", "CapPrm:"].iter().all(|name| field(name) == right.capabilities)
                && ["CapInh:", "CapAmb:"].iter().all(|name| field(name) == NONE)
                && field("NoNewPrivs:") == if right.no_new_privileges { "1" } else { "0" }
                // 2 is a filter.
                && field("Seccomp:") == if right.seccomp { "2" } else { "0" };
            ensure!(good, "not as it must be: {line}");
            lines.push(line);
        }
    }
    Ok(lines)
}

fn broken(error: std::io::Error) -> Failure {
    Failure::new(error.to_string())
}

fn find(router: &Node, right: &Right) -> Outcome<u32> {
    let fits = |id: u32| {
        let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let has =
            |kind: &str| arguments.split(|byte| *byte == 0).any(|word| word == kind.as_bytes());
        KINDS.into_iter().find(|kind| has(kind)) == right.argument
    };
    let found =
        router.processes()?.into_iter().find(|one| one.name == right.program && fits(one.id));
    found.map(|one| one.id).ok_or_else(|| {
        Failure::new(format!("no {} {:?} on {}", right.program, right.argument, router.name()))
    })
}

pub(crate) fn who_runs_what(router: &Node, scripts: &str) -> Outcome {
    let said = |name: &str| router.read(&format!("/etc/caribe/open/{name}"));
    // A program that is writing has made its file already.
    let whole = |name: &str| Ok(said(name).ok().filter(|text| text.ends_with('\n')));
    let hook = wait_for(LONG, "the resource's program said who it is", || whole("hook"))?;
    let check = wait_for(LONG, "the check's program said who it is", || whole("check"))?;
    ensure!(hook.trim() == "0", "the resource's program ran as {hook}");
    ensure!(check.trim() == scripts, "the check's program ran as {check}");
    Ok(())
}

fn results(net: &Seed, pulse: Option<&Daemon>) -> Outcome {
    let router = &net.ra;
    let line = "check passed service=ping server=192.168.1.4:84 check=ping reason=";
    let holds = || Ok(router.read(RESULTS).is_ok_and(|text| text.contains(line)));
    wait_until(LONG, "a result of a check is in its file", holds)?;
    let is = router.execute(&["stat", "-c", "%u %g %a", RESULTS])?;
    ensure!(is.trim() == "0 0 640", "{RESULTS} is {is}");
    let log = router.read(LOG)?;
    let taken = log.contains("INFO pulse: taking over") || log.contains("WARN pulse: taking over");
    let all = taken
        && log.contains("INFO lvsd: real server up")
        && log.contains("INFO nanny: nanny started");
    ensure!(all, "{LOG} holds:\n{log}");
    for file in [RESULTS, LOG] {
        router.execute(&["mv", file, &format!("{file}.1")])?;
    }
    if let Some(pulse) = pulse {
        pulse.signal(Signal::USR1)?;
    }
    wait_until(LONG, "a result of a check is in a new file", holds)?;
    let there = || Ok(router.read(LOG).is_ok());
    wait_until(LONG, "the log has a new file", there).map(drop)
}

fn files(net: &Seed) -> Outcome {
    let wanted = [
        ("/run/caribe", "990 990 755"),
        ("/run/caribe/pulse.sock", "990 990 666"),
        ("/run/caribe/lvsd.sock", "990 990 666"),
        ("/run/caribe/lvsd", "990 990 755"),
        ("/run/caribe/lvsd/owned.json", "990 990 640"),
        (KEY, "0 0 600"),
    ];
    for router in net.routers() {
        for (path, wanted) in wanted {
            let is = router.execute(&["stat", "-c", "%u %g %a", path])?;
            ensure!(is.trim() == wanted, "{path} is {is}, and not {wanted}");
        }
    }
    Ok(())
}

/// Wrong owners and modes are one line and the code that belongs to it.
fn refusals(run: &Run, router: &Node) -> Outcome {
    let ends = |words: &[&str], code: i32, says: &str| -> Outcome {
        let output = router.try_execute(words)?;
        let last = output.stderr.lines().last().unwrap_or_default();
        ensure!(output.code == code, "{words:?} ended with {}: {last}", output.code);
        ensure!(last.contains(says), "{words:?} said: {last}");
        run.step(format!("{code}: {last}"));
        Ok(())
    };
    let change = |words: &[&str]| router.execute(words).map(drop);
    change(&["chmod", "640", KEY])?;
    ends(&["pulse"], 78, "chmod 600")?;
    change(&["chmod", "600", KEY])?;
    change(&["chown", "65534", KEY])?;
    ends(&["pulse"], 78, "chown root")?;
    change(&["chown", "0", KEY])?;
    change(&["chmod", "777", "/run/caribe"])?;
    ends(&["pulse"], 78, "chmod go-w")?;
    ends(&["lvsd"], 78, "chmod go-w")?;
    change(&["chmod", "755", "/run/caribe"])?;
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    let program = lab::command::program("lvsd").display().to_string();
    ends(&[&nobody[..], &[&program, "--runtime-dir", "/run/nobody"]].concat(), 77, "root")
}

/// A host without our users: root stays, with as few capabilities, and says so once.
fn without_users(run: &Run, router: &Node) -> Outcome {
    let passwd = router.read(PASSWD)?.replace(USERS, "");
    router.write(PASSWD, &passwd)?;
    router.execute(&["chown", "-R", "0:0", "/run/caribe"])?;
    let mut daemon = router.start(&["lvsd", "--config", CONFIG])?;
    daemon.wait_for_log(LONG, "make the user caribe")?;
    wait_until(LONG, "nanny runs", || Ok(router.process("nanny").is_ok()))?;
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).map_err(broken)?;
    let has = |line: &str| status.lines().any(|other| other == line);
    ensure!(has("Uid:\t0\t0\t0\t0"), "lvsd is not root:\n{status}");
    ensure!(has(&format!("CapEff:\t{LVSD}")), "lvsd has other capabilities:\n{status}");
    let nanny = router.process("nanny")?;
    let status = fs::read_to_string(format!("/proc/{}/status", nanny.id)).map_err(broken)?;
    ensure!(status.contains("Uid:\t65534\t65534"), "nanny is not nobody:\n{status}");
    run.step("without our users lvsd stays root with few capabilities, nanny is nobody");
    ensure!(daemon.stop(LONG)?.success(), "lvsd did not end in order");
    Ok(())
}
