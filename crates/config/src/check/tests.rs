//! Rules that the native format cannot break, because its keys have ranges; the others are shown
//! by the broken files beside the crate.

use std::time::Duration;

use super::*;
use crate::load;
use crate::model::{Group, Hook, HookOrder, Host, VirtualServer};
use crate::{Diagnostic, Loaded};

fn sound() -> Cluster {
    let text = "routers: { a: { paths: [10.0.0.2] }, b: { paths: [10.0.0.3] } }\n\
                groups: { g: { addresses: [10.0.0.1] } }\n\
                services: { s: { listen: \"10.0.0.1:80\", servers: [10.0.0.4, 10.0.0.5] } }\n";
    let loaded: Loaded =
        load(std::path::Path::new("x.yaml"), false, &|_| Ok(text.as_bytes().to_vec()));
    assert_eq!(loaded.diagnostics, []);
    loaded.cluster.unwrap()
}

fn told(cluster: &Cluster, format: Format) -> Vec<Diagnostic> {
    let mut out = Diagnostics::new();
    check(cluster, format, &Places::default(), &mut out);
    out.into_vec()
}

/// What is told after `change`, as `error: message`.
fn after(format: Format, change: impl FnOnce(&mut Cluster)) -> Vec<String> {
    let mut cluster = sound();
    change(&mut cluster);
    told(&cluster, format).iter().map(|d| format!("{}: {}", d.severity, d.message)).collect()
}

fn service(cluster: &mut Cluster) -> &mut VirtualServer {
    &mut cluster.services[0]
}

fn group(cluster: &mut Cluster) -> &mut Group {
    &mut cluster.pair.as_mut().unwrap().groups[0]
}

#[test]
fn a_sound_model_is_told_nothing() {
    assert_eq!(told(&sound(), Format::Native), []);
    assert_eq!(told(&sound(), Format::LvsCf), []);
}

#[test]
fn names_are_unique_in_every_format() {
    let found = after(Format::LvsCf, |cluster| {
        let again = cluster.services[0].clone();
        cluster.services.push(again);
        let pair = cluster.pair.as_mut().unwrap();
        pair.groups.push(Group { addresses: Vec::new(), ..pair.groups[0].clone() });
        pair.routers[1].name = "a".into();
    });
    let expected = [
        "error: both routers are called a",
        "error: two groups are called g",
        "error: g has nothing that moves",
        "error: two virtual servers are called s",
        "error: 10.0.0.1:80/tcp belongs to s already",
    ];
    assert_eq!(found, expected);
}

#[test]
fn nothing_that_counts_time_may_be_zero() {
    let found = after(Format::HaFolder, |cluster| {
        let zero = Duration::ZERO;
        service(cluster).check.interval = zero;
        service(cluster).check.fall = 0;
        cluster.kernel.udp_timeout = Some(zero);
        let hook = Hook {
            name: "mount".into(),
            start: vec!["/bin/mount".into()],
            stop: Vec::new(),
            status: Vec::new(),
            timeout: zero,
            order: HookOrder::AfterAddresses,
        };
        group(cluster).hooks.push(hook);
        let pair = cluster.pair.as_mut().unwrap();
        pair.heartbeat.interval = zero;
        pair.heartbeat.port = 0;
    });
    let expected = [
        "error: interval is 0",
        "error: port is 0",
        "error: the time limit of mount is 0",
        "error: a check needs an interval and a timeout above 0",
        "error: fall and rise are 1 or more",
        "error: udp_timeout is less than a second",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_server_in_the_pool_and_as_sorry_server_is_an_error_in_our_format_only() {
    let change = |cluster: &mut Cluster| {
        let server = service(cluster).servers[0].clone();
        service(cluster).sorry = Some(crate::model::SorryServer {
            host: server.host,
            port: server.port,
            forwarding: server.forwarding,
        });
    };
    let message = "the sorry server 10.0.0.4:80 is a real server of s too";
    assert_eq!(after(Format::Native, change), [format!("error: {message}")]);
    assert_eq!(after(Format::Ldirectord, change), [format!("warning: {message}")]);
}

#[test]
fn a_port_that_direct_routing_cannot_change_is_an_error_in_our_format() {
    let change = |cluster: &mut Cluster| service(cluster).servers[1].port = Some(53);
    let message = "error: port 53 under port 80: direct routing cannot change the port";
    assert_eq!(after(Format::Native, change), [message]);
    // The readers of old files have their own word on it, at the place where it stands.
    assert_eq!(after(Format::Ldirectord, change), [""; 0]);
}

#[test]
fn what_the_kernel_would_refuse_is_told_before() {
    let found = after(Format::LvsCf, |cluster| {
        let servers = &mut service(cluster).servers;
        servers[0].weight = u32::MAX;
        servers[1].host = Host::Address("2001:db8::1".parse().unwrap());
        servers[1].lower_threshold = 1;
        service(cluster).persistence =
            Some(ipvs::Persistence { timeout_seconds: 0, prefix_length: 0, engine: None });
    });
    let expected = [
        "error: persistence is less than a second",
        "error: persistence over 0 bits",
        "error: weight 4294967295 is more than the kernel takes",
        "error: lower_threshold 1 is above upper_threshold 0",
        "error: 2001:db8::1 is IPv6, but s takes IPv4",
    ];
    assert_eq!(found, expected);
}

#[test]
fn after_a_part_that_could_not_be_read_nothing_is_called_missing() {
    let mut cluster = sound();
    cluster.services[0].servers.clear();
    cluster.pair.as_mut().unwrap().groups.clear();
    let mut out = Diagnostics::new();
    out.whole_file(Severity::Error, "x", "a server that cannot be read", None);
    check(&cluster, Format::Native, &Places::default(), &mut out);
    assert_eq!(out.errors(), 1);
    assert_eq!(told(&cluster, Format::Native).len(), 3);
}
