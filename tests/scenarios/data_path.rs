//! A real server that is well and does not answer for the virtual server: the check of the data
//! path sees it, a check of the server's own address does not.

use lab::pair::{ROUTERS, WEB_GROUP, wait_for_holder};
use lab::seed::{VIP, VIP6, web_address};
use lab::{Load, Node, Outcome, Pair, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
/// Every real server, as the table writes it.
const ALL: [&str; 5] = [
    " -r 192.168.1.4:80 ",
    " -r 192.168.1.5:80 ",
    " -r [2001:db8:1::4]:80 ",
    " -r [2001:db8:1::5]:80 ",
    " -r 192.168.1.4:81 ",
];

/// Direct routing over both families, a tunnel, and beside them a check that knows no data path.
fn configuration() -> String {
    let check = "{ type: data-path, interval: 1s, timeout: 900ms, fall: 2, rise: 1 }";
    format!(
        "\
{ROUTERS}max_down: 100%
{WEB_GROUP}services:
  www:
    listen: {VIP}:80
    scheduler: rr
    check: {check}
    servers: [ 192.168.1.4, {{ address: 192.168.1.5, forward: tunnel }} ]
  www6:
    listen: '[{VIP6}]:80'
    scheduler: rr
    check: {check}
    servers: [ '2001:db8:1::4', '2001:db8:1::5' ]
  direct:
    listen: {VIP}:81
    scheduler: rr
    check: {{ type: connect, port: 80, interval: 1s, timeout: 900ms, fall: 2, rise: 1 }}
    servers: [ 192.168.1.4 ]
"
    )
}

/// Waits until the server is in the table of both routers, or in neither.
fn serves(net: &Seed, server: &str, wanted: bool) -> Outcome {
    for router in net.routers() {
        let what =
            format!("{server} is {} on {}", if wanted { "in" } else { "out" }, router.name());
        wait_until(LIMIT, &what, || Ok(router.table()?.contains(server) == wanted))?;
    }
    Ok(())
}

/// What a person reads who asks why.
fn explained(router: &Node, server: &str) -> Outcome<String> {
    router.execute(&["lvsctl", "explain", server])
}

/// The check gives its connection up with a reset. One that is lost leaves a connection half open
/// at the real server, here for many minutes instead of one, and the next check must not take that
/// for silence.
fn half_open(net: &Seed) -> Outcome {
    net.r1.namespace().sysctl("net/ipv4/tcp_synack_retries", "15")?;
    let lost = format!(
        "add table ip lost\n\
         add chain ip lost input {{ type filter hook input priority 0; }}\n\
         add rule ip lost input ip daddr {VIP} tcp flags & rst == rst drop\n"
    );
    net.r1.execute_with(&["nft", "-f", "-"], &lost)?.good("losing resets")?;
    serves(net, " -r 192.168.1.4:80 ", false)?;
    net.r1.execute(&["nft", "delete", "table", "ip", "lost"])?;
    serves(net, " -r 192.168.1.4:80 ", true)
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (mut one, mut two) = net.web()?;
    let _pair = Pair::start(&net, &configuration())?;
    for server in ALL {
        serves(&net, server, true)?;
    }
    wait_for_holder(&net.routers(), VIP, LIMIT)?;
    run.step("through direct routing, a tunnel and IPv6 every server answers, on both routers");

    net.r1.ip(&[&format!("addr del {VIP}/32 dev lo")])?;
    serves(&net, " -r 192.168.1.4:80 ", false)?;
    serves(&net, " -r 192.168.1.4:81 ", true)?;
    serves(&net, " -r [2001:db8:1::4]:80 ", true)?;
    let said = explained(&net.ra, "192.168.1.4:80")?;
    let reason =
        "it does not answer for 192.168.1.1:80 within 900 ms, while 192.168.1.4:80 itself accepts";
    ensure!(said.contains(reason), "explain does not say why:\n{said}");
    run.step(said.trim().replace('\n', "; "));
    let report = Load::new(web_address()).most(20).start(&net.c)?.complete()?;
    run.step(format!("beside it: {}", report.summary()));
    ensure!(report.lost() == 0, "{}", report.summary());

    net.r1.ip(&[&format!("addr add {VIP}/32 dev lo")])?;
    serves(&net, " -r 192.168.1.4:80 ", true)?;
    net.r2.ip(&["link set tunl0 down"])?;
    serves(&net, " -r 192.168.1.5:80 ", false)?;
    net.r2.ip(&["link set tunl0 up"])?;
    serves(&net, " -r 192.168.1.5:80 ", true)?;
    run.step("the address is back: in; no end of the tunnel: out, and in again");

    half_open(&net)?;
    run.step("resets to it were lost: it is out; they arrive again: it is in at once");

    one.close()?;
    two.close()?;
    serves(&net, " -r 192.168.1.4:80 ", false)?;
    serves(&net, " -r [2001:db8:1::5]:80 ", false)?;
    let said = explained(&net.ra, "192.168.1.4:80")?;
    let reason = "connections for 192.168.1.1:80 are refused";
    ensure!(said.contains(reason), "explain does not say why:\n{said}");
    one.open()?;
    two.open()?;
    serves(&net, " -r 192.168.1.4:80 ", true)?;
    serves(&net, " -r [2001:db8:1::5]:80 ", true)?;
    run.step("a program that does not listen is told as such");
    Ok(())
}
