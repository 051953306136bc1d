//! A folder of heartbeat and ldirectord, as it is in `etc/ha.d`, run by the pair.

use crate::director::{has_table, sorted};
use crate::pair_moves::{power_back, wait_until_ready};
use crate::turns::take_turns;
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Load, Node, Outcome, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// Seldom enough for an outage of half a minute.
const BEAT: Duration = Duration::from_millis(100);
const FILES: [(&str, &str, u32); 4] = [
    ("/etc/ha.d/ha.cf", include_str!("../../etc/ha.d/ha.cf"), 0o644),
    ("/etc/ha.d/authkeys", include_str!("../../etc/ha.d/authkeys"), 0o600),
    ("/etc/ha.d/haresources", include_str!("../../etc/ha.d/haresources"), 0o644),
    (LDIRECTORD, include_str!("../../etc/ha.d/ldirectord.cf"), 0o644),
];
const LDIRECTORD: &str = "/etc/ha.d/ldirectord.cf";
/// What ldirectord makes of its file.
const TABLE: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 5
-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5
";

/// The table that ldirectord makes, the pair's, who answers, a hand-over, a power loss after the
/// 30 seconds that ha.cf says, and the return that `auto_failback on` asks for.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    for router in net.routers() {
        for (path, text, mode) in FILES {
            router.write_mode(path, text, mode)?;
        }
    }
    let theirs = ldirectord(&net.ra)?;
    run.step("ldirectord has made its table");
    let mut pair = Pair::launch(&net)?;
    pair::wait_until_warm(&net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    for router in net.routers() {
        let ours = router.table()?;
        ensure!(sorted(&ours) == sorted(&theirs), "ours:\n{ours}ldirectord's:\n{theirs}");
    }
    run.step("Master has the address, both routers have ldirectord's table");
    take_turns(run, &net, &net.ra, "through ra")?;
    hand_over(run, &net)?;
    power_loss(run, &net, &mut pair)
}

/// ldirectord's own table of the file, and nothing of it left behind.
fn ldirectord(router: &Node) -> Outcome<String> {
    let mut daemon = router.start(&["ldirectord", "-d", LDIRECTORD, "start"])?;
    has_table(router, TABLE, LONG)?;
    let table = router.table()?;
    daemon.kill()?;
    router.execute(&["ipvsadm", "-C"])?;
    Ok(table)
}

/// There and back on the operator's word, with a request each 10 ms.
fn hand_over(run: &Run, net: &Seed) -> Outcome {
    for (from, to) in [(&net.ra, &net.rb), (&net.rb, &net.ra)] {
        let what = format!("{} knows that {} is ready", from.name(), to.name());
        wait_until(LONG, &what, || pair::partner_is_ready(from))?;
        let load = Load::new(web_address()).start(&net.c)?;
        load.answered(50, LONG)?;
        from.execute(&["lvsctl", "failover"])?;
        wait_for_address(to, VIP, LONG)?;
        load.answered(100, LONG)?;
        let report = load.finish()?;
        run.step(format!("hand-over to {}: {}", to.name(), report.summary()));
        ensure!(!from.has_address(VIP)?, "{} still has the address", from.name());
        ensure!(report.lost() == 0, "a request was lost: {}", report.summary());
    }
    Ok(())
}

/// Master falls silent, Backup serves; Master comes back and has its address again, unasked.
pub(crate) fn power_loss(run: &Run, net: &Seed, pair: &mut Pair) -> Outcome {
    wait_until_ready(&net.rb)?;
    pair.a = None;
    net.ra.power_off()?;
    let load = Load::new(web_address()).every(BEAT).start(&net.c)?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("Master without power: Backup has the address after {took:.1?}"));
    load.answered(10, LONG)?;
    let report = load.finish()?;
    run.step(format!("a request each {BEAT:?} all the while: {}", report.summary()));
    take_turns(run, net, &net.rb, "through rb")?;
    power_back(run, net, pair)
}
