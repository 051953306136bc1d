use std::time::Duration;

use config::model::{Group, Heartbeat, KeySource, Router, SharedPath};

use super::*;
use crate::host::tests::{address, link};
use crate::path::PathKind;

/// A host with two wires: 192.168.1.2/24 on eth0, 172.16.1.2/24 and fe80::2 on eth1.
fn host() -> Host {
    Host {
        links: vec![link(2, "eth0", true), link(3, "eth1", false)],
        addresses: vec![
            address("192.168.1.2", 24, 2),
            address("172.16.1.2", 24, 3),
            address("fe80::2", 64, 3),
        ],
    }
}

fn floating(ip: &str) -> FloatingAddress {
    FloatingAddress {
        ip: ip.parse().unwrap(),
        prefix_length: None,
        interface: None,
        label: None,
        broadcast: None,
    }
}

fn pair(addresses: Vec<FloatingAddress>) -> Pair {
    let router = |name: &str, last: u8| Router {
        name: name.to_owned(),
        paths: vec![IpAddr::from([192, 168, 1, last]), IpAddr::from([172, 16, 1, last])],
    };
    let group = Group {
        name: "web".to_owned(),
        preferred: Some("backup".to_owned()),
        failback: Failback::Automatic { delay: Duration::from_secs(3) },
        addresses,
        hooks: Vec::new(),
    };
    Pair {
        routers: [router("master", 2), router("backup", 3)],
        heartbeat: Heartbeat {
            interval: Duration::from_millis(200),
            dead_after: Duration::from_millis(600),
            warn_after: None,
            listen_first: Duration::from_secs(1),
            port: 539,
            shared_paths: Vec::new(),
            keys: KeySource::Default,
            witness: Vec::new(),
            yield_on_fewer_witnesses: false,
        },
        groups: vec![group],
        fence: None,
    }
}

fn plan(pair: &Pair) -> Result<Plan, TimingError> {
    plan_on(pair, &host())
}

fn plan_on(pair: &Pair, host: &Host) -> Result<Plan, TimingError> {
    Plan::new(pair, None, Side::First, 7, host)
}

#[test]
fn groups_are_chosen_by_name_or_as_heartbeat_has_them() {
    let mut pair = pair(vec![floating("192.168.1.1")]);
    for (name, preferred) in [("mail", Some("master")), ("dns", None)] {
        let preferred = preferred.map(str::to_owned);
        pair.groups.push(Group { name: name.into(), preferred, ..pair.groups[0].clone() });
    }
    pair.groups.iter_mut().skip(1).for_each(|group| group.addresses.clear());
    let plan = plan(&pair).unwrap();
    let chosen = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (names, swept) = plan.chosen(&words);
        (names.join(" "), swept)
    };
    assert_eq!(chosen(&[]), ("web mail dns".into(), true));
    assert_eq!(chosen(&["all"]), ("web mail dns".into(), true));
    assert_eq!(chosen(&["local"]), ("mail".into(), true));
    assert_eq!(chosen(&["foreign"]), ("web dns".into(), true));
    assert_eq!(chosen(&["web", "nosuch"]), ("web nosuch".into(), false));
}

#[test]
fn each_router_switches_the_other_one_off() {
    let argv = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let mut pair = pair(vec![floating("192.168.1.1")]);
    pair.fence = Some(config::model::Fence {
        off: [argv("/bin/off %r by %R"), argv("/bin/power 7-%r")],
        timeout: Duration::from_secs(9),
        on_failure: config::model::FenceFailure::TakeOver,
        delay: Duration::from_secs(2),
        user: None,
    });
    let fence = plan(&pair).unwrap().fence.unwrap();
    assert_eq!(fence.call.argv, ["/bin/power", "7-backup"]);
    assert!(fence.setup.take_over_on_failure);
    let other = FencePlan::new(pair.fence.as_ref().unwrap(), &pair.routers, Side::Second);
    assert_eq!(other.call.argv, ["/bin/off", "master", "by", "backup"]);
}

#[test]
fn an_address_without_a_place_goes_to_the_network_that_holds_it() {
    let plan = plan(&pair(vec![floating("192.168.1.1")])).unwrap();
    let placed = &plan.groups[0].addresses[0];
    assert_eq!((placed.interface.as_str(), placed.shown().as_str()), ("eth0", "192.168.1.1/24"));
    assert_eq!(placed.address.label.as_deref(), Some("eth0"));
    assert_eq!(placed.link.map(|link| link.index), Some(2));
}

#[test]
fn a_named_interface_wins_and_an_address_of_no_network_is_alone_in_its_own() {
    let named = FloatingAddress { interface: Some("eth1".to_owned()), ..floating("10.9.9.9") };
    let v6 = FloatingAddress { interface: Some("eth0".to_owned()), ..floating("2001:db8::1") };
    let plan = plan(&pair(vec![named, v6])).unwrap();
    let shown: Vec<String> = plan.groups[0].addresses.iter().map(Placed::shown).collect();
    assert_eq!(shown, ["10.9.9.9/32", "2001:db8::1/128"]);
}

#[test]
fn what_has_no_place_waits_for_it_and_keeps_nothing_else_away() {
    let named = FloatingAddress { interface: Some("eth7".to_owned()), ..floating("10.7.0.1") };
    let pair = pair(vec![floating("192.168.1.1"), named, floating("10.8.0.1")]);
    let mut host = host();
    host.addresses.retain(|address| address.interface != 3);
    let plan = plan_on(&pair, &host).unwrap();
    let absent: Vec<Option<String>> = plan.paths.iter().map(PathPlan::problem).collect();
    assert_eq!(absent[0], None);
    assert!(absent[1].as_ref().unwrap().contains("does not have the address 172.16.1.2"));
    let setup = plan.setup(&host, &[]);
    let carriers: Vec<bool> = setup.paths.iter().map(|path| path.carrier).collect();
    assert_eq!(carriers, [true, false]);
    let group = &plan.groups[0];
    let problems: Vec<_> = group.addresses.iter().map(|one| one.problem("web")).collect();
    assert_eq!(problems[0], None);
    assert!(problems[1].as_ref().unwrap().contains("wants interface eth7"), "{problems:?}");
    assert!(problems[2].as_ref().unwrap().contains("lies in no network"), "{problems:?}");
    assert!(!group.fit(&host), "it cannot be held here");

    host.links.push(link(7, "eth7", true));
    host.addresses.extend([address("10.7.0.9", 16, 7), address("10.8.0.9", 24, 7)]);
    host.addresses.push(address("172.16.1.2", 24, 3));
    let group = group.placed_again(&host, &plan.floating());
    let shown: Vec<String> = group.addresses.iter().map(Placed::shown).collect();
    assert_eq!(shown, ["192.168.1.1/24", "10.7.0.1/16", "10.8.0.1/24"]);
    assert!(group.addresses.iter().all(|one| one.absent.is_none() && one.link.is_some()));
    assert!(group.fit(&host));
    let paths = plan.sources.paths_beside(&plan.paths, &host);
    assert_eq!(paths[0], plan.paths[0]);
    assert!(paths[1].absent.is_none() && paths[1].is(&plan.paths[1]));
}

#[test]
fn a_path_that_has_its_place_keeps_it_while_its_address_is_away() {
    let plan = plan(&pair(vec![floating("192.168.1.1")])).unwrap();
    let mut host = host();
    host.addresses.clear();
    assert_eq!(plan.sources.paths_beside(&plan.paths, &host), plan.paths);
    assert!(!plan.paths[0].carrier(&host));
}

#[test]
fn an_edit_brings_nothing_without_a_place_and_one_that_was_absent_before_keeps_none_away() {
    let good = pair(vec![floating("192.168.1.1")]);
    let mut wrong = pair(vec![floating("192.168.1.1"), floating("10.0.0.1")]);
    wrong.routers[0].paths[1] = IpAddr::from([172, 16, 9, 9]);
    let (good, wrong) = (plan(&good).unwrap(), plan(&wrong).unwrap());
    let problems = wrong.misplaced(&good);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("172.16.9.9") && problems[1].contains("10.0.0.1"), "{problems:?}");
    assert_eq!(wrong.misplaced(&wrong), [""; 0], "it was so before the edit");
    let mut away = host();
    away.addresses.clear();
    let none = plan_on(&pair(vec![floating("192.168.1.1")]), &away).unwrap();
    assert_eq!(none.misplaced(&good).len(), 2, "no path would be left");
    assert_eq!(none.misplaced(&none), [""; 0]);
}

#[test]
fn an_interface_whose_partners_are_named_may_be_away() {
    let mut shared = pair(vec![floating("192.168.1.1")]);
    let peers = ["172.16.7.2", "172.16.7.3"].map(|ip| ip.parse().unwrap()).to_vec();
    shared.heartbeat.shared_paths =
        vec![SharedPath::Unicast { interface: "eth7".to_owned(), peers }];
    let plan = plan(&shared).unwrap();
    let path = &plan.paths[2];
    assert_eq!((path.name.as_str(), path.absent.is_some()), ("unicast eth7", true));
    let mut host = host();
    host.links.push(link(7, "eth7", true));
    let bare = plan.sources.paths(&host);
    assert!(bare[2].absent.as_ref().unwrap().contains("no address to send from"), "{bare:?}");
    host.addresses.push(address("172.16.7.2", 24, 7));
    let there = plan.sources.paths_beside(&plan.paths, &host);
    assert_eq!((there.len(), there[2].name.as_str()), (3, "172.16.7.2 -> 172.16.7.3"));
    assert!(there[2].is(path));
}

#[test]
fn a_path_or_group_on_a_wire_without_carrier_is_told_to_the_state_machine() {
    let on_second = FloatingAddress { interface: Some("eth1".to_owned()), ..floating("10.9.9.9") };
    let plan = plan(&pair(vec![on_second])).unwrap();
    let setup = plan.setup(&host(), &plan.paths[1..]);
    let carriers: Vec<_> = setup.paths.iter().map(|path| (path.carrier, path.was)).collect();
    assert_eq!(carriers, [(true, None), (false, Some(PathId(0)))]);
    let group = setup.groups[0];
    assert_eq!((group.fit, group.holding), (false, false));
    assert_eq!(group.preferred, Some(Side::Second));
    assert_eq!(group.failback, Some(Duration::from_secs(3)));
}

#[test]
fn addresses_that_are_here_already_are_held() {
    let mut host = host();
    let plan = plan(&pair(vec![floating("192.168.1.1")])).unwrap();
    assert!(!plan.setup(&host, &[]).groups[0].holding);
    host.addresses.push(plan.groups[0].addresses[0].address.clone());
    assert!(plan.setup(&host, &[]).groups[0].holding);
}

#[test]
fn an_interface_that_was_made_anew_is_found_again() {
    let plan = plan(&pair(vec![floating("192.168.1.1")])).unwrap();
    let mut host = host();
    host.links[0].index = 9;
    host.links[0].mac = Some([2, 0, 0, 0, 0, 9]);
    let placed = &plan.groups[0].placed_again(&host, &plan.floating()).addresses[0];
    assert_eq!(placed.address.interface, 9);
    assert_eq!(placed.link.map(|link| link.mac), Some(Mac([2, 0, 0, 0, 0, 9])));
}

#[test]
fn shared_paths_find_their_interface() {
    let mut shared = pair(vec![floating("192.168.1.1")]);
    shared.heartbeat.shared_paths = vec![
        SharedPath::Broadcast { interface: "eth1".to_owned() },
        SharedPath::Multicast {
            interface: "eth0".to_owned(),
            group: "239.0.0.1".parse().unwrap(),
            port: 694,
            ttl: 1,
        },
        SharedPath::Unicast {
            interface: "eth1".to_owned(),
            peers: vec!["172.16.1.2".parse().unwrap(), "172.16.1.3".parse().unwrap()],
        },
    ];
    let plan = plan(&shared).unwrap();
    let names: Vec<&str> = plan.paths.iter().map(|path| path.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "192.168.1.2 -> 192.168.1.3",
            "172.16.1.2 -> 172.16.1.3",
            "broadcast eth1",
            "multicast 239.0.0.1 eth0",
            "172.16.1.2 -> 172.16.1.3",
        ],
        "of the ucast addresses only the partner's is a path"
    );
    let mut anew = host();
    for link in &mut anew.links {
        link.index += 7;
    }
    let places = |path: &PathPlan| match path.kind {
        PathKind::Unicast => None,
        PathKind::Broadcast { index, .. } | PathKind::Multicast { index, .. } => Some(index),
    };
    let again = plan.paths.iter().map(|path| places(&path.placed_again(&anew)));
    assert_eq!(again.collect::<Vec<_>>(), [None, None, Some(10), Some(9), None]);
    anew.links.clear();
    let away = plan.paths.iter().map(|path| places(&path.placed_again(&anew)));
    assert_eq!(away.collect::<Vec<_>>(), [None, None, Some(3), Some(2), None], "one is waited for");
    shared.heartbeat.shared_paths = vec![SharedPath::Broadcast { interface: "eth5".to_owned() }];
    let away = self::plan(&shared).unwrap();
    assert!(away.paths[2].absent.as_ref().unwrap().contains("no interface eth5"));
}

#[test]
fn a_link_local_path_names_its_interface() {
    let mut local = pair(vec![floating("192.168.1.1")]);
    local.routers[0].paths = vec!["fe80::2".parse().unwrap()];
    local.routers[1].paths = vec!["fe80::3".parse().unwrap()];
    let plan = plan(&local).unwrap();
    assert_eq!(plan.paths[0].remote.to_string(), "[fe80::3%3]:539");
    assert_eq!(plan.paths[0].local.to_string(), "[fe80::2%3]:539");
    let mut anew = host();
    for link in &mut anew.links {
        link.index += 7;
    }
    for address in &mut anew.addresses {
        address.interface += 7;
    }
    let again = plan.paths[0].placed_again(&anew);
    assert_eq!(again.remote.to_string(), "[fe80::3%10]:539");
    assert_eq!(again.local.to_string(), "[fe80::2%10]:539");
}
