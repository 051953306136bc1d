//! A hand-over on demand, seen by those whose connections are open at that moment.

pub(crate) mod full;

use crate::demo::CONFIG;
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Load, Outcome, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// How often the address goes from one router to the other.
const MOVES: usize = 10;
/// Pieces of the download, one each 10 ms: it outlasts several hand-overs.
const PIECES: usize = 1500;

/// 1,000 requests and more, one each 10 ms, and a long download, over ten hand-overs.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let _pair = Pair::start(&net, CONFIG)?;
    pair::wait_until_warm(&net, VIP, 2)?;

    let page = format!("http://{}/download/{PIECES}", web_address());
    let words = ["curl", "-sS", "-m", "60", "-o", "/dev/null", "-w", "%{size_download}", &page];
    let mut download = net.c.start(&words)?;
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    for number in 0..MOVES {
        let (from, to) = if number % 2 == 0 { (&net.ra, &net.rb) } else { (&net.rb, &net.ra) };
        wait_until(LONG, "the partner is ready to take over", || pair::partner_is_ready(from))?;
        from.execute(&["lvsctl", "failover"])?;
        wait_for_address(to, VIP, LONG)?;
        load.answered(100, LONG)?;
    }
    let report = load.finish()?;
    run.step(format!("{MOVES} hand-overs: {}", report.summary()));
    let ended = download.wait(LONG)?;
    let said = download.log()?;
    ensure!(ended.success(), "the download ended with {ended}: {said}");
    ensure!(said == format!("{}", PIECES * 1000), "the download was cut short: {said}");
    run.step(format!("the download went on to its end, {said} bytes"));
    ensure!(report.requests.len() >= 1000, "only {} requests", report.requests.len());
    ensure!(report.lost() == 0, "{}", report.summary());
    let outage = report.longest_outage().as_secs_f64() * 1000.0;
    run.figure("longest outage of a hand-over", "ms", &[outage])
}
