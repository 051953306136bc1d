use std::path::Path;
use std::time::Duration;

use super::key::children;
use super::*;
use crate::{Loaded, load, render};

mod include;
pub(super) mod models;
mod round_trip;
mod schema;
mod validator;

pub(super) fn read(text: &str) -> Loaded {
    load(Path::new("cluster.yaml"), false, &|_| Ok(text.as_bytes().to_vec()))
}

const OUTLINE: &str = r#"
routers:
  master: { paths: [192.168.1.2, 172.16.1.2] }
  backup: { paths: [192.168.1.3, 172.16.1.3] }
heartbeat: { interval: 200ms, dead_after: 600ms, port: 539, key_file: heartbeat.key, witness: [192.168.1.254] }
groups:
  web:                                   # addresses that move together
    preferred: master
    failback: manual                     # or automatic
    addresses: [ { ip: 192.168.1.1/24, interface: eth0 } ]
services:
  www:
    listen: 192.168.1.1:80/tcp           # or several; or mark: 7
    scheduler: wlc
    forward: direct                      # direct | nat | tunnel
    check: { http: { path: /.testpage, expect: test page }, interval: 5s, timeout: 3s, fall: 3, rise: 2 }
    servers: [ 192.168.1.4:80, { address: 192.168.1.5:80, weight: 5 } ]
    sorry: 127.0.0.1:80
"#;

#[test]
fn the_outline_is_read_without_a_word() {
    let loaded = read(OUTLINE);
    assert_eq!(render(&loaded.diagnostics, false), "");
    let cluster = loaded.cluster.unwrap();
    assert_eq!(cluster.pair.unwrap().routers[0].name, "master");
    assert_eq!(cluster.services[0].servers.len(), 2);
    assert!(cluster.autoreload);
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let text = "routers: { a: { paths: [10.0.0.2] }, b: { paths: [10.0.0.3] } }\n\
                groups: { g: { addresses: [10.0.0.1] } }\n\
                services: { s: { listen: \"10.0.0.1:80\", servers: [10.0.0.4] } }\n";
    let cluster = read(text).cluster.unwrap();
    let heartbeat = cluster.pair.unwrap().heartbeat;
    let milliseconds = Duration::from_millis;
    assert_eq!(heartbeat.interval, milliseconds(200));
    assert_eq!(heartbeat.dead_after, milliseconds(600));
    assert_eq!(heartbeat.listen_first, milliseconds(1200));
    assert_eq!(heartbeat.port, 539);
    let check = &cluster.services[0].check;
    assert_eq!(check.interval, milliseconds(5000));
    assert_eq!(check.timeout, milliseconds(3000));
    assert_eq!((check.fall, check.rise), (3, 2));
    assert_eq!(check.kind, crate::model::CheckKind::Connect);
}

#[test]
fn without_a_tcp_port_a_server_is_pinged() {
    let text = "services: { s: { listen: 10.0.0.1:53/udp, servers: [10.0.0.4] }, m: { mark: 7, servers: [10.0.0.4] } }";
    for service in read(text).cluster.unwrap().services {
        assert_eq!(service.check.kind, crate::model::CheckKind::Ping, "{}", service.name);
    }
}

/// A file in which `value` stands at a key's path.
fn file_with(path: &str, value: &str) -> String {
    let mut text = String::new();
    let mut closing = String::new();
    for word in path.split('.') {
        if let Some(list) = word.strip_suffix("[]") {
            text.push_str(&format!("{list}: [{{ "));
            closing.insert_str(0, " }]");
        } else {
            let name = if word == "*" { "name" } else { word };
            text.push_str(&format!("{name}: {{ "));
            closing.insert_str(0, " }");
        }
    }
    let text = text.strip_suffix("{ ").unwrap();
    format!("{text}{value}{}\n", closing.strip_prefix(" }").unwrap())
}

/// Whether reading the file leaves the key `name` over.
fn is_unknown(text: &str, name: &str) -> bool {
    let message = format!("unknown key {name} ");
    read(text).diagnostics.iter().any(|d| d.message.starts_with(&message))
}

#[test]
fn the_parser_takes_every_key_of_the_table() {
    for key in keys().iter().filter(|key| key.name() != "*") {
        let text = file_with(key.path, "1");
        assert!(!is_unknown(&text, key.name()), "{} is not read:\n{text}", key.path);
        let wrong = file_with(&format!("{}x", key.path), "1");
        assert!(is_unknown(&wrong, &format!("{}x", key.name())), "taken: {wrong}");
    }
}

#[test]
fn persistence_over_more_bits_than_an_address_has_is_refused_where_it_stands() {
    let file = |listen: &str, prefix: u8| {
        let persistence = format!("persistence: {{ timeout: 5m, prefix: {prefix} }}");
        format!("services:\n  s:\n    {listen}\n    {persistence}\n    servers: [x]\n")
    };
    let lines = |text: String| {
        let found = read(&text).diagnostics;
        found.iter().map(crate::Diagnostic::one_line).collect::<Vec<_>>()
    };
    for (listen, most) in [
        ("listen: 192.0.2.1:80", 32),
        ("mark: 7", 32),
        ("{ mark: 7, family: inet6 }", 128),
        ("listen: '[2001:db8::1]:80'", 128),
    ] {
        let listen = listen.trim_start_matches("{ ").trim_end_matches(" }").replace(", ", "\n    ");
        assert_eq!(lines(file(&listen, most)), [""; 0], "{listen}");
        let line = 4 + listen.matches('\n').count();
        let refused = lines(file(&listen, most + 1)).remove(0);
        let place = format!("cluster.yaml:{line}:");
        assert!(refused.starts_with(&format!("{place}41: error: ")), "{refused}");
        assert!(lines(file(&listen, 0)).remove(0).starts_with(&place), "{listen}");
    }
}

#[test]
fn every_default_of_the_table_is_a_legal_value() {
    for key in keys() {
        let Default::Value(value) = key.default else { continue };
        let text = file_with(key.path, value);
        let complaint = format!("{}: ", key.name());
        let found = read(&text).diagnostics;
        let found = found.iter().find(|d| d.message.starts_with(&complaint));
        assert!(found.is_none(), "{}: {found:?}", key.path);
    }
}

#[test]
fn every_key_has_a_holder_and_a_line_for_the_manual() {
    for key in keys() {
        let parent = key.parent().trim_end_matches("[]");
        let held = parent.is_empty() || keys().iter().any(|other| other.path == parent);
        assert!(held, "{} stands under nothing", key.path);
        assert!(key.doc.ends_with('.') && !key.doc.contains('\n'), "{}: {}", key.path, key.doc);
        assert!(!key.kind_text().is_empty() && !key.default_text().is_empty(), "{}", key.path);
        let same = keys().iter().filter(|other| other.path == key.path).count();
        assert_eq!(same, 1, "{} is in the table twice", key.path);
    }
    assert!(children("services.*").len() > 10);
}

#[test]
fn a_key_is_found_by_the_path_a_person_writes() {
    let path = |written| key(written).map(|key| key.path);
    assert_eq!(path("services.www.check.interval"), Some("services.*.check.interval"));
    assert_eq!(path("services.www.servers[0].weight"), Some("services.*.servers[].weight"));
    assert_eq!(path("services.*.servers.weight"), Some("services.*.servers[].weight"));
    assert_eq!(path("heartbeat.interval"), Some("heartbeat.interval"));
    assert_eq!(path("heartbeat.intervall"), None);
    assert_eq!(path("heartbeat"), Some("heartbeat"));
    assert_eq!(path("services.www"), Some("services.*"));
    let own = "services.www.servers[1].check.https.expect.regex";
    assert_eq!(path(own), Some("services.*.check.tcp.expect.regex"));
}

#[test]
fn times_are_read_with_their_unit() {
    let time = |text| scalar::duration(text).ok();
    assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(time("1.5m"), Some(Duration::from_secs(90)));
    assert_eq!(time("20us"), Some(Duration::from_micros(20)));
    assert_eq!(time("0s"), Some(Duration::ZERO));
    for wrong in ["5", "", "s", "1.2.3s", "-1s", "1 fortnight", "999999999999d", ".s"] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
    assert_eq!(scalar::render_duration(Duration::from_secs(90)), "90s");
    assert_eq!(scalar::render_duration(Duration::from_secs(3600)), "1h");
}

#[test]
fn escapes_stand_for_bytes() {
    assert_eq!(scalar::unescape(r#"QUIT\r\n\x00\\\""#).unwrap(), b"QUIT\r\n\0\\\"");
    for wrong in [r"\q", r"\x1", r"\xzz", "\\"] {
        assert!(scalar::unescape(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let member = format!("*a{}", level - 1);
        let members = [member.as_str(); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{members}]\n"));
    }
    assert!(read(&text).cluster.is_none());
}
