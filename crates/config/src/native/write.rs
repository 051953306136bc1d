//! From the model to the native format: only what differs from the defaults, in one order.

mod check;
mod fence;
mod kernel;
mod login;
mod notify;

use std::net::SocketAddr;

use ipvs::{Forwarding, Persistence, SchedulerFlags, Tunnel, TunnelChecksum};

use super::check::{default_kind, standard};
use super::key::{Default, children};
use super::listen::chosen;
use super::pair::{DEAD_AFTER_INTERVALS, LISTEN_FIRST_DEAD_AFTERS, base_name};
use super::scalar::render_duration;
use super::services::whole_prefix;
use super::yaml::Yaml;
use crate::model::{
    Failback, FloatingAddress, Group, Heartbeat, Hook, HookOrder, Host, KeySource, Listen,
    LoadMonitor, OnFailure, OnStop, Pair, RealServer, SharedPath, SorryServer, VirtualServer,
};
use crate::passwords::name_files;
use crate::{Cluster, Percent};
use check::checks;
use kernel::kernel;

/// The text of a native file that is read as this model. The order of heartbeat paths is unicast,
/// broadcast, multicast, whatever it was. A password that has no file of its own stands for the
/// one that [`name_files`] gives it.
pub fn write(cluster: &Cluster) -> String {
    let mut cluster = cluster.clone();
    name_files(&mut cluster);
    let mut top = Map::new("");
    if let Some(pair) = &cluster.pair {
        self::pair(pair, &mut top);
    }
    // What the first virtual server has is written once for all.
    let max_down = cluster.services.first().map_or(Percent::HALF, |first| first.max_down);
    top.put_unless_default("max_down", max_down.to_string());
    let services = cluster.services.iter();
    let services: Vec<_> = services.map(|s| (s.name.clone(), service(s, max_down))).collect();
    if !services.is_empty() {
        top.put("services", Yaml::Block(services));
    }
    top.put_some("kernel", kernel(&cluster.kernel));
    top.put_unless_default("max_removed", cluster.max_removed.to_string());
    top.put_text_if("maintenance", cluster.maintenance.as_ref());
    top.put_text_if("log_file", cluster.log_file.as_ref());
    top.put_list("on_edit", texts(&cluster.on_edit));
    top.put_boolean("autoreload", cluster.autoreload);
    top.put_unless_default("on_stop", cluster.on_stop.as_str().into());
    Yaml::Block(top.entries).print()
}

/// `192.168.1.4:80`, `[2001:db8::4]:80`, `web4.example.com:80`; without port if there is none.
pub(crate) fn host_and_port(host: &Host, port: Option<u16>) -> String {
    match (host, port) {
        (Host::Address(ip), Some(port)) => SocketAddr::new(*ip, port).to_string(),
        (Host::Address(ip), None) => ip.to_string(),
        (Host::Name(name), Some(port)) => format!("{name}:{port}"),
        (Host::Name(name), None) => name.clone(),
    }
}

/// The entries of a map, in the order in which they are put.
struct Map {
    path: &'static str,
    entries: Vec<(String, Yaml)>,
}

impl Map {
    fn new(path: &'static str) -> Self {
        Self { path, entries: Vec::new() }
    }

    fn put(&mut self, name: &str, value: Yaml) {
        self.entries.push((name.to_owned(), value));
    }

    fn put_text(&mut self, name: &str, text: impl Into<String>) {
        self.put(name, Yaml::scalar(text));
    }

    fn put_some(&mut self, name: &str, value: Option<Yaml>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_text_if(&mut self, name: &str, text: Option<impl ToString>) {
        self.put_some(name, text.map(|text| Yaml::Scalar(text.to_string())));
    }

    /// Puts a value unless the table of keys has it as the default.
    fn put_unless_default(&mut self, name: &str, text: String) {
        if !self.is_default(name, &text) {
            self.put_text(name, text);
        }
    }

    fn put_boolean(&mut self, name: &str, value: bool) {
        if !self.is_default(name, &value.to_string()) {
            self.put(name, Yaml::Boolean(value));
        }
    }

    fn is_default(&self, name: &str, text: &str) -> bool {
        let key = children(self.path).iter().find(|key| key.name() == name);
        matches!(key.map(|key| key.default), Some(Default::Value(value)) if value == text)
    }

    fn put_list(&mut self, name: &str, members: Vec<Yaml>) {
        if !members.is_empty() {
            self.put(name, Yaml::List(members));
        }
    }

    fn done(self) -> Yaml {
        Yaml::Map(self.entries)
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<Yaml> {
    items.iter().map(|item| Yaml::Scalar(item.to_string())).collect()
}

fn pair(pair: &Pair, top: &mut Map) {
    let fence = pair.fence.as_ref();
    let routers = pair.routers.iter().enumerate().map(|(index, router)| {
        let mut map = Map::new("routers.*");
        map.put_list("paths", texts(&router.paths));
        map.put_list("fence", texts(fence::own(fence, index)));
        (router.name.clone(), map.done())
    });
    top.put("routers", Yaml::Block(routers.collect()));
    let heartbeat = heartbeat(&pair.heartbeat);
    if !heartbeat.is_empty() {
        top.put("heartbeat", Yaml::Map(heartbeat));
    }
    top.put_some("fence", fence.and_then(fence::fence));
    let groups = pair.groups.iter().map(|group| (group.name.clone(), self::group(group)));
    top.put("groups", Yaml::Block(groups.collect()));
}

fn heartbeat(heartbeat: &Heartbeat) -> Vec<(String, Yaml)> {
    let mut map = Map::new("heartbeat");
    map.put_unless_default("interval", render_duration(heartbeat.interval));
    if heartbeat.dead_after != heartbeat.interval * DEAD_AFTER_INTERVALS {
        map.put_text("dead_after", render_duration(heartbeat.dead_after));
    }
    map.put_text_if("warn_after", heartbeat.warn_after.map(render_duration));
    if heartbeat.listen_first != heartbeat.dead_after * LISTEN_FIRST_DEAD_AFTERS {
        map.put_text("listen_first", render_duration(heartbeat.listen_first));
    }
    map.put_unless_default("port", heartbeat.port.to_string());
    match &heartbeat.keys {
        KeySource::File(file) => map.put_text("key_file", file),
        KeySource::Authkeys(file) => map.put_text("authkeys", file),
        KeySource::Default => {}
    }
    map.put_list("witness", texts(&heartbeat.witness));
    map.put_boolean("yield_on_fewer_witnesses", heartbeat.yield_on_fewer_witnesses);
    let (mut unicast, mut broadcast, mut multicast) = (Vec::new(), Vec::new(), Vec::new());
    for path in &heartbeat.shared_paths {
        match path {
            SharedPath::Unicast { interface, peers } => {
                let mut map = Map::new("heartbeat.unicast[]");
                map.put_text("interface", interface);
                map.put_list("peers", texts(peers));
                unicast.push(map.done());
            }
            SharedPath::Broadcast { interface } => broadcast.push(Yaml::scalar(interface)),
            SharedPath::Multicast { interface, group, port, ttl } => {
                let mut map = Map::new("heartbeat.multicast[]");
                map.put_text("interface", interface);
                map.put_text("group", group.to_string());
                if *port != heartbeat.port {
                    map.put_text("port", port.to_string());
                }
                map.put_unless_default("ttl", ttl.to_string());
                multicast.push(map.done());
            }
        }
    }
    map.put_list("unicast", unicast);
    map.put_list("broadcast", broadcast);
    map.put_list("multicast", multicast);
    map.entries
}

fn group(group: &Group) -> Yaml {
    let mut map = Map::new("groups.*");
    map.put_text_if("preferred", group.preferred.as_ref());
    if let Failback::Automatic { delay } = group.failback {
        map.put_text("failback", "automatic");
        map.put_unless_default("failback_delay", render_duration(delay));
    }
    map.put_list("addresses", group.addresses.iter().map(floating_address).collect());
    map.put_list("hooks", group.hooks.iter().map(hook).collect());
    Yaml::Block(map.entries)
}

fn floating_address(address: &FloatingAddress) -> Yaml {
    let ip = match address.prefix_length {
        Some(length) => format!("{}/{length}", address.ip),
        None => address.ip.to_string(),
    };
    if address.interface.is_none() && address.label.is_none() && address.broadcast.is_none() {
        return Yaml::Scalar(ip);
    }
    let mut map = Map::new("groups.*.addresses[]");
    map.put_text("ip", ip);
    map.put_text_if("interface", address.interface.as_ref());
    map.put_text_if("label", address.label.as_ref());
    map.put_text_if("broadcast", address.broadcast);
    map.done()
}

fn hook(hook: &Hook) -> Yaml {
    let mut map = Map::new("groups.*.hooks[]");
    let program = hook.start.first().or_else(|| hook.stop.first());
    if program.is_none_or(|program| base_name(program) != hook.name) {
        map.put_text("name", &hook.name);
    }
    map.put_list("start", texts(&hook.start));
    map.put_list("stop", texts(&hook.stop));
    map.put_list("status", texts(&hook.status));
    map.put_unless_default("timeout", render_duration(hook.timeout));
    let order = match hook.order {
        HookOrder::BeforeAddresses => "before_addresses",
        HookOrder::AfterAddresses => "after_addresses",
    };
    map.put_unless_default("order", order.into());
    map.done()
}

fn service(service: &VirtualServer, max_down: Percent) -> Yaml {
    let mut map = Map::new("services.*");
    listen(&service.listen, &service.name, &mut map);
    map.put_unless_default("scheduler", service.scheduler.to_string());
    map.put_list("scheduler_flags", scheduler_flags(service.scheduler_flags));
    // What the first real server has is written once for all.
    let first = service.servers.first();
    let forward = first.map(|server| server.forwarding);
    let forward = forward.or_else(|| service.sorry.as_ref().map(|sorry| sorry.forwarding));
    let forward = forward.unwrap_or_default();
    let tunnel = first.map(|server| server.tunnel).unwrap_or_default();
    map.put_unless_default("forward", forwarding(forward).into());
    if tunnel != Tunnel::default() {
        map.put("tunnel", self::tunnel(tunnel));
    }
    if let Some(persistence) = &service.persistence {
        map.put("persistence", self::persistence(persistence, &service.listen));
    }
    map.put_boolean("one_packet", service.one_packet);
    if service.check != standard(default_kind(&service.listen)) || !service.also.is_empty() {
        map.put("check", checks(&service.check, &service.also, &service.listen));
    }
    let on_failure = match service.on_failure {
        OnFailure::Remove => "remove",
        OnFailure::Quiesce => "quiesce",
    };
    map.put_unless_default("on_failure", on_failure.into());
    map.put_boolean("put_back", service.put_back);
    map.put_text_if("slow_start", service.slow_start.map(render_duration));
    if service.max_down != max_down {
        map.put_text("max_down", service.max_down.to_string());
    }
    map.put_unless_default("quorum", service.quorum.weight.to_string());
    map.put_unless_default("hysteresis", service.quorum.hysteresis.to_string());
    map.put_some("load", service.load.as_ref().map(load));
    map.put_some("notify", notify::notify(&service.notify));
    let servers = service.servers.iter();
    let servers: Vec<_> = servers.map(|s| server(s, forward, tunnel, &service.listen)).collect();
    if !servers.is_empty() {
        map.put("servers", Yaml::Lines(servers));
    }
    map.put_some("sorry", service.sorry.as_ref().map(|server| sorry(server, forward)));
    map.put_text_if("on_stop", service.on_stop.map(OnStop::as_str));
    Yaml::Block(map.entries)
}

fn load(load: &LoadMonitor) -> Yaml {
    let mut map = Map::new("services.*.load");
    map.put_list("run", texts(&load.run));
    map.put_unless_default("interval", render_duration(load.interval));
    map.put_unless_default("timeout", render_duration(load.timeout));
    map.done()
}

fn listen(listen: &Listen, name: &str, map: &mut Map) {
    match listen {
        Listen::Addresses(endpoints) => {
            let text = |e: &crate::model::Endpoint| format!("{}/{}", e.address, e.protocol);
            let texts: Vec<Yaml> = endpoints.iter().map(|e| Yaml::Scalar(text(e))).collect();
            match <[Yaml; 1]>::try_from(texts) {
                Ok([only]) => map.put("listen", only),
                Err(several) => map.put_list("listen", several),
            }
        }
        Listen::Mark { mark, family, marked } => {
            map.put_list(
                "listen",
                marked.iter().map(|ports| Yaml::Scalar(ports.to_string())).collect(),
            );
            let auto = *mark == chosen(name) && !marked.is_empty();
            map.put_text("mark", if auto { "auto".to_owned() } else { mark.to_string() });
            if *family == ipvs::Family::Inet6 && marked.is_empty() {
                map.put_text("family", "inet6");
            }
        }
    }
}

fn scheduler_flags(flags: SchedulerFlags) -> Vec<Yaml> {
    let named = [(flags.fallback, "fallback"), (flags.port, "port"), (flags.third, "third")];
    named.into_iter().filter(|(set, _)| *set).map(|(_, name)| Yaml::scalar(name)).collect()
}

fn forwarding(forwarding: Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Direct => "direct",
        Forwarding::Nat => "nat",
        Forwarding::Tunnel => "tunnel",
    }
}

fn tunnel(tunnel: Tunnel) -> Yaml {
    let checksum_name = |checksum| match checksum {
        TunnelChecksum::None => "none",
        TunnelChecksum::Full => "full",
        TunnelChecksum::Remote => "remote",
    };
    let mut map = Map::new("services.*.tunnel");
    let checksum = match tunnel {
        Tunnel::Ipip => return Yaml::scalar("ipip"),
        Tunnel::Gre { checksum: TunnelChecksum::None } => return Yaml::scalar("gre"),
        Tunnel::Gre { checksum } => {
            map.put_text("type", "gre");
            checksum
        }
        Tunnel::Gue { port, checksum } => {
            map.put_text("type", "gue");
            map.put_text("port", port.to_string());
            checksum
        }
    };
    map.put_unless_default("checksum", checksum_name(checksum).into());
    map.done()
}

fn persistence(persistence: &Persistence, listen: &Listen) -> Yaml {
    let seconds = u64::from(persistence.timeout_seconds);
    let timeout = render_duration(std::time::Duration::from_secs(seconds));
    let whole = whole_prefix(listen.family());
    if persistence.prefix_length == whole && persistence.engine.is_none() {
        return Yaml::Scalar(timeout);
    }
    let mut map = Map::new("services.*.persistence");
    map.put_text("timeout", timeout);
    if persistence.prefix_length != whole {
        map.put_text("prefix", persistence.prefix_length.to_string());
    }
    map.put_text_if("engine", persistence.engine.as_ref());
    map.done()
}

fn server(server: &RealServer, forward: Forwarding, tunnel: Tunnel, listen: &Listen) -> Yaml {
    let mut map = Map::new("services.*.servers[]");
    let address = Yaml::Scalar(host_and_port(&server.host, server.port));
    map.put("address", address.clone());
    map.put_text_if("name", server.name.as_ref());
    map.put_unless_default("weight", server.weight.to_string());
    if server.forwarding != forward {
        map.put_text("forward", forwarding(server.forwarding));
    }
    if server.tunnel != tunnel {
        map.put("tunnel", self::tunnel(server.tunnel));
    }
    map.put_unless_default("upper_threshold", server.upper_threshold.to_string());
    map.put_unless_default("lower_threshold", server.lower_threshold.to_string());
    map.put_some("check", server.check.as_ref().map(|own| checks(own, &server.also, listen)));
    map.put_some("notify", notify::of_server(&server.notify));
    if map.entries.len() == 1 { address } else { map.done() }
}

fn sorry(sorry: &SorryServer, forward: Forwarding) -> Yaml {
    let address = host_and_port(&sorry.host, sorry.port);
    if sorry.forwarding == forward {
        return Yaml::Scalar(address);
    }
    let mut map = Map::new("services.*.sorry");
    map.put_text("address", address);
    map.put_text("forward", forwarding(sorry.forwarding));
    map.done()
}
