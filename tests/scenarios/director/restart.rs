//! lvsd dies and returns, somebody else edits the table, and a foreign service is there.

use std::time::Duration;

use lab::wait::wait_for;
use lab::{Load, Outcome, Run, ensure, seed, wait_until};

use super::{BOTH, CONFIGURATION, Director, milliseconds};

const FOREIGN: &str = "-A -t 192.168.1.2:8080 -s wlc
-a -t 192.168.1.2:8080 -r 192.168.1.4:80 -m -w 7
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let director = Director::build(run, CONFIGURATION)?;
    let router = &director.net.ra;
    router.execute_with(&["ipvsadm", "-R"], FOREIGN)?.good("ipvsadm -R")?;
    let mut daemon = director.start()?;
    let table = format!("{BOTH}{FOREIGN}");
    director.has(&table)?;

    router.execute(&["ipvsadm", "-d", "-t", seed::VIP_WEB, "-r", "192.168.1.5:80"])?;
    let took = director.has(&table)?;
    run.figure("what somebody else removed is back", "ms", &[milliseconds(took)])?;
    daemon.wait_for_log(Duration::from_secs(5), "changed by somebody else")?;

    let client = Load::new(seed::web_address()).start(&director.net.c)?;
    client.answered(20, Duration::from_secs(5))?;
    daemon.kill()?;
    wait_until(Duration::from_secs(5), "nanny ends with lvsd", || {
        Ok(!router.processes()?.iter().any(|process| process.name == "nanny"))
    })?;
    ensure!(router.table()? == table_in_order(router, &table)?, "the table went with lvsd");
    let mut daemon = director.start()?;
    let status = wait_for(Duration::from_secs(20), "every real server has been checked", || {
        let warm = "/readiness/checks_warm";
        Ok(director.status().ok().filter(|status| status.pointer(warm) == Some(&true.into())))
    })?;
    let writes = status.get("kernel_writes").and_then(serde_json::Value::as_u64);
    ensure!(writes == Some(0), "the restart changed the table {writes:?} times");
    director.has(&table)?;
    client.answered(20, Duration::from_secs(5))?;
    let report = client.finish()?;
    run.step(report.summary());
    ensure!(report.lost() == 0, "requests were lost: {}", report.summary());
    let foreign = status.get("foreign").map(ToString::to_string).unwrap_or_default();
    ensure!(foreign.contains("192.168.1.2:8080/tcp"), "foreign services: {foreign}");

    router.process("nanny")?.kill()?;
    daemon.wait_for_log(Duration::from_secs(5), "nanny ended")?;
    wait_until(Duration::from_secs(5), "nanny runs again", || {
        Ok(router.processes()?.iter().any(|process| process.name == "nanny"))
    })?;
    director.has(&table)?;
    Ok(())
}

/// The wanted table when the kernel has it in some order, else what the kernel has.
fn table_in_order(router: &lab::Node, wanted: &str) -> Outcome<String> {
    super::has_table(router, wanted, Duration::ZERO)?;
    router.table()
}
