use std::net::SocketAddr;

use config::{Diagnostic, Severity};
use control::nanny::Verdict;
use control::status::SCHEMA_VERSION;
use control::status::{
    AddressStatus, GroupStatus, KeyUse, PartnerStatus, PathStatus, ServerStatus, ServiceStatus,
    WitnessStatus,
};
use control::worker::Readiness;
use ipvs::{Forwarding, Protocol, ServiceKey};

use super::*;
use crate::client::AskError;
use crate::output::without_colour;

/// 2026-11-20T12:00:00Z.
const NOW: u64 = 1_795_176_000_000;

fn ago_ms(seconds: u64) -> u64 {
    NOW - seconds * 1000
}

fn config() -> ConfigStatus {
    ConfigStatus {
        path: "/etc/caribe/cluster.yaml".into(),
        format: "native".into(),
        hash: "3f2a91c40badcafe".into(),
        applied_at_unix_ms: ago_ms(7300),
        refused: Vec::new(),
        trial_seconds: None,
    }
}

fn refused() -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        file: "/etc/caribe/cluster.yaml".into(),
        line: 12,
        column: 5,
        length: 8,
        source_line: "    sheduler: wlc".into(),
        message: "unknown key sheduler".into(),
        help: Some("did you mean scheduler?".into()),
    }
}

fn path(name: &str, alive: bool, rejected_tag: u64) -> PathStatus {
    PathStatus {
        name: name.into(),
        alive,
        carrier: true,
        last_heard_ms: Some(if alive { 120 } else { 75_000 }),
        sent: 57_012,
        received: 56_990,
        rejected_tag,
        ..PathStatus::default()
    }
}

fn address(text: &str, problem: Option<&str>) -> AddressStatus {
    AddressStatus {
        address: text.into(),
        interface: "eth0".into(),
        present: text != "192.168.1.7/24",
        problem: problem.map(Into::into),
    }
}

fn group(name: &str, role: &str, held_by: &str, addresses: Vec<AddressStatus>) -> GroupStatus {
    GroupStatus {
        name: name.into(),
        role: role.into(),
        held_by: Some(held_by.into()),
        preferred: Some("master".into()),
        failback: "manual".into(),
        reason: "the partner was lost".into(),
        since_unix_ms: ago_ms(11_000),
        addresses,
    }
}

pub(crate) fn pulse() -> PulseStatus {
    PulseStatus {
        schema: SCHEMA_VERSION,
        router: "master".into(),
        uptime_seconds: 11_530,
        config: config(),
        partner: PartnerStatus {
            name: "backup".into(),
            state: "alive".into(),
            last_heard_ms: Some(120),
            readiness: Some(Readiness::default()),
            config_differs: false,
        },
        paths: vec![
            path("192.168.1.2 -> 192.168.1.3", true, 0),
            path("172.16.1.2 -> 172.16.1.3", false, 3),
        ],
        witness: vec![WitnessStatus { address: "192.168.1.254".into(), reachable: Some(true) }],
        fencing: String::new(),
        groups: vec![
            group(
                "web",
                "active",
                "master",
                vec![
                    address("192.168.1.1/24", None),
                    address("2001:db8::1/64", Some("02:00:00:00:00:09 answers for it too")),
                ],
            ),
            GroupStatus {
                reason: "the partner has it".into(),
                ..group("mail", "standby", "backup", vec![address("192.168.1.7/24", None)])
            },
        ],
        readiness: Readiness { table_in_place: true, checks_warm: true, config_hash: 1 },
        lvsd_pid: Some(812),
        lvsd_restarts: 0,
        key_fingerprints: vec!["2:1f2e3d4c".into(), "1:5a6b7c8d".into()],
        key_mode: "prefer".into(),
        partner_signs: Some(1),
        key_use: KeyUse { first: 56_900, other: 90, unknown: 0, wrong: 3 },
    }
}

fn server(name: &str, address: &str, verdict: Verdict, kernel_weight: Option<u32>) -> ServerStatus {
    ServerStatus {
        name: name.into(),
        address: Some(address.parse().unwrap()),
        forwarding: Forwarding::Direct,
        verdict,
        reason: String::new(),
        since_unix_ms: ago_ms(7300),
        checks: Vec::new(),
        configured_weight: 1,
        kernel_weight,
        weight_because: vec!["the configuration says 1".into()],
        decision: None,
        active_connections: 12,
        inactive_connections: 30,
        connections: 4711,
        bytes_in: 1 << 20,
    }
}

fn service(name: &str, address: &str, servers: Vec<ServerStatus>) -> ServiceStatus {
    let address: SocketAddr = address.parse().unwrap();
    ServiceStatus {
        name: name.into(),
        keys: vec![ServiceKey::Address { address, protocol: Protocol::Tcp }],
        marked: Vec::new(),
        scheduler: "wlc".into(),
        persistence_seconds: None,
        on_sorry_server: false,
        failing_open: false,
        max_down_percent: 50,
        sorry: None,
        problem: None,
        servers,
    }
}

pub(crate) fn lvsd() -> LvsdStatus {
    let up = server("192.168.1.4:80", "192.168.1.4:80", Verdict::Up, Some(1));
    let mut down = server("192.168.1.5", "192.168.1.5:80", Verdict::Down, None);
    down.reason = "connection refused".into();
    down.since_unix_ms = ago_ms(190);
    down.active_connections = 0;
    let mut drained = server("www3", "192.168.1.6:80", Verdict::Up, Some(0));
    drained.decision = Some("drained by ann: kernel upgrade, until 12:15".into());
    let mut slow = server("192.168.1.8:80", "192.168.1.8:80", Verdict::Up, Some(20));
    slow.configured_weight = 100;
    slow.weight_because.push("slow start: 20 of 100 after 12 s".into());
    let mut www = service("www", "192.168.1.1:80", vec![up, down, drained, slow]);
    www.sorry = Some("127.0.0.1:80".into());
    www.persistence_seconds = Some(300);
    let mut dead = server("six", "[2001:db8::25]:25", Verdict::Down, None);
    dead.reason = "no answer within 3 s".into();
    let mut mail = service("mail", "[2001:db8::1]:25", vec![dead]);
    mail.on_sorry_server = true;
    mail.sorry = Some("[::1]:25".into());
    LvsdStatus {
        schema: SCHEMA_VERSION,
        uptime_seconds: 11_529,
        config: config(),
        services: vec![www, mail],
        foreign: vec!["10.0.0.1:53/udp".into()],
        kernel_writes: 17,
        kernel_refusals: 1,
        drift_repairs: 2,
        checks_passed: 48_213,
        checks_failed: 96,
        ..LvsdStatus::default()
    }
}

fn both() -> Snapshot {
    Snapshot::new(Ok(pulse()), Ok(lvsd()))
}

fn plain(snapshot: &Snapshot, width: usize) -> String {
    without_colour(&render(snapshot, Some(width), NOW))
}

#[test]
fn the_whole_picture_at_120_columns() {
    insta::assert_snapshot!(plain(&both(), 120));
}

#[test]
fn the_whole_picture_at_80_columns() {
    insta::assert_snapshot!(plain(&both(), 80));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [80, 100, 120, 200] {
        for line in plain(&both(), width).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_refused_edit_is_shown_until_it_is_mended() {
    let mut snapshot = both();
    assert!(!plain(&snapshot, 120).contains("refused;"));
    snapshot.pulse.as_mut().unwrap().config.refused = vec![refused()];
    let text = plain(&snapshot, 120);
    assert!(text.contains("The newest edit is refused; what ran before goes on:"), "{text}");
    assert!(text.contains("cluster.yaml:12:5: error: unknown key sheduler"), "{text}");
}

#[test]
fn a_single_director_has_no_pair() {
    let mut snapshot = Snapshot { pulse: None, ..both() };
    snapshot.lvsd.as_mut().unwrap().config.refused = vec![refused()];
    let text = plain(&snapshot, 80);
    assert!(text.starts_with("Single director, up 3 h 12 min\nConfiguration /etc"), "{text}");
    assert!(text.contains("12:5: error"), "{text}");
    assert!(!text.contains("artner"), "{text}");
}

#[test]
fn lvsd_that_is_away_or_behind_is_told() {
    let mut snapshot = Snapshot { lvsd: None, ..both() };
    assert!(plain(&snapshot, 80).contains("lvsd does not answer"));
    snapshot = both();
    snapshot.lvsd.as_mut().unwrap().config.hash = "ffff".into();
    assert!(plain(&snapshot, 80).contains("lvsd has another configuration than pulse"));
}

#[test]
fn what_one_daemon_says_is_shown_while_the_other_one_hangs() {
    let hangs = || AskError::Failed(ExitError::unavailable("no answer within 10 s"));
    let snapshot = Snapshot::new(Err(hangs()), Ok(lvsd()));
    let text = plain(&snapshot, 80);
    assert!(text.starts_with("pulse does not answer\nConfiguration /etc"), "{text}");
    assert!(text.contains("192.168.1.4:80"), "{text}");
    assert_eq!(snapshot.end(), Err(ExitError::unavailable("no answer within 10 s")));
    let snapshot = Snapshot::new(Ok(pulse()), Err(hangs()));
    let text = plain(&snapshot, 80);
    assert!(text.starts_with("Router master"), "{text}");
    assert!(text.contains("lvsd does not answer"), "{text}");
    assert_eq!(snapshot.end(), Err(ExitError::unavailable("no answer within 10 s")));
}

#[test]
fn a_reason_that_a_server_wrote_brings_neither_lines_nor_colours() {
    let mut snapshot = both();
    let service = &mut snapshot.lvsd.as_mut().unwrap().services[0];
    service.servers[1].reason = "\u{1b}[2J\nall is well".into();
    let text = render(&snapshot, Some(200), NOW);
    assert!(!text.contains("\u{1b}[2J"), "{text}");
    assert!(text.contains(r"\u{1b}[2J\nall is well"), "{text}");
}

#[test]
fn the_json_holds_both_snapshots_and_a_version() {
    let value = serde_json::to_value(both()).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["pulse"]["groups"][0]["role"], "active");
    assert_eq!(value["lvsd"]["services"][0]["servers"][1]["verdict"], "down");
    let single = serde_json::to_value(Snapshot { pulse: None, ..both() }).unwrap();
    assert!(single["pulse"].is_null());
}
