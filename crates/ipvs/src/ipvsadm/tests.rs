use std::collections::BTreeMap;

use super::*;
use crate::Persistence;

/// What ipvsadm 1.31 prints with `-S -n` of [`full_table`] in a real kernel, in the order of our keys.
const PRINTED: &str = "\
-A -t 192.168.1.1:0 -s rr -p 360
-A --sctp-service 192.168.1.1:7 -s lc
-A -u 192.168.1.1:53 -s rr -o
-A -t 192.168.1.1:80 -s wlc
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 9
-a -t 192.168.1.1:80 -r 192.168.1.5:8080 -m -w 1
-a -t 192.168.1.1:80 -r 192.168.1.6:80 -i -w 1 --tun-type ipip
-a -t 192.168.1.1:80 -r 192.168.1.7:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.168.1.1:80 -r 192.168.1.8:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.168.1.1:80 -r 192.168.1.9:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.168.1.1:80 -r 192.168.1.10:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.168.1.1:80 -r 192.168.1.11:80 -i -w 1 --tun-type gre --tun-nocsum
-A -t 192.168.1.1:443 -s wrr -p 600 -M 255.255.255.0
-A -u 192.168.1.1:5060 -s rr -p 60 --pe sip -o
-A -t [2001:db8::1]:80 -s sh -b sh-fallback,sh-port
-a -t [2001:db8::1]:80 -r 192.168.1.4:80 -i -w 1 --tun-type ipip
-a -t [2001:db8::1]:80 -r [2001:db8::4]:80 -m -w 0
-A -t [2001:db8::1]:81 -s mh -p 300 -M 64
-A -f 7 -s rr
-a -f 7 -r 192.168.1.4:0 -g -w 1
-A -f 7 -6 -s sed
";

fn pool(scheduler: &str) -> Pool {
    let service = Service {
        scheduler: scheduler.parse().unwrap(),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    };
    Pool { service, destinations: BTreeMap::new() }
}

fn persistent(scheduler: &str, timeout_seconds: u32, prefix_length: u8) -> Pool {
    let mut pool = pool(scheduler);
    pool.service.persistence = Some(Persistence { timeout_seconds, prefix_length, engine: None });
    pool
}

fn real(pool: &mut Pool, address: &str, weight: u32, forwarding: Forwarding, tunnel: Tunnel) {
    let destination =
        Destination { forwarding, tunnel, weight, upper_threshold: 100, lower_threshold: 50 };
    pool.destinations.insert(address.parse().unwrap(), destination);
}

/// The wrappings, in the order of the real servers that use them.
fn tunnels() -> [Tunnel; 6] {
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    [
        Tunnel::Ipip,
        gue(TunnelChecksum::None),
        gue(TunnelChecksum::Full),
        gue(TunnelChecksum::Remote),
        Tunnel::Gre { checksum: TunnelChecksum::Full },
        Tunnel::Gre { checksum: TunnelChecksum::None },
    ]
}

fn full_table() -> Table {
    let mut web = pool("wlc");
    real(&mut web, "192.168.1.4:80", 9, Forwarding::Direct, Tunnel::Ipip);
    real(&mut web, "192.168.1.5:8080", 1, Forwarding::Nat, Tunnel::Ipip);
    for (host, tunnel) in (6..).zip(tunnels()) {
        real(&mut web, &format!("192.168.1.{host}:80"), 1, Forwarding::Tunnel, tunnel);
    }
    let mut six = pool("sh");
    six.service.flags = SchedulerFlags { fallback: true, port: true, third: false };
    real(&mut six, "[2001:db8::4]:80", 0, Forwarding::Nat, Tunnel::Ipip);
    real(&mut six, "192.168.1.4:80", 1, Forwarding::Tunnel, Tunnel::Ipip);
    let mut packets = pool("rr");
    packets.service.one_packet = true;
    let mut phone = persistent("rr", 60, 32);
    phone.service.one_packet = true;
    if let Some(persistence) = &mut phone.service.persistence {
        persistence.engine = Some("sip".into());
    }
    let mut marked = pool("rr");
    real(&mut marked, "192.168.1.4:0", 1, Forwarding::Direct, Tunnel::Ipip);
    let at = |address: &str, protocol| ServiceKey::Address {
        address: address.parse().unwrap(),
        protocol,
    };
    Table::from([
        (at("192.168.1.1:0", Protocol::Tcp), persistent("rr", 360, 32)),
        (at("192.168.1.1:7", Protocol::Sctp), pool("lc")),
        (at("192.168.1.1:53", Protocol::Udp), packets),
        (at("192.168.1.1:80", Protocol::Tcp), web),
        (at("192.168.1.1:443", Protocol::Tcp), persistent("wrr", 600, 24)),
        (at("192.168.1.1:5060", Protocol::Udp), phone),
        (at("[2001:db8::1]:80", Protocol::Tcp), six),
        (at("[2001:db8::1]:81", Protocol::Tcp), persistent("mh", 300, 64)),
        (ServiceKey::Mark { mark: 7, family: Family::Inet }, marked),
        (ServiceKey::Mark { mark: 7, family: Family::Inet6 }, pool("sed")),
    ])
}

#[test]
fn a_table_reads_as_ipvsadm_prints_it() {
    let lines = ipvsadm_lines(&full_table());
    assert_eq!(lines, PRINTED.lines().collect::<Vec<_>>());
}

#[test]
fn each_scheduler_names_its_own_flags() {
    let mut table = full_table();
    for pool in table.values_mut() {
        pool.service.flags = SchedulerFlags { fallback: true, port: false, third: true };
    }
    let lines = ipvsadm_lines(&table).join("\n");
    for named in ["-s sh -b sh-fallback,flag-3", "-M 64 -b mh-fallback,flag-3", "-b flag-1,flag-3"]
    {
        assert!(lines.contains(named), "{named} in\n{lines}");
    }
}

#[test]
fn a_netmask_is_made_for_every_length() {
    for (length, mask) in [(0, "0.0.0.0"), (1, "128.0.0.0"), (24, "255.255.255.0")] {
        assert_eq!(netmask(length).to_string(), mask);
    }
    assert_eq!(netmask(32), Ipv4Addr::BROADCAST);
    assert_eq!(netmask(200), Ipv4Addr::BROADCAST);
}
