//! Slow start.

use super::*;

/// A pool whose first server has a weight of 17, and takes 16 s to it.
fn slow() -> Bench {
    let mut service = service("www", 80, &[A, B]);
    service.servers[0].weight = 17;
    service.slow_start = Some(Duration::from_secs(16));
    Bench::running(of(vec![service]))
}

#[test]
fn a_server_that_returns_rises_to_its_weight_step_by_step_and_is_then_forgotten() {
    let mut bench = slow();
    assert_eq!(bench.table(), [format!("80: {A}=17 {B}=1")]);
    bench.judge(A, Verdict::Down);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    for second in 1..=15 {
        let due = bench.core.next_deadline(bench.now) - bench.now.instant;
        assert!(due <= Duration::from_secs(1), "{due:?}");
        bench.pass(Duration::from_secs(1));
        assert_eq!(bench.table(), [format!("80: {A}={} {B}=1", second + 1)]);
    }
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {A}=17 {B}=1")]);
    assert_eq!(bench.core.rising.next(), None);
}

#[test]
fn one_that_fails_on_its_way_begins_anew_and_the_first_answer_of_all_is_no_return() {
    let mut bench = slow();
    bench.judge(A, Verdict::Down);
    bench.judge(A, Verdict::Up);
    bench.pass(Duration::from_secs(8));
    assert_eq!(bench.table(), [format!("80: {A}=9 {B}=1")]);
    bench.judge(A, Verdict::Down);
    bench.pass(Duration::from_secs(1));
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    // A new daemon knows of no return.
    assert_eq!(bench.restart().table(), [format!("80: {A}=17 {B}=1")]);
}

#[test]
fn an_operators_weight_goes_before_a_slow_start() {
    let mut bench = slow();
    bench.judge(A, Verdict::Down);
    bench.judge(A, Verdict::Up);
    bench.act(A, Decision::Weight { weight: Some(5) });
    assert_eq!(bench.table(), [format!("80: {A}=5 {B}=1")]);
}
