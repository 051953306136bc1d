//! An operator takes a server out for a while, as people should: its open connections end well.

use std::time::Duration;

use lab::{Daemon, Load, Outcome, Run, ensure, seed, wait_until};

use super::{BOTH, CONFIGURATION, Director};

pub(crate) fn run(run: &mut Run) -> Outcome {
    let director = Director::build(run, CONFIGURATION)?;
    let router = &director.net.ra;
    let daemon = director.start()?;
    director.has(BOTH)?;

    // With turns taken, one download is from each server.
    let mut load = Load::new(seed::web_address()).most(2);
    load.path = "/download/500".to_owned();
    load.patience = Duration::from_secs(30);
    let downloads = load.start(&director.net.c)?;
    let _daemon = drain(run, &director, daemon)?;
    let report = downloads.complete()?;
    ensure!(report.lost() == 0, "a download broke: {}", report.summary());
    run.step("both downloads came to their end");
    let explained = router.execute(&["lvsctl", "explain", "192.168.1.4"])?;
    ensure!(explained.contains("new kernel"), "{explained}");
    router.execute(&["lvsctl", "undrain", "192.168.1.4"])?;
    director.has(BOTH)?;

    let planned = CONFIGURATION.replace("    real=192.168.1.5:80 gate\n", "");
    router.write("/etc/planned.cf", &planned)?;
    let plan = router.execute(&["lvsctl", "plan", "/etc/planned.cf"])?;
    ensure!(plan.contains("-d -t 192.168.1.1:80 -r 192.168.1.5:80"), "{plan}");
    director.has(BOTH)?;
    let history = router.execute(&["lvsctl", "history"])?;
    ensure!(history.contains("operator decided"), "{history}");
    Ok(())
}

/// Drains a server under load, and kills and starts lvsd meanwhile.
fn drain(run: &Run, director: &Director, mut daemon: Daemon) -> Outcome<Daemon> {
    let router = &director.net.ra;
    wait_until(Duration::from_secs(5), "both servers have a download", || {
        let table = router.kernel_table()?;
        let servers = table.first().map(|service| service.servers.clone()).unwrap_or_default();
        Ok(servers.iter().filter(|server| server.active > 0).count() == 2)
    })?;

    router.execute(&["lvsctl", "drain", "192.168.1.4", "--reason", "new kernel"])?;
    let draining = BOTH.replace("1.4:80 -g -w 1", "1.4:80 -g -w 0");
    director.has(&draining)?;
    run.step("no new connection goes to 192.168.1.4, the download goes on");
    daemon.kill()?;
    let daemon = director.start()?;
    wait_until(Duration::from_secs(10), "lvsd answers again", || Ok(director.status().is_ok()))?;
    director.has(&draining)?;
    let load = Load::new(seed::web_address()).most(20).start(&director.net.c)?.complete()?;
    ensure!(load.lost() == 0, "{}", load.summary());
    ensure!(!load.answers().contains_key("r1"), "new connections: {}", load.summary());
    Ok(daemon)
}
