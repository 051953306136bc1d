//! The demo: the pair of routers at work, told to a person who sees it for the first time.

mod story;

use lab::figure::Figure;
use lab::pair::{self, Pair, wait_for_address, wait_for_servers};
use lab::seed::{VIP, VIP_WEB, web_address};
use lab::{Failure, Load, Node, Outcome, Report, Run, Seed, WebServer, ensure, wait_until};
use std::time::{Duration, Instant};
use story::Story;

/// What both routers read.
pub(crate) const CONFIG: &str = "\
routers:
  master: { paths: [192.168.1.2, 172.16.1.2] }
  backup: { paths: [192.168.1.3, 172.16.1.3] }
heartbeat: { interval: 200ms, dead_after: 600ms, key_file: heartbeat.key }
groups:
  web:
    preferred: master
    failback: manual
    addresses: [ { ip: 192.168.1.1/24, interface: eth0 } ]
services:
  www:
    listen: 192.168.1.1:80/tcp
    scheduler: rr
    forward: direct
    check: { http: { path: /.testpage, expect: test page }, interval: 500ms, timeout: 2s, fall: 2, rise: 2 }
    servers: [ 192.168.1.4:80, 192.168.1.5:80 ]
    sorry: 127.0.0.1:80
kernel: { sync: { interface: eth1, id: 1 } }
";
/// From the last good check to the one that counts: interval × fall + timeout.
const OUT_OF_TABLE: Duration = Duration::from_millis(3000);
/// `dead_after`, and what a take-over may take on top of it.
const OUTAGE: Duration = Duration::from_millis(1000);
/// How often power is lost, the told time included.
const POWER_LOSSES: usize = 5;
const LONG: Duration = Duration::from_secs(30);

/// The demo, from the first start to the promises.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let mut story = Story::default();
    let net = Seed::build(run)?;
    let (mut r1, mut r2) = net.web()?;
    let _sorry = sorry_servers(&net)?;
    opening(&story);
    let mut pair = first_start(&mut story, run, &net)?;
    who_answers(&mut story, &net)?;
    server_dies(&mut story, run, &net, &mut r1)?;
    all_die(&mut story, &net, &mut r1, &mut r2)?;
    hand_over(&mut story, run, &net)?;
    power_loss(&mut story, run, &net, &mut pair)?;
    story.act("The pair, as its operator sees it");
    let holder = pair::wait_for_holder(&net.routers(), VIP, LONG)?;
    story.show(holder.name(), "lvsctl status", &holder.execute(&["lvsctl", "status"])?);
    story.end(run)
}

/// Starts a web server on each router that says sorry.
pub(crate) fn sorry_servers(net: &Seed) -> Outcome<Vec<WebServer>> {
    net.routers().iter().map(|router| WebServer::start_named(router, 80, "sorry")).collect()
}

fn opening(story: &Story) {
    story.tell(
        "Two routers share one floating address and balance two web servers behind it. All of it \
         runs now, in a small machine with a real Linux kernel:",
    );
    story.tell(
        "
   client 192.168.1.200 ──┬── ra  \"master\" 192.168.1.2 ──┐  172.16.1.0/24, a second wire
                          ├── rb  \"backup\" 192.168.1.3 ──┘  for heartbeats
                          ├── r1   web server 192.168.1.4
                          └── r2   web server 192.168.1.5      floating address: 192.168.1.1
",
    );
}

fn first_start(story: &mut Story, run: &mut Run, net: &Seed) -> Outcome<Pair> {
    story.act("Both routers start");
    story.tell("Both have the same file, /etc/caribe/cluster.yaml:");
    story.tell("");
    story.show("ra", "cat /etc/caribe/cluster.yaml", CONFIG);
    let start = Instant::now();
    let pair = Pair::start(net, CONFIG)?;
    let holder = pair::wait_until_warm(net, VIP, 2)?;
    let took = start.elapsed();
    story.show("ra", "ipvsadm -Ln", &net.ra.execute(&["ipvsadm", "-Ln"])?);
    let same = net.ra.table()? == net.rb.table()?;
    story.promise(
        "the preferred router has the address",
        holder.name() == "ra",
        format!("{} has {VIP} {:.1} s after the start", holder.name(), took.as_secs_f64()),
    );
    story.promise(
        "the standby holds the same table already, so it can take over at once",
        same,
        if same { "the tables are equal" } else { "the tables differ" }.to_owned(),
    );
    run.figure("from both starts to an address and two warm tables", "ms", &[ms(took)])?;
    Ok(pair)
}

fn who_answers(story: &mut Story, net: &Seed) -> Outcome {
    story.act("Who answers");
    let report = Load::new(web_address()).most(100).start(&net.c)?.complete()?;
    story.tell(format!("The client asks http://{VIP_WEB}/ a hundred times: {}.", report.summary()));
    let answers = report.answers();
    let fair = answers.get("r1") == Some(&50) && answers.get("r2") == Some(&50);
    story.promise("the web servers take turns", fair && report.lost() == 0, report.summary());
    Ok(())
}

fn server_dies(story: &mut Story, run: &mut Run, net: &Seed, server: &mut WebServer) -> Outcome {
    story.act("A web server dies");
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    server.close()?;
    let out = wait_for_servers(&net.ra, 1, LONG)?;
    let other = wait_for_servers(&net.rb, 1, LONG)?;
    story.tell("The web server on r1 is gone; its host refuses connections. Both routers see it:");
    story.show("ra", "ipvsadm -Ln", &net.ra.execute(&["ipvsadm", "-Ln"])?);
    story.promise(
        "out of the table within interval × fall + timeout (3000 ms)",
        out <= OUT_OF_TABLE,
        format!("{:.0} ms", ms(out)),
    );
    load.answered(50, LONG)?;
    server.open()?;
    let back = wait_for_servers(&net.ra, 2, LONG)?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    story.tell(format!(
        "It returns, and is back after {:.0} ms. The client: {}.",
        ms(back),
        report.summary()
    ));
    let late = refused_after(&report, out);
    story.promise(
        "once it was out, no request was refused",
        late == 0,
        format!("{late} refused; {} were before that", report.refused() - late),
    );
    run.figure("a dead server leaves the active router's table", "ms", &[ms(out)])?;
    run.figure("the same on the standby, which is warm", "ms", &[ms(out + other)])?;
    run.figure("a returned server is back", "ms", &[ms(back)])
}

/// Requests that failed later than the time in which the server was being noticed as dead.
fn refused_after(report: &Report, noticed: Duration) -> usize {
    let failed = |request: &&lab::client::Request| request.fate == lab::client::Fate::Refused;
    let first = report.requests.iter().find(failed).map_or(Duration::ZERO, |first| first.sent);
    let end = first + noticed + Duration::from_millis(100);
    report.requests.iter().filter(failed).filter(|request| request.sent > end).count()
}

fn all_die(story: &mut Story, net: &Seed, r1: &mut WebServer, r2: &mut WebServer) -> Outcome {
    story.act("All web servers die");
    r1.close()?;
    r2.close()?;
    let holder = pair::wait_for_holder(&net.routers(), VIP, LONG)?;
    let says = |who: &'static str| {
        let what = format!("{who} answers");
        wait_until(LONG, &what, || {
            let page = lab::web::fetch(&net.c, web_address(), "/", Duration::from_millis(500));
            Ok(page.is_ok_and(|(status, body)| status == 200 && body.starts_with(who)))
        })
    };
    let took = says("sorry")?;
    story.show(holder.name(), "ipvsadm -Ln", &holder.execute(&["ipvsadm", "-Ln"])?);
    story.promise("the sorry server answers instead", true, format!("after {:.0} ms", ms(took)));
    r1.open()?;
    r2.open()?;
    says("r")?;
    wait_for_servers(&net.ra, 2, LONG)?;
    wait_for_servers(&net.rb, 2, LONG)?;
    story.tell("Both web servers return, and the sorry server has left the table.");
    Ok(())
}

fn hand_over(story: &mut Story, run: &mut Run, net: &Seed) -> Outcome {
    story.act("The operator hands over, under load");
    let (mut lost, mut outages) = (Vec::new(), Vec::new());
    for (from, to) in [(&net.ra, &net.rb), (&net.rb, &net.ra)] {
        let report = handed_over(story, net, from, to)?;
        story.tell(format!("The client: {}.", report.summary()));
        lost.push(as_f64(report.lost()));
        outages.push(ms(report.longest_outage()));
    }
    let sum: f64 = lost.iter().sum();
    story.promise(
        "a hand-over on demand, there and back, loses no request",
        sum == 0.0,
        format!("{sum} lost"),
    );
    run.figure("requests lost by a hand-over", "requests", &lost)?;
    run.figure("longest outage of a hand-over", "ms", &outages)
}

fn handed_over(story: &Story, net: &Seed, from: &Node, to: &Node) -> Outcome<Report> {
    wait_until(LONG, "the partner is ready to take over", || pair::partner_is_ready(from))?;
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(100, LONG)?;
    let said = from.execute(&["lvsctl", "failover"])?;
    story.show(from.name(), "lvsctl failover", &said);
    wait_for_address(to, VIP, LONG)?;
    load.answered(200, LONG)?;
    load.finish()
}

fn power_loss(story: &mut Story, run: &mut Run, net: &Seed, pair: &mut Pair) -> Outcome {
    story.act("A router loses power");
    story.tell(
        "The active router falls silent on both wires in the same moment, as without power. The \
         other one waits dead_after (600 ms), takes the address, and announces it.",
    );
    let mut outages = Vec::new();
    for count in 0..POWER_LOSSES {
        let from_master = count % 2 == 0;
        let (old, new) = if from_master { (&net.ra, &net.rb) } else { (&net.rb, &net.ra) };
        let report = lose_power(net, old, new)?;
        outages.push(ms(report.longest_outage()));
        story.tell(format!(
            "{} lost power, {} took over: {}.",
            old.name(),
            new.name(),
            report.summary()
        ));
        come_back(story, net, pair, old, new, count == 0)?;
    }
    let figure = Figure::new("outage", "ms", &outages)
        .ok_or_else(|| Failure::new("nothing was measured"))?;
    story.promise(
        "a power loss is over in less than a second (median)",
        figure.median < ms(OUTAGE),
        format!("{:.0} ms, at most {:.0} ms, in {POWER_LOSSES}", figure.median, figure.max),
    );
    run.figure("outage that the client sees at a power loss", "ms", &outages)
}

/// Power loss under load; what the client saw of it.
fn lose_power(net: &Seed, old: &Node, new: &Node) -> Outcome<Report> {
    ensure!(old.has_address(VIP)?, "{} does not have the address", old.name());
    let load = Load::new(web_address()).start(&net.c)?;
    load.answered(50, LONG)?;
    old.power_off()?;
    wait_for_address(new, VIP, LONG)?;
    load.answered(100, LONG)?;
    load.finish()
}

/// The router that lost power returns, under load, and finds its place.
fn come_back(
    story: &mut Story,
    net: &Seed,
    pair: &mut Pair,
    old: &Node,
    new: &Node,
    told: bool,
) -> Outcome {
    let load = Load::new(web_address()).start(&net.c)?;
    old.power_on()?;
    let daemon = Some(pair::start_pulse(old)?);
    if old.name() == "ra" {
        pair.a = daemon
    } else {
        pair.b = daemon
    }
    wait_for_servers(old, 2, LONG)?;
    wait_until(LONG, "the partner is ready to take over", || pair::partner_is_ready(new))?;
    load.answered(50, LONG)?;
    let report = load.finish()?;
    ensure!(
        !old.has_address(VIP)? && new.has_address(VIP)?,
        "the address moved without being asked"
    );
    if told {
        story.promise(
            "a router that comes back stands by, and nobody notices",
            report.lost() == 0,
            format!("{} has no address, {} requests lost", old.name(), report.lost()),
        );
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
