//! Programs and mails about real servers that go and return.

use config::model::{Group, Mail};

use super::*;

/// The virtual server of the bench, with somebody who is told.
fn told(repeat: Option<Duration>) -> Cluster {
    let mut cluster = www();
    let words = |word: &str| vec!["/bin/page".to_owned(), word.to_owned()];
    let mail = Mail { to: vec!["root".into()], from: None, server: None, repeat };
    cluster.services[0].notify =
        Notify { empty: words("empty"), filled: words("filled"), mail: Some(mail), results: None };
    cluster
}

/// What was told, in short.
fn said(bench: &mut Bench) -> Vec<String> {
    let notices = bench.core.notices(bench.now).into_iter();
    notices
        .map(|notice| match notice {
            Notice::Run { service, server: None, argv } => {
                format!("{service}: {}", argv.join(" "))
            }
            Notice::Run { service, server: Some((server, state)), argv } => {
                format!("{service} {server} {state}: {}", argv.join(" "))
            }
            Notice::Mail { mail, lines } => format!("{}: {}", mail.to.join(" "), lines.join("; ")),
        })
        .collect()
}

fn down(server: &str) -> String {
    format!("[www] real server {server} is down: because")
}

#[test]
fn a_burst_of_changes_is_one_mail_and_the_next_one_waits() {
    let mut bench = Bench::running(told(None));
    assert_eq!(said(&mut bench), [""; 0], "all is well at first");
    bench.judge(A, Verdict::Down);
    bench.pass(Duration::from_secs(1));
    bench.judge(B, Verdict::Down);
    assert_eq!(said(&mut bench), ["www: /bin/page empty"]);
    assert!(bench.core.next_deadline(bench.now) <= bench.now.instant + Duration::from_secs(1));
    bench.pass(Duration::from_secs(1));
    assert_eq!(said(&mut bench), [format!("root: {}; {}", down(A), down(B))]);
    bench.judge(A, Verdict::Up);
    bench.pass(Duration::from_secs(20));
    assert_eq!(said(&mut bench), ["www: /bin/page filled"]);
    bench.pass(Duration::from_secs(10));
    assert_eq!(said(&mut bench), [format!("root: [www] real server {A} is up: because")]);
}

#[test]
fn who_stays_down_is_told_of_again() {
    let mut bench = Bench::running(told(Some(Duration::from_secs(600))));
    bench.judge(A, Verdict::Down);
    bench.pass(Duration::from_secs(2));
    assert_eq!(said(&mut bench), [format!("root: {}", down(A))]);
    bench.pass(Duration::from_secs(590));
    assert_eq!(said(&mut bench), [""; 0]);
    bench.pass(Duration::from_secs(10));
    assert_eq!(said(&mut bench), [""; 0], "it is gathered first");
    bench.pass(Duration::from_secs(2));
    assert_eq!(said(&mut bench), [format!("root: [www] real server {A} is still down")]);
    bench.judge(A, Verdict::Up);
    bench.pass(Duration::from_secs(60));
    assert_eq!(said(&mut bench).len(), 1);
    bench.pass(Duration::from_secs(3600));
    assert_eq!(said(&mut bench), [""; 0]);
}

#[test]
fn the_router_that_carries_a_virtual_server_tells_of_it_and_no_other() {
    let mut cluster = told(None);
    cluster.services[0].servers[0].notify = with_programs().services[0].servers[0].notify.clone();
    let group = Group {
        name: "web".into(),
        preferred: None,
        failback: config::model::Failback::Manual,
        addresses: vec![config::model::FloatingAddress {
            ip: "192.168.1.1".parse().unwrap(),
            prefix_length: None,
            interface: None,
            label: None,
            broadcast: None,
        }],
        hooks: Vec::new(),
    };
    let router = |name: &str| config::model::Router { name: name.into(), paths: Vec::new() };
    cluster.pair = Some(config::model::Pair {
        routers: [router("a"), router("b")],
        heartbeat: config::model::Heartbeat {
            interval: Duration::from_secs(1),
            dead_after: Duration::from_secs(3),
            warn_after: None,
            listen_first: Duration::from_secs(3),
            port: 539,
            shared_paths: Vec::new(),
            keys: config::model::KeySource::Default,
            witness: Vec::new(),
            yield_on_fewer_witnesses: false,
        },
        groups: vec![group],
        fence: None,
    });
    let mut bench = Bench::running(cluster);
    bench.core.active(Vec::new());
    bench.judge(A, Verdict::Down);
    bench.judge(B, Verdict::Down);
    bench.pass(Duration::from_secs(5));
    assert_eq!(said(&mut bench), [""; 0]);
    bench.core.active(vec!["web".into()]);
    assert_eq!(said(&mut bench), ["www: /bin/page empty"], "who takes over begins there");
    bench.core.active(Vec::new());
    assert_eq!(said(&mut bench), ["www: /bin/page filled"]);
}

#[test]
fn nothing_is_told_before_the_checks_have_answered() {
    let mut bench = Bench::fresh(told(None));
    assert_eq!(said(&mut bench), [""; 0]);
    bench.judge(A, Verdict::Down);
    assert_eq!(said(&mut bench), [""; 0]);
    bench.judge(B, Verdict::Down);
    assert_eq!(said(&mut bench), ["www: /bin/page empty"]);
}

#[test]
fn many_lines_are_counted_and_not_kept() {
    let mut cluster = told(None);
    let servers: Vec<String> = (1..=120).map(|last| format!("10.0.0.{last}:80")).collect();
    let names: Vec<&str> = servers.iter().map(String::as_str).collect();
    cluster.services[0].servers = service("www", 80, &names).servers;
    let mut bench = Bench::running(cluster);
    for name in &names {
        bench.judge(name, Verdict::Down);
    }
    bench.pass(Duration::from_secs(2));
    let mail = said(&mut bench).pop().unwrap();
    assert!(mail.ends_with("; and 20 more changes"), "{mail}");
}

#[test]
fn the_maintenance_folder_takes_out_and_gives_back() {
    let mut bench = Bench::running(www());
    bench.core.rest(["192.168.1.4".to_owned()].into());
    bench.settle();
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.core.rest(BTreeSet::new());
    bench.settle();
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    assert_eq!(bench.told("maintenance folder has changed out=192.168.1.4 back="), 1);
}

/// The bench with programs of its first real server.
fn with_programs() -> Cluster {
    let mut cluster = www();
    let words = |word: &str| vec!["/bin/server".to_owned(), word.to_owned()];
    cluster.services[0].servers[0].notify = ServerNotify { up: words("up"), down: words("down") };
    cluster.services[0].notify.empty = vec!["/bin/empty".to_owned()];
    cluster
}

#[test]
fn each_change_of_a_real_server_runs_its_program_in_the_order_of_what_happened() {
    let mut bench = Bench::running(with_programs());
    assert_eq!(said(&mut bench), [""; 0], "who is up at the start is not told");
    bench.judge(B, Verdict::Down);
    bench.judge(A, Verdict::Down);
    bench.judge(A, Verdict::Up);
    bench.judge(A, Verdict::Down);
    let down = format!("www {A} down: /bin/server down");
    let up = format!("www {A} up: /bin/server up");
    assert_eq!(said(&mut bench), [down.clone(), up, down, "www: /bin/empty".to_owned()]);
}
