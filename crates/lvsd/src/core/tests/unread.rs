//! A kernel that cannot be asked.

use super::*;

const WHY: &str = "this kernel has no IPVS: load it with `modprobe ip_vs`";
const SECOND: Duration = Duration::from_secs(1);

/// Time passes, and every look fails; how many there were.
fn fail(bench: &mut Bench, time: Duration, reason: &str) -> usize {
    bench.now.instant += time;
    bench.core.tick(bench.now);
    let mut looks = 0;
    while let Some(work) = bench.core.kernel_work(bench.now) {
        assert!(looks < 10, "it looks and looks");
        match work {
            KernelWork::Dump => {
                looks += 1;
                bench.core.kernel_failed(reason, bench.now);
            }
            // Nothing of it was tried.
            KernelWork::Apply(steps) => bench.core.applied(&steps, &[], bench.now),
        }
    }
    looks
}

fn judge_only(bench: &mut Bench, address: &str, verdict: Verdict) {
    let id = bench.id(address);
    bench.core.judged(id, verdict, "because", 3, bench.now);
}

#[test]
fn a_table_that_cannot_be_read_is_not_in_place_until_it_is_read() {
    let mut bench = Bench::running(www());
    assert!(bench.core.readiness(0).table_in_place);
    assert_eq!(fail(&mut bench, LONGEST_AUDIT_INTERVAL, WHY), 1);
    assert!(!bench.core.readiness(0).table_in_place);
    bench.pass(SECOND);
    assert!(bench.core.readiness(0).table_in_place);
}

#[test]
fn each_reason_is_told_once_and_so_is_its_end() {
    let mut bench = Bench::running(www());
    for reason in [WHY, WHY, "the kernel did not answer within 3 s", WHY] {
        assert_eq!(fail(&mut bench, LONGEST_AUDIT_INTERVAL, reason), 1);
    }
    bench.pass(SECOND);
    bench.pass(LONGEST_AUDIT_INTERVAL);
    assert_eq!(bench.told("kernel cannot be asked"), 2, "{:#?}", bench.log);
    assert_eq!(bench.told("kernel can be asked again after_seconds=16"), 1, "{:#?}", bench.log);
    fail(&mut bench, LONGEST_AUDIT_INTERVAL, WHY);
    bench.settle();
    assert_eq!(bench.told("kernel cannot be asked"), 3, "a later failure is another one");
}

#[test]
fn after_a_look_that_failed_the_next_one_waits_whoever_wants_it() {
    let mut bench = Bench::running(www());
    judge_only(&mut bench, A, Verdict::Down);
    let Some(KernelWork::Apply(steps)) = bench.core.kernel_work(bench.now) else { panic!() };
    let refused: Vec<_> =
        steps.iter().map(|_| Err(Refusal { errno: 2, text: "no such server".into() })).collect();
    bench.core.applied(&steps, &refused, bench.now);
    assert_eq!(fail(&mut bench, Duration::ZERO, WHY), 1);
    bench.core.look();
    for _ in 0..3 {
        assert_eq!(fail(&mut bench, Duration::from_millis(333), WHY), 0);
        assert!(bench.core.next_deadline(bench.now) > bench.now.instant, "it would spin");
    }
    assert_eq!(fail(&mut bench, Duration::from_millis(1), WHY), 1);
}

#[test]
fn while_the_kernel_takes_nothing_steps_are_tried_no_more_often_than_it_is_looked() {
    let mut bench = Bench::running(www());
    judge_only(&mut bench, A, Verdict::Down);
    fail(&mut bench, Duration::ZERO, WHY);
    for _ in 0..3 {
        assert_eq!(fail(&mut bench, Duration::from_millis(333), WHY), 0);
        assert!(bench.core.next_deadline(bench.now) > bench.now.instant, "it would spin");
    }
    bench.pass(SECOND);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    assert_eq!(bench.told("kernel refuses"), 0, "{:#?}", bench.log);
}

#[test]
fn a_kernel_that_can_be_changed_and_not_read_is_changed() {
    let mut bench = Bench::running(www());
    fail(&mut bench, LONGEST_AUDIT_INTERVAL, "the list changed while it was read");
    bench.core.look();
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}

#[test]
fn nothing_of_the_kernels_is_due_while_its_answer_is_waited_for() {
    let mut bench = Bench::running(www());
    bench.now.instant += LONGEST_AUDIT_INTERVAL;
    assert_eq!(bench.core.kernel_work(bench.now), Some(KernelWork::Dump));
    assert!(bench.core.next_deadline(bench.now) > bench.now.instant, "it would spin");
}
