//! Real servers.

use super::*;

#[test]
fn ranges_are_every_address_between() {
    let service = web(&["real=2.2.2.2->2.2.2.4:8080 masq 3"]);
    let hosts: Vec<_> =
        service.servers.iter().map(|s| (s.host.clone(), s.port, s.weight)).collect();
    let host = |last: u8| Host::Address([2, 2, 2, last].into());
    assert_eq!(hosts, [2, 3, 4].map(|last| (host(last), Some(8080), 3)));
    assert_eq!(web(&["real=2.2.2.2->2.2.2.2:80 gate"]).servers.len(), 1);
    assert!(problem("1.1.1.1:80", &["real=2.2.2.4->2.2.2.2:80 gate"]).contains("goes backwards"));
    assert!(
        problem("1.1.1.1:80", &["real=1.2.2.4->2.2.2.2 gate"]).contains("names 16777215 servers")
    );
    let names = web(&["real=sql01->sql03 gate"]).servers;
    assert_eq!(names[1].host, Host::Address([10, 0, 0, 2].into()));
    assert!(problem("1.1.1.1:80", &["real=a->b gate"]).contains("no IPv4 address in /etc/hosts"));
    assert!(problem("1.1.1.1:80", &["real=::1->::3 gate"]).contains("too many colons"));
}

#[test]
fn weights_and_thresholds_stand_where_ldirectord_has_them() {
    let server = |rest: &str| web(&[&format!("real=10.0.0.1:80 {rest}")]).servers.remove(0);
    assert_eq!(server("gate 0").weight, 0);
    assert_eq!(server("gate").weight, 1);
    let both = server("gate \"x\" \"y\" l:2 u:9");
    assert_eq!((both.weight, both.lower_threshold, both.upper_threshold), (1, 2, 9));
    let swapped = server("gate 4 u:9 l:2");
    assert_eq!((swapped.weight, swapped.lower_threshold, swapped.upper_threshold), (4, 2, 9));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1 gate junk 7"]).contains("`junk` says nothing"));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1 gate -5"]).contains("`-5` is negative"));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1 gate7"]).contains("write `gate 7`"));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1"]).contains("how packets reach"));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1 route"]).contains("one of gate"));
}

#[test]
fn a_real_server_has_its_own_request_and_answer() {
    let service = web(&["request=\"/all\"", "real=10.0.0.1 gate 3 \"a b\", \"c d\""]);
    let check = service.servers[0].check.as_ref().unwrap();
    assert_eq!(http(check).path, "/a%20b");
    assert_eq!(http(check).expect, Some(Expect::Regex("c d".into())));
    assert_eq!(http(&service.check).path, "/all");
    let digits = web(&["real=10.0.0.1 gate \"foo 200\", \"bar\""]);
    assert_eq!(digits.servers[0].weight, 1);
    let absolute = web(&["real=10.0.0.1 gate \"http://www.example.com/x\", \"y\""]);
    let check = http(absolute.servers[0].check.as_ref().unwrap()).clone();
    assert_eq!((check.host.as_deref(), &*check.path), (Some("www.example.com"), "/x"));
    assert!(problem("1.1.1.1:80", &["real=10.0.0.1 gate \"/x\""]).contains("go together"));
}

#[test]
fn addresses_that_ldirectord_half_reads_are_errors() {
    assert!(problem("1.1.1.1:80", &["real=bad_host:80 gate"]).contains("`bad_host` is no host"));
    let sip = problem("1.1.1.1:5060", &["checktype=on", "real=2.2.2.2::5060 gate"]);
    assert!(sip.contains("too many colons (write `2.2.2.2:5060`)"), "{sip}");
    assert!(problem("1.1.1.1:80", &["real=10.0.0.256:80 gate"]).contains("no host"));
    let no_port = problem("192.168.1.1", &[]);
    assert!(no_port.contains("has no port (write `virtual = 192.168.1.1:80`"), "{no_port}");
}

#[test]
fn the_two_families_do_not_mix() {
    let service = clean(
        "virtual6=[2001:db8::1]:80\n\treal6=[2001:db8::2]:80 gate\n\tnetmask=64\n\tpersistent=60\n",
    );
    assert_eq!(service.services[0].name, "tcp:[2001:db8::1]:80");
    assert_eq!(service.services[0].persistence.as_ref().unwrap().prefix_length, 64);
    let mark = clean("virtual6=5\n\tchecktype=ping\n").services.remove(0);
    assert_eq!(mark.listen, Listen::Mark { mark: 5, family: Family::Inet6, marked: Vec::new() });
    let (_, problems) = read("virtual6=[2001:db8::1]:80\n\treal=10.0.0.1 gate\n");
    assert!(problems[0].contains("(write `real6`)"), "{problems:?}");
    assert!(problem("[2001:db8::1]:80", &[]).contains("(write `virtual6 = [2001:db8::1]:80`)"));
}

#[test]
fn a_port_that_direct_routing_cannot_reach_is_a_warning() {
    let text = file("192.168.1.1:80", &["real=192.168.1.4:53 gate 5", "service=http"]);
    let (cluster, problems) = read(&text);
    let service = cluster.unwrap().services.remove(0);
    assert_eq!((service.servers[0].port, service.servers[0].check.clone()), (None, None));
    assert!(
        problems[0].starts_with("l.cf:2:7: warning: port 53 is not the virtual server's port 80")
    );
    assert_eq!(web(&["real=10.0.0.1:8080 masq"]).servers[0].port, Some(8080));
}
