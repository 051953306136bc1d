//! Tables and steps for the scenarios about the kernel's table.

use ipvs::{
    Destination, DestinationKey, Family, Forwarding, Persistence, Pool, Protocol, Scheduler,
    SchedulerFlags, Service, ServiceKey, Step, Table, Tunnel, TunnelChecksum,
};
use std::collections::BTreeMap;

fn service(scheduler: &str) -> Service {
    Service {
        scheduler: scheduler.parse().unwrap_or_else(|_| Scheduler::wlc()),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    }
}

fn persistent(scheduler: &str, timeout_seconds: u32, prefix_length: u8) -> Service {
    let persistence = Persistence { timeout_seconds, prefix_length, engine: None };
    Service { persistence: Some(persistence), ..service(scheduler) }
}

fn real(forwarding: Forwarding, weight: u32) -> Destination {
    Destination { forwarding, tunnel: Tunnel::Ipip, weight, upper_threshold: 0, lower_threshold: 0 }
}

fn host(last: u8, port: u16) -> DestinationKey {
    DestinationKey::from(([192, 168, 1, last], port))
}

fn host6(last: u16, port: u16) -> DestinationKey {
    DestinationKey::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], port))
}

fn at(address: DestinationKey, protocol: Protocol) -> ServiceKey {
    ServiceKey::Address { address, protocol }
}

fn pool(service: Service, destinations: Vec<(DestinationKey, Destination)>) -> Pool {
    Pool { service, destinations: destinations.into_iter().collect() }
}

/// Every wrapping.
fn tunnels() -> [Tunnel; 7] {
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    let gre = |checksum| Tunnel::Gre { checksum };
    [
        Tunnel::Ipip,
        gue(TunnelChecksum::None),
        gue(TunnelChecksum::Full),
        gue(TunnelChecksum::Remote),
        gre(TunnelChecksum::None),
        gre(TunnelChecksum::Full),
        Tunnel::Gue { port: 65535, checksum: TunnelChecksum::Full },
    ]
}

/// A table with every kind of virtual and real server.
pub(crate) fn full_table() -> Table {
    let mut web = vec![
        (host(4, 80), real(Forwarding::Direct, 3)),
        (
            host(5, 8080),
            Destination {
                upper_threshold: 100,
                lower_threshold: 50,
                ..real(Forwarding::Nat, 65535)
            },
        ),
    ];
    for (last, tunnel) in (6..).zip(tunnels()) {
        web.push((host(last, 80), Destination { tunnel, ..real(Forwarding::Tunnel, 1) }));
    }
    let six = vec![
        (host6(4, 80), real(Forwarding::Nat, 0)),
        (host(4, 80), real(Forwarding::Tunnel, i32::MAX.cast_unsigned())),
    ];
    let flags = |fallback, port, third| SchedulerFlags { fallback, port, third };
    let mut phone = persistent("rr", 60, 32);
    phone.one_packet = true;
    if let Some(persistence) = &mut phone.persistence {
        persistence.engine = Some("sip".into());
    }
    let mut table = Table::from([
        (at(host(1, 0), Protocol::Tcp), pool(persistent("rr", 360, 32), vec![])),
        (at(host(1, 7), Protocol::Sctp), pool(service("lc"), vec![])),
        (
            at(host(1, 53), Protocol::Udp),
            pool(Service { one_packet: true, ..service("rr") }, vec![]),
        ),
        (at(host(1, 80), Protocol::Tcp), pool(service("wlc"), web)),
        (at(host(1, 443), Protocol::Tcp), pool(persistent("wrr", 600, 24), vec![])),
        (at(host(1, 444), Protocol::Tcp), pool(persistent("wrr", 1, 0), vec![])),
        (at(host(1, 5060), Protocol::Udp), pool(phone, vec![])),
        (
            at(host6(1, 80), Protocol::Tcp),
            pool(Service { flags: flags(true, true, false), ..service("sh") }, six),
        ),
        (
            at(host6(1, 81), Protocol::Tcp),
            pool(Service { flags: flags(false, true, false), ..persistent("mh", 300, 64) }, vec![]),
        ),
        (
            ServiceKey::Mark { mark: 7, family: Family::Inet },
            pool(
                Service { flags: flags(true, false, true), ..service("rr") },
                vec![(host(4, 0), real(Forwarding::Direct, 1))],
            ),
        ),
        (
            // The largest mark that ipvsadm prints unsigned.
            ServiceKey::Mark { mark: 0x7fff_ffff, family: Family::Inet6 },
            pool(persistent("sed", 5, 128), vec![(host6(4, 0), real(Forwarding::Direct, 1))]),
        ),
    ]);
    // The kernel that the lab boots is built without `twos`.
    let built = Scheduler::KNOWN.into_iter().filter(|name| *name != "twos");
    for (port, scheduler) in (9000..).zip(built) {
        table.insert(at(host(1, port), Protocol::Udp), pool(service(scheduler), vec![]));
    }
    table
}

/// The same keys with other attributes, one real server less and one more each.
pub(crate) fn changed_table() -> Table {
    let mut table = full_table();
    for (key, pool) in &mut table {
        let service = &mut pool.service;
        service.scheduler = "nq".parse().unwrap_or_else(|_| Scheduler::wlc());
        service.one_packet = !service.one_packet;
        service.flags = SchedulerFlags { fallback: false, port: true, third: false };
        service.persistence = match service.persistence {
            Some(_) => None,
            None => Some(Persistence { timeout_seconds: 9, prefix_length: 31, engine: None }),
        };
        pool.destinations.pop_first();
        for destination in pool.destinations.values_mut() {
            destination.weight = destination.weight / 2 + 1;
            destination.upper_threshold += 7;
            destination.forwarding = Forwarding::Tunnel;
            destination.tunnel = match destination.tunnel {
                Tunnel::Ipip => Tunnel::Gue { port: 1, checksum: TunnelChecksum::Remote },
                _ => Tunnel::Ipip,
            };
        }
        let added = if key.family() == Family::Inet { host(99, 99) } else { host6(99, 99) };
        pool.destinations.insert(added, real(Forwarding::Direct, 9));
    }
    table
}

/// A small random number generator (xorshift), so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn number<T: TryFrom<u64> + Default>(&mut self, sides: u64) -> T {
        T::try_from(self.roll(sides)).unwrap_or_default()
    }
}

/// Steps over few keys, so that many of them are refused.
pub(crate) fn steps_at_random(seed: u64, count: usize) -> Vec<Step> {
    let mut dice = Dice(seed * 7919 + 1);
    (0..count).map(|_| step_at_random(&mut dice)).collect()
}

fn step_at_random(dice: &mut Dice) -> Step {
    let key = match dice.roll(4) {
        0 => at(host(1, 80), Protocol::Tcp),
        1 => at(host6(1, 80), Protocol::Udp),
        2 => ServiceKey::Mark { mark: 1, family: Family::Inet },
        _ => ServiceKey::Mark { mark: 1, family: Family::Inet6 },
    };
    let last = 4 + dice.number::<u8>(3);
    let real = if dice.roll(8) == 0 { host6(last.into(), 80) } else { host(last, 80) };
    match dice.roll(10) {
        0 => Step::RemoveService(key),
        1..=2 => Step::AddService(key, service_at_random(dice, key.family())),
        3 => Step::EditService(key, service_at_random(dice, key.family())),
        4..=6 => Step::AddDestination(key, real, real_at_random(dice)),
        7..=8 => Step::EditDestination(key, real, real_at_random(dice)),
        _ => Step::RemoveDestination(key, real),
    }
}

fn service_at_random(dice: &mut Dice, family: Family) -> Service {
    let prefix_length = match family {
        Family::Inet => dice.number(33),
        Family::Inet6 => 64 * dice.number::<u8>(3) + dice.number::<u8>(2),
    };
    let persistence = Persistence { timeout_seconds: 1, prefix_length, engine: None };
    let mut service = service(if dice.roll(2) == 0 { "rr" } else { "wlc" });
    service.persistence = (dice.roll(2) == 0).then_some(persistence);
    service
}

fn real_at_random(dice: &mut Dice) -> Destination {
    let forwarding = match dice.roll(4) {
        0 => Forwarding::Nat,
        1 => Forwarding::Direct,
        _ => Forwarding::Tunnel,
    };
    let tunnel = match dice.roll(3) {
        0 => Tunnel::Gue { port: dice.number(2), checksum: TunnelChecksum::Full },
        1 => Tunnel::Gre { checksum: TunnelChecksum::None },
        _ => Tunnel::Ipip,
    };
    let weight = if dice.roll(10) == 0 { 1 << 31 } else { dice.number(3) };
    Destination {
        forwarding,
        tunnel,
        weight,
        upper_threshold: dice.number(4),
        lower_threshold: dice.number(4),
    }
}

/// `services` virtual servers with `servers` real servers each.
pub(crate) fn large_table(services: u16, servers: u8) -> Table {
    let reals: BTreeMap<_, _> =
        (0..servers).map(|server| (host(100 + server, 80), real(Forwarding::Direct, 1))).collect();
    let pool = |_| Pool { service: service("wlc"), destinations: reals.clone() };
    (1..=services).map(|port| (at(host(1, port), Protocol::Tcp), pool(port))).collect()
}

/// The seed's web service over both real servers, in turns.
pub(crate) fn web_table(weight: u32) -> Table {
    let reals = [4, 5].map(|last| (host(last, 80), real(Forwarding::Direct, weight)));
    Table::from([(at(host(1, 80), Protocol::Tcp), pool(service("rr"), reals.to_vec()))])
}
