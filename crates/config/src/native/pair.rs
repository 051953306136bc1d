//! `routers`, `heartbeat` and `groups`.

use std::net::IpAddr;
use std::time::Duration;

use super::fence::fence;
use super::scalar::{self, Problem};
use super::section::{Named, Reading, Section, not_empty};
use super::tree::{Node, Span, Value};
use crate::model::{
    Failback, FloatingAddress, Group, Heartbeat, Hook, HookOrder, KeySource, Pair, Router,
    SharedPath,
};
use crate::places::Part;

/// `dead_after` without a value of its own, in intervals.
pub(super) const DEAD_AFTER_INTERVALS: u32 = 3;
/// `listen_first` without a value of its own, in units of `dead_after`.
pub(super) const LISTEN_FIRST_DEAD_AFTERS: u32 = 2;

/// The pair, when the file has one.
pub(super) fn pair<'n, 'a: 'n>(reading: &mut Reading<'a>, top: &mut Section<'n>) -> Option<Pair> {
    let routers_at = top.span_of("routers");
    let groups_at = top.span_of("groups");
    let heartbeat_at = top.span_of("heartbeat");
    let named = routers_at.clone().and_then(|at| routers(reading, top, at));
    let fence_at = top.span_of("fence");
    let (routers, own) = named.unzip();
    let heartbeat = heartbeat(reading, top, heartbeat_at.clone());
    let fence = fence(reading, top, routers.as_ref(), own.unwrap_or_default());
    let groups = groups(reading, top, groups_at.clone());
    let Some(at) = routers_at else {
        let lonely = heartbeat_at.map(|at| ("heartbeat", at));
        let lonely = lonely.into_iter().chain(groups_at.map(|at| ("groups", at)));
        for (name, at) in lonely.chain(fence_at.map(|at| ("fence", at))) {
            let help = "name the two routers under `routers`; a single director (lvsd alone) has neither heartbeat, groups nor fence";
            reading.error(at, format!("{name} without routers"), help);
        }
        return None;
    };
    if groups_at.is_none() {
        let help = "add `groups` with the addresses that move between the routers";
        reading.error(at, "routers are given, but no groups", help);
    }
    Some(Pair { routers: routers?, heartbeat, groups, fence })
}

fn routers<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    top: &mut Section<'n>,
    at: Span,
) -> Option<([Router; 2], [Vec<String>; 2])> {
    let node = reading.given(top, "routers")?;
    let named = reading.named("routers", node, &at);
    let count = named.len();
    let (mut routers, mut fences) = (Vec::new(), Vec::new());
    for (index, Named { name, span, node }) in named.into_iter().enumerate() {
        reading.record(Part::Router(index), span.clone());
        let (mut paths, mut fence) = (Vec::new(), Vec::new());
        // `master:` alone is a router without unicast paths.
        if !matches!(node.value, Value::Null)
            && let Some(mut section) = reading.section("routers.*", node, span)
        {
            for node in reading.list(&mut section, "paths") {
                if let Some(ip) = reading.parse_node("paths", &node, scalar::address) {
                    reading.record(Part::Path(index, paths.len()), node.span.clone());
                    paths.push(ip);
                }
            }
            fence = argv(reading, &mut section, "fence");
            reading.finish(section);
        }
        routers.push(Router { name, paths });
        fences.push(fence);
    }
    match (<[Router; 2]>::try_from(routers), <[Vec<String>; 2]>::try_from(fences)) {
        (Ok(pair), Ok(fences)) => Some((pair, fences)),
        _ => {
            let help = "name exactly two, each as `uname -n` prints it; leave routers out for a single director";
            reading.error(at, format!("a pair has two routers, not {count}"), help);
            None
        }
    }
}

fn heartbeat<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    top: &mut Section<'n>,
    at: Option<Span>,
) -> Heartbeat {
    let at = at.unwrap_or(0..0);
    let empty = || Node { span: at.clone(), value: Value::Map(Vec::new()) };
    let node = reading.given(top, "heartbeat").unwrap_or_else(empty);
    let section = reading.section("heartbeat", node, at.clone());
    // A section that is no map was reported; an empty one gives the defaults.
    let Some(mut section) = section.or_else(|| reading.section("heartbeat", empty(), at.clone()))
    else {
        return defaults(Duration::ZERO);
    };
    let keys = [
        "interval",
        "dead_after",
        "warn_after",
        "listen_first",
        "port",
        "witness",
        "yield_on_fewer_witnesses",
        "multicast",
    ];
    for key in keys {
        if let Some(span) = section.span_of(key) {
            reading.record(Part::Heartbeat(key), span);
        }
    }
    let interval = reading.duration(&mut section, "interval").unwrap_or_default();
    let mut heartbeat = defaults(interval);
    if let Some(dead_after) = reading.duration(&mut section, "dead_after") {
        heartbeat.dead_after = dead_after;
        heartbeat.listen_first = dead_after * LISTEN_FIRST_DEAD_AFTERS;
    }
    heartbeat.warn_after = reading.duration(&mut section, "warn_after");
    if let Some(listen_first) = reading.duration(&mut section, "listen_first") {
        heartbeat.listen_first = listen_first;
    }
    heartbeat.port = reading.integer(&mut section, "port").unwrap_or(heartbeat.port);
    heartbeat.keys = key_source(reading, &mut section);
    heartbeat.witness = addresses(reading, &mut section, "witness");
    heartbeat.yield_on_fewer_witnesses = reading.boolean(&mut section, "yield_on_fewer_witnesses");
    heartbeat.shared_paths = shared_paths(reading, &mut section, heartbeat.port);
    reading.finish(section);
    heartbeat
}

fn defaults(interval: Duration) -> Heartbeat {
    let dead_after = interval * DEAD_AFTER_INTERVALS;
    Heartbeat {
        interval,
        dead_after,
        warn_after: None,
        listen_first: dead_after * LISTEN_FIRST_DEAD_AFTERS,
        port: 0,
        shared_paths: Vec::new(),
        keys: KeySource::Default,
        witness: Vec::new(),
        yield_on_fewer_witnesses: false,
    }
}

fn key_source<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> KeySource {
    let authkeys_at = section.span_of("authkeys");
    let key_file = reading.text(section, "key_file");
    let authkeys = reading.text(section, "authkeys");
    match (key_file, authkeys) {
        (Some(_), Some(file)) => {
            let help = "keep key_file, and remove authkeys";
            reading.error(authkeys_at.unwrap_or(0..0), "key_file is given too", help);
            KeySource::Authkeys(file)
        }
        (Some(file), None) => KeySource::File(file),
        (None, Some(file)) => KeySource::Authkeys(file),
        (None, None) => KeySource::Default,
    }
}

fn addresses<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    name: &str,
) -> Vec<IpAddr> {
    let nodes = reading.list(section, name);
    nodes.iter().filter_map(|node| reading.parse_node(name, node, scalar::address)).collect()
}

fn shared_paths<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    heartbeat_port: u16,
) -> Vec<SharedPath> {
    let mut paths = Vec::new();
    for node in reading.list(section, "unicast") {
        paths.extend(unicast_path(reading, node));
    }
    for node in reading.list(section, "broadcast") {
        if let Some(interface) = reading.parse_node("broadcast", &node, interface) {
            paths.push(SharedPath::Broadcast { interface });
        }
    }
    for node in reading.list(section, "multicast") {
        let span = node.span.clone();
        let Some(mut path) = reading.section("heartbeat.multicast[]", node, span) else { continue };
        let interface = interface_key(reading, &mut path);
        let interface = reading.require(&path, "interface", interface);
        let group = reading.address(&mut path, "group");
        let group = reading.require(&path, "group", group);
        let port = reading.integer(&mut path, "port").unwrap_or(heartbeat_port);
        let ttl = reading.integer(&mut path, "ttl").unwrap_or(1);
        reading.finish(path);
        if let (Some(interface), Some(group)) = (interface, group) {
            paths.push(SharedPath::Multicast { interface, group, port, ttl });
        }
    }
    paths
}

fn unicast_path<'n, 'a: 'n>(reading: &mut Reading<'a>, node: Node<'n>) -> Option<SharedPath> {
    let span = node.span.clone();
    let mut path = reading.section("heartbeat.unicast[]", node, span)?;
    let interface = interface_key(reading, &mut path);
    let interface = reading.require(&path, "interface", interface);
    let peers = addresses(reading, &mut path, "peers");
    let peers = (!peers.is_empty()).then_some(peers);
    let peers = reading.require(&path, "peers", peers);
    reading.finish(path);
    Some(SharedPath::Unicast { interface: interface?, peers: peers? })
}

/// An interface name: `IFNAMSIZ` is 16 with the closing NUL; no blank, `/` or `:`.
pub(super) fn interface(text: &str) -> scalar::Parsed<String> {
    let wrong = |c: char| c.is_whitespace() || c == '/' || c == ':';
    if text.is_empty() || text.len() > 15 || text.contains(wrong) {
        let help = match text.split_once(':') {
            Some((device, _)) => format!("write {device}; an alias is the address's label"),
            None => "write a name as `ip link` shows it, such as eth0".into(),
        };
        return Err(Problem::new(format!("{text} is not an interface name"), help));
    }
    Ok(text.to_owned())
}

pub(super) fn interface_key<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> Option<String> {
    reading.parsed(section, "interface", interface).map(|given| given.value)
}

fn groups<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    top: &mut Section<'n>,
    at: Option<Span>,
) -> Vec<Group> {
    let Some(node) = reading.given(top, "groups") else { return Vec::new() };
    let named = reading.named("groups", node, &at.unwrap_or(0..0));
    named.into_iter().enumerate().map(|(index, named)| group(reading, index, named)).collect()
}

fn group<'n, 'a: 'n>(reading: &mut Reading<'a>, index: usize, named: Named<'n>) -> Group {
    let Named { name, span, node } = named;
    reading.record(Part::Group(index), span.clone());
    let mut group = Group {
        name,
        preferred: None,
        failback: Failback::Manual,
        addresses: Vec::new(),
        hooks: Vec::new(),
    };
    let Some(mut section) = reading.section("groups.*", node, span) else { return group };
    if let Some(preferred) = reading.parsed(&mut section, "preferred", not_empty) {
        reading.record(Part::Preferred(index), preferred.span);
        group.preferred = Some(preferred.value);
    }
    group.failback = failback(reading, &mut section);
    for node in reading.list(&mut section, "addresses") {
        let span = node.span.clone();
        if let Some(address) = floating_address(reading, node) {
            reading.record(Part::Address(index, group.addresses.len()), span);
            group.addresses.push(address);
        }
    }
    for node in reading.list(&mut section, "hooks") {
        let span = node.span.clone();
        if let Some(hook) = hook(reading, node) {
            reading.record(Part::Hook(index, group.hooks.len()), span);
            group.hooks.push(hook);
        }
    }
    reading.finish(section);
    group
}

fn failback<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Failback {
    let delay_at = section.span_of("failback_delay");
    let automatic = reading.choice(section, "failback", |word| match word {
        "manual" => Some(false),
        "automatic" => Some(true),
        _ => None,
    });
    let delay = reading.duration(section, "failback_delay").unwrap_or_default();
    match (automatic, delay_at) {
        (Some(true), _) => Failback::Automatic { delay },
        (_, Some(at)) => {
            let help = "add `failback: automatic`, or remove the delay";
            reading.error(at, "failback_delay is given, but failback is manual", help);
            Failback::Manual
        }
        _ => Failback::Manual,
    }
}

fn floating_address<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
) -> Option<FloatingAddress> {
    let plain = |(ip, prefix_length)| FloatingAddress {
        ip,
        prefix_length,
        interface: None,
        label: None,
        broadcast: None,
    };
    if !matches!(node.value, Value::Map(_)) {
        return reading.parse_node("addresses", &node, scalar::address_with_prefix).map(plain);
    }
    let span = node.span.clone();
    let mut section = reading.section("groups.*.addresses[]", node, span)?;
    let ip = reading.parsed(&mut section, "ip", scalar::address_with_prefix);
    let ip = reading.require(&section, "ip", ip).map(|given| plain(given.value));
    let interface = interface_key(reading, &mut section);
    let label = reading.text(&mut section, "label");
    let broadcast = reading.parsed(&mut section, "broadcast", |text| {
        text.parse().map_err(|_| {
            let help = "write an IPv4 address as 192.168.1.255; IPv6 has no broadcast";
            Problem::new(format!("{text} is not an IPv4 address"), help)
        })
    });
    reading.finish(section);
    ip.map(|ip| FloatingAddress {
        interface,
        label,
        broadcast: broadcast.map(|given| given.value),
        ..ip
    })
}

fn hook<'n, 'a: 'n>(reading: &mut Reading<'a>, node: Node<'n>) -> Option<Hook> {
    let span = node.span.clone();
    let mut section = reading.section("groups.*.hooks[]", node, span.clone())?;
    let name = reading.text(&mut section, "name");
    let given = section.has("start") || section.has("stop");
    let start = argv(reading, &mut section, "start");
    let stop = argv(reading, &mut section, "stop");
    let status = argv(reading, &mut section, "status");
    let timeout = reading.duration(&mut section, "timeout").unwrap_or_default();
    let order = reading.choice(&mut section, "order", |word| match word {
        "before_addresses" => Some(HookOrder::BeforeAddresses),
        "after_addresses" => Some(HookOrder::AfterAddresses),
        _ => None,
    });
    reading.finish(section);
    let Some(program) = start.first().or_else(|| stop.first()) else {
        if !given {
            let help = "add `start: [/path/to/program, argument]`, `stop`, or both";
            reading.error(span, "the hook runs nothing", help);
        }
        return None;
    };
    let name = name.unwrap_or_else(|| base_name(program));
    let order = order.unwrap_or(HookOrder::AfterAddresses);
    Some(Hook { name, start, stop, status, timeout, order })
}

/// A program and its arguments; the program by its full path, because no `PATH` is searched.
pub(super) fn argv<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    name: &str,
) -> Vec<String> {
    let nodes = reading.list(section, name);
    arguments(reading, name, nodes)
}

pub(super) fn arguments<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    name: &str,
    nodes: Vec<Node<'n>>,
) -> Vec<String> {
    let mut argv = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let argument = reading.parse_node(name, node, |text| match text {
            program if index == 0 && !program.starts_with('/') => Err(Problem::new(
                format!("{program} is not the full path of a program"),
                "write [/full/path, argument, argument]: no shell and no PATH is used",
            )),
            program if index == 0 && program.contains(' ') => Err(Problem::new(
                format!("no program is called {program}"),
                "write each argument as its own member: [/full/path, argument]",
            )),
            text => Ok(text.to_owned()),
        });
        argv.extend(argument);
    }
    argv
}

/// The last part of a program's path.
pub(super) fn base_name(program: &str) -> String {
    program.rsplit('/').next().unwrap_or(program).to_owned()
}
