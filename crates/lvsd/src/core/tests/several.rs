//! Real servers that have to pass several checks.

use super::*;

const PAGE: &str = "192.168.1.4:8080";

/// The virtual server of the bench, whose first real server is asked at two ports.
fn twice() -> Cluster {
    let mut cluster = www();
    let service = &mut cluster.services[0];
    service.servers[0].check = Some(service.check.clone());
    service.servers[0].also = vec![Check { port: Some(8080), ..service.check.clone() }];
    cluster
}

#[test]
fn a_server_leaves_with_its_first_failing_check_and_returns_with_the_last_one() {
    let mut bench = Bench::running(twice());
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.judge(PAGE, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.judge(A, Verdict::Down);
    bench.judge(PAGE, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    let about = format!("service=www server={A} check=connect reason=because after=3");
    let verdicts = [
        format!("real server down {about}"),
        format!("check fails, its real server was not up before {about}"),
        format!("check passes, its real server is not up before all of them do {about}"),
        format!("real server up {about}"),
    ];
    let told: Vec<_> = bench.log.iter().filter(|line| line.ends_with(&about)).cloned().collect();
    assert_eq!(told, verdicts);
}

#[test]
fn a_server_is_out_until_each_of_its_checks_has_passed() {
    let mut bench = Bench::fresh(twice());
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    bench.judge(PAGE, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
}

#[test]
fn status_and_explain_tell_which_check_fails() {
    let mut bench = Bench::running(twice());
    bench.judge(PAGE, Verdict::Down);
    let status = bench.core.status(&Surroundings::default(), bench.now);
    let server = &status.services[0].servers[0];
    assert_eq!((server.verdict, server.reason.as_str()), (Verdict::Down, "because"));
    let checks: Vec<_> =
        server.checks.iter().map(|check| (check.check.as_str(), check.verdict)).collect();
    assert_eq!(
        checks,
        [("connect on port 80", Verdict::Up), ("connect on port 8080", Verdict::Down)]
    );
    let lines =
        ["check connect on port 80: up: connected", "check connect on port 8080: down: because"];
    assert_eq!(server.weight_because[1..3], lines);
    let explained = bench.core.explain("192.168.1.4", bench.now);
    assert_eq!(explained[0].2, Some(bench.id(PAGE)), "the results of the one that fails");
}

#[test]
fn a_restart_remembers_each_check_and_changes_nothing() {
    let mut bench = Bench::running(twice());
    bench.judge(PAGE, Verdict::Down);
    let mut bench = bench.restart();
    assert_eq!(bench.kernel.done, 0);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.judge(PAGE, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
}

#[test]
fn a_check_that_an_edit_adds_takes_nobody_out_before_it_has_answered() {
    let mut bench = Bench::running(www());
    bench.configure(twice());
    assert_eq!((bench.kernel.done, bench.table()), (0, vec![format!("80: {A}=1 {B}=1")]));
    bench.judge(PAGE, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}
