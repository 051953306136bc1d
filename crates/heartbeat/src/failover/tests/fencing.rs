//! The partner is switched off before its groups are taken.

use super::*;
use crate::fence::{FenceSetup, Fencing};

const RULE: FenceSetup = FenceSetup {
    limit: Duration::from_secs(10),
    delay: Duration::from_secs(3),
    take_over_on_failure: false,
};

fn fenced(rule: FenceSetup) -> Setup {
    Setup { fence: Some(rule), ..setup() }
}

/// The number of the only fencing that is asked for.
fn shot(deeds: &[Action]) -> QuestionId {
    match deeds {
        [Action::Fence { question }] => *question,
        other => panic!("the partner is not fenced: {other:?}"),
    }
}

impl Bench {
    fn fence(&mut self, question: QuestionId, done: bool) -> Vec<Action> {
        let actions = self.router.handle_fence(question, done, at(self.now));
        self.note(actions)
    }
}

#[test]
fn a_silent_partner_is_switched_off_before_its_group_is_taken() {
    let mut bench = Bench::standby(fenced(RULE));
    let question = shot(&bench.pass(600, None));
    assert_eq!(bench.router.fencing(), Some(Fencing::Pending));
    assert_eq!(bench.pass(5000, None), [], "one at a time, and nothing without it");
    assert!(bench.router.awaits_fence(question));
    assert_eq!(bench.fence(question, true), [take_over(Reason::PartnerLost)]);
    assert!(bench.reports.contains(&Event::Fenced));
    bench.hear(claim(Role::Standby));
    assert_eq!(bench.router.fencing(), Some(Fencing::NotNeeded), "it is on again");
}

#[test]
fn who_was_heard_while_it_was_switched_off_is_switched_off_anew() {
    let mut bench = Bench::standby(fenced(RULE));
    let first = shot(&bench.pass(600, None));
    bench.hear(claim(Role::Active));
    assert!(!bench.router.awaits_fence(first));
    let second = shot(&bench.pass(600, None));
    assert!(bench.router.awaits_fence(second));
    assert_eq!(bench.fence(first, true), [], "that was before it was heard");
    assert!(bench.router.awaits_fence(second) && !bench.router.awaits_fence(first));
    assert_eq!(bench.fence(second, true), [take_over(Reason::PartnerLost)]);
}

#[test]
fn while_the_partner_cannot_be_switched_off_nothing_is_taken_and_it_is_tried_again() {
    let mut bench = Bench::standby(fenced(RULE));
    let first = shot(&bench.pass(600, None));
    assert_eq!(bench.fence(first, false), []);
    assert!(bench.reports.contains(&Event::NotFenced { take_over: false }));
    assert_eq!(bench.pass(4300, None), []);
    let second = shot(&bench.pass(1500, None));
    assert_eq!(bench.fence(first, true), [], "a late answer counts for nothing");
    assert_eq!(bench.fence(second, true), [take_over(Reason::PartnerLost)]);
}

#[test]
fn a_program_that_never_ends_has_failed() {
    let mut bench = Bench::standby(fenced(RULE));
    shot(&bench.pass(600, None));
    assert_eq!(bench.pass(14_900, None), []);
    shot(&bench.pass(300, None));
    assert!(bench.reports.contains(&Event::NotFenced { take_over: false }));
}

#[test]
fn on_failure_the_group_is_taken_where_the_configuration_wants_it() {
    let rule = FenceSetup { take_over_on_failure: true, ..RULE };
    let mut bench = Bench::standby(fenced(rule));
    let question = shot(&bench.pass(600, None));
    assert_eq!(bench.pass(2000, None), []);
    assert_eq!(bench.fence(question, false), [take_over(Reason::PartnerLost)]);
    assert!(bench.reports.contains(&Event::NotFenced { take_over: true }));
}

#[test]
fn nobody_is_switched_off_who_stopped_in_order_or_has_nothing_that_is_wanted() {
    let mut bench = Bench::standby(fenced(RULE));
    let mut goodbye = says(claim(Role::Standby));
    goodbye.beat.kind = Kind::Goodbye;
    let actions = bench.router.handle_heartbeat(PathId(0), goodbye, at(0));
    assert_eq!(bench.note(actions), [take_over(Reason::PartnerStopped)]);
    let mut active = Bench::new(fenced(RULE));
    active.hear(claim(Role::Standby));
    assert_eq!(active.pass(5000, None), [], "an active router has all that it wants");
    assert_eq!(active.router.fencing(), Some(Fencing::NotNeeded));
}

#[test]
fn of_two_that_may_fence_each_other_the_higher_id_waits() {
    // Both start and hear nobody.
    for (ids, waits) in [([1, 2], 0), ([2, 1], 3000)] {
        let ids = ids.map(RouterId);
        let setup = Setup { router: ids[0], partner: ids[1], ..fenced(RULE) };
        let mut bench = Bench::new(setup);
        bench.pass(950, None);
        bench.probed(false);
        let deeds = bench.pass(waits, None);
        assert_eq!(deeds, []);
        shot(&bench.pass(200, None));
    }
}

#[test]
fn an_operators_word_stands_for_the_fencing_and_for_nothing_else() {
    let mut bench = Bench::standby(fenced(RULE));
    let force = |bench: &mut Bench| {
        let (actions, outcome) = bench.router.handle_request(Request::Force(WEB), at(bench.now));
        (bench.note(actions), outcome)
    };
    bench.pass(400, None);
    let question = shot(&bench.pass(200, None));
    bench.fence(question, false);
    let (_, outcome) = bench.router.handle_request(Request::TakeOver(WEB), at(bench.now));
    assert_eq!(outcome, Err(Refusal::NoPartner));
    assert_eq!(force(&mut bench), (vec![take_over(Reason::PartnerLost)], Ok(())));
    let mut witnessed = Bench::standby(Setup { witness: true, ..fenced(RULE) });
    witnessed.pass(700, None);
    assert_eq!(force(&mut witnessed), (vec![], Err(Refusal::NotFencing)));
    let mut plain = Bench::standby(setup());
    assert_eq!(force(&mut plain), (vec![], Ok(())), "beside a partner it is a take-over");
}

#[test]
fn who_slept_has_to_fence_again() {
    let mut bench = Bench::standby(fenced(RULE));
    let question = shot(&bench.pass(600, None));
    bench.now += 5000;
    assert_eq!(bench.pass(50, None), []);
    assert_eq!(bench.fence(question, true), [], "what was begun before the pause");
    assert_eq!(bench.pass(550, None), []);
    bench.probed(false);
    shot(&bench.pass(200, None));
}
