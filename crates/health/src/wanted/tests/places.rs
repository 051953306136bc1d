//! Where a real server stands in the table: addresses, ports and families.

use super::*;

#[test]
fn several_listening_addresses_are_several_services_with_the_same_servers() {
    let mut service = www(&["192.168.1.4:0"]);
    service.listen = listen(&[WEB, "192.168.1.1:443"]);
    let wanted = World::up(&[A, "192.168.1.4:443"]).wanted(&service);
    let all: Vec<_> = wanted.pools.values().flat_map(rows).collect();
    assert_eq!(all, [format!("{A}=1"), "192.168.1.4:443=1".to_owned()]);
    assert_eq!(wanted.servers.len(), 2);
    service.servers[0].port = Some(80);
    let wanted = World::up(&[A]).wanted(&service);
    assert_eq!(wanted.servers.len(), 1, "one place to ask, one server to show");
    assert_eq!(wanted.servers[0].places.len(), 2);
}

#[test]
fn direct_routing_keeps_the_virtual_servers_port_and_asks_the_real_one() {
    let mut service = www(&["192.168.1.4:53"]);
    service.servers[0].forwarding = Forwarding::Direct;
    let world = World::up(&["192.168.1.4:53"]);
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
}

#[test]
fn a_mark_keeps_the_clients_port() {
    let mut service = www(&["192.168.1.4:0"]);
    service.listen = Listen::Mark { mark: 7, family: Family::Inet, marked: Vec::new() };
    service.check.port = Some(80);
    assert_eq!(World::up(&[A]).pool(&service), ["192.168.1.4:0=1"]);
}

#[test]
fn a_name_gives_the_address_of_the_virtual_servers_family_or_leaves_the_server_out() {
    let mut service = www(&[A]);
    service.servers[0].host = Host::Name("web1".into());
    let mut world = World::up(&[A]);
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Unresolved);
    assert_eq!(world.pool(&service), [format!("{SORRY}=1")]);
    let addresses = vec!["2001:db8::4".parse().unwrap(), "192.168.1.4".parse().unwrap()];
    world.names.insert("web1".into(), addresses);
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
}

#[test]
fn only_a_tunnel_crosses_families() {
    let mut service = www(&["[2001:db8::4]:80"]);
    let world = World::up(&["[2001:db8::4]:80"]);
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Unresolved);
    service.servers[0].forwarding = Forwarding::Tunnel;
    assert_eq!(world.pool(&service), ["[2001:db8::4]:80=1"]);
}
