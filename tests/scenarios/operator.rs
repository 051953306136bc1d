//! The operator's hand: status, plan, drains and weights, by whoever may.

use std::time::Duration;

use lab::command::Output;
use lab::{Daemon, Node, Outcome, Run, Seed, ensure, seed, wait_until};

const PATH: &str = "/etc/ha.d/ldirectord.cf";

const CONFIGURATION: &str = "checktimeout=1
checkinterval=1
quiescent=no
autoreload=no

virtual=192.168.1.1:80
    real=192.168.1.4:80 gate
    real=192.168.1.5:80 gate 5
    scheduler=wlc
    protocol=tcp
    checktype=connect
";

/// The groups of the control socket, and somebody who is in neither.
const GROUPS: &str = "root:x:0:\ncaribe:x:901:\ncaribe-admin:x:902:\nnogroup:x:65534:\n";
const NOBODY: u32 = 65_534;
const READER: u32 = 901;
const OPERATOR: u32 = 902;

/// Runs lvsctl as the unprivileged user, in one more group.
fn as_member(router: &Node, group: u32, words: &[&str]) -> Outcome<Output> {
    let program = lab::command::program("lvsctl").display().to_string();
    let group = format!("--groups={group}");
    let mut all = vec!["setpriv", "--reuid=65534", "--regid=65534", group.as_str(), "--"];
    all.push(&program);
    all.extend(words);
    router.try_execute(&all)
}

fn lvsctl(router: &Node, words: &[&str]) -> Outcome<String> {
    let mut all = vec!["lvsctl"];
    all.extend(words);
    router.execute(&all)
}

fn weight_becomes(router: &Node, server: &str, weight: Option<&str>) -> Outcome<Duration> {
    let what = format!("the weight of {server} is {weight:?}");
    wait_until(Duration::from_secs(10), &what, || {
        let table = router.table()?;
        let line = table.lines().find(|line| line.contains(server));
        Ok(line.and_then(|line| line.rsplit_once("-w ")).map(|(_, weight)| weight) == weight)
    })
}

fn start(router: &Node) -> Outcome<Daemon> {
    let silent = router.try_execute(&["lvsctl", "status"])?;
    ensure!(silent.code == 69, "nobody answers, and lvsctl ended with {}", silent.code);
    let planned = router.try_execute(&["lvsctl", "plan", PATH])?;
    ensure!(planned.code == 0, "a plan needs no lvsd: {}", planned.stderr);
    ensure!(
        planned.stdout.lines().count() == 3 && router.table()?.is_empty(),
        "a service and two servers, and nothing changed: {}",
        planned.stdout
    );
    let daemon = router.start(&["lvsd", "--config", PATH])?;
    weight_becomes(router, "192.168.1.4", Some("1"))?;
    weight_becomes(router, "192.168.1.5", Some("5"))?;
    Ok(daemon)
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let router = &net.ra;
    router.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    router.write(PATH, CONFIGURATION)?;
    router.write("/etc/group", GROUPS)?;
    let _daemon = start(router)?;
    run.step("a plan without lvsd, then lvsd with both servers");
    plans(router)?;
    run.step("a plan is made, and nothing is changed");
    decisions(router)?;
    run.step("weights, drains and disables are made and taken back");
    permissions(router)?;
    run.step("readers read, operators act, others get one line");
    run.step(lvsctl(router, &["status"])?);
    run.step(lvsctl(router, &["explain", "192.168.1.4:80"])?);
    Ok(())
}

fn plans(router: &Node) -> Outcome {
    let same = router.try_execute(&["lvsctl", "plan", PATH])?;
    ensure!(same.stderr.contains("nothing to change"), "{}{}", same.stdout, same.stderr);
    let edited = "/etc/ha.d/edited.cf";
    router.write(edited, &CONFIGURATION.replace("gate 5", "gate 7"))?;
    let plan = lvsctl(router, &["plan", edited])?;
    let line = "ipvsadm -e -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 7";
    ensure!(plan.starts_with(line), "{plan}");
    weight_becomes(router, "192.168.1.5", Some("5")).map(drop)
}

fn decisions(router: &Node) -> Outcome {
    lvsctl(router, &["weight", "192.168.1.5:80", "9", "--reason", "a faster disk"])?;
    weight_becomes(router, "192.168.1.5", Some("9"))?;
    lvsctl(router, &["weight", "192.168.1.5:80"])?;
    weight_becomes(router, "192.168.1.5", Some("5"))?;
    lvsctl(router, &["disable", "192.168.1.5"])?;
    weight_becomes(router, "192.168.1.5", None)?;
    lvsctl(router, &["enable", "192.168.1.5"])?;
    weight_becomes(router, "192.168.1.5", Some("5"))?;
    lvsctl(router, &["drain", "192.168.1.4:80", "--reason", "new kernel", "--deadline", "10m"])?;
    // Without a connection it is drained at once.
    weight_becomes(router, "192.168.1.4", None)?;
    let status = lvsctl(router, &["status"])?;
    ensure!(status.contains("new kernel"), "{status}");
    let explained = lvsctl(router, &["explain", "192.168.1.4:80"])?;
    ensure!(explained.contains("new kernel") && explained.contains("passed"), "{explained}");
    lvsctl(router, &["undrain", "192.168.1.4:80"])?;
    weight_becomes(router, "192.168.1.4", Some("1"))?;
    let history = lvsctl(router, &["history"])?;
    ensure!(history.contains("new kernel"), "{history}");
    let unknown = router.try_execute(&["lvsctl", "drain", "192.168.1.99"])?;
    ensure!(unknown.code == 64, "an unknown server: {}{}", unknown.code, unknown.stderr);
    Ok(())
}

fn permissions(router: &Node) -> Outcome {
    let code = |group, words: &[&str]| as_member(router, group, words).map(|output| output.code);
    let stranger = as_member(router, NOBODY, &["status"])?;
    ensure!(stranger.code == 77, "a stranger: {} {}", stranger.code, stranger.stderr);
    ensure!(stranger.stderr.lines().count() == 1, "{}", stranger.stderr);
    ensure!(code(READER, &["status"])? == 0, "a member of caribe may read");
    ensure!(code(READER, &["history"])? == 0, "a member of caribe may read");
    let refused = as_member(router, READER, &["drain", "192.168.1.4"])?;
    ensure!(refused.code == 77, "a reader who acts: {} {}", refused.code, refused.stderr);
    ensure!(refused.stderr.contains("caribe-admin"), "{}", refused.stderr);
    weight_becomes(router, "192.168.1.4", Some("1"))?;
    ensure!(code(OPERATOR, &["weight", "192.168.1.4", "3"])? == 0, "an operator may act");
    weight_becomes(router, "192.168.1.4", Some("3"))?;
    ensure!(code(OPERATOR, &["weight", "192.168.1.4"])? == 0, "an operator may act");
    weight_becomes(router, "192.168.1.4", Some("1")).map(drop)
}
