//! Files of a folder that the configuration includes come, go, and break.

use std::time::Duration;

use lab::{Daemon, Node, Outcome, Run, Seed, ensure, seed, wait_until};

use super::director::has_table;

const PATH: &str = "/etc/caribe/cluster.yaml";
const LONG: Duration = Duration::from_secs(20);
/// What an edit may take, from the save to the kernel.
const PROMISE: Duration = Duration::from_secs(1);

const MAIN: &str = "include: conf.d/*.yaml\n";

fn path(name: &str) -> String {
    format!("/etc/caribe/conf.d/{name}.yaml")
}

/// A service on a port of its own.
fn service(name: &str, port: u16) -> String {
    format!(
        "services:\n  {name}:\n    listen: 192.168.1.1:{port}/tcp\n    scheduler: rr\n    \
         check: {{ type: 'on' }}\n    servers: [ 192.168.1.4:{port} ]\n"
    )
}

fn table(ports: &[u16]) -> String {
    let lines = ports.iter().map(|port| {
        format!(
            "-A -t 192.168.1.1:{port} -s rr\n-a -t 192.168.1.1:{port} -r 192.168.1.4:{port} -g -w 1\n"
        )
    });
    lines.collect()
}

/// Waits until lvsd says this of the newest edit.
fn refused(router: &Node, why: &str) -> Outcome {
    let what = format!("lvsd says {why:?}");
    let said = || Ok(router.execute(&["lvsctl", "status"])?.contains(why));
    wait_until(LONG, &what, said).map(drop)
}

fn start(net: &Seed) -> Outcome<Daemon> {
    net.ra.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    net.ra.write(PATH, MAIN)?;
    for (name, port) in [("alpha", 81), ("beta", 82)] {
        net.ra.write(&path(name), &service(name, port))?;
    }
    net.ra.start(&["lvsd", "--config", PATH])
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let mut daemon = start(&net)?;
    let router = &net.ra;
    has_table(router, &table(&[81, 82]), LONG)?;
    run.step("the services of two files that one pattern names");

    router.write(&path("gamma"), &service("gamma", 83))?;
    let took = has_table(router, &table(&[81, 82, 83]), LONG)?;
    ensure!(took <= PROMISE, "a new file counts only after {took:?}");
    run.figure(
        "a file is added: from the save to the kernel",
        "ms",
        &[took.as_secs_f64() * 1000.0],
    )?;
    router.execute(&["rm", &path("gamma")])?;
    has_table(router, &table(&[81, 82]), LONG)?;
    run.step("a new file brings its service by itself, and takes it away with it");

    router.write(&path("gamma"), &service("gamma", 83).replace("scheduler", "schedulr"))?;
    let line = daemon.wait_for_log(LONG, "configuration refused")?;
    ensure!(line.contains("conf.d/gamma.yaml:4:5: error: "), "no place in: {line}");
    ensure!(router.table()? == table(&[81, 82]), "a broken file changed: {}", router.table()?);
    run.step(line);
    // While one is broken nothing else counts, and once it is mended all of it does.
    router.write(&path("delta"), &service("delta", 84))?;
    router.write(&path("gamma"), &service("gamma", 83))?;
    has_table(router, &table(&[81, 82, 83, 84]), LONG)?;
    run.step("a broken file loses nothing, and counts once it is mended");

    let most = ["beta", "gamma", "delta"].map(path);
    let words: Vec<&str> = ["rm"].into_iter().chain(most.iter().map(String::as_str)).collect();
    router.execute(&words)?;
    refused(router, "it removes 3 of 4 services")?;
    ensure!(
        router.table()? == table(&[81, 82, 83, 84]),
        "what waits for a word was done: {}",
        router.table()?
    );
    router.execute(&["lvsctl", "apply", "--confirm", "60s"])?;
    has_table(router, &table(&[81]), LONG)?;
    router.execute(&["lvsctl", "apply", "--keep"])?;
    run.step("most files are removed at once: that waits for a word");
    let ended = daemon.stop(Duration::from_secs(5))?;
    ensure!(ended.success(), "lvsd ended with {ended}");
    Ok(())
}
