//! Firewall marks.

use super::*;

#[test]
fn a_mark_takes_the_place_of_address_and_port() {
    let server = |port: &str| {
        web(&[
            "fwmark = 80",
            "persistent = 600",
            "server a {",
            "address = 10.0.0.1",
            "active = 1",
            port,
            "}",
        ])
    };
    let service = server("weight = 1");
    assert_eq!(service.listen, Listen::Mark { mark: 80, family: Family::Inet, marked: Vec::new() });
    assert_eq!((service.check.port, service.servers[0].port), (Some(80), None));
    assert_eq!(server("port = 80").servers[0].port, None);
    let other = server("port = 8080");
    assert_eq!(other.servers[0].port, Some(8080));
    assert_eq!(other.servers[0].check.as_ref().map(|check| check.port), Some(None));
}

#[test]
fn a_second_block_of_one_mark_is_named_and_gives_only_its_address() {
    let (cluster, problems) = read(&format!(
        "{}virtual tls {{\nactive = 1\naddress = 192.168.1.9 eth0:2\nport = 443\nfwmark = 80\n}}\n",
        file(&[], &["fwmark = 80", "persistent = 600"])
    ));
    let cluster = cluster.unwrap();
    assert_eq!(cluster.services.len(), 1);
    assert_eq!(cluster.pair.unwrap().groups[0].addresses.len(), 2);
    assert!(problems[0].contains("mark 80 belongs to virtual server web already"), "{problems:#?}");
    assert!(problems[0].contains("already, with another persistence"));
}
