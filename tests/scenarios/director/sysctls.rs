//! Settings of the kernel that the table needs: set, kept, and given back; what they are for.

use std::net::UdpSocket;
use std::time::Duration;

use lab::{Failure, Node, Outcome, Run, Seed, ensure, seed, wait_until};

use super::has_table;

const LIMIT: Duration = Duration::from_secs(20);
const PATH: &str = "/etc/caribe/cluster.yaml";
const NODEST: &str = "net.ipv4.vs.expire_nodest_conn";

/// UDP to two servers that are pinged.
fn configuration(nodest: &str) -> String {
    format!(
        "\
services:
  dns:
    listen: 192.168.1.1:5300/udp
    scheduler: rr
    forward: direct
    check: {{ type: ping, interval: 500ms, timeout: 400ms, fall: 2 }}
    servers: [ 192.168.1.4:5300, 192.168.1.5:5300 ]
kernel: {{ expire_nodest_conn: {nodest} }}
on_stop: remove
"
    )
}

/// Both servers, or those that are left.
fn table(servers: &[&str]) -> String {
    let line = |server: &&str| format!("-a -u 192.168.1.1:5300 -r {server}:5300 -g -w 1\n");
    let lines: String = servers.iter().map(line).collect();
    format!("-A -u 192.168.1.1:5300 -s rr\n{lines}")
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let router = &net.ra;
    router.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    answer(&net.r1, "r1")?;
    answer(&net.r2, "r2")?;
    ensure!(value(router, NODEST)? == "0", "the kernel's own value is another one");

    router.write(PATH, &configuration("keep"))?;
    let mut daemon = router.start(&["lvsd"])?;
    let (asked, held) = server_dies(&net, 4000)?;
    ensure!(held.is_none(), "asked {asked}, and {held:?} answered: there is nothing to mend");
    run.step(format!("left as it is: the client of {asked} is answered by nobody any more"));

    router.write(PATH, &configuration("on"))?;
    wait_until(LIMIT, "the setting is on", || Ok(value(router, NODEST)? == "1"))?;
    let (asked, held) = server_dies(&net, 4001)?;
    ensure!(held.as_ref().is_some_and(|held| *held != asked), "{asked}, then {held:?}");
    run.step(format!("on: the client of {asked} is answered by {}", held.unwrap_or_default()));

    router.execute(&["sysctl", "-q", "-w", &format!("{NODEST}=0")])?;
    wait_until(LIMIT, "it is on again", || Ok(value(router, NODEST)? == "1"))?;
    run.step("changed by hand, it is set again");
    daemon.kill()?;
    let mut daemon = router.start(&["lvsd"])?;
    let answers = || Ok(router.try_execute(&["lvsctl", "status"])?.code == 0);
    wait_until(LIMIT, "lvsd answers again", answers)?;
    has_table(router, &table(&["192.168.1.4", "192.168.1.5"]), LIMIT)?;
    daemon.stop(LIMIT)?;
    ensure!(value(router, NODEST)? == "0", "it is not given back");
    run.step("killed, started again and stopped in order: it is what it was before");
    forwarding(run, router)
}

/// A virtual server that forwards by NAT has a host that forwards, for as long as it is there.
fn forwarding(run: &Run, router: &Node) -> Outcome {
    let keys = ["net.ipv4.ip_forward", "net.ipv4.conf.eth0.send_redirects"];
    router.execute(&["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"])?;
    let before = [value(router, keys[0])?, value(router, keys[1])?];
    router.write(PATH, &configuration("on").replace("forward: direct", "forward: nat"))?;
    let mut daemon = router.start(&["lvsd"])?;
    let set = || Ok([value(router, keys[0])?, value(router, keys[1])?] == ["1", "0"]);
    wait_until(LIMIT, "the host forwards and tells no shorter ways", set)?;
    router.write(PATH, &configuration("on"))?;
    let back = || Ok([value(router, keys[0])?, value(router, keys[1])?] == before);
    wait_until(LIMIT, "it is as before", back)?;
    run.step("with NAT the host forwards, without it is as before");
    daemon.stop(LIMIT).map(drop)
}

fn value(router: &Node, key: &str) -> Outcome<String> {
    Ok(router.execute(&["sysctl", "-n", key])?.trim().to_owned())
}

/// Answers each packet with the server's name, as the floating address.
fn answer(node: &Node, name: &'static str) -> Outcome {
    let bound = node.run(|| UdpSocket::bind((seed::VIP, 5300)))?;
    let socket = bound.map_err(|error| Failure::new(format!("{name}: {error}")))?;
    std::thread::spawn(move || {
        let mut question = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut question) {
            let _sent = socket.send_to(name.as_bytes(), from);
        }
    });
    Ok(())
}

/// A client asks, its server dies and leaves the table, and the client asks again from the same
/// port: who answered first, and who then.
fn server_dies(net: &Seed, port: u16) -> Outcome<(String, Option<String>)> {
    let both = ["192.168.1.4", "192.168.1.5"];
    has_table(&net.ra, &table(&both), LIMIT)?;
    let client = net.c.run(move || UdpSocket::bind(("192.168.1.200", port)))?;
    let client = client.map_err(|error| Failure::new(format!("the client: {error}")))?;
    let ask = || -> Option<String> {
        let mut answer = [0; 64];
        client.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        client.send_to(b"?", (seed::VIP, 5300)).ok()?;
        let length = client.recv(&mut answer).ok()?;
        String::from_utf8(answer.get(..length)?.to_vec()).ok()
    };
    let first = (0..10).find_map(|_| ask()).ok_or_else(|| Failure::new("nobody answers"))?;
    let (dead, left) = if first == "r1" { (&net.r1, both[1]) } else { (&net.r2, both[0]) };
    dead.cut()?;
    has_table(&net.ra, &table(&[left]), LIMIT)?;
    // The first packet ends the old connection, the second one begins another.
    let then = (0..4).find_map(|_| ask());
    dead.mend()?;
    has_table(&net.ra, &table(&both), LIMIT)?;
    Ok((first, then))
}
