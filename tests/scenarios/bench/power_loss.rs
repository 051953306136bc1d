//! The active router loses power: what the client sees with Caribe, and with keepalived.

use super::{compare, median};
use crate::pair_moves::{WEB, config, wait_until_ready};
use lab::pair::{self, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Daemon, Load, Node, Outcome, Report, Run, Seed, ensure};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// Power losses of each.
const ROUNDS: usize = 10;
const THEIR_FILE: &str = "/etc/keepalived/keepalived.conf";

/// Ten power losses of each, taking turns, so that both meet the same noise. Heartbeats and
/// adverts each 200 ms; three missed ones mean dead, for both.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    pair::prepare(&net, &config(WEB, ""))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let mine = with_caribe(&net)?;
        let other = with_keepalived(&net)?;
        run.step(format!("{round}: Caribe: {}", mine.summary()));
        run.step(format!("{round}: keepalived: {}", other.summary()));
        ours.push(mine.longest_outage().as_secs_f64() * 1000.0);
        theirs.push(other.longest_outage().as_secs_f64() * 1000.0);
    }
    compare(run, "outage at a power loss", "ms", &ours, &theirs)?;
    let (ours, theirs) = (median(&ours)?, median(&theirs)?);
    ensure!(ours < theirs, "Caribe's outage is the longer one: {ours:.0} ms, {theirs:.0} ms");
    Ok(())
}

fn with_caribe(net: &Seed) -> Outcome<Report> {
    let first = pair::start_pulse(&net.ra)?;
    let mut second = pair::start_pulse(&net.rb)?;
    pair::wait_until_warm(net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    wait_until_ready(&net.rb)?;
    lose_power(net, first, &mut second)
}

fn with_keepalived(net: &Seed) -> Outcome<Report> {
    // The priorities of its documents. The standby waits three adverts and (256 - 100) / 256 of
    // another one.
    let first = start_keepalived(&net.ra, &keepalived(150))?;
    let mut second = start_keepalived(&net.rb, &keepalived(100))?;
    pair::wait_until_warm(net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    lose_power(net, first, &mut second)
}

/// What the client saw of it; the routers are empty again after it.
fn lose_power(net: &Seed, first: Daemon, second: &mut Daemon) -> Outcome<Report> {
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    net.ra.power_off()?;
    wait_for_address(&net.rb, VIP, LONG)?;
    load.answered(100, LONG)?;
    let report = load.finish()?;
    ensure!(report.lost() > 0, "the client did not notice: {}", report.summary());
    drop(first);
    second.stop(LONG)?;
    net.ra.power_on()?;
    clean(net)?;
    Ok(report)
}

/// Starts keepalived with this file.
pub(crate) fn start_keepalived(node: &Node, text: &str) -> Outcome<Daemon> {
    node.write(THEIR_FILE, text)?;
    node.start(&["keepalived", "-n", "-l", "-G", "-f", THEIR_FILE])
}

/// The same empty routers for the next one.
pub(crate) fn clean(net: &Seed) -> Outcome {
    for router in net.routers() {
        router.execute(&["ipvsadm", "-C"])?;
        router.try_execute(&["ip", "address", "del", "192.168.1.1/24", "dev", "eth0"])?;
    }
    // Whoever asks now learns anew who has the address.
    net.c.execute(&["ip", "neigh", "flush", "dev", "eth0"])?;
    Ok(())
}

pub(crate) fn keepalived(priority: u8) -> String {
    format!(
        "\
global_defs {{
    vrrp_version 3
}}
vrrp_instance web {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    virtual_ipaddress {{
        192.168.1.1/24 dev eth0
    }}
}}
virtual_server 192.168.1.1 80 {{
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.168.1.4 80 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
    real_server 192.168.1.5 80 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
}}
"
    )
}
