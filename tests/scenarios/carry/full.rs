//! A hand-over by a router whose kernel remembers very many connections that have ended: it keeps each
//! for two minutes, and those that are open must be found among them.

use super::LONG;
use crate::demo::CONFIG;
use crate::pair_moves::{self, wait_until_ready};
use lab::failure::Context;
use lab::pair::wait_for_address;
use lab::seed::{VIP, web_address};
use lab::{Node, Outcome, Run, Seed, ensure, wait_until};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// A web server's two minutes with eighty clients a second.
const ENDED: u32 = 10_000;
/// So many are told in one message, as many as fit an Ethernet frame.
const PER_MESSAGE: u32 = 36;
/// Connections that have said nothing yet: the kernel copies one with its third packet.
const SILENT: usize = 20;
/// How often the address goes from one router to the other.
const MOVES: usize = 2;

/// Whoever is connected and has not asked yet is answered after a hand-over.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let _pair = pair_moves::warm(&net, CONFIG)?;
    for (to, from, by) in [(&net.ra, &net.rb, "172.16.1.3"), (&net.rb, &net.ra, "172.16.1.2")] {
        fill(to, from, by)?;
    }
    run.step(format!("each router remembers {ENDED} connections that have ended"));
    for number in 0..MOVES {
        let (from, to) = if number % 2 == 0 { (&net.ra, &net.rb) } else { (&net.rb, &net.ra) };
        wait_until_ready(to)?;
        let connect = || TcpStream::connect_timeout(&web_address(), LONG);
        let all = move || (0..SILENT).map(|_| connect()).collect::<std::io::Result<Vec<_>>>();
        let open = net.c.run(all)?.context("opening connections")?;
        from.execute(&["lvsctl", "failover"])?;
        let took = wait_for_address(to, VIP, LONG)?;
        let answered = open.iter().filter(|stream| ask(stream).is_ok()).count();
        let took = took.as_millis();
        run.step(format!("hand-over to {} in {took} ms: {answered} of {SILENT}", to.name()));
        ensure!(answered == SILENT, "{} connections were lost", SILENT - answered);
    }
    Ok(())
}

/// A request on a connection that was opened before.
fn ask(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LONG))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let good = answer.starts_with("HTTP/1.1 200");
    good.then_some(()).ok_or_else(|| std::io::Error::other(answer))
}

/// Tells a router's kernel of connections that have ended, as its partner's kernel would.
fn fill(router: &Node, partner: &Node, by: &'static str) -> Outcome {
    partner.run(move || tell(by))?.context("telling of ended connections")?;
    let remembers = || {
        let table = router.kernel_table()?;
        let servers = table.iter().flat_map(|service| &service.servers);
        Ok(servers.map(|server| server.inactive).sum::<u32>() >= ENDED)
    };
    let what = format!("the kernel of {} remembers the connections", router.name());
    wait_until(LONG, &what, remembers).map(drop)
}

/// Sends them in the messages of the kernel's connection sync (protocol version 1).
fn tell(by: &str) -> std::io::Result<()> {
    let socket = UdpSocket::bind((by.parse::<Ipv4Addr>().map_err(std::io::Error::other)?, 0))?;
    let group = SocketAddr::new(Ipv4Addr::new(224, 0, 0, 81).into(), 8848);
    for first in (0..ENDED).step_by(PER_MESSAGE as usize) {
        let numbers = first..ENDED.min(first + PER_MESSAGE);
        let count = u8::try_from(numbers.len()).unwrap_or(u8::MAX);
        let body: Vec<u8> = numbers.flat_map(ended).collect();
        let size = u16::try_from(body.len() + 8).unwrap_or(u16::MAX);
        let mut message = vec![0, 1];
        message.extend(size.to_be_bytes());
        message.extend([count, 1, 0, 0]);
        message.extend(body);
        socket.send_to(&message, group)?;
        // Its socket has room for some hundred of them.
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// One connection of `TIME_WAIT`, each of another client.
fn ended(number: u32) -> Vec<u8> {
    let [_, high, middle, low] = number.to_be_bytes();
    let head = [0, 6, 0, 36, 0, 0, 1, 0, 0, 5];
    let ports = [0x9c, 0x40, 0, 80, 0, 80];
    let ends = [10, high, middle, low, 192, 168, 1, 1, 192, 168, 1, 4];
    [&head[..], &ports, &[0; 8], &ends].concat()
}
