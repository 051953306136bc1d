use std::time::Duration;

use ipvs::{Family, Forwarding, Protocol};

mod checks;
mod lines;
mod servers;
mod sorry;
mod told;
mod values;

use super::read as read_file;
use super::*;
use crate::model::{
    Check, CheckKind, Endpoint, Expect, Host, HttpCheck, Listen, OnFailure, OnStop, VirtualServer,
};

fn read(text: &str) -> (Option<Cluster>, Vec<String>) {
    read_bytes(text.as_bytes())
}

fn read_bytes(text: &[u8]) -> (Option<Cluster>, Vec<String>) {
    let mut out = Diagnostics::new();
    let source = Source::new("l.cf", text);
    let reader = |path: &std::path::Path| match path.to_str() {
        Some("/etc/hosts") => Ok(b"10.0.0.1 sql01\n10.0.0.3 sql03\n192.168.1.1 www\n".to_vec()),
        Some("/x/more.cf") => Ok(b"virtual=1.1.1.9:80\n\tchecktype=on\nexecute=more.cf\n".to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let mut files = crate::files::Files::new(&reader);
    let folder = std::path::Path::new("/x");
    let mut places = Places::default();
    let mut cluster = read_file(folder, &source, &mut files, &mut out, &mut places);
    unique_names(&mut cluster, &places, &mut out);
    let cluster = Some(cluster).filter(|_| !out.has_errors());
    (cluster, out.into_vec().iter().map(crate::Diagnostic::one_line).collect())
}

/// Reads a file that has to be clean.
fn clean(text: &str) -> Cluster {
    let (cluster, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    cluster.unwrap()
}

/// Reads one virtual server with these lines below it; it has to be clean.
fn web(lines: &[&str]) -> VirtualServer {
    service("192.168.1.1:80", lines)
}

fn service(target: &str, lines: &[&str]) -> VirtualServer {
    clean(&file(target, lines)).services.remove(0)
}

fn file(target: &str, lines: &[&str]) -> String {
    format!(
        "virtual={target}\n{}",
        lines.iter().map(|line| format!("\t{line}\n")).collect::<String>()
    )
}

/// The only problem of one virtual server with these lines below it.
fn problem(target: &str, lines: &[&str]) -> String {
    let (_, problems) = read(&file(target, lines));
    assert_eq!(problems.len(), 1, "{lines:?}: {problems:#?}");
    problems[0].clone()
}

fn http(check: &Check) -> &HttpCheck {
    let CheckKind::Http(http) = &check.kind else { panic!("{check:?}") };
    http
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn the_mended_example_says_what_ldirectord_makes_of_it() {
    let cluster = clean(
        "checktimeout=3\ncheckinterval=5\nautoreload=yes\n\nvirtual=192.168.1.1:80\n\
         \treal=192.168.1.4:80 gate 5\n\treal=192.168.1.5:80 gate 5\n\
         \trequest=\"/.testpage\"\n\treceive=\"test page\"\n\tscheduler=rr\n\tservice=http\n\
         \tprotocol=tcp\n",
    );
    assert!(cluster.autoreload && cluster.pair.is_none());
    let service = &cluster.services[0];
    assert_eq!(service.name, "tcp:192.168.1.1:80");
    assert_eq!(service.scheduler.name(), "rr");
    let hosts: Vec<_> =
        service.servers.iter().map(|s| (s.host.clone(), s.port, s.weight)).collect();
    let address = |text: &str| Host::Address(text.parse().unwrap());
    assert_eq!(hosts, [(address("192.168.1.4"), None, 5), (address("192.168.1.5"), None, 5)]);
    assert!(service.servers.iter().all(|server| server.forwarding == Forwarding::Direct));
    let check = &service.check;
    assert_eq!(
        (check.interval, check.timeout, check.fall, check.rise),
        (seconds(5), seconds(3), 1, 1)
    );
    assert_eq!(http(check).path, "/.testpage");
    assert_eq!(http(check).expect, Some(Expect::Regex("test page".into())));
    assert_eq!(http(check).host, None);
}

#[test]
fn what_is_not_written_is_as_ldirectord_has_it() {
    let service = web(&["real=10.0.0.1 masq"]);
    assert_eq!(service.scheduler.name(), "wrr");
    assert_eq!((service.servers[0].weight, service.servers[0].port), (1, None));
    assert_eq!(service.on_failure, OnFailure::Remove);
    assert_eq!((service.check.interval, service.check.timeout), (seconds(10), seconds(30)));
    assert_eq!((service.check.fall, &*http(&service.check).path), (1, "/"));
    assert_eq!(clean("virtual=1.1.1.1:80\n").on_stop, OnStop::Keep);
    assert_eq!(clean("cleanstop=yes\nvirtual=1.1.1.1:80\n").on_stop, OnStop::Remove);
}

#[test]
fn cleanstop_holds_for_one_virtual_server_or_for_all() {
    let own = |whole: &str, own: &str| {
        let cluster = clean(&format!("{whole}\nvirtual=1.1.1.1:80\n\t{own}\n"));
        (cluster.services[0].on_stop, cluster.after_stop().map(|rest| rest.services.len()))
    };
    assert_eq!(own("cleanstop=yes", ""), (None, None));
    assert_eq!(own("cleanstop=yes", "cleanstop=no"), (Some(OnStop::Keep), Some(1)));
    assert_eq!(own("", "cleanstop=yes"), (Some(OnStop::Remove), Some(0)));
    assert_eq!(own("cleanstop=no", "cleanstop=no"), (None, Some(1)));
}

#[test]
fn the_service_and_the_protocol_come_from_the_port() {
    assert!(http(&service("1.1.1.1:443", &["service=http"]).check).tls.is_none());
    let Listen::Addresses(endpoints) = service("localhost:domain", &["checktype=ping"]).listen
    else {
        panic!()
    };
    let address = "127.0.0.1:53".parse().unwrap();
    assert_eq!(endpoints, [Endpoint { address, protocol: Protocol::Udp }]);
    let mark = service("7", &["service=http", "real=10.0.0.1 gate"]);
    assert_eq!(mark.listen, Listen::Mark { mark: 7, family: Family::Inet, marked: Vec::new() });
    assert_eq!(mark.check.port, Some(80));
    let own = service("7", &["service=http", "real=10.0.0.1:8080 gate"]);
    assert_eq!(own.servers[0].port, Some(8080));
    assert_eq!(own.servers[0].check.as_ref().map(|check| check.port), Some(None));
}

#[test]
fn timeouts_are_inherited_in_ldirectords_order() {
    let timeout = |globals: &str, lines: &[&str]| {
        let cluster = clean(&format!("{globals}\n{}", file("1.1.1.1:80", lines)));
        cluster.services[0].check.timeout.as_secs()
    };
    assert_eq!(timeout("", &[]), 30);
    assert_eq!(timeout("", &["checktype=connect"]), 5);
    assert_eq!(timeout("checktimeout=3", &[]), 3);
    assert_eq!(timeout("checktimeout=3\nnegotiatetimeout=7", &[]), 7);
    assert_eq!(timeout("negotiatetimeout=7", &["checktype=connect"]), 7);
    assert_eq!(timeout("negotiatetimeout=7", &["checktimeout=2"]), 2);
    assert_eq!(timeout("checktimeout=3", &["negotiatetimeout=9", "checktype=connect"]), 9);
}

#[test]
fn persistence_and_its_mask() {
    let persistence = web(&["persistent=600", "netmask=255.255.255.0"]).persistence.unwrap();
    assert_eq!((persistence.timeout_seconds, persistence.prefix_length), (600, 24));
    assert!(web(&["netmask=255.255.255.0"]).persistence.is_none());
    assert!(web(&["persistent=0"]).persistence.is_none());
    let (cluster, problems) = read(&file("1.1.1.1:80", &["persistent=600s"]));
    assert_eq!(cluster.unwrap().services[0].persistence.as_ref().unwrap().timeout_seconds, 600);
    assert!(problems[0].contains("warning: only the number of `600s` counts"));
    assert!(problem("1.1.1.1:80", &["netmask=255.0.255.0"]).contains("has holes"));
}

#[test]
fn schedulers_and_their_flags() {
    let service = web(&["scheduler=\"mh\"", "schedflags=mh-port,mh-fallback"]);
    assert_eq!(service.scheduler.name(), "mh");
    assert!(service.scheduler_flags.fallback && service.scheduler_flags.port);
    assert!(problem("1.1.1.1:80", &["scheduler=WRR"]).contains("did you mean `wrr`?"));
    assert!(problem("1.1.1.1:80", &["scheduler=wlcc"]).contains("did you mean `wlc`?"));
    assert!(problem("1.1.1.1:80", &["scheduler=special"]).contains("warning"));
}

#[test]
fn one_packet_scheduling_is_for_udp() {
    assert!(service("1.1.1.1:53", &["ops=yes", "checktype=connect"]).one_packet);
    assert!(!web(&["ops=yes"]).one_packet);
}

#[test]
fn a_file_to_be_read_as_well_may_be_named_in_quotes() {
    assert_eq!(clean("execute=\"more.cf\"\n").services.len(), 1);
}

#[test]
fn quiescent_keeps_a_failed_server_with_weight_0() {
    let cluster = clean("quiescent=yes\nvirtual=1.1.1.1:80\nvirtual=1.1.1.2:80\n\tquiescent=no\n");
    let modes: Vec<_> = cluster.services.iter().map(|service| service.on_failure).collect();
    assert_eq!(modes, [OnFailure::Quiesce, OnFailure::Remove]);
}

#[test]
fn two_equal_virtual_servers_are_an_error_tcp_and_udp_are_not() {
    let (_, problems) = read("virtual=1.1.1.1:80\n\nvirtual=1.1.1.1:80\n");
    assert!(problems[0].contains(
        "l.cf:3:9: error: the virtual server tcp:1.1.1.1:80 is there already, in line 1"
    ));
    let both = clean(
        "virtual=1.1.1.1:80\n\tchecktype=on\nvirtual=1.1.1.1:80\n\tprotocol=udp\n\tchecktype=on\n",
    );
    assert_eq!(both.services.len(), 2);
}

#[test]
fn a_mark_goes_with_no_protocol() {
    assert!(
        problem("7", &["service=http", "protocol=tcp"])
            .contains("does not go with a firewall mark")
    );
    assert!(problem("1.1.1.1:80", &["protocol=fwm"]).contains("not with an address"));
    assert!(problem("0", &["service=http"]).contains("`0` is no firewall mark"));
    assert!(
        problem("7", &["checktype=connect", "real=10.0.0.1 gate"])
            .contains("no port that could be checked")
    );
}

#[test]
fn unknown_names_get_the_nearest_known_one() {
    let (_, problems) = read("Virtual=1.1.1.1:80\nchekinterval=5\ntimeout=3\nsupervised\nreal 1\n");
    assert!(problems[0].contains("did you mean `virtual`?"));
    assert!(problems[1].contains("did you mean `checkinterval`?"));
    assert!(problems[2].contains("`checktimeout` and `negotiatetimeout`"));
    assert!(problems[3].contains("`=` is missing after `real`"));
}

#[test]
fn what_is_not_carried_is_named_once() {
    let (cluster, problems) = read(
        "emailalert=root\nsmtp=mail\nlogfile=\"local0\"\nlogfile=\"local1\"\nvirtual=1.1.1.1:80\n",
    );
    assert!(cluster.is_some());
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains("has no effect here"));
}

#[test]
fn every_problem_is_found_in_one_run() {
    let (_, problems) = read(
        "checkintervall=5\nvirtual=1.1.1.1:80\n\treal=bad_host gate\n\tscheduler=rrr\n\
         \tquiescent=maybe\nvirtual=1.1.1.1\n",
    );
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[test]
fn an_empty_file_is_an_empty_cluster() {
    assert_eq!(clean("").services.len(), 0);
}
