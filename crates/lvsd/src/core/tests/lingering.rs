//! Servers that an edit removes, and that answer their last requests.

use super::*;

#[test]
fn a_healthy_server_that_an_edit_removes_answers_its_last_requests() {
    let mut bench = Bench::running(www());
    bench.connections(A, 3);
    bench.configure(of(vec![service("www", 80, &[B])]));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.connections(A, 0);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    assert!(!bench.core.checks().values().any(|watch| watch.server == at(A)));
}

#[test]
fn a_removed_server_lingers_for_a_second_at_least_and_ten_at_most() {
    let mut bench = Bench::running(www());
    bench.configure(of(vec![service("www", 80, &[B])]));
    bench.core.look();
    bench.settle();
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")], "a connection may just be opening");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);

    let mut bench = Bench::running(www());
    bench.connections(A, 3);
    bench.configure(of(vec![service("www", 80, &[B])]));
    bench.pass(Duration::from_secs(9));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}

#[test]
fn a_lingering_server_that_is_wanted_again_serves_again() {
    let mut bench = Bench::running(www());
    bench.connections(A, 3);
    bench.configure(of(vec![service("www", 80, &[B])]));
    bench.configure(www());
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.pass(Duration::from_secs(20));
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
}

#[test]
fn a_failed_server_and_a_removed_service_do_not_linger() {
    let mut bench = Bench::running(of(vec![service("www", 80, &[A, B]), service("x", 81, &[A])]));
    bench.judge(A, Verdict::Down);
    bench.configure(of(vec![service("www", 80, &[B])]));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}
