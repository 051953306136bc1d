//! Each kind of check against a server that falls ill in each way.

use std::time::Duration;

use lab::web::Mood;
use lab::{Daemon, Node, Outcome, Run, Seed, ensure, seed, wait_until};

/// One service a kind of check, told apart by the port of the virtual server. All of them ask the
/// same web server on port 80, except the program, which reads a file.
/// Their only server may leave, so that each verdict shows in the table.
const CONFIGURATION: &str = r#"max_down: 100%
services:
  connect:
    listen: 192.168.1.1:81/tcp
    check: { type: connect, port: 80, interval: 3s, timeout: 3s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4 ]
  http:
    listen: 192.168.1.1:82/tcp
    check: { http: { path: /.testpage, expect: test page }, port: 80, interval: 3s, timeout: 3s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4 ]
  dialogue:
    listen: 192.168.1.1:83/tcp
    check: { tcp: { send: "GET / HTTP/1.0\r\n\r\n", expect: "HTTP/1.1 " }, port: 80, interval: 3s, timeout: 3s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4 ]
  ping:
    listen: 192.168.1.1:84/tcp
    check: { type: ping, interval: 3s, timeout: 3s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4 ]
  program:
    listen: 192.168.1.1:85/tcp
    check: { external: { argv: [/etc/caribe/well, "%h"] }, interval: 3s, timeout: 3s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4 ]
"#;

const PATH: &str = "/etc/caribe/cluster.yaml";
const MOOD: &str = "/etc/caribe/mood";

const CONNECT: u16 = 81;
const HTTP: u16 = 82;
const DIALOGUE: u16 = 83;
const PING: u16 = 84;
const PROGRAM: u16 = 85;
const ALL: [u16; 5] = [CONNECT, HTTP, DIALOGUE, PING, PROGRAM];

/// Waits until the server is in exactly these services.
fn serves(router: &Node, wanted: &[u16]) -> Outcome<Duration> {
    let inside = || -> Outcome<Vec<u16>> {
        let table = router.table()?;
        let has = |port: &u16| table.contains(&format!(" -r 192.168.1.4:{port} "));
        Ok(ALL.into_iter().filter(has).collect())
    };
    let what = format!("the server is in the services on {wanted:?}");
    wait_until(Duration::from_secs(60), &what, || Ok(inside()? == wanted))
        .map_err(|failure| lab::Failure::new(format!("{failure}; it is in {:?}", inside())))
}

/// Waits for the one line that says why a server is out.
fn says(daemon: &mut Daemon, reason: &str) -> Outcome {
    daemon.wait_for_log(Duration::from_secs(15), &format!("reason=\"{reason}\"")).map(|_| ())
}

fn start(net: &Seed) -> Outcome<Daemon> {
    net.ra.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    net.ra.write(PATH, CONFIGURATION)?;
    net.ra.write(MOOD, "well\n")?;
    net.ra.write_mode(
        "/etc/caribe/well",
        "#!/bin/sh\nread mood < /etc/caribe/mood\n[ \"$mood\" = well ]\n",
        0o755,
    )?;
    net.ra.start(&["lvsd", "--config", PATH])
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (mut one, _two) = net.web()?;
    let mut daemon = start(&net)?;
    serves(&net.ra, &ALL)?;
    run.step("every kind of check finds the server well");

    one.set(Mood::Status(500));
    let took = serves(&net.ra, &[CONNECT, DIALOGUE, PING, PROGRAM])?;
    says(&mut daemon, "status 500, wanted 200-299")?;
    run.figure("status 500 is noticed", "ms", &[took.as_secs_f64() * 1000.0])?;

    one.set(Mood::Well);
    serves(&net.ra, &ALL)?;
    one.set(Mood::Wrong);
    serves(&net.ra, &[CONNECT, DIALOGUE, PING, PROGRAM])?;
    says(&mut daemon, "body does not hold \\\"test page\\\"")?;
    one.set(Mood::Well);
    serves(&net.ra, &ALL)?;
    run.step("status 500 and another page take it out of HTTP alone");

    one.set(Mood::Mute);
    serves(&net.ra, &[CONNECT, PING, PROGRAM])?;
    says(&mut daemon, "no answer within 3 s")?;
    one.set(Mood::Slow(Duration::from_secs(10)));
    serves(&net.ra, &[CONNECT, PING, PROGRAM])?;
    one.set(Mood::Well);
    serves(&net.ra, &ALL)?;
    run.step("a mute server and a slow one are out where an answer is wanted");

    one.close()?;
    serves(&net.ra, &[PING, PROGRAM])?;
    says(&mut daemon, "connection refused")?;
    one.open()?;
    net.ra.write(MOOD, "sick\n")?;
    serves(&net.ra, &[CONNECT, HTTP, DIALOGUE, PING])?;
    says(&mut daemon, "program ended with status 1")?;
    net.ra.write(MOOD, "well\n")?;
    serves(&net.ra, &ALL)?;
    run.step("a closed port and a program that says no");

    net.r1.cut()?;
    serves(&net.ra, &[PROGRAM])?;
    says(&mut daemon, "no echo within 3 s")?;
    net.r1.mend()?;
    serves(&net.ra, &ALL)?;
    run.step("a cut cable takes it out everywhere but for the program");
    let ended = daemon.stop(Duration::from_secs(5))?;
    ensure!(ended.success(), "lvsd ended with {ended}");
    Ok(())
}
