//! Real servers fall ill, die and return.

use std::time::Duration;

use lab::web::Mood;
use lab::{Load, Outcome, Run, ensure, seed};

use super::{BOTH, CONFIGURATION, Director, SORRY, milliseconds};

pub(crate) fn run(run: &mut Run) -> Outcome {
    let mut director = Director::build(run, CONFIGURATION)?;
    let mut daemon = director.start()?;
    director.has(BOTH)?;
    run.step("lvsd made the table");

    let load = Load::new(seed::web_address()).every(Duration::from_millis(10)).most(40);
    let report = load.start(&director.net.c)?.complete()?;
    run.step(report.summary());
    ensure!(report.lost() == 0, "{}", report.summary());
    let answers: Vec<usize> = report.answers().values().copied().collect();
    ensure!(answers == [20, 20], "the servers did not take turns: {}", report.summary());

    director.one.set(Mood::Status(500));
    let without_one = BOTH.replace("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 1\n", "");
    let took = director.has(&without_one)?;
    run.figure("a server that answers 500 is out", "ms", &[milliseconds(took)])?;
    director.one.set(Mood::Well);
    let took = director.has(BOTH)?;
    run.figure("it is well again and back", "ms", &[milliseconds(took)])?;

    director.one.close()?;
    director.two.close()?;
    director.has(SORRY)?;
    run.step("both are dead, the sorry server is in");
    director.one.open()?;
    director.two.open()?;
    director.has(BOTH)?;
    let ended = daemon.stop(Duration::from_secs(5))?;
    ensure!(ended.success(), "lvsd ended with {ended}");
    ensure!(director.net.ra.table()? == BOTH, "the table is gone after an orderly stop");
    Ok(())
}

/// All servers fail and return while a client opens a connection each millisecond. The servers
/// go on listening, so that only an empty pool could refuse a connection.
pub(crate) fn without_refusal(run: &mut Run) -> Outcome {
    let director = Director::build(run, CONFIGURATION)?;
    let _daemon = director.start()?;
    director.has(BOTH)?;
    let load = Load::new(seed::web_address()).every(Duration::from_millis(1)).most(15_000);
    let client = load.start(&director.net.c)?;
    for _ in 0..2 {
        director.one.set(Mood::Status(500));
        director.two.set(Mood::Status(500));
        director.has(SORRY)?;
        client.answered(20, Duration::from_secs(10))?;
        director.one.set(Mood::Well);
        director.two.set(Mood::Well);
        director.has(BOTH)?;
    }
    let report = client.finish()?;
    run.step(report.summary());
    ensure!(report.refused() == 0, "the pool was empty: {}", report.summary());
    ensure!(report.answers().contains_key("sorry"), "the sorry server never served");
    let sent = report.requests.len();
    run.figure(
        "connections, of which none was refused",
        "",
        &[f64::from(u32::try_from(sent).unwrap_or(u32::MAX))],
    )
}
