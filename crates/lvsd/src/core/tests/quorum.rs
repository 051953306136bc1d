//! Virtual servers of which too little is up.

use super::*;

/// Three real servers of which so many have to be up, and a program for when they are not.
fn three(weight: u32, hysteresis: u32) -> Cluster {
    let mut service = service("www", 80, &[A, B, C]);
    // No limit but the quorum.
    service.max_down = config::Percent::ALL;
    service.quorum = Quorum { weight, hysteresis };
    service.notify.empty = vec!["/bin/lost".to_owned()];
    service.notify.filled = vec!["/bin/found".to_owned()];
    of(vec![service])
}

fn programs(bench: &mut Bench) -> Vec<String> {
    let run = |notice| match notice {
        Notice::Run { argv, .. } => argv.join(" "),
        Notice::Mail { .. } => "a mail".to_owned(),
    };
    bench.core.notices(bench.now).into_iter().map(run).collect()
}

#[test]
fn a_pool_below_its_quorum_is_given_up_at_once_and_taken_again_never_empty_in_between() {
    let mut bench = Bench::running(three(2, 0));
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=1 {C}=1")]);
    bench.judge(B, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    assert_eq!(programs(&mut bench), ["/bin/lost"]);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {C}=1")]);
    assert_eq!(programs(&mut bench), ["/bin/found"]);
    assert!(bench.serves_all_the_time());
    assert_eq!(bench.told("virtual server is below its quorum service=www quorum=2"), 1);
    assert_eq!(bench.told("virtual server has its quorum service=www quorum=2"), 1);
}

#[test]
fn hysteresis_holds_over_a_restart() {
    let mut bench = Bench::running(three(2, 1));
    bench.judge(A, Verdict::Down);
    bench.judge(B, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {C}=1")], "1 is not less than 2 - 1");
    bench.judge(C, Verdict::Down);
    bench.judge(B, Verdict::Up);
    bench.judge(C, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")], "2 is less than 2 + 1");
    let mut bench = bench.restart();
    bench.judge(B, Verdict::Up);
    bench.judge(C, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1 {C}=1")]);
}

#[test]
fn at_the_start_the_hysteresis_asks_for_nothing_more() {
    let mut bench = Bench::fresh(three(3, 1));
    for server in [A, B, C] {
        bench.judge(server, Verdict::Up);
    }
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1 {C}=1")]);
}
