//! Who is asked, and who shares the answer.

use super::*;

#[test]
fn checks_on_and_off_need_no_probe() {
    let mut service = www(&[A, B]);
    service.servers[1].check = Some(Check { kind: CheckKind::Off, ..connect() });
    service.check.kind = CheckKind::On;
    let world = World::default();
    assert_eq!(world.pool(&service), [format!("{A}=1")]);
    assert!(world.wanted(&service).servers.iter().all(|server| server.probes.is_empty()));
}

#[test]
fn one_probe_serves_all_who_ask_the_same_place_the_same_way() {
    let at: SocketAddr = A.parse().unwrap();
    let other: SocketAddr = "192.168.1.4:8080".parse().unwrap();
    let asks_80 = Check { port: Some(80), ..connect() };
    assert_eq!(
        Probe::new(at, None, &connect(), Forwarding::Direct),
        Probe::new(other, None, &asks_80, Forwarding::Direct)
    );
    assert_ne!(
        Probe::new(at, None, &connect(), Forwarding::Direct),
        Probe::new(other, None, &connect(), Forwarding::Direct)
    );
    let ping = Check { kind: CheckKind::Ping, ..connect() };
    assert_eq!(
        Probe::new(at, None, &ping, Forwarding::Direct),
        Probe::new(other, None, &ping, Forwarding::Direct)
    );
    let program = |word: &str| Check {
        kind: CheckKind::External {
            argv: vec!["/bin/check".into(), word.into()],
            expect: None,
            sets_weight: false,
        },
        ..connect()
    };
    let (web, tls) = ("192.168.1.1:80".parse().ok(), "192.168.1.1:443".parse().ok());
    assert_eq!(
        Probe::new(at, web, &program("%h"), Forwarding::Direct),
        Probe::new(at, tls, &program("%h"), Forwarding::Direct)
    );
    assert_ne!(
        Probe::new(at, web, &program("%H"), Forwarding::Direct),
        Probe::new(at, tls, &program("%H"), Forwarding::Direct)
    );
}
