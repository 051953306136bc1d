//! The Italian handbook's two tiers: clients on the public network, real servers on the private
//! one, the active router between them with NAT; HTTP on eth0:1 and FTP on eth0:2.

use super::{LONG, answers, lose_power, power_returns, start_piranha};
use crate::director::has_table;
use crate::turns::take_turns;
use lab::seed::{NAT_ROUTER, VIP, web_address};
use lab::talk::{self, Manner, Talker};
use lab::{Node, Outcome, Run, Seed, ensure, wait_until};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};

const FILE: &str = include_str!("two_tier/lvs.cf");
const FTP: &str = "192.168.1.10";
const TABLE: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 10.11.12.4:80 -m -w 1
-a -t 192.168.1.1:80 -r 10.11.12.5:80 -m -w 1
-A -t 192.168.1.10:21 -s wlc
-a -t 192.168.1.10:21 -r 10.11.12.4:21 -m -w 1
-a -t 192.168.1.10:21 -r 10.11.12.5:21 -m -w 1
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build_nat(run)?;
    let (_one, mut two) = net.web()?;
    let files = Manner::Stream(talk::files);
    let _files = [Talker::start(&net.r1, 21, files)?, Talker::start(&net.r2, 21, files)?];
    let [mut primary, _backup] = start_piranha(&net, FILE, VIP)?;
    for router in net.routers() {
        has_table(router, TABLE, LONG)?;
    }
    serves(run, &net, &net.ra, "through the primary")?;

    two.close()?;
    let alone = || Ok(net.ra.table()?.matches("10.11.12.5:80").count() == 0);
    wait_until(LONG, "the dead server is out of the table", alone)?;
    ensure!(answers(run, &net, web_address(), "one server")? == [20], "not one alone");
    two.open()?;
    for router in net.routers() {
        has_table(router, TABLE, LONG)?;
    }

    let all = [VIP, FTP, NAT_ROUTER];
    lose_power(run, &net, &all)?;
    serves(run, &net, &net.rb, "through the backup")?;
    power_returns(&net, &mut primary, &all)?;
    serves(run, &net, &net.rb, "the primary is the backup now")
}

/// Pages from both servers in turns, and a greeting of the file server.
fn serves(run: &Run, net: &Seed, router: &Node, what: &str) -> Outcome {
    take_turns(run, net, router, what)?;
    let greeting = net.c.run(|| {
        let stream = TcpStream::connect(SocketAddr::from(([192, 168, 1, 10], 21)))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).map(|_| line)
    })?;
    let greeting = greeting.map_err(|error| lab::Failure::of("FTP", error))?;
    ensure!(greeting.starts_with("220 "), "FTP greets with {greeting}");
    Ok(())
}
