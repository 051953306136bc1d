//! Models of every kind, as a file could hold them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipvs::{
    Family, Forwarding, Persistence, Ports, Protocol, SchedulerFlags, Tunnel, TunnelChecksum,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::Percent;
use crate::model::*;

mod checks;
use checks::check;

/// Text of a form. Its expression is read once, not for each model.
fn text(form: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(form).unwrap()
}

/// Any text without a break of meaning: a name may hold what YAML gives a meaning to.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        text("[a-z][a-z0-9-]{0,8}"),
        text("[ -~]{1,12}"),
        text("\\PC{1,6}"),
        select(vec![
            "true", "null", "on", "80", "0x1f", "~", "- a", "a: b", "#x", "*a", "1e3", "<<"
        ])
        .prop_map(String::from),
    ]
    .prop_filter("a name is no blank", |name| !name.trim().is_empty())
}

fn interface() -> impl Strategy<Value = String> {
    text("[a-z][a-z0-9.@-]{0,14}")
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn time(from: u64, to: u64) -> impl Strategy<Value = Duration> {
    (from..=to).prop_map(Duration::from_millis)
}

fn argv() -> impl Strategy<Value = Vec<String>> {
    (text("/[a-z/]{1,10}"), vec(text("[ -~]{0,8}"), 0..3))
        .prop_map(|(program, arguments)| std::iter::once(program).chain(arguments).collect())
}

/// A program, or none.
fn programs() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![Just(Vec::new()), argv()]
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        ip().prop_map(Host::Address),
        text("[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5}){0,2}").prop_map(Host::Name)
    ]
}

fn port() -> impl Strategy<Value = Option<u16>> {
    option::of(1_u16..)
}

fn heartbeat() -> impl Strategy<Value = Heartbeat> {
    let keys = prop_oneof![
        Just(KeySource::Default),
        name().prop_map(KeySource::File),
        name().prop_map(KeySource::Authkeys)
    ];
    let times = (
        time(10, 60_000),
        time(20, 3_600_000),
        option::of(time(10, 3_600_000)),
        time(0, 3_600_000),
    );
    let unicast = (interface(), vec(ip(), 1..3))
        .prop_map(|(interface, peers)| SharedPath::Unicast { interface, peers });
    let broadcast = interface().prop_map(|interface| SharedPath::Broadcast { interface });
    let multicast =
        (interface(), ip(), 1_u16.., 1_u8..).prop_map(|(interface, group, port, ttl)| {
            SharedPath::Multicast { interface, group, port, ttl }
        });
    let shared = (vec(unicast, 0..2), vec(broadcast, 0..2), vec(multicast, 0..2))
        .prop_map(|(a, b, c)| a.into_iter().chain(b).chain(c).collect());
    (times, 1_u16.., shared, keys, (vec(ip(), 0..3), any::<bool>())).prop_map(
        |((interval, dead_after, warn_after, listen_first), port, shared_paths, keys, asked)| {
            let (witness, yields) = asked;
            Heartbeat {
                yield_on_fewer_witnesses: yields && !witness.is_empty(),
                interval,
                dead_after,
                warn_after,
                listen_first,
                port,
                shared_paths,
                keys,
                witness,
            }
        },
    )
}

fn floating_address() -> impl Strategy<Value = FloatingAddress> {
    let length = option::of(0_u8..=32);
    let broadcast = option::of(any::<[u8; 4]>().prop_map(Into::into));
    (ip(), length, option::of(interface()), option::of(name()), broadcast).prop_map(
        |(ip, prefix_length, interface, label, broadcast)| FloatingAddress {
            ip,
            prefix_length,
            interface,
            label,
            broadcast,
        },
    )
}

fn hook() -> impl Strategy<Value = Hook> {
    let order = select(vec![HookOrder::BeforeAddresses, HookOrder::AfterAddresses]);
    let other = || prop_oneof![Just(Vec::new()), argv()];
    (name(), argv(), other(), other(), time(100, 100_000), order).prop_map(
        |(name, start, stop, status, timeout, order)| Hook {
            name,
            start,
            stop,
            status,
            timeout,
            order,
        },
    )
}

fn pair() -> impl Strategy<Value = Pair> {
    let router = || (name(), vec(ip(), 0..3)).prop_map(|(name, paths)| Router { name, paths });
    let failback = prop_oneof![
        Just(Failback::Manual),
        time(0, 100_000).prop_map(|delay| Failback::Automatic { delay })
    ];
    let group =
        (name(), option::of(name()), failback, vec(floating_address(), 0..3), vec(hook(), 0..2))
            .prop_map(|(name, preferred, failback, addresses, hooks)| Group {
                name,
                preferred,
                failback,
                addresses,
                hooks,
            });
    (router(), router(), heartbeat(), vec(group, 1..3), option::of(fence())).prop_map(
        |(a, b, heartbeat, groups, fence)| Pair { routers: [a, b], heartbeat, groups, fence },
    )
}

fn fence() -> impl Strategy<Value = Fence> {
    let off = prop_oneof![
        argv().prop_map(|one| [one.clone(), one]),
        [argv(), argv()].prop_map(|off| off)
    ];
    let on_failure = select(vec![FenceFailure::Wait, FenceFailure::TakeOver]);
    (off, time(100, 100_000), on_failure, time(0, 100_000), option::of(name())).prop_map(
        |(off, timeout, on_failure, delay, user)| Fence { off, timeout, on_failure, delay, user },
    )
}

fn notify() -> impl Strategy<Value = Notify> {
    let address = || text("[a-z]{1,8}(@[a-z.]{0,8}[a-z])?");
    let mail =
        (vec(address(), 1..3), option::of(address()), option::of(name()), time(1000, 100_000))
            .prop_map(|(to, from, server, repeat)| Mail { to, from, server, repeat: Some(repeat) });
    let results = option::of(name().prop_map(|name| format!("/{name}")));
    (programs(), programs(), option::of(mail), results)
        .prop_map(|(empty, filled, mail, results)| Notify { empty, filled, mail, results })
}

fn forwarding() -> impl Strategy<Value = Forwarding> {
    select(vec![Forwarding::Direct, Forwarding::Nat, Forwarding::Tunnel])
}

fn tunnel() -> impl Strategy<Value = Tunnel> {
    let checksum = select(vec![TunnelChecksum::None, TunnelChecksum::Full]);
    prop_oneof![
        Just(Tunnel::Ipip),
        (1_u16.., checksum.clone()).prop_map(|(port, checksum)| Tunnel::Gue { port, checksum }),
        Just(Tunnel::Gue { port: 6080, checksum: TunnelChecksum::Remote }),
        checksum.prop_map(|checksum| Tunnel::Gre { checksum }),
    ]
}

fn real_server() -> impl Strategy<Value = RealServer> {
    let place = (option::of(name()), host(), port());
    let limits = (prop_oneof![Just(1), 0..=2_147_483_647_u32], any::<u32>(), any::<u32>());
    let programs = (programs(), programs()).prop_map(|(up, down)| ServerNotify { up, down });
    let checks =
        prop_oneof![Just((None, Vec::new())), (check().prop_map(Some), vec(check(), 0..3)),];
    (place, limits, (forwarding(), tunnel()), checks, programs).prop_map(
        |((name, host, port), (weight, upper, lower), (forwarding, tunnel), checks, notify)| {
            RealServer {
                name,
                host,
                port,
                weight,
                forwarding,
                tunnel,
                upper_threshold: upper,
                lower_threshold: lower,
                check: checks.0,
                also: checks.1,
                notify,
            }
        },
    )
}

fn listen() -> impl Strategy<Value = Listen> {
    let protocol = select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp]);
    let endpoint = || {
        let parts = (ip(), any::<u16>(), protocol.clone());
        parts.prop_map(|(ip, port, protocol)| Endpoint {
            address: SocketAddr::new(ip, port),
            protocol,
        })
    };
    let marked = (endpoint(), any::<u16>()).prop_map(|(endpoint, more)| {
        let ports = Ports::from(endpoint);
        let more = if ports.first == 0 { 0 } else { more };
        Ports { last: ports.first.saturating_add(more), ..ports }
    });
    let family = select(vec![Family::Inet, Family::Inet6]);
    prop_oneof![
        vec(endpoint(), 1..3).prop_map(Listen::Addresses),
        (1_u32.., family, vec(marked, 0..3)).prop_map(|(mark, family, marked)| {
            let family = marked.first().map_or(family, Ports::family);
            Listen::Mark { mark, family, marked }
        }),
    ]
}

fn service() -> impl Strategy<Value = VirtualServer> {
    let flags = any::<[bool; 3]>().prop_map(|[fallback, port, third]| SchedulerFlags {
        fallback,
        port,
        third,
    });
    let persistence = (1..2_000_000_u32, 1..=128_u8, option::of(name())).prop_map(
        |(timeout_seconds, prefix_length, engine)| Persistence {
            timeout_seconds,
            prefix_length,
            engine,
        },
    );
    let sorry = (host(), port(), forwarding()).prop_map(|(host, port, forwarding)| SorryServer {
        host,
        port,
        forwarding,
    });
    let balancing = (text("[a-z0-9_]{1,15}"), flags, option::of(persistence), any::<bool>());
    let on_failure = (
        select(vec![OnFailure::Remove, OnFailure::Quiesce]),
        percent(),
        option::of(on_stop()),
        option::of(load()),
        any::<bool>(),
        option::of((1_000..3_600_000_u64).prop_map(Duration::from_millis)),
    );
    let pool = (vec(real_server().boxed(), 0..4), option::of(sorry));
    let checks = (check(), vec(check(), 0..3));
    let quorum = prop_oneof![
        Just(Quorum::default()),
        (1_u32.., any::<u32>()).prop_map(|(weight, hysteresis)| Quorum { weight, hysteresis }),
    ];
    (name(), listen(), balancing, checks, (on_failure, quorum), pool, notify()).prop_map(
        |(name, listen, balancing, checks, (on_failure, quorum), pool, notify)| {
            let (scheduler, flags, persistence, one_packet) = balancing;
            VirtualServer {
                name,
                listen,
                scheduler: scheduler.parse().unwrap(),
                scheduler_flags: flags,
                persistence,
                one_packet,
                check: checks.0,
                also: checks.1,
                quorum,
                on_failure: on_failure.0,
                servers: pool.0,
                sorry: pool.1,
                max_down: on_failure.1,
                notify,
                on_stop: on_failure.2,
                load: on_failure.3,
                put_back: on_failure.4,
                slow_start: on_failure.5,
            }
        },
    )
}

fn load() -> impl Strategy<Value = LoadMonitor> {
    let times = (1_000..3_600_000_u64, 100..3_600_000_u64);
    (argv(), times).prop_map(|(run, (interval, timeout))| LoadMonitor {
        run,
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(timeout),
    })
}

fn on_stop() -> impl Strategy<Value = OnStop> {
    select(vec![OnStop::Keep, OnStop::Remove])
}

fn percent() -> impl Strategy<Value = Percent> {
    (0..=100_u8).prop_map(|percent| Percent::new(percent).unwrap())
}

fn kernel() -> impl Strategy<Value = Kernel> {
    let timeout = || option::of((1..2_000_000_u64).prop_map(Duration::from_secs));
    let sync = (
        interface(),
        any::<u8>(),
        option::of(ip()),
        port(),
        option::of(1_u8..),
        option::of(1..65_507_u16),
    )
        .prop_map(|(interface, id, group, port, ttl, max_length)| ConnectionSync {
            interface,
            id,
            group,
            port,
            ttl,
            max_length,
        });
    let timeouts = (timeout(), timeout(), timeout());
    (timeouts, option::of(sync), sysctls()).prop_map(|((tcp, fin, udp), sync, sysctls)| Kernel {
        tcp_timeout: tcp,
        tcp_fin_timeout: fin,
        udp_timeout: udp,
        sync,
        sysctls,
    })
}

fn sysctls() -> impl Strategy<Value = Sysctls> {
    let switch = || prop_oneof![Just(Switch::On), Just(Switch::Off), Just(Switch::Keep)];
    (switch(), switch(), option::of(0..4_u8), option::of(switch()), option::of(switch())).prop_map(
        |(nodest, template, conn_reuse_mode, ip_forward, send_redirects)| Sysctls {
            expire_nodest_conn: nodest,
            expire_quiescent_template: template,
            conn_reuse_mode,
            ip_forward,
            send_redirects,
        },
    )
}

/// Names are unique where the file uses them as keys.
fn number<T>(list: &mut [T], name: impl Fn(&mut T) -> &mut String) {
    for (index, item) in list.iter_mut().enumerate() {
        name(item).push_str(&index.to_string());
    }
}

pub(in crate::native) fn cluster() -> impl Strategy<Value = Cluster> {
    let on_edit = prop_oneof![Just(Vec::new()), argv()];
    let path = || option::of(name().prop_map(|name| format!("/{name}")));
    let limits = (on_stop(), percent(), path(), path(), on_edit);
    (option::of(pair()), vec(service(), 0..4), kernel(), any::<bool>(), limits).prop_map(
        |(mut pair, mut services, kernel, autoreload, limits)| {
            number(&mut services, |service| &mut service.name);
            if let Some(pair) = &mut pair {
                number(&mut pair.routers, |router| &mut router.name);
                number(&mut pair.groups, |group| &mut group.name);
            }
            let (on_stop, max_removed, maintenance, log_file, on_edit) = limits;
            Cluster {
                pair,
                services,
                kernel,
                autoreload,
                on_stop,
                max_removed,
                maintenance,
                log_file,
                on_edit,
            }
        },
    )
}
