//! Interfaces of the active router that are deleted and made anew, with another number and
//! another link-layer address.

use super::{LONG, Stage, headings, log_of};
use lab::pair::{self, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Daemon, Node, Outcome, Run, Seed, ensure, wait_until};

/// Paths of every kind on the second wire.
pub(super) const PATHS: &str = "dead_after: 600ms, broadcast: [eth1], multicast: [ { interface: eth1, group: \
                     239.0.0.42 }, { interface: eth1, group: 'ff02::4242' } ]";
/// Pieces of the download, one each 10 ms: it outlasts a hand-over.
const PIECES: usize = 500;

/// The interface of the addresses, then that of heartbeats and of connection sync.
pub(crate) fn made_anew(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let mut stage = Stage::set(&net, PATHS)?;
    headings(run);
    let row = stage.fault(run, "eth0 deleted and made anew on the active", |_| {
        net.ra.ip(&["link del eth0"])?;
        wait_for_address(&net.rb, VIP, LONG)?;
        net.ra.remake_interface(0)
    })?;
    ensure!(row.role_changes == 2, "the group moved more than once");
    ensure!(!net.ra.has_address(VIP)?, "the address is on the new interface of ra too");
    stage.bring_home()?;
    let row = stage.fault(run, "eth1 deleted and made anew on the active", |_| {
        net.ra.ip(&["link del eth1"])?;
        silent(&net.rb)?;
        net.ra.remake_interface(1)?;
        sync_starts_again(&net.ra)
    })?;
    row.nobody_moved()?;
    carried(run, &net)
}

/// The router has told that its second path is silent.
fn silent(router: &Node) -> Outcome {
    let what = format!("{} misses the second path", router.name());
    let told = || Ok(log_of(router)?.contains("path silent path=\"172.16.1."));
    wait_until(LONG, &what, told).map(drop)
}

/// The kernel's sync daemons have been started twice: for the old interface, and for the new one.
fn sync_starts_again(router: &Node) -> Outcome {
    let what = format!("connection sync begins anew on {}", router.name());
    let started = || Ok(log_of(router)?.matches("started sync daemon backup").count() == 2);
    wait_until(LONG, &what, started).map(drop)
}

/// A connection that begins on the partner comes along to the router with the new interface: its
/// kernel hears the partner's.
fn carried(run: &Run, net: &Seed) -> Outcome {
    hand_over(&net.ra, &net.rb)?;
    let mut download = download(net)?;
    let is_open = || {
        let table = net.rb.kernel_table()?;
        Ok(table.iter().flat_map(|service| &service.servers).any(|server| server.active > 0))
    };
    wait_until(LONG, "the download has begun", is_open)?;
    hand_over(&net.rb, &net.ra)?;
    ensure!(download.ended()?.is_none(), "the download ended before the hand-over");
    download.wait(LONG)?;
    let said = download.log()?;
    ensure!(said == format!("{}", PIECES * 1000), "the download was cut short: {said}");
    run.step("a download came along from the partner");
    Ok(())
}

fn hand_over(from: &Node, to: &Node) -> Outcome {
    wait_until(LONG, "the partner is ready to take over", || pair::partner_is_ready(from))?;
    from.execute(&["lvsctl", "failover"])?;
    wait_for_address(to, VIP, LONG).map(drop)
}

fn download(net: &Seed) -> Outcome<Daemon> {
    let page = format!("http://{}/download/{PIECES}", web_address());
    net.c.start(&["curl", "-sS", "-m", "60", "-o", "/dev/null", "-w", "%{size_download}", &page])
}
