//! The laws of planning, over every pair of small tables and over random larger ones.

use proptest::prelude::*;

use super::*;
use crate::fake_kernel::FakeKernel;
use crate::{
    Family, Forwarding, Persistence, Protocol, Scheduler, SchedulerFlags, Tunnel, TunnelChecksum,
};

fn web() -> ServiceKey {
    ServiceKey::Address { address: "192.168.1.1:80".parse().unwrap(), protocol: Protocol::Tcp }
}

fn mark() -> ServiceKey {
    ServiceKey::Mark { mark: 7, family: Family::Inet6 }
}

fn service(scheduler: &str) -> Service {
    Service {
        scheduler: scheduler.parse().unwrap(),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    }
}

fn direct(weight: u32) -> Destination {
    Destination {
        forwarding: Forwarding::Direct,
        tunnel: Tunnel::Ipip,
        weight,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

/// Every state of one virtual server with up to three real servers.
fn every_pool() -> Vec<Option<Pool>> {
    let kinds = [None, Some(direct(0)), Some(direct(1)), {
        Some(Destination { forwarding: Forwarding::Nat, ..direct(2) })
    }];
    let mut pools = vec![None];
    for scheduler in ["rr", "wlc"] {
        for code in 0..kinds.len().pow(3) {
            let kind = |place: u32| kinds[code / kinds.len().pow(place) % kinds.len()].clone();
            let destinations = (0..3u32)
                .filter_map(|place| {
                    Some((format!("192.168.1.{}:80", 4 + place).parse().ok()?, kind(place)?))
                })
                .collect();
            pools.push(Some(Pool { service: service(scheduler), destinations }));
        }
    }
    pools
}

fn same_table(one: &Table, other: &Table) -> bool {
    let same_pool = |a: &Pool, b: &Pool| {
        a.service == b.service
            && a.destinations.keys().eq(b.destinations.keys())
            && a.destinations
                .values()
                .zip(b.destinations.values())
                .all(|(x, y)| x.same_in_kernel(y))
    };
    one.keys().eq(other.keys()) && one.values().zip(other.values()).all(|(a, b)| same_pool(a, b))
}

fn serves(pool: Option<&Pool>) -> bool {
    pool.is_some_and(|pool| pool.destinations.values().any(|real| real.weight > 0))
}

fn filled(pool: Option<&Pool>) -> bool {
    pool.is_some_and(|pool| !pool.destinations.is_empty())
}

/// Runs a plan step by step and checks every law on the way.
fn check_laws(desired: &Table, actual: &Table, owned: &BTreeSet<ServiceKey>) {
    let goal: Table = {
        let foreign = actual.iter().filter(|(key, _)| !owned.contains(key));
        let kept = foreign.map(|(key, pool)| (*key, pool.clone()));
        kept.chain(desired.iter().map(|(key, pool)| (*key, pool.clone()))).collect()
    };
    let mut kernel = FakeKernel::holding(actual.clone());
    for step in &plan(desired, actual, owned).steps {
        assert_eq!(kernel.apply(step), Ok(()), "{step}");
        for (key, pool) in &kernel.table {
            let (before, after) = (actual.get(key), goal.get(key));
            assert!(!(filled(before) && filled(after)) || filled(Some(pool)), "emptied by {step}");
            assert!(!(serves(before) && serves(after)) || serves(Some(pool)), "idled by {step}");
        }
        let mut resumed = kernel.clone();
        let rest = plan(desired, &resumed.table, owned);
        assert!(resumed.apply_all(&rest.steps).iter().all(Result::is_ok));
        assert!(same_table(&resumed.table, &goal), "interrupted after {step}");
    }
    assert!(same_table(&kernel.table, &goal));
    assert_eq!(plan(desired, &kernel.table, owned), Plan::default());
}

fn table(key: ServiceKey, pool: Option<Pool>) -> Table {
    pool.map(|pool| (key, pool)).into_iter().collect()
}

#[test]
fn every_pair_of_small_tables_keeps_the_laws() {
    let pools = every_pool();
    for before in &pools {
        for after in &pools {
            for owned in [BTreeSet::new(), BTreeSet::from([web()])] {
                check_laws(&table(web(), after.clone()), &table(web(), before.clone()), &owned);
            }
        }
    }
}

#[test]
fn the_plan_is_the_smallest_possible() {
    let pools = every_pool();
    for before in &pools {
        for after in &pools {
            let steps = plan(
                &table(web(), after.clone()),
                &table(web(), before.clone()),
                &BTreeSet::from([web()]),
            )
            .steps
            .len();
            assert_eq!(steps, differences(before.as_ref(), after.as_ref()));
        }
    }
}

/// How many entries differ; a virtual server goes with all it has.
fn differences(before: Option<&Pool>, after: Option<&Pool>) -> usize {
    let (Some(before), Some(after)) = (before, after) else {
        return match (before, after) {
            (None, Some(after)) => 1 + after.destinations.len(),
            (Some(_), None) => 1,
            _ => 0,
        };
    };
    let keys: BTreeSet<_> = before.destinations.keys().chain(after.destinations.keys()).collect();
    let changed =
        |key: &&&DestinationKey| before.destinations.get(key) != after.destinations.get(key);
    usize::from(before.service != after.service) + keys.iter().filter(changed).count()
}

#[test]
fn a_foreign_virtual_server_is_left_alone() {
    let pool = Pool { service: service("rr"), destinations: BTreeMap::new() };
    let actual = Table::from([(web(), pool.clone()), (mark(), pool)]);
    let steps = plan(&Table::new(), &actual, &BTreeSet::from([mark()])).steps;
    assert_eq!(steps, [Step::RemoveService(mark())]);
}

#[test]
fn a_virtual_server_that_somebody_else_added_is_adopted() {
    let actual = table(web(), Some(Pool { service: service("rr"), destinations: BTreeMap::new() }));
    let desired =
        table(web(), Some(Pool { service: service("wlc"), destinations: BTreeMap::new() }));
    let steps = plan(&desired, &actual, &BTreeSet::new()).steps;
    assert_eq!(steps, [Step::EditService(web(), service("wlc"))]);
}

#[test]
fn another_wrapping_of_packets_that_are_not_wrapped_is_no_change() {
    let with = |tunnel| {
        let real = Destination { tunnel, ..direct(1) };
        let destinations = BTreeMap::from([("192.168.1.4:80".parse().unwrap(), real)]);
        table(web(), Some(Pool { service: service("rr"), destinations }))
    };
    let gre = Tunnel::Gre { checksum: TunnelChecksum::Full };
    assert!(plan(&with(gre), &with(Tunnel::Ipip), &BTreeSet::new()).is_empty());
}

#[test]
fn a_step_reads_like_an_ipvsadm_line() {
    let real = "[2001:db8::4]:80".parse().unwrap();
    let destination = Destination { upper_threshold: 9, lower_threshold: 3, ..direct(5) };
    let lines = Plan {
        steps: vec![
            Step::AddService(mark(), service("rr")),
            Step::EditService(mark(), service("wlc")),
            Step::AddDestination(mark(), real, destination.clone()),
            Step::EditDestination(mark(), real, destination),
            Step::RemoveDestination(mark(), real),
            Step::RemoveService(web()),
        ],
    }
    .to_string();
    assert_eq!(
        lines,
        "-A -f 7 -6 -s rr\n\
         -E -f 7 -6 -s wlc\n\
         -a -f 7 -6 -r [2001:db8::4]:80 -g -w 5 -x 9 -y 3\n\
         -e -f 7 -6 -r [2001:db8::4]:80 -g -w 5 -x 9 -y 3\n\
         -d -f 7 -6 -r [2001:db8::4]:80\n\
         -D -t 192.168.1.1:80\n"
    );
}

fn any_destination() -> impl Strategy<Value = Destination> {
    let checksum = prop_oneof![
        Just(TunnelChecksum::None),
        Just(TunnelChecksum::Full),
        Just(TunnelChecksum::Remote)
    ];
    let tunnel = prop_oneof![
        Just(Tunnel::Ipip),
        (1..3u16, checksum.clone()).prop_map(|(port, checksum)| Tunnel::Gue { port, checksum }),
        checksum.prop_map(|checksum| Tunnel::Gre { checksum }),
    ];
    let forwarding =
        prop_oneof![Just(Forwarding::Nat), Just(Forwarding::Direct), Just(Forwarding::Tunnel)];
    (forwarding, tunnel, 0..3u32, 0..3u32).prop_map(|(forwarding, tunnel, weight, upper)| {
        Destination {
            forwarding,
            tunnel,
            weight,
            upper_threshold: upper,
            lower_threshold: upper / 2,
        }
    })
}

fn any_service() -> impl Strategy<Value = Service> {
    let persistence = proptest::option::of((1..3u32, 31..=32u8, any::<bool>()).prop_map(
        |(timeout_seconds, prefix_length, sip)| Persistence {
            timeout_seconds,
            prefix_length,
            engine: sip.then(|| "sip".to_owned()),
        },
    ));
    (0..Scheduler::KNOWN.len(), any::<bool>(), any::<bool>(), persistence).prop_map(
        |(scheduler, fallback, one_packet, persistence)| Service {
            flags: SchedulerFlags { fallback, ..SchedulerFlags::default() },
            persistence,
            one_packet,
            ..service(Scheduler::KNOWN[scheduler])
        },
    )
}

fn any_table() -> impl Strategy<Value = Table> {
    let key = (1..6u16).prop_map(|port| ServiceKey::Address {
        address: ([192, 168, 1, 1], port).into(),
        protocol: if port == 5 { Protocol::Sctp } else { Protocol::Udp },
    });
    let real = (1..8u8).prop_map(|host| DestinationKey::from(([192, 168, 1, host], 80)));
    let reals = proptest::collection::btree_map(real, any_destination(), 0..7);
    let pool =
        (any_service(), reals).prop_map(|(service, destinations)| Pool { service, destinations });
    proptest::collection::btree_map(key, pool, 0..5)
}

proptest! {
    #[test]
    fn random_tables_keep_the_laws(
        desired in any_table(),
        actual in any_table(),
        owned_ports in proptest::collection::btree_set(1..6u16, 0..5),
    ) {
        let owned = actual
            .keys()
            .filter(|key| matches!(key, ServiceKey::Address { address, .. }
                if owned_ports.contains(&address.port())))
            .copied()
            .collect();
        check_laws(&desired, &actual, &owned);
    }
}
