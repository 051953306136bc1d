use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

mod resources;
mod times;

use super::*;
use crate::load::load;
use crate::model::{FloatingAddress, HookOrder, SharedPath};

const HA_CF: &str = "node Master Backup\nbcast eth1\nkeepalive 2\nauto_failback on\n";
const HARESOURCES: &str = "Master 192.168.1.1\n";
const AUTHKEYS: &str = "auth 1\n1 sha1 a-long-secret-of-some-words\n";
const WEB: &str = "virtual=192.168.1.1:80\n\treal=192.168.1.4:80 gate\n";

/// A folder of these files.
fn loaded(files: &[(&str, &str)]) -> crate::Loaded {
    let usual = [("ha.cf", HA_CF), ("haresources", HARESOURCES), ("authkeys", AUTHKEYS)];
    let all: HashMap<PathBuf, Vec<u8>> = usual
        .iter()
        .chain(files)
        .map(|(name, text)| (Path::new("ha.d").join(name), text.as_bytes().to_vec()))
        .collect();
    load(Path::new("ha.d"), true, &|path| {
        let found = all.get(path).filter(|bytes| !bytes.is_empty()).cloned();
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    })
}

/// A folder of these files, and what was said of them.
fn read(files: &[(&str, &str)]) -> (Option<Cluster>, Vec<String>) {
    let loaded = loaded(files);
    (loaded.cluster, loaded.diagnostics.iter().map(crate::Diagnostic::one_line).collect())
}

/// A folder that has to be clean.
fn clean(files: &[(&str, &str)]) -> Pair {
    clean_cluster(files).pair.unwrap()
}

fn clean_cluster(files: &[(&str, &str)]) -> Cluster {
    let (cluster, problems) = read(files);
    assert_eq!(problems, Vec::<String>::new());
    cluster.unwrap()
}

/// The usual folder with these lines in ha.cf besides; it has to be clean.
fn heartbeat(lines: &str) -> Heartbeat {
    clean(&[("ha.cf", &format!("{HA_CF}{lines}"))]).heartbeat
}

/// The only problem of the usual folder with these lines in ha.cf besides.
fn problem(lines: &str) -> String {
    let (_, problems) = read(&[("ha.cf", &format!("{HA_CF}{lines}"))]);
    assert_eq!(problems.len(), 1, "{lines}: {problems:#?}");
    problems[0].clone()
}

/// The addresses of one line of haresources.
fn addresses(line: &str) -> Vec<FloatingAddress> {
    clean(&[("haresources", line)]).groups.remove(0).addresses
}

/// The only problem of this haresources.
fn resource_problem(text: &str) -> String {
    let (_, problems) = read(&[("haresources", text)]);
    assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
    problems[0].clone()
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[test]
fn the_mended_folder_is_a_pair_with_one_group() {
    let cluster = clean_cluster(&[
        ("ha.cf", include_str!("../../../../etc/ha.d/ha.cf")),
        ("haresources", include_str!("../../../../etc/ha.d/haresources")),
        ("authkeys", include_str!("../../../../etc/ha.d/authkeys")),
        ("ldirectord.cf", include_str!("../../../../etc/ha.d/ldirectord.cf")),
    ]);
    let pair = cluster.pair.unwrap();
    let names: Vec<_> = pair.routers.iter().map(|router| router.name.as_str()).collect();
    assert_eq!(names, ["Master", "Backup"]);
    let heartbeat = &pair.heartbeat;
    assert_eq!((heartbeat.interval, heartbeat.dead_after), (millis(2000), millis(30_000)));
    assert_eq!((heartbeat.listen_first, heartbeat.port), (millis(120_000), 694));
    assert_eq!(heartbeat.shared_paths, [SharedPath::Broadcast { interface: "eth1".into() }]);
    assert_eq!(heartbeat.keys, KeySource::Authkeys("authkeys".into()));
    let group = &pair.groups[0];
    assert_eq!((pair.groups.len(), group.name.as_str()), (1, "master-192.168.1.1"));
    assert_eq!(group.preferred.as_deref(), Some("Master"));
    assert_eq!(group.failback, Failback::Automatic { delay: Duration::ZERO });
    assert_eq!(group.addresses[0].ip.to_string(), "192.168.1.1");
    assert_eq!(cluster.services[0].servers.len(), 2);
    assert_eq!(cluster.kernel.sync.unwrap().interface, "eth0");
    assert!(cluster.autoreload);
}

#[test]
fn two_lines_are_two_groups_and_each_prefers_its_own_router() {
    let text = "master 192.168.1.1 ldirectord::ldirectord.cf\nBACKUP 192.168.1.9 ldirectord\n";
    let cluster = clean_cluster(&[("haresources", text), ("ldirectord.cf", WEB)]);
    let groups = cluster.pair.unwrap().groups;
    let names: Vec<_> = groups.iter().map(|g| (g.name.as_str(), g.preferred.as_deref())).collect();
    let wanted = [("master-192.168.1.1", Some("Master")), ("backup-192.168.1.9", Some("Backup"))];
    assert_eq!(names, wanted);
    assert_eq!(cluster.services.len(), 1);
}

#[test]
fn services_of_several_files_are_one_table() {
    let text = "Master 192.168.1.1 ldirectord::a.cf\nBackup 192.168.1.9 ldirectord::b.cf\n";
    let second = "virtual=192.168.1.9:80\n\treal=192.168.1.5:80 gate\n";
    let cluster = clean_cluster(&[("haresources", text), ("a.cf", WEB), ("conf/b.cf", second)]);
    let names: Vec<_> = cluster.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["tcp:192.168.1.1:80", "tcp:192.168.1.9:80"]);
    // A rule that the second file breaks points into the second file.
    let twice = "virtual=192.168.1.9:80\n\treal=192.168.1.5:80 gate\n\treal=192.168.1.5:80 gate\n";
    let (_, problems) = read(&[("haresources", text), ("a.cf", WEB), ("b.cf", twice)]);
    assert!(problems.iter().all(|problem| problem.starts_with("ha.d/b.cf:3:")), "{problems:#?}");
    assert_eq!(problems.len(), 1);
    let missing = resource_problem("Master 192.168.1.1 ldirectord::x.cf\n");
    assert!(
        missing.starts_with("ha.d/haresources:1:20: error: the file x.cf cannot be read"),
        "{missing}"
    );
    assert!(missing.contains("ha.d/x.cf and ha.d/conf/x.cf"));
}

#[test]
fn words_may_be_separated_by_commas_and_lines_may_repeat() {
    let text = "node Master\nnode backup, MASTER\nbcast eth0 eth1,eth2\nauto_failback on\nkeepalive 2 # c\n";
    let pair = clean(&[("ha.cf", text)]);
    assert_eq!(pair.routers.map(|router| router.name), ["Master", "backup"]);
    assert_eq!(pair.heartbeat.shared_paths.len(), 3);
    assert_eq!(heartbeat("keepalive 3\n").interval, millis(3000));
}

#[test]
fn every_kind_of_path_is_read() {
    let paths = heartbeat(
        "ucast eth0 192.168.1.2\nucast eth0 192.168.1.3\nmcast eth0 225.0.0.1 695 1 0\nmcast6 eth1 ff02::1 696 2 0\n",
    )
    .shared_paths;
    let addresses = |all: &[&str]| all.iter().map(|ip| ip.parse().unwrap()).collect();
    let multicast = |interface: &str, group: &str, port, ttl| SharedPath::Multicast {
        interface: interface.into(),
        group: group.parse().unwrap(),
        port,
        ttl,
    };
    let peers = addresses(&["192.168.1.2", "192.168.1.3"]);
    assert_eq!(
        paths[1..],
        [
            SharedPath::Unicast { interface: "eth0".into(), peers },
            multicast("eth0", "225.0.0.1", 695, 1),
            multicast("eth1", "ff02::1", 696, 2),
        ]
    );
    assert!(problem("ucast eth0\n").contains("`ucast` names no address"));
    assert!(problem("ucast eth0 master\n").contains("`master` is neither an address nor a name"));
    assert!(problem("mcast eth0 192.168.1.1 694 1 0\n").contains("no group here"));
    assert!(problem("mcast eth0 225.0.0.1\n").contains("five words"));
    assert!(problem("mcast eth0 225.0.0.1 694 0 0\n").contains("no time to live"));
    let (_, problems) = read(&[("ha.cf", &HA_CF.replace("bcast eth1\n", ""))]);
    assert!(problems[0].contains("ha.cf:1:1: error: there is no path for heartbeats"));
}

#[test]
fn the_port_counts_wherever_it_stands() {
    assert_eq!(heartbeat("udpport 700\n").port, 700);
    assert!(problem("udpport 70000\n").contains("`70000` is no port"));
    assert!(problem("udpport\n").contains("`udpport` says nothing"));
}

#[test]
fn pinged_addresses_are_witnesses() {
    let witness = heartbeat("ping 192.168.1.254\nping_group gates 10.0.0.1 10.0.0.2\n").witness;
    let shown: Vec<_> = witness.iter().map(IpAddr::to_string).collect();
    assert_eq!(shown, ["192.168.1.254", "10.0.0.1", "10.0.0.2"]);
    assert!(problem("ping gateway\n").contains("`gateway` is neither an address nor a name"));
}

#[test]
fn failback_is_said_or_asked_for() {
    let failback = |word: &str| {
        let text = HA_CF.replace("auto_failback on", word);
        let (cluster, problems) = read(&[("ha.cf", &text)]);
        (cluster.map(|cluster| cluster.pair.unwrap().groups[0].failback), problems)
    };
    let automatic = Some(Failback::Automatic { delay: Duration::ZERO });
    assert_eq!(failback("auto_failback No"), (Some(Failback::Manual), Vec::new()));
    assert_eq!(failback("auto_failback yes"), (automatic, Vec::new()));
    for (word, message) in [
        ("auto_failback legacy", "ha.d/ha.cf:4:15: warning: `legacy` gave addresses back"),
        (
            "nice_failback off",
            "ha.d/ha.cf:4:1: warning: `nice_failback` is long out of use (write `auto_failback on`",
        ),
        ("", "ha.d/ha.cf:1:1: warning: `auto_failback` is not said"),
    ] {
        let (found, problems) = failback(word);
        assert_eq!(found, automatic);
        assert!(problems.len() == 1 && problems[0].starts_with(message), "{problems:#?}");
    }
    assert!(failback("auto_failback maybe").1[0].contains("neither on nor off"));
}

#[test]
fn the_routers_are_two() {
    let nodes = |line: &str| {
        let (_, problems) = read(&[("ha.cf", &HA_CF.replace("node Master Backup", line))]);
        problems.into_iter().find(|problem| problem.contains("ha.cf")).unwrap()
    };
    assert!(nodes("node Master").contains("one is named (write `node Master PARTNER`"));
    assert!(
        nodes("node Master Backup Real1")
            .contains("ha.cf:1:20: error: a pair has two routers, more are named")
    );
    assert!(nodes("").contains("ha.cf:1:1: error: no router is named"));
    assert!(
        nodes("node Master Backup (the routers)")
            .contains("`(the` is no host name (put `#` before a remark: `node Master Backup # …`)")
    );
}

#[test]
fn a_group_of_a_host_that_is_no_router_says_what_to_write() {
    let text = resource_problem("Elsewhere 192.168.1.1\n");
    assert!(text.starts_with("ha.d/haresources:1:1: error: `Elsewhere` is no router: `node` in ha.cf says Master and Backup"), "{text}");
    assert!(text.contains("write `node Elsewhere PARTNER` in ha.cf"));
}

#[test]
fn what_is_not_carried_is_named_and_what_is_needless_is_not() {
    for line in [
        "serial /dev/ttyS0",
        "respawn hacluster /x",
        "apiauth x uid=y",
        "watchdog /dev/watchdog",
        "debugfile /var/log/ha-debug",
        "logfacility local0",
        "deadping 30",
        "autojoin any",
        "env PATH=/opt/bin",
    ] {
        assert!(problem(&format!("{line}\n{line}\n")).contains("has no effect here"), "{line}");
    }
    heartbeat("baud 19200\ndebug 1\nuse_logd yes\nrealtime on\nautojoin none\ncrm off\n");
    assert!(problem("crm yes\n").contains("error: a cluster resource manager is not carried"));
    assert!(problem("keepalives 2\n").contains("did you mean `keepalive`?"));
    assert!(problem("hello\n").contains("put `#` before a remark"));
}

#[test]
fn each_directive_that_is_not_needed_is_told_once_with_its_reason() {
    for (name, why) in known::NEEDLESS {
        let line = format!("{name} 1\n");
        let files = [("ha.cf", format!("{HA_CF}{line}{line}"))];
        let loaded = loaded(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        assert!(loaded.cluster.is_some() && loaded.diagnostics.is_empty(), "{name}");
        let notes: Vec<_> = loaded.notes.iter().map(crate::Diagnostic::one_line).collect();
        assert_eq!(notes, [format!("ha.d/ha.cf:5:1: note: `{name}` is not needed here ({why})")]);
    }
}

#[test]
fn the_log_goes_to_the_file_that_is_named() {
    let folder = |lines: &str| clean_cluster(&[("ha.cf", &format!("{HA_CF}{lines}"))]);
    assert_eq!(folder("logfile /var/log/ha-log\n").log_file.as_deref(), Some("/var/log/ha-log"));
    assert_eq!(folder("").log_file, None);
    assert!(problem("logfile ha-log\n").contains("write its full path"));
}

#[test]
fn files_that_are_not_there_are_named() {
    let (_, problems) = read(&[("ha.cf", ""), ("authkeys", "")]);
    assert!(problems[0].starts_with("ha.d/ha.cf: error: cannot be read: no such file"));
    assert!(problems[1].starts_with("ha.d/authkeys: warning: cannot be read: no such file"));
    let (_, problems) = read(&[("haresources", "")]);
    assert!(problems[0].starts_with("ha.d/haresources: error: cannot be read: no such file"));
}

#[test]
fn secrets_are_checked_but_never_shown_or_hashed() {
    let keys = |text: &str| read(&[("authkeys", text)]).1;
    let short = keys("auth 1\n1 sha1 lvsvtdns11\n");
    assert!(
        short[0]
            .starts_with("ha.d/authkeys:2:1: warning: the secret of key 1 is short: 10 characters")
    );
    assert!(keys("auth 1\n1 crc\n")[0].contains("crc has no secret"));
    assert!(!format!("{short:?}").contains("lvsvtdns11"));
    let hash = |text: &'static str| {
        let reader = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
            Some("ha.cf") => Ok(HA_CF.into()),
            Some("haresources") => Ok(HARESOURCES.into()),
            Some("authkeys") => Ok(text.into()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let loaded = load(Path::new("ha.d"), true, &reader);
        (loaded.hash, loaded.files)
    };
    let one = hash(AUTHKEYS);
    assert_eq!(one, hash("auth 1\n1 sha1 another-long-secret-of-words\n"));
    assert!(one.1.contains(&PathBuf::from("ha.d/authkeys")));
}
