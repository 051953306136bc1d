//! Real servers that are set up by `lvsctl realserver` alone, serve through the pair, and are put
//! back exactly as they were.

use lab::pair::{CONFIG, ROUTERS, WEB_GROUP, wait_until_warm};
use lab::seed::{VIP, VIP6, web_address, web_address6};
use lab::{Load, Node, Outcome, Pair, Run, Seed, ensure};

/// `EX_UNAVAILABLE`: something is missing.
const MISSING: i32 = 69;

/// The first server is reached by direct routing, the second one by tunnels, over both families.
fn configuration() -> String {
    format!(
        "\
{ROUTERS}{WEB_GROUP}services:
  www:
    listen: {VIP}:80
    scheduler: rr
    check: {{ interval: 500ms, timeout: 400ms, fall: 2, rise: 1 }}
    servers: [ 192.168.1.4, {{ address: 192.168.1.5, forward: tunnel }} ]
  www6:
    listen: '[{VIP6}]:80'
    scheduler: rr
    check: {{ interval: 500ms, timeout: 400ms, fall: 2, rise: 1 }}
    servers: [ '2001:db8:1::4', {{ address: '2001:db8:1::5', forward: tunnel }} ]
"
    )
}

/// Everything that the command might touch: interfaces, addresses, settings.
fn state(server: &Node) -> Outcome<String> {
    let links = server.execute(&["ip", "-d", "addr", "show"])?;
    let settings = server.execute(&["sysctl", "-a", "--pattern", "^net[.]ipv[46][.]conf"])?;
    Ok(format!("{links}\n{settings}"))
}

/// Fails with the lines that differ.
fn same(server: &Node, before: &str, after: &str) -> Outcome {
    let lost = before.lines().filter(|line| !after.contains(line)).map(|line| format!("-{line}"));
    let new = after.lines().filter(|line| !before.contains(line)).map(|line| format!("+{line}"));
    let differences: Vec<String> = lost.chain(new).collect();
    ensure!(before == after, "{} is not as it was: {differences:#?}", server.name());
    Ok(())
}

fn realserver(server: &Node, what: &str, code: i32) -> Outcome<String> {
    let done = server.try_execute(&["lvsctl", "realserver", what])?;
    let said = format!("{}{}", done.stdout, done.stderr);
    ensure!(done.code == code, "`{what}` on {} ended with {}: {said}", server.name(), done.code);
    Ok(said)
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build_bare(run)?;
    let servers = [&net.r1, &net.r2];
    let (_one, _two) = net.web()?;
    let mut before = Vec::new();
    for server in servers {
        server.write(CONFIG, &configuration())?;
        before.push(state(server)?);
        let said = realserver(server, "check", MISSING)?;
        ensure!(said.contains("192.168.1.1 is on"), "the check tells no address: {said}");
        realserver(server, "up", 0)?;
        let said = realserver(server, "check", 0)?;
        run.step(format!("{}: {}", server.name(), said.trim().replace('\n', "; ")));
        let again = realserver(server, "up", 0)?;
        ensure!(again.contains("nothing to do"), "a second `up` did something: {again}");
    }
    let _pair = Pair::start(&net, &configuration())?;
    wait_until_warm(&net, VIP, 2)?;
    for target in [web_address(), web_address6()] {
        let report = Load::new(target).most(20).start(&net.c)?.complete()?;
        run.step(format!("{target}: {}", report.summary()));
        ensure!(report.lost() == 0, "{target}: {}", report.summary());
        let turns: Vec<usize> = report.answers().values().copied().collect();
        ensure!(turns == [10, 10], "{target}: no turns: {turns:?}");
    }
    for (server, before) in servers.into_iter().zip(&before) {
        realserver(server, "down", 0)?;
        same(server, before, &state(server)?)?;
        let again = realserver(server, "down", 0)?;
        ensure!(again.contains("nothing to do"), "a second `down` did something: {again}");
    }
    run.step("down: interfaces, addresses and settings are as they were");
    Ok(())
}
