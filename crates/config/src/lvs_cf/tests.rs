use std::net::SocketAddr;
use std::time::Duration;

use ipvs::{Family, Protocol};

mod addresses;
mod checks;
mod marks;
mod needless;
mod words;

use super::*;
use crate::Severity;
use crate::model::{CheckKind, Expect, Failback, Host, KeySource, OnFailure, VirtualServer};

fn read(text: &str) -> (Option<Cluster>, Vec<String>) {
    read_bytes(text.as_bytes())
}

fn read_bytes(text: &[u8]) -> (Option<Cluster>, Vec<String>) {
    let mut out = Diagnostics::new();
    let source = Source::new("lvs.cf", text);
    let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let mut files = Files::new(&nothing);
    let cluster = parse(&source, &mut files, &mut out, &mut Places::default());
    let cluster = cluster.filter(|_| !out.has_errors());
    let problems = out.into_vec().into_iter().filter(|told| told.severity != Severity::Note);
    (cluster, problems.map(|told| told.one_line()).collect())
}

/// Reads a file that has to be clean.
fn clean(text: &str) -> Cluster {
    let (cluster, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    cluster.unwrap()
}

const PAIR: &str = "primary = 192.168.1.2\nbackup = 192.168.1.3\nbackup_active = 1\n";

fn file(globals: &[&str], web: &[&str]) -> String {
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    format!(
        "{PAIR}{}virtual web {{\nactive = 1\naddress = 192.168.1.1 eth0:1\n{}}}\n",
        lines(globals),
        lines(web)
    )
}

/// Reads a pair with one virtual server of these lines; it has to be clean.
fn web(lines: &[&str]) -> VirtualServer {
    clean(&file(&[], lines)).services.remove(0)
}

/// A pair with one virtual server of these lines, which has one warning.
fn warned(lines: &[&str], words: &str) -> VirtualServer {
    let (cluster, problems) = read(&file(&[], lines));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains("warning: ") && problems[0].contains(words), "{problems:#?}");
    cluster.unwrap().services.remove(0)
}

/// A pair with one virtual server of these lines, which has one error.
fn refused(globals: &[&str], lines: &[&str], words: &str) {
    let (cluster, problems) = read(&file(globals, lines));
    assert!(cluster.is_none(), "{globals:?} {lines:?}: {problems:?}");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains("error: ") && problems[0].contains(words), "{problems:#?}");
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn a_nat_pair_with_everything_that_the_web_tool_writes() {
    let cluster = clean(include_str!("../../../../etc/examples/lvs-nat.cf"));
    let pair = cluster.pair.unwrap();
    let names: Vec<_> = pair.routers.iter().map(|router| router.name.as_str()).collect();
    assert_eq!(names, ["primary", "backup"]);
    let paths =
        |index: usize| pair.routers[index].paths.iter().map(IpAddr::to_string).collect::<Vec<_>>();
    assert_eq!(paths(0), ["192.168.1.2", "10.11.12.2"]);
    assert_eq!(paths(1), ["192.168.1.3", "10.11.12.3"]);
    let heartbeat = &pair.heartbeat;
    assert_eq!((heartbeat.interval, heartbeat.dead_after), (seconds(6), seconds(18)));
    assert_eq!((heartbeat.port, heartbeat.keys.clone()), (539, KeySource::Default));
    let group = &pair.groups[0];
    assert_eq!((group.preferred.as_deref(), group.failback), (Some("primary"), Failback::Manual));
    let shown: Vec<_> = group
        .addresses
        .iter()
        .map(|a| (a.ip.to_string(), a.prefix_length, a.interface.clone(), a.label.clone()))
        .collect();
    let address = |ip: &str, interface: &str, label: &str| {
        (ip.to_string(), Some(24), Some(interface.to_string()), Some(label.to_string()))
    };
    assert_eq!(
        shown,
        [address("10.11.12.1", "eth1", "eth1:1"), address("192.168.1.1", "eth0", "eth0:1")]
    );
    let sync = cluster.kernel.sync.unwrap();
    assert_eq!((sync.interface.as_str(), sync.id), ("eth1", 12));
    assert_eq!(cluster.kernel.tcp_timeout, Some(seconds(900)));
    let service = &cluster.services[0];
    assert_eq!(
        service.persistence.as_ref().map(|p| (p.timeout_seconds, p.prefix_length)),
        Some((300, 32))
    );
    assert_eq!(service.sorry.as_ref().unwrap().forwarding, Forwarding::Nat);
    let servers: Vec<_> =
        service.servers.iter().map(|s| (s.name.clone(), s.port, s.weight)).collect();
    assert_eq!(
        servers,
        [(Some("web-a".to_string()), Some(8080), 100), (Some("web-b".to_string()), Some(8080), 50)]
    );
    let expect = Some(Expect::Prefix(b"HTTP".to_vec()));
    let send = Some(b"GET /.testpage HTTP/1.0\r\n\r\n".to_vec());
    assert_eq!(service.check.kind, CheckKind::SendExpect { udp: false, send, expect });
    assert_eq!((service.check.interval, service.check.timeout), (seconds(6), seconds(6)));
    assert_eq!(
        (service.check.fall, service.check.rise, service.check.reentry),
        (1, 1, seconds(15))
    );
}

#[test]
fn direct_routing_and_tunnels_are_for_all_servers() {
    let direct = clean(include_str!("../../../../etc/examples/lvs-direct.cf"));
    assert!(direct.services[0].servers.iter().all(|s| s.forwarding == Forwarding::Direct));
    let tunnel = clean(include_str!("../../../../etc/examples/lvs-tunnel.cf"));
    assert!(tunnel.services[0].servers.iter().all(|s| s.forwarding == Forwarding::Tunnel));
    let Listen::Addresses(endpoints) = &tunnel.services[0].listen else { panic!() };
    assert_eq!(endpoints[0].protocol, Protocol::Udp);
}

#[test]
fn what_is_not_written_is_as_the_daemons_have_it() {
    let cluster = clean(&file(&[], &["server a {", "address = 10.0.0.1", "active = 1", "}"]));
    let heartbeat = &cluster.pair.as_ref().unwrap().heartbeat;
    assert_eq!(
        (heartbeat.interval, heartbeat.dead_after, heartbeat.port),
        (seconds(2), seconds(5), 539)
    );
    assert_eq!(heartbeat.listen_first, seconds(5));
    let service = &cluster.services[0];
    let address: SocketAddr = "192.168.1.1:80".parse().unwrap();
    let Listen::Addresses(endpoints) = &service.listen else { panic!() };
    assert_eq!((endpoints[0].address, endpoints[0].protocol), (address, Protocol::Tcp));
    assert_eq!((service.scheduler.name(), service.on_failure), ("wlc", OnFailure::Remove));
    assert_eq!((service.check.interval, service.check.reentry), (seconds(10), seconds(180)));
    let server = &service.servers[0];
    assert_eq!((server.weight, server.port, server.forwarding), (1, None, Forwarding::Nat));
    // nanny takes port 80 for the web, and any other for open or not.
    assert!(
        matches!(&service.check.kind, CheckKind::SendExpect { expect: Some(Expect::Prefix(p)), .. } if p == b"HTTP")
    );
    assert_eq!(web(&["port = 25"]).check.kind, CheckKind::Connect);
    assert!(cluster.autoreload);
}

#[test]
fn one_router_alone_keeps_its_services_and_is_told_about_its_addresses() {
    let (cluster, problems) = read(
        "primary = 192.168.1.2\nbackup_active = 0\nvirtual web {\nactive = 1\naddress = 192.168.1.1 eth0:1\n}\n",
    );
    let cluster = cluster.unwrap();
    assert!(cluster.pair.is_none());
    assert_eq!(cluster.services.len(), 1);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with(
        "lvs.cf:2:17: warning: one router alone: no address is moved (give 192.168.1.1 to"
    ));
    let (cluster, problems) = read(&file(&["backup = 0.0.0.0"], &[]));
    assert!(cluster.unwrap().pair.is_none());
    assert!(
        problems.iter().any(|p| p.contains("the second router has no address")),
        "{problems:#?}"
    );
}

#[test]
fn what_is_not_active_is_left_out() {
    let cluster = clean(&format!(
        "{}virtual off {{\nactive = 0\naddress = 192.168.1.9 eth0:2\n}}\n",
        file(&[], &["server a {", "address = 10.0.0.1", "active = 0", "}"])
    ));
    assert_eq!((cluster.services.len(), cluster.services[0].servers.len()), (1, 0));
    assert_eq!(cluster.pair.unwrap().groups[0].addresses.len(), 1);
    let (_, problems) = read(&format!("{PAIR}virtual web {{\naddress = 192.168.1.1 eth0:1\n}}\n"));
    assert!(
        problems
            .iter()
            .any(|p| p.contains("warning: virtual server web is off (write `active = 1`"))
    );
}

#[test]
fn a_port_that_direct_routing_cannot_reach_is_a_warning() {
    let text = file(
        &["network = direct"],
        &["server a {", "address = 10.0.0.1", "active = 1", "port = 8080", "}"],
    );
    let (cluster, problems) = read(&text);
    assert_eq!(cluster.unwrap().services[0].servers[0].port, None);
    assert!(problems[0].contains("port 8080 is not the virtual server's port 80"));
    // The port of the block may stand behind the server.
    let late = ["server a {", "address = 10.0.0.1", "active = 1", "port = 81", "}", "port = 81"];
    assert_eq!(web(&late).servers[0].port, None);
}

#[test]
fn programs_at_role_changes_are_one_hook() {
    let commands = ["active_cmd = \"/bin/up now\"", "inactive_cmd = \"/bin/down\""];
    let hooks = clean(&file(&commands, &[])).pair.unwrap().groups.remove(0).hooks;
    assert_eq!(hooks.len(), 1);
    assert_eq!(hooks[0].order, crate::model::HookOrder::AfterAddresses);
    assert_eq!(
        (hooks[0].start.as_slice(), hooks[0].stop.as_slice()),
        (&["/bin/up".into(), "now".into()][..], &["/bin/down".into()][..])
    );
    refused(&["active_cmd = /bin/foo start"], &[], "`active_cmd` has one value");
}

#[test]
fn the_load_monitor_runs_as_nanny_ran_it() {
    let run = |service: VirtualServer| service.load.map(|load| load.run.join(" "));
    let heavy = ["server one {", "address = 1.1.1.4", "active = 1", "weight = 100", "}"];
    let load = |line: &str| run(web(&[&[line][..], &heavy].concat()));
    assert_eq!(load("load_monitor = none"), None);
    assert_eq!(load("load_monitor = rup"), Some("/usr/bin/rup %h".into()));
    assert_eq!(load("load_monitor = ruptime"), Some("/usr/bin/ruptime %h".into()));
    let own = load("load_monitor = \"/usr/local/bin/load -1\"");
    assert_eq!(own, Some("/usr/local/bin/load -1 %h".into()));
    let text = file(&["rsh_command = ssh"], &[&["load_monitor = uptime"][..], &heavy].concat());
    assert_eq!(run(clean(&text).services.remove(0)), Some("/usr/bin/ssh %h uptime".into()));
    let rsh = warned(&["load_monitor = uptime"], "rsh wants the rights of root");
    assert_eq!(run(rsh), Some("/usr/bin/rsh %h uptime".into()));
}

#[test]
fn what_is_not_carried_is_named() {
    let (_, problems) = read(&file(&["failover x {", "active = 1", "}", "monitor_links = 0"], &[]));
    let told = |words: &str| problems.iter().any(|problem| problem.contains(words));
    assert!(told("this failover service is not used"), "{problems:#?}");
    assert!(told("carriers are always watched here"), "{problems:#?}");
    clean(&file(
        &[
            "serial_no = 4",
            "heartbeat = 0",
            "debug_level = NONE",
            "hard_shutdown = 1",
            "rsh_command = ssh",
            "ipvsadm = /x",
            "sync = 0",
            "reservation_conflict_action = preempt",
        ],
        &[],
    ));
}

#[test]
fn the_pair_has_two_routers_with_addresses_of_their_own() {
    refused(
        &["backup = 192.168.1.2"].map(|_| "keepalive = 5"),
        &[],
        "a router is dead after 5 s, but speaks only each 5 s",
    );
    let (_, problems) = read(&file(&[], &[]).replace("192.168.1.3", "192.168.1.2"));
    assert!(problems[0].contains("both routers have the same address"));
    let (_, problems) = read(&file(&[], &[]).replace("primary = 192.168.1.2\n", ""));
    assert!(problems[0].contains("the first router's address is missing"));
    let (_, problems) = read(&file(&["primary_private = 10.0.0.2"], &[]));
    assert!(problems[0].contains("`primary_private` is not used without `backup_private`"));
}

#[test]
fn names_that_are_there_twice_are_told_apart() {
    let second = "virtual web {\nactive = 1\naddress = 192.168.1.1 eth0:1\nport = 443\n}\n";
    let (cluster, problems) = read(&format!("{}{second}", file(&[], &[])));
    let names: Vec<_> = cluster.unwrap().services.into_iter().map(|service| service.name).collect();
    assert_eq!(names, ["web", "web-2"]);
    assert!(problems[0].contains("another virtual server is called web, too"));
    let quoted = clean(&file(&[], &[]).replace("web {", "\"my web\" {"));
    assert_eq!(quoted.services[0].name, "my web");
}

#[test]
fn a_file_without_virtual_servers_is_read_and_named() {
    let (cluster, problems) = read(PAIR);
    assert!(cluster.is_none());
    assert!(problems[0].contains("error: no virtual server is on"));
    let (_, problems) = read("primary = 1.2.3.4\n");
    assert_eq!(problems.len(), 1, "{problems:#?}");
}
