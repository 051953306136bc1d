//! The lab's own tools: cables that are cut, pulled and disturbed, servers that fall ill, hosts
//! that lose power, and the three ways of forwarding with a table made by hand.

use lab::client::Fate;
use lab::failure::Context;
use lab::seed::{NAT_ROUTER, VIP, VIP6, web_address, web_address6};
use lab::web::{Mood, fetch};
use lab::{Load, Node, Outcome, Run, Seed, WebServer, ensure, wait_until};
use std::net::SocketAddr;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(5);
const R1: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 4)), 80);

/// Cables and power.
pub(crate) fn cables(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (server, _other) = net.web()?;
    let answers =
        |limit| fetch(&net.c, R1, "/", limit).is_ok_and(|page| page == (200, "r1".into()));
    ensure!(answers(LONG), "r1 does not answer to begin with");
    let carrier = |node: &Node| {
        let said = node.run(|| std::fs::read_to_string("/sys/class/net/eth0/carrier"))?;
        Ok::<String, lab::Failure>(said.context("the carrier of eth0")?.trim().to_owned())
    };

    net.r1.cut()?;
    ensure!(!answers(SHORT), "r1 answers over a cable that was cut");
    ensure!(carrier(&net.r1)? == "1", "a cut cable lost its carrier");
    net.r1.mend()?;
    ensure!(answers(LONG), "r1 does not answer over a mended cable");
    run.step("a cable is cut in silence, and mended");

    net.r1.wire(0)?.unplug()?;
    ensure!(carrier(&net.r1)? == "0", "a pulled cable still has its carrier");
    net.r1.wire(0)?.plug()?;
    ensure!(answers(LONG), "r1 does not answer over a cable that was plugged in again");
    run.step("a cable is pulled with its carrier, and plugged in");

    net.r1.wire(0)?.disturb("loss 100%")?;
    ensure!(!answers(SHORT), "r1 answers although everything is lost");
    net.r1.wire(0)?.calm()?;
    ensure!(answers(LONG), "r1 does not answer over a calm cable");
    run.step("a cable is disturbed, and calm again");

    let sleeper = net.r2.start(&["sleep", "3600"])?;
    net.r2.process("sleep")?;
    net.r2.power_off()?;
    ensure!(net.r2.processes()?.is_empty(), "a process outlived the power loss");
    ensure!(!net.r2.has_address("192.168.1.5")?, "an address outlived the power loss");
    net.r2.power_on()?;
    ensure!(net.r2.has_address("192.168.1.5")? && net.r2.has_address(VIP)?, "r2 is not back");
    ensure!(net.r2.has_address(VIP6)? && net.r2.has_address("127.0.0.1")?, "r2 is not back");
    net.c.execute(&["ping", "-c", "1", "-W", "2", "192.168.1.5"])?;
    drop((sleeper, server));
    run.step("a host loses power and comes back");
    Ok(())
}

/// Web servers that fall ill, and what the client says of it.
pub(crate) fn illness(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let mut server = WebServer::start(&net.r1, 80)?;
    let page = |path: &str| fetch(&net.c, R1, path, SHORT);
    ensure!(page("/.testpage")? == (200, "test page".into()), "no test page");
    server.set(Mood::Wrong);
    ensure!(page("/.testpage")? == (200, "something else".into()), "the page is not wrong");
    server.set(Mood::Status(503));
    ensure!(page("/")? == (503, "r1".into()), "no status 503");
    server.set(Mood::Mute);
    ensure!(page("/").is_err(), "a mute server answered");
    server.set(Mood::Slow(Duration::from_millis(100)));
    ensure!(page("/")? == (200, "r1".into()), "a slow server did not answer in time");
    server.set(Mood::Well);
    run.step("a server is wrong, failing, mute, slow and well again");

    let load = Load::new(R1).every(Duration::from_millis(5)).start(&net.c)?;
    load.answered(20, LONG)?;
    server.close()?;
    ensure!(page("/").is_err(), "a closed server answered");
    // The port stays closed until the load itself has met it: on a quick machine a port can close
    // and open between two of its beats.
    load.refused(3, LONG)?;
    wait_until(LONG, "the server is back", || Ok(server.open().is_ok()))?;
    load.answered(20, LONG)?;
    let report = load.finish()?;
    run.step(report.summary());
    ensure!(report.refused() > 0, "the client saw no refusal: {}", report.summary());
    // A client that waited in the queue of the closing port is reset instead of refused. Either
    // way it is told at once: nobody waits in vain.
    let in_vain = report.requests.iter().filter(|request| request.fate == Fate::Lost).count();
    ensure!(in_vain == 0, "{in_vain} waited in vain: {}", report.summary());
    ensure!(report.longest_outage() > Duration::ZERO, "no outage: {}", report.summary());

    let (status, body) = fetch(&net.c, R1, "/download/20", LONG)?;
    ensure!((status, body.len()) == (200, 20_000), "a download was cut short: {}", body.len());
    Ok(())
}

/// Direct routing and tunnels, both families, with a table made by hand.
pub(crate) fn forwarding(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (_one, _two) = net.web()?;
    net.ra.ip(&[
        &format!("addr add {VIP}/32 dev eth0"),
        &format!("addr add {VIP6}/128 dev eth0 nodad"),
    ])?;
    for (way, target, servers) in [
        ("-g", web_address(), ["192.168.1.4:80", "192.168.1.5:80"]),
        ("-i", web_address(), ["192.168.1.4:80", "192.168.1.5:80"]),
        ("-g", web_address6(), ["[2001:db8:1::4]:80", "[2001:db8:1::5]:80"]),
    ] {
        take_turns(run, &net, way, target, servers)?;
    }
    Ok(())
}

/// NAT through the floating address of the inner network.
pub(crate) fn nat(run: &mut Run) -> Outcome {
    let net = Seed::build_nat(run)?;
    let (_one, _two) = net.web()?;
    net.ra.ip(&[
        &format!("addr add {VIP}/32 dev eth0"),
        &format!("addr add {NAT_ROUTER}/32 dev eth1"),
    ])?;
    take_turns(run, &net, "-m", web_address(), ["10.11.12.4:80", "10.11.12.5:80"])
}

fn take_turns(run: &Run, net: &Seed, way: &str, target: SocketAddr, servers: [&str; 2]) -> Outcome {
    let [one, two] = servers;
    let table = format!(
        "-A -t {target} -s rr\n-a -t {target} -r {one} {way} -w 1\n-a -t {target} -r {two} {way} -w 1\n"
    );
    net.ra.execute_with(&["ipvsadm", "-R"], &table)?.good("ipvsadm -R")?;
    let shown = net.ra.kernel_table()?;
    ensure!(shown.iter().all(|service| service.servers.len() == 2), "the table is {shown:?}");
    let report = Load::new(target).most(20).start(&net.c)?.complete()?;
    run.step(format!("{way} {target}: {}", report.summary()));
    let answers: Vec<usize> = report.answers().values().copied().collect();
    ensure!(answers == [10, 10], "{way} {target}: {}", report.summary());
    net.ra.execute(&["ipvsadm", "-C"]).map(drop)
}
