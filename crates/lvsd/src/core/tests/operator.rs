//! What an operator decides.

use health::ledger::{Aspect, Subject};
use health::{Drain, Note, Ruling};

use super::*;

#[test]
fn a_drained_server_waits_for_its_connections_and_stays_drained() {
    let mut bench = Bench::running(www());
    bench.connections(A, 2);
    bench.act(A, Decision::Drain { deadline_seconds: None });
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.connections(A, 0);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    let line = "real server drained service=www server=192.168.1.4:80 reason=no connection is left connections_left=0";
    assert!(bench.log.contains(&line.into()), "{:#?}", bench.log);

    let mut bench = bench.restart();
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {B}=1")], "drained is a state");
    let status = bench.core.status(&Surroundings::default(), bench.now);
    let words = status.services[0].servers[0].decision.clone();
    assert_eq!(words.as_deref(), Some("drained by alice: new kernel, for 0 s"));
    bench.act(A, Decision::Undrain);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
}

#[test]
fn a_drain_without_connections_closes_the_door_before_it_looks_for_who_is_left() {
    let mut bench = Bench::running(www());
    bench.act(A, Decision::Drain { deadline_seconds: None });
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    let closed = |table: &Table| {
        table
            .values()
            .any(|pool| pool.destinations.get(&at(A)).is_some_and(|server| server.weight == 0))
    };
    assert!(bench.seen.iter().any(closed));
}

#[test]
fn a_drain_ends_at_its_deadline_even_with_connections() {
    let mut bench = Bench::running(www());
    bench.connections(A, 2);
    bench.act(A, Decision::Drain { deadline_seconds: Some(30) });
    let until = bench.core.next_deadline(bench.now) - bench.now.instant;
    assert!(until <= Duration::from_secs(1), "connections are counted each second: {until:?}");
    bench.pass(Duration::from_secs(29));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}

#[test]
fn the_last_server_that_is_drained_hands_over_to_the_sorry_server() {
    let mut bench = Bench::running(of(vec![service("www", 80, &[A])]));
    bench.connections(A, 1);
    bench.act("192.168.1.4", Decision::Drain { deadline_seconds: None });
    assert_eq!(bench.table(), [format!("80: {SORRY}=1 {A}=0")]);
    assert!(bench.serves_all_the_time());
}

#[test]
fn disable_enable_and_weight_are_done_and_taken_back() {
    let mut bench = Bench::running(www());
    bench.act(A, Decision::Disable);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.act(A, Decision::Enable);
    bench.act(B, Decision::Weight { weight: Some(9) });
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=9")]);
    bench.act(B, Decision::Weight { weight: None });
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    let line = "operator decided decision=disable service=www server=192.168.1.4:80 who=alice reason=new kernel";
    assert!(bench.log.contains(&line.into()), "{:#?}", bench.log);
}

#[test]
fn a_deadline_of_more_than_a_year_is_refused_and_one_that_is_remembered_does_no_harm() {
    let mut bench = Bench::running(www());
    let decision = Decision::Drain { deadline_seconds: Some(u64::MAX) };
    let action =
        ServerAction { server: A.into(), service: None, decision, reason: None, who: None };
    let failed = bench.core.act(&action, bench.now).unwrap_err().error;
    assert!(failed.contains("more than a year"), "{failed}");
    // An earlier release took it.
    let note = Note { who: None, reason: None, router: None, since_unix_ms: 5 };
    let drain = Drain { note, deadline: Some(Duration::MAX), done: false };
    let subject = Subject { service: "www".into(), server: A.into(), aspect: Aspect::Drain };
    bench.core.has_partner("b".into());
    bench.core.rule(subject, Some(Ruling::Drain(drain)), bench.now);
    bench.connections(A, 1);
    bench.settle();
    let mut bench = bench.restart();
    bench.core.has_partner("b".into());
    bench.connections(A, 1);
    bench.pass(Duration::from_secs(10));
    assert!(bench.core.next_deadline(bench.now) > bench.now.instant);
    assert!(!bench.core.letters(bench.now).is_empty());
    bench.core.status(&Surroundings::default(), bench.now);
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.act(A, Decision::Undrain);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
}

#[test]
fn an_action_on_nobody_says_what_to_name() {
    let mut bench = Bench::running(www());
    let action = |server: &str, service: Option<&str>, decision| ServerAction {
        server: server.into(),
        service: service.map(Into::into),
        decision,
        reason: None,
        who: None,
    };
    let failed = bench.core.act(&action("192.0.2.1", None, Decision::Disable), bench.now);
    assert!(failed.unwrap_err().error.starts_with("no real server 192.0.2.1 in any virtual"));
    let failed = bench.core.act(&action(A, Some("mail"), Decision::Disable), bench.now);
    assert!(failed.unwrap_err().error.contains("in virtual server mail"));
    let weight = Decision::Weight { weight: Some(1 << 31) };
    let failed = bench.core.act(&action(A, None, weight), bench.now);
    assert!(failed.unwrap_err().error.contains("above 2147483647"));
}
