//! The lab itself: wires, web servers, a client, and the kernel's IPVS.

use lab::{Load, Outcome, Run, Seed, ensure, seed};
use std::time::Duration;

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (_one, _two) = net.web()?;
    run.step("the seed network stands");

    net.ra.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    let table = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 1
-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 1
";
    net.ra.execute_with(&["ipvsadm", "-R"], table)?.good("ipvsadm -R")?;
    ensure!(net.ra.table()? == table, "the kernel's table is another: {}", net.ra.table()?);
    run.step("the kernel has the table");

    let load = Load::new(seed::web_address()).every(Duration::from_millis(10)).most(40);
    let report = load.start(&net.c)?.complete()?;
    run.step(report.summary());
    ensure!(report.lost() == 0, "{}", report.summary());
    let answers: Vec<usize> = report.answers().values().copied().collect();
    ensure!(answers == [20, 20], "the servers did not take turns: {}", report.summary());
    let took: Vec<f64> =
        report.requests.iter().map(|request| request.took.as_secs_f64() * 1000.0).collect();
    run.figure("a page through IPVS", "ms", &took)
}
