use std::net::{IpAddr, Ipv4Addr};

use netlink::{HostAddress, HostLink};
use runtime::sysctl::Values;

use super::host::{Host, alone};
use super::need::{Asked, Way};
use super::*;
use crate::output::without_colour;

const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1));

fn vip6() -> IpAddr {
    "2001:db8:1::1".parse().unwrap()
}

fn link(index: u32, name: &str) -> HostLink {
    let loopback = name == "lo";
    let mac = (name == "eth0").then_some([2, 0, 0, 0, 0, 1]);
    HostLink { index, name: name.to_owned(), mac, up: true, carrier: true, loopback, silent: false }
}

fn host(addresses: Vec<HostAddress>) -> Host {
    Host { links: vec![link(1, "lo"), link(2, "eth0")], addresses }
}

fn need(asked: &[(IpAddr, Way)], interface: &str) -> Need {
    Need::of(&asked.iter().copied().collect::<Asked>(), interface)
}

#[test]
fn what_is_missing_is_told_with_what_it_is_for() {
    let need = need(&[(VIP, Way::Direct), (vip6(), Way::Direct)], "lo");
    let mut now: Values = need.settings.clone();
    now.insert("ipv4/conf/all/arp_ignore".to_owned(), "0".to_owned());
    let host = host(vec![alone(VIP, 1), alone(VIP, 2)]);
    insta::assert_snapshot!(without_colour(&render(&need.pieces(&host, &now))));
}

#[test]
fn a_host_that_has_everything_misses_nothing() {
    let need = need(&[(VIP, Way::Direct), (vip6(), Way::Direct)], "lo");
    let host = host(vec![alone(VIP, 1), alone(vip6(), 1)]);
    let pieces = need.pieces(&host, &need.settings);
    assert!(pieces.iter().all(|(_, there)| *there), "{pieces:?}");
}

#[test]
fn ipv6_on_loopback_needs_no_silence_as_nobody_asks_for_it_there() {
    assert_eq!(need(&[(vip6(), Way::Direct)], "lo").settings, Values::new());
}

#[test]
fn each_tunnel_has_its_end() {
    let end = |ip, outer_v6| need(&[(ip, Way::Tunnel { outer_v6 })], "lo").links;
    assert_eq!(end(VIP, false), [("tunl0".to_owned(), Some("ipip"))]);
    assert_eq!(end(vip6(), false), [("sit0".to_owned(), Some("sit"))]);
    assert_eq!(end(VIP, true), [("ip6tnl0".to_owned(), Some("ip6tnl"))]);
    let filter = &need(&[(VIP, Way::Tunnel { outer_v6: false })], "lo").settings;
    assert_eq!(filter.get("ipv4/conf/tunl0/rp_filter").map(String::as_str), Some("2"));
}

fn cluster(text: &str) -> config::Cluster {
    let reader = |_: &Path| Ok(text.as_bytes().to_vec());
    config::load(Path::new("cluster.yaml"), false, &reader).cluster.unwrap()
}

#[test]
fn a_server_that_is_named_is_this_host_if_its_name_stands_for_it() {
    let text = "
services:
  wired: { listen: '192.168.1.1:80', servers: [www4.example.com, www5.example.com] }
  local: { listen: '192.168.1.2:80', forward: tunnel, servers: [www4] }
  lost: { listen: '192.168.1.3:80', servers: [www6.example.com] }
  director: { listen: '192.168.1.9:80', servers: ['localhost:80'] }
";
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let names = asked::Names::from([
        ("www4.example.com".to_owned(), Ok(vec![ip("2001:db8::4"), ip("192.168.1.4")])),
        ("www5.example.com".to_owned(), Ok(vec![ip("192.168.1.5")])),
        ("www4".to_owned(), Ok(vec![ip("127.0.1.1")])),
        ("www6.example.com".to_owned(), Err("no such name".to_owned())),
    ]);
    let (asked, remarks) = asked::of_cluster(&cluster(text), &[ip("192.168.1.4")], &names);
    let tunnel = Way::Tunnel { outer_v6: false };
    assert_eq!(asked, [(ip("192.168.1.1"), Way::Direct), (ip("192.168.1.2"), tunnel)].into());
    let lost = "www6.example.com cannot be looked up, and may be this host: no such name";
    assert_eq!(remarks, [lost]);
}

#[test]
fn a_configuration_tells_the_addresses_of_the_services_that_this_host_serves() {
    let text = "
services:
  www: { listen: ['192.168.1.1:80', '192.168.1.2:80'], servers: [192.168.1.4, 192.168.1.5] }
  ftp: { listen: '192.168.1.3:20-21', forward: tunnel, servers: [192.168.1.4] }
  far: { listen: '192.168.1.9:80', servers: [192.168.1.5] }
  nat: { listen: '192.168.1.8:80', forward: nat, servers: [192.168.1.4] }
  old: { mark: 7, servers: [192.168.1.4], check: ping }
";
    let own = ["192.168.1.4".parse().unwrap()];
    let (asked, remarks) = asked::of_cluster(&cluster(text), &own, &Default::default());
    let ip = |last| IpAddr::V4(Ipv4Addr::new(192, 168, 1, last));
    let tunnel = Way::Tunnel { outer_v6: false };
    assert_eq!(asked, [(ip(1), Way::Direct), (ip(2), Way::Direct), (ip(3), tunnel)].into());
    assert_eq!(remarks.len(), 2, "{remarks:?}");
}

#[test]
fn what_was_there_before_is_kept_until_there_is_nothing_to_put_back() {
    let folder = std::env::temp_dir().join(format!("caribe-realserver-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut undo = Undo::load(folder.clone()).unwrap();
    undo.was.addresses.push((VIP, "lo".to_owned()));
    undo.was.settings.insert("ipv4/conf/all/arp_ignore".to_owned(), "0".to_owned());
    undo.save().unwrap();
    let mut again = Undo::load(folder.clone()).unwrap();
    assert_eq!(again.was, undo.was);
    again.was = undo::Was::default();
    again.save().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    std::fs::remove_dir_all(folder).unwrap();
}
