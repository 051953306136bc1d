//! Weights follow the load that a program tells of each real server.

use std::time::Duration;

use lab::{Outcome, Run, Seed, ensure, seed, wait_until};

use super::director::has_table;

const PATH: &str = "/etc/caribe/cluster.yaml";
const LONG: Duration = Duration::from_secs(30);

const CONFIGURATION: &str = "\
services:
  www:
    listen: 192.168.1.1:80/tcp
    scheduler: wlc
    forward: direct
    check: { type: connect, interval: 10s, timeout: 8s, fall: 3, rise: 1 }
    load: { run: [/etc/caribe/load, '%h'], interval: 1s, timeout: 10s }
    servers: [ { address: '192.168.1.4:80', weight: 100 }, { address: '192.168.1.5:80', weight: 100 } ]
";

/// Says what a machine says of itself, with the load that stands in a file.
const PROGRAM: &str = "#!/bin/sh
read load < /etc/caribe/load.$1 || exit 1
echo \" 10:00:00 up 3 days,  2:10,  1 user,  load average: $load, 0.10, 0.05\"
";

fn table(one: u32, two: u32) -> String {
    format!(
        "-A -t 192.168.1.1:80 -s wlc\n-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w {one}\n\
         -a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w {two}\n"
    )
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let router = &net.ra;
    let load_of = |server: &str, load: &str| {
        let path = format!("/etc/caribe/load.{server}");
        // As a whole, so that the program reads one or the other.
        router.write(&format!("{path}.new"), load)?;
        router.execute(&["mv", &format!("{path}.new"), &path]).map(drop)
    };
    let [one, two] = ["192.168.1.4", "192.168.1.5"];
    router.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    router.write_mode("/etc/caribe/load", PROGRAM, 0o755)?;
    load_of(one, "1.00\n")?;
    load_of(two, "0.00\n")?;
    router.write(PATH, CONFIGURATION)?;
    let mut daemon = router.start(&["lvsd", "--config", PATH])?;
    has_table(router, &table(100, 150), LONG)?;
    let says = |what: &str| {
        let explain = || router.execute(&["lvsctl", "explain", "192.168.1.4:80"]);
        let what_for = format!("explain says {what:?}");
        wait_until(LONG, &what_for, || Ok(explain()?.contains(what))).map(drop)
    };
    says("load 1.0: weight 100 of 100")?;
    run.step("a load of 1 leaves the weight, an idle server gets half as much again");

    // The first value counts half: a load of 2, not of 3, which would make 37 of it. What comes
    // after that is a small change.
    load_of(one, "3.00\n")?;
    has_table(router, &table(50, 150), LONG)?;
    says("load 3.0: weight 50 of 100")?;
    ensure!(router.table()? == table(50, 150), "a small change was made: {}", router.table()?);
    run.step("one peak counts half, and small changes are skipped");

    load_of(one, "1000.00\n")?;
    has_table(router, &table(10, 150), LONG)?;
    run.step("the busiest server keeps a tenth");

    router.execute(&["rm", "/etc/caribe/load.192.168.1.4"])?;
    has_table(router, &table(100, 150), LONG)?;
    run.step("a server whose load is not known any more has its configured weight");
    let ended = daemon.stop(Duration::from_secs(5))?;
    ensure!(ended.success(), "lvsd ended with {ended}");
    Ok(())
}
