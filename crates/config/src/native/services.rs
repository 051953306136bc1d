//! `services` and `kernel`.

use ipvs::{Family, Forwarding, Scheduler, SchedulerFlags};
use ipvs::{Tunnel, TunnelChecksum};

use super::check::{checks, default_kind, standard};
use super::listen::{self, listen};
use super::load::load;
use super::notify::{notify, of_server};
use super::persistence::persistence;
use super::scalar::{self, Parsed, Problem};
use super::section::{Named, Reading, Section};
use super::tree::{Node, Span, Value};
use crate::model::{
    Host, Listen, Notify, OnFailure, OnStop, Quorum, RealServer, ServerNotify, SorryServer,
    VirtualServer,
};
use crate::places::Part;
use crate::{Percent, nearest};

/// All virtual servers of the file.
pub(super) fn services<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    top: &mut Section<'n>,
) -> Vec<VirtualServer> {
    let max_down = reading.percent(top, "max_down").unwrap_or(Percent::HALF);
    let at = top.span_of("services").unwrap_or(0..0);
    let Some(node) = reading.given(top, "services") else { return Vec::new() };
    let named = reading.named("services", node, &at);
    let service = |(index, named)| service(reading, index, named, max_down);
    let mut services: Vec<VirtualServer> = named.into_iter().enumerate().map(service).collect();
    listen::assign_marks(&mut services);
    services
}

fn service<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    index: usize,
    named: Named<'n>,
    max_down: Percent,
) -> VirtualServer {
    let Named { name, span, node } = named;
    reading.record(Part::Service(index), span.clone());
    let empty = || Node { span: span.clone(), value: Value::Map(Vec::new()) };
    let is_map = matches!(node.value, Value::Map(_));
    let section = reading.section("services.*", node, span.clone());
    let Some(mut section) =
        section.or_else(|| reading.section("services.*", empty(), span.clone()))
    else {
        return blank(name);
    };
    if !is_map {
        return blank(name);
    }
    let mut service = blank(name);
    service.max_down = reading.percent(&mut section, "max_down").unwrap_or(max_down);
    service.listen = listen(reading, &mut section, index);
    let key = |name| Part::ServiceKey(index, name);
    for name in
        ["scheduler", "scheduler_flags", "persistence", "one_packet", "forward", "hysteresis"]
    {
        if let Some(span) = section.span_of(name) {
            reading.record(key(name), span);
        }
    }
    service.scheduler = scheduler(reading, &mut section);
    service.scheduler_flags = scheduler_flags(reading, &mut section);
    let family = service.listen.family();
    service.persistence = persistence(reading, &mut section, family, index);
    service.quorum = quorum(reading, &mut section);
    service.one_packet = reading.boolean(&mut section, "one_packet");
    service.on_failure = reading.choice(&mut section, "on_failure", on_failure).unwrap_or_default();
    service.put_back = reading.boolean(&mut section, "put_back");
    service.slow_start = reading.duration(&mut section, "slow_start");
    let forward = reading.choice(&mut section, "forward", forwarding).unwrap_or_default();
    let tunnel = tunnel(reading, &mut section).unwrap_or_default();
    let kind = default_kind(&service.listen);
    service.check = standard(kind.clone());
    if let Some(node) = reading.given(&mut section, "check") {
        let at = section.span_of("check").unwrap_or_else(|| span.clone());
        reading.record(Part::Check(index), at.clone());
        (service.check, service.also) = checks(reading, node, at, &kind);
    }
    for node in reading.list(&mut section, "servers") {
        let place = Part::Server(index, service.servers.len());
        reading.record(place, node.span.clone());
        if let Some(server) = server(reading, node, forward, tunnel, &service, index) {
            service.servers.push(server);
        }
    }
    service.sorry = sorry(reading, &mut section, forward, index);
    service.load = load(reading, &mut section);
    service.notify = notify(reading, &mut section);
    service.on_stop = reading.choice(&mut section, "on_stop", OnStop::of);
    reading.finish(section);
    service
}

fn blank(name: String) -> VirtualServer {
    let listen = Listen::Addresses(Vec::new());
    VirtualServer {
        name,
        check: standard(default_kind(&listen)),
        listen,
        also: Vec::new(),
        quorum: Quorum::default(),
        scheduler: Scheduler::wlc(),
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        on_failure: OnFailure::default(),
        servers: Vec::new(),
        sorry: None,
        max_down: Percent::HALF,
        put_back: true,
        slow_start: None,
        load: None,
        notify: Notify::default(),
        on_stop: None,
    }
}

/// The prefix that holds one address.
pub(super) fn whole_prefix(family: Family) -> u8 {
    if family == Family::Inet { 32 } else { 128 }
}

fn scheduler<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Scheduler {
    let parse = |text: &str| {
        text.parse::<Scheduler>().map_err(|error| {
            let near = nearest(text, Scheduler::KNOWN);
            let help = near.map(|near| format!("did you mean {near}?"));
            Problem::new(format!("{text} is no scheduler"), help.unwrap_or(error.to_string()))
        })
    };
    let given = reading.parsed(section, "scheduler", parse);
    if let Some(given) = &given
        && !Scheduler::KNOWN.contains(&given.value.name())
    {
        let name = given.value.name();
        let help = match nearest(name, Scheduler::KNOWN) {
            Some(near) => format!("did you mean {near}?"),
            None => format!(
                "known: {}; the kernel loads the module ip_vs_{name}",
                Scheduler::KNOWN.join(", ")
            ),
        };
        let message = format!("{name} is no scheduler of current kernels");
        reading.warning(given.span.clone(), message, help);
    }
    given.map_or_else(Scheduler::wlc, |given| given.value)
}

fn scheduler_flags<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> SchedulerFlags {
    let mut flags = SchedulerFlags::default();
    for node in reading.list(section, "scheduler_flags") {
        let flag = reading.parse_node("scheduler_flags", &node, |text| {
            let bare = text.trim_start_matches("sh-").trim_start_matches("mh-");
            match bare {
                "fallback" | "flag-1" => Ok(0),
                "port" | "flag-2" => Ok(1),
                "third" | "flag-3" => Ok(2),
                _ => Err(Problem::new(
                    format!("{text} is not known"),
                    "write fallback, port or third",
                )),
            }
        });
        flags.fallback |= flag == Some(0);
        flags.port |= flag == Some(1);
        flags.third |= flag == Some(2);
    }
    flags
}

fn quorum<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Quorum {
    let Quorum { weight, hysteresis } = Quorum::default();
    Quorum {
        weight: reading.integer(section, "quorum").unwrap_or(weight),
        hysteresis: reading.integer(section, "hysteresis").unwrap_or(hysteresis),
    }
}

fn on_failure(word: &str) -> Option<OnFailure> {
    match word {
        "remove" => Some(OnFailure::Remove),
        "quiesce" => Some(OnFailure::Quiesce),
        _ => None,
    }
}

fn forwarding(word: &str) -> Option<Forwarding> {
    match word {
        "direct" => Some(Forwarding::Direct),
        "nat" => Some(Forwarding::Nat),
        "tunnel" => Some(Forwarding::Tunnel),
        _ => None,
    }
}

fn tunnel<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Option<Tunnel> {
    let at = section.span_of("tunnel")?;
    let node = reading.given(section, "tunnel")?;
    let node = match node.value {
        Value::Map(_) => node,
        _ => {
            let key = Node { span: node.span.clone(), value: Value::Text("type".into()) };
            Node { span: node.span.clone(), value: Value::Map(vec![(key, node)]) }
        }
    };
    let mut map = reading.section("services.*.tunnel", node, at.clone())?;
    let kind = reading.choice(&mut map, "type", |word| {
        ["ipip", "gue", "gre"].into_iter().find(|known| *known == word)
    });
    let kind = reading.require(&map, "type", kind);
    let port_at = map.span_of("port");
    let port: Option<u16> = reading.integer(&mut map, "port");
    let checksum_at = map.span_of("checksum");
    let checksum = reading.choice(&mut map, "checksum", |word| match word {
        "none" => Some(TunnelChecksum::None),
        "full" => Some(TunnelChecksum::Full),
        "remote" => Some(TunnelChecksum::Remote),
        _ => None,
    });
    reading.finish(map);
    let checksum = checksum.unwrap_or_default();
    let kind = kind?;
    if let Some(at) = port_at.filter(|_| kind != "gue") {
        reading.error(at, format!("{kind} has no port"), "remove the port, or use gue");
    }
    match (kind, port) {
        ("gue", Some(port)) => Some(Tunnel::Gue { port, checksum }),
        ("gue", None) => {
            reading.error(at, "gue needs a port", "write tunnel: { type: gue, port: 6080 }");
            None
        }
        ("gre", _) => {
            if checksum == TunnelChecksum::Remote {
                let at = checksum_at.unwrap_or(at);
                reading.error(at, "gre has no remote checksum", "write none or full, or use gue");
            }
            Some(Tunnel::Gre { checksum })
        }
        _ => {
            if let Some(at) = checksum_at {
                reading.error(at, "ipip has no checksum", "remove it, or use gue or gre");
            }
            Some(Tunnel::Ipip)
        }
    }
}

fn server<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
    forward: Forwarding,
    service_tunnel: Tunnel,
    service: &VirtualServer,
    service_index: usize,
) -> Option<RealServer> {
    let plain = |(host, port): (Host, Option<u16>)| RealServer {
        name: None,
        host,
        port,
        weight: 1,
        forwarding: forward,
        tunnel: service_tunnel,
        upper_threshold: 0,
        lower_threshold: 0,
        check: None,
        also: Vec::new(),
        notify: ServerNotify::default(),
    };
    if !matches!(node.value, Value::Map(_)) {
        return reading.parse_node("servers", &node, real_host).map(plain);
    }
    let at = node.span.clone();
    let mut section = reading.section("services.*.servers[]", node, at.clone())?;
    let address = reading.parsed(&mut section, "address", real_host);
    let mut server = reading.require(&section, "address", address).map(|given| {
        let place = Part::Server(service_index, service.servers.len());
        reading.record(place, given.span);
        plain(given.value)
    });
    let mut fallback = plain((Host::Name(String::new()), None));
    let filled = server.as_mut().unwrap_or(&mut fallback);
    filled.name = reading.text(&mut section, "name");
    filled.weight = reading.integer(&mut section, "weight").unwrap_or(1);
    filled.forwarding = reading.choice(&mut section, "forward", forwarding).unwrap_or(forward);
    filled.tunnel = tunnel(reading, &mut section).unwrap_or(service_tunnel);
    filled.upper_threshold = reading.integer(&mut section, "upper_threshold").unwrap_or(0);
    filled.lower_threshold = reading.integer(&mut section, "lower_threshold").unwrap_or(0);
    if let Some(node) = reading.given(&mut section, "check") {
        let at = section.span_of("check").unwrap_or(at);
        let place = Part::ServerCheck(service_index, service.servers.len());
        reading.record(place, at.clone());
        let (first, also) = checks(reading, node, at, &default_kind(&service.listen));
        (filled.check, filled.also) = (Some(first), also);
    }
    filled.notify = of_server(reading, &mut section);
    reading.finish(section);
    server
}

/// A real server's place: port 0 is not one.
fn real_host(text: &str) -> Parsed<(Host, Option<u16>)> {
    let (host, port) = scalar::host_and_port(text)?;
    if port == Some(0) {
        let help = "write a port from 1 to 65535, or leave it out for the virtual server's";
        return Err(Problem::new("0 is not a port of a real server", help));
    }
    Ok((host, port))
}

fn sorry<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    forward: Forwarding,
    index: usize,
) -> Option<SorryServer> {
    let at: Span = section.span_of("sorry")?;
    let node = reading.given(section, "sorry")?;
    reading.record(Part::Sorry(index), node.span.clone());
    if !matches!(node.value, Value::Map(_)) {
        let (host, port) = reading.parse_node("sorry", &node, real_host)?;
        return Some(SorryServer { host, port, forwarding: forward });
    }
    let mut map = reading.section("services.*.sorry", node, at)?;
    let address = reading.parsed(&mut map, "address", real_host);
    let address = reading.require(&map, "address", address);
    let forwarding = reading.choice(&mut map, "forward", forwarding).unwrap_or(forward);
    reading.finish(map);
    address.map(|given| SorryServer { host: given.value.0, port: given.value.1, forwarding })
}
