//! Floating addresses.

use super::*;

#[test]
fn addresses_masks_and_devices() {
    let cluster = clean(&file(&[], &["vip_nmask = 255.255.255.0"]));
    assert_eq!(cluster.pair.unwrap().groups[0].addresses[0].prefix_length, Some(24));
    let cluster = clean(&file(&[], &["vip_nmask = 0.0.0.0"]));
    assert_eq!(cluster.pair.unwrap().groups[0].addresses[0].prefix_length, None);
    refused(&[], &["vip_nmask = 255.0.255.0"], "has holes");
    refused(&["nat_router = 10.0.0.1 eth1:1 eth2"], &[], "`eth2` is too much here");
    let (cluster, problems) = read(&file(&[], &[]).replace(" eth0:1", ""));
    assert_eq!(cluster.unwrap().pair.unwrap().groups[0].addresses[0].interface, None);
    assert!(problems[0].contains("warning: the address has no device"));
    let (_, problems) = read(&file(&[], &[]).replace("192.168.1.1 ", "www.example.com "));
    assert!(problems[0].contains("has no IPv4 address in /etc/hosts"), "{problems:#?}");
    let six = clean(&file(&[], &[]).replace("192.168.1.1 ", "2001:db8::1 "));
    assert_eq!(six.services[0].name, "web");
    let name = web(&["server a {", "address = web1.example.com", "active = 1", "}"]);
    assert_eq!(name.servers[0].host, Host::Name("web1.example.com".into()));
}

#[test]
fn an_address_of_several_virtual_servers_moves_once() {
    let second = "virtual two {\nactive = 1\naddress = 192.168.1.1 eth0:1\nport = 443\n}\n";
    let cluster = clean(&format!("{}{second}", file(&[], &[])));
    assert_eq!(cluster.pair.unwrap().groups[0].addresses.len(), 1);
    let other = second.replace("eth0:1", "eth0:2");
    let (cluster, problems) = read(&format!("{}{other}", file(&[], &[])));
    assert_eq!(cluster.unwrap().pair.unwrap().groups[0].addresses.len(), 1);
    assert!(problems[0].contains("stood above with another device or netmask"));
}

#[test]
fn the_inner_address_moves_only_with_nat() {
    let nat = ["nat_router = 10.0.0.1 eth1:1", "nat_nmask = 255.0.0.0"];
    assert_eq!(clean(&file(&nat, &[])).pair.unwrap().groups[0].addresses.len(), 2);
    let direct = ["network = direct", "nat_router = 10.0.0.1 eth1:1"];
    assert_eq!(clean(&file(&direct, &[])).pair.unwrap().groups[0].addresses.len(), 1);
}

/// The web tool writes such blocks, and whoever has made one has not filled it in yet.
#[test]
fn a_block_that_is_off_needs_no_address_yet() {
    let empty = "virtual later {\nactive = 0\naddress = 0.0.0.0 eth0:1\n}\n";
    assert_eq!(clean(&format!("{}{empty}", file(&[], &[]))).services.len(), 1);
    let on = empty.replace("active = 0", "active = 1");
    let (cluster, problems) = read(&format!("{}{on}", file(&[], &[])));
    assert!(cluster.is_none() && problems[0].contains("no address yet"), "{problems:#?}");
    refused(&["nat_router = 0.0.0.0 eth1:1"], &[], "no address yet");

    let service = |name: &str, active: u8, address: &str| {
        format!(
            "failover {name} {{\nactive = {active}\naddress = {address} eth0:1\n\
             start_cmd = \"/bin/start\"\nstop_cmd = \"/bin/stop\"\n}}\n"
        )
    };
    let fos = |active, address| {
        let two = service("one", 1, "192.168.1.1") + &service("two", active, address);
        read(&format!("{PAIR}service = fos\n{two}"))
    };
    assert_eq!(fos(0, "0.0.0.0").1, Vec::<String>::new());
    assert!(fos(1, "0.0.0.0").1[0].contains("no address yet"));
}
