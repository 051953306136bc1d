//! The file is edited under load, well and badly.

use std::collections::BTreeMap;
use std::time::Duration;

use lab::client::Fate;
use lab::{Load, Outcome, Report, Run, ensure, seed, wait_until};

use super::{BOTH, CONFIGURATION, Director, PATH, milliseconds};

/// What an edit may take, from the save to the kernel.
const PROMISE: Duration = Duration::from_secs(1);

pub(crate) fn run(run: &mut Run) -> Outcome {
    let one = CONFIGURATION.replace("    real=192.168.1.5:80 gate\n", "");
    let director = Director::build(run, &one)?;
    let mut daemon = director.start()?;
    let first = BOTH.replace("-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 1\n", "");
    director.has(&first)?;
    let client = Load::new(seed::web_address()).start(&director.net.c)?;
    client.answered(20, Duration::from_secs(5))?;
    // The kernel adds its counters up every two seconds.
    wait_until(Duration::from_secs(5), "the kernel has counted connections", || {
        Ok(connections(&director)? > 0)
    })?;

    let heavier = CONFIGURATION.replace("1.5:80 gate", "1.5:80 gate 3");
    let more = format!(
        "{CONFIGURATION}\nvirtual=192.168.1.1:81\n    real=192.168.1.4:80 masq\n    scheduler=wlc\n    checktype=on\n"
    );
    let heavier_table = BOTH.replace("1.5:80 -g -w 1", "1.5:80 -g -w 3");
    let more_table = format!(
        "{BOTH}-A -t 192.168.1.1:81 -s wlc\n-a -t 192.168.1.1:81 -r 192.168.1.4:80 -m -w 1\n"
    );
    // It takes nothing new, and is gone when it has answered what it was asked.
    let leaving = BOTH.replace("1.5:80 -g -w 1", "1.5:80 -g -w 0");
    let edits = [
        ("a server is added", CONFIGURATION, BOTH),
        ("a weight is changed", heavier.as_str(), heavier_table.as_str()),
        ("a service is added", more.as_str(), more_table.as_str()),
        ("a service is removed", CONFIGURATION, BOTH),
        ("a server is removed", one.as_str(), leaving.as_str()),
    ];
    for (what, text, table) in edits {
        let before = connections(&director)?;
        // As most editors save: a new file takes the old one's place.
        director.net.ra.write(&format!("{PATH}.new"), text)?;
        director.net.ra.execute(&["mv", &format!("{PATH}.new"), PATH])?;
        let took = director.has(table)?;
        run.figure(&format!("{what}: from the save to the kernel"), "ms", &[milliseconds(took)])?;
        ensure!(took <= PROMISE, "{what}: in the kernel only after {took:?}");
        run.step(what);
        client.answered(20, Duration::from_secs(5))?;
        let after = connections(&director)?;
        ensure!(
            after >= before,
            "{what}: the untouched server was replaced: {before}, then {after}"
        );
    }

    director.has(&first)?;

    let broken = CONFIGURATION.replace("scheduler=rr", "schedulr=rr");
    director.net.ra.write(PATH, &broken)?;
    let line = daemon.wait_for_log(Duration::from_secs(5), "configuration refused")?;
    run.step(&line);
    ensure!(line.contains("ldirectord.cf:13:5: error: "), "no place in: {line}");
    ensure!(director.net.ra.table()? == first, "a refused edit changed the table");
    let refused = director.status()?;
    ensure!(refused.to_string().contains("schedulr"), "the status does not show it: {refused}");
    client.answered(20, Duration::from_secs(5))?;
    director.net.ra.write(PATH, CONFIGURATION)?;
    director.has(BOTH)?;
    wait_until(Duration::from_secs(5), "the status shows that it is mended", || {
        Ok(!director.status()?.to_string().contains("schedulr"))
    })?;

    let report = client.finish()?;
    run.step(report.summary());
    ensure!(report.lost() == 0, "requests were lost: {}; {}", report.summary(), by_second(&report));
    scheduler(run, &director)
}

/// Another scheduler for a service at work: it stays, with its servers and their counters. The
/// kernel has no scheduler while it waits for the readers of the old one (`ip_vs_edit_service`, some
/// milliseconds), and refuses whoever comes then: that is shown, and nobody can mend it from here.
fn scheduler(run: &mut Run, director: &Director) -> Outcome {
    let client = Load::new(seed::web_address()).start(&director.net.c)?;
    client.answered(20, Duration::from_secs(5))?;
    let before = connections(director)?;
    let other = CONFIGURATION.replace("scheduler=rr", "scheduler=wlc");
    for (text, table) in
        [(other.as_str(), BOTH.replace("-s rr", "-s wlc")), (CONFIGURATION, BOTH.to_owned())]
    {
        director.net.ra.write(PATH, text)?;
        director.has(&table)?;
        client.answered(20, Duration::from_secs(5))?;
    }
    let after = connections(director)?;
    ensure!(after >= before, "the service was made anew: {before}, then {after}");
    run.step(format!("another scheduler, and the first again: {}", client.finish()?.summary()));
    Ok(())
}

/// Requests and lost ones of each second.
fn by_second(report: &Report) -> String {
    let mut seconds: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for request in &report.requests {
        let (sent, lost) = seconds.entry(request.sent.as_secs()).or_default();
        *sent += 1;
        *lost += usize::from(!matches!(request.fate, Fate::Answered(_)));
    }
    let told = seconds.iter().map(|(second, (sent, lost))| format!("{second} s: {lost} of {sent}"));
    told.collect::<Vec<_>>().join(", ")
}

/// Connections that the kernel has counted for the server that no edit is about. They begin at 0
/// for a server that was removed and added.
fn connections(director: &Director) -> Outcome<u64> {
    let text = director.net.ra.execute(&["ipvsadm", "-Ln", "--stats", "--exact"])?;
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = lines.find(|words| words.get(1) == Some(&"192.168.1.4:80"));
    let count = row.and_then(|words| words.get(2)?.parse().ok());
    count.ok_or_else(|| lab::Failure::new(format!("192.168.1.4 is not in:\n{text}")))
}
