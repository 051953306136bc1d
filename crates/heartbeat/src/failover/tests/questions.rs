//! What the witness and the neighbours of the addresses answer while the partner is silent.

use super::*;

/// The number of the question to the witness that is the only deed, or the last one.
fn asked(deeds: &[Action]) -> QuestionId {
    match deeds.last() {
        Some(Action::AskWitness { question }) => *question,
        other => panic!("the witness is not asked: {other:?}"),
    }
}

impl Bench {
    fn witness(&mut self, question: QuestionId, answer: bool) -> Vec<Action> {
        let actions = self.router.handle_witness(question, answer, at(self.now));
        self.note(actions)
    }

    /// Answers the newest question about the addresses.
    pub(super) fn probed(&mut self, somebody: bool) -> Vec<Action> {
        let question = *self.probes.last().expect("nobody asked about the addresses");
        let actions = self.router.handle_probe(WEB, question, somebody, at(self.now));
        self.note(actions)
    }

    /// Time passes until somebody is asked about the addresses, and the answer comes at once.
    fn next_probed(&mut self, somebody: bool) -> Vec<Action> {
        let asked = self.probes.len();
        let mut deeds = Vec::new();
        for _ in 0..400 {
            deeds.extend(self.pass(50, None));
            if self.probes.len() > asked {
                break;
            }
        }
        deeds.extend(self.probed(somebody));
        deeds
    }
}

fn witnessed() -> Setup {
    Setup { witness: true, ..setup() }
}

#[test]
fn with_a_witness_silence_is_a_question_first() {
    for (answer, wanted) in [(true, vec![take_over(Reason::PartnerLost)]), (false, vec![])] {
        let mut bench = Bench::standby(witnessed());
        let deeds = bench.pass(650, None);
        assert_eq!(bench.probed(false), []);
        assert_eq!(bench.witness(asked(&deeds), answer), wanted);
        assert!(bench.reports.contains(&Event::Witness { reachable: answer }));
    }
    let mut bench = Bench::new(witnessed());
    bench.hear(claim(Role::Standby));
    asked(&bench.pass(650, None));
    assert_eq!(bench.pass(900, None), [], "no answer yet is no reason to go");
    let deeds = bench.pass(200, None);
    assert_eq!(deeds[..1], [stand_down(Reason::WitnessSilent)]);
    asked(&deeds);
}

#[test]
fn a_late_answer_of_the_witness_counts_for_nothing() {
    let mut bench = Bench::standby(witnessed());
    let first = asked(&bench.pass(650, None));
    bench.probed(false);
    // The partner is heard again before the answer comes, and then lost once more.
    bench.hear(claim(Role::Active));
    assert_eq!(bench.witness(first, true), []);
    assert_eq!(bench.router.witness_reachable(), None);
    let second = asked(&bench.pass(700, None));
    bench.probed(false);
    assert_ne!(first, second);
    assert_eq!(bench.witness(first, true), [], "that was the answer to another question");
    assert_eq!(bench.role(), Role::Standby);
    assert_eq!(bench.witness(second, true), [take_over(Reason::PartnerLost)]);
    assert_eq!(bench.witness(second, false), [], "an answer counts once");
}

#[test]
fn a_standby_that_reaches_the_witness_stays_down_while_somebody_answers_for_the_addresses() {
    let mut bench = Bench::standby(witnessed());
    let question = asked(&bench.pass(650, None));
    assert_eq!(bench.witness(question, true), [], "nobody said yet that they are free");
    assert_eq!(bench.probed(true), []);
    assert!(bench.reports.contains(&Event::Answered(WEB)));
    assert_eq!(bench.pass(600, None), []);
    assert_eq!(bench.role(), Role::Standby);
    assert_eq!(bench.probed(false), [take_over(Reason::PartnerLost)]);
}

#[test]
fn who_reaches_the_witness_again_asks_anew_who_has_the_addresses() {
    let mut bench = Bench::standby(witnessed());
    let first = asked(&bench.pass(650, None));
    bench.probed(false);
    assert_eq!(bench.witness(first, false), []);
    let second = asked(&bench.pass(1000, None));
    bench.probed(false);
    assert_eq!(bench.witness(second, true), [], "cut off, nobody answers whoever has them");
    assert_eq!(bench.probed(true), []);
    assert_eq!(bench.next_probed(true), []);
    assert_eq!(bench.next_probed(false).last(), Some(&take_over(Reason::PartnerLost)));
}

#[test]
fn the_question_about_the_addresses_costs_no_time() {
    let mut bench = Bench::standby(witnessed());
    assert_eq!(bench.pass(350, None), []);
    assert!(bench.probes.is_empty());
    bench.pass(50, None);
    assert_eq!(bench.probes.len(), 1, "an interval before the partner is lost");
    bench.probed(false);
    let question = asked(&bench.pass(200, None));
    assert_eq!(bench.witness(question, true), [take_over(Reason::PartnerLost)]);
}

#[test]
fn of_two_that_took_the_addresses_unheard_the_one_with_the_higher_id_stands_down() {
    for (me, partner, wanted) in [(1, 2, vec![]), (2, 1, vec![stand_down(Reason::Answered)])] {
        let (router, partner) = (RouterId(me), RouterId(partner));
        let mut bench = Bench::new(Setup { router, partner, ..setup() });
        bench.pass(950, None);
        assert_eq!(bench.probed(false), []);
        assert_eq!(bench.pass(50, None), [take_over(Reason::NobodyHeard)]);
        bench.pass(600, None);
        assert_eq!(bench.probed(true), wanted);
        // Nobody yields to the lower id: then the other one has had them for longer.
        for _ in 0..3 {
            assert_eq!(bench.pass(550, None), []);
            assert_eq!(bench.probed(true), []);
        }
        if me == 1 {
            assert_eq!(bench.pass(200, None), [stand_down(Reason::Answered)]);
        }
    }
}

/// A router that took the addresses alone, and was answered by nobody for a while.
fn long_alone(setup: Setup) -> Bench {
    let mut bench = Bench::new(setup);
    assert_eq!(bench.pass(1000, None), []);
    assert_eq!(bench.probed(false), [take_over(Reason::NobodyHeard)]);
    for _ in 0..3 {
        bench.pass(600, None);
        bench.probed(false);
    }
    bench
}

#[test]
fn who_was_alone_long_enough_after_a_take_over_is_asked_more_rarely() {
    let mut bench = long_alone(setup());
    let asked = bench.probes.len();
    assert_eq!(bench.pass(9_600, None), []);
    assert_eq!(bench.probes.len() - asked, 4, "each four times 600 ms");
}

#[test]
fn of_two_that_were_long_alone_the_one_with_the_higher_id_stands_down_first() {
    let gone = stand_down(Reason::Answered);
    for (me, partner) in [(1, 2), (2, 1)] {
        let (router, partner) = (RouterId(me), RouterId(partner));
        let mut bench = long_alone(Setup { router, partner, ..setup() });
        assert_eq!(bench.next_probed(true), if me == 2 { vec![gone.clone()] } else { vec![] });
        if me == 2 {
            continue;
        }
        for _ in 0..5 {
            assert_eq!(bench.next_probed(true), [], "the other one may need so long to notice");
        }
        assert_eq!(bench.next_probed(true), std::slice::from_ref(&gone));
    }
}

#[test]
fn who_hears_a_partner_without_proof_asks_at_once_and_gives_way_sooner() {
    let mut bench = long_alone(setup());
    let mut unproven = |millis: u64, somebody: bool| {
        let asked = bench.probes.len();
        let mut deeds = Vec::new();
        for _ in 0..millis / 200 {
            deeds.extend(bench.pass(200, None));
            let actions = bench.router.handle_unproven(at(bench.now));
            deeds.extend(bench.note(actions));
            if bench.probes.len() > asked {
                deeds.extend(bench.probed(somebody));
            }
        }
        (bench.probes.len() - asked, deeds)
    };
    assert_eq!(unproven(600, true), (1, vec![]), "not only after four times 600 ms");
    assert_eq!(unproven(600, true), (1, vec![]));
    let (_, deeds) = unproven(800, true);
    assert_eq!(deeds, [stand_down(Reason::Answered)], "it does not hear us: it will not give way");
}

#[test]
fn an_old_packet_neither_decides_nor_makes_an_old_answer_count() {
    let mut bench = Bench::active();
    bench.pass(3000, None);
    let actions = bench.router.handle_unproven(at(bench.now));
    assert_eq!(bench.note(actions), []);
    bench.pass(200, None);
    assert_eq!(bench.probed(true), []);
    assert_eq!(bench.pass(6000, None), [], "nobody has asked since");
    let actions = bench.router.handle_unproven(at(bench.now));
    assert_eq!(bench.note(actions), []);
    assert_eq!(bench.pass(200, None), []);
    assert_eq!(bench.role(), Role::Active);
}

#[test]
fn a_restarted_router_lets_go_what_somebody_else_answers_for() {
    let mut held = setup();
    held.groups[0].holding = true;
    let mut bench = Bench::new(held.clone());
    bench.pass(600, None);
    assert_eq!(bench.probed(true), [stand_down(Reason::Answered)]);
    let mut bench = Bench::new(held);
    bench.pass(600, None);
    assert_eq!(bench.probed(false), [take_over(Reason::Resumed)]);
}

#[test]
fn a_partner_that_cannot_prove_itself_makes_a_standby_ask_before_it_acts() {
    let mut bench = Bench::standby(setup());
    bench.pass(500, None);
    assert!(bench.probes.is_empty(), "whoever was heard and is silent is gone");
    let actions = bench.router.handle_unproven(at(bench.now));
    bench.note(actions);
    assert_eq!(bench.pass(200, None), []);
    assert_eq!(bench.role(), Role::Standby);
    assert_eq!(bench.probed(true), []);
    assert_eq!(bench.probes.len(), 1);
}

#[test]
fn a_router_without_any_path_asks_for_the_addresses_before_it_takes_them() {
    let deaf = || Setup { paths: vec![PathSetup { carrier: false, was: None }], ..setup() };
    let mut bench = Bench::new(deaf());
    bench.worker(READY);
    assert_eq!(bench.pass(950, None), []);
    assert_eq!(bench.probed(true), []);
    assert_eq!(bench.next_probed(true), [], "somebody has them");
    assert_eq!(bench.next_probed(false).last(), Some(&take_over(Reason::NobodyHeard)));
    let mut bench = Bench::new(Setup { witness: true, ..deaf() });
    let question = asked(&bench.pass(1050, None));
    bench.probed(false);
    assert_eq!(bench.witness(question, false), [], "cut off from everybody");
    assert_eq!(bench.role(), Role::Standby);
}

#[test]
fn listening_begins_with_the_first_path_on_which_somebody_can_be_heard() {
    let deaf = Setup { paths: vec![PathSetup { carrier: false, was: None }; 2], ..setup() };
    let mut bench = Bench::new(deaf.clone());
    bench.worker(READY);
    assert_eq!(bench.pass(950, None), []);
    bench.probed(false);
    let actions = bench.router.handle_carrier(PathId(1), true, at(bench.now));
    assert_eq!(bench.note(actions), []);
    assert_eq!(bench.pass(550, None), [], "it would have acted at 1000");
    // A second path changes nothing: the first one was listened to.
    let actions = bench.router.handle_carrier(PathId(0), true, at(bench.now));
    assert_eq!(bench.note(actions), []);
    bench.probed(false);
    assert_eq!(bench.pass(50, None), [take_over(Reason::NobodyHeard)]);
    // The same for a path that gets its place.
    let mut bench = Bench::new(deaf);
    assert_eq!(bench.pass(950, None), []);
    bench.probed(false);
    let actions = bench.router.handle_setup(setup(), at(bench.now)).unwrap();
    assert_eq!(bench.note(actions), []);
    assert_eq!(bench.pass(550, None), []);
    assert_eq!(bench.role(), Role::Starting);
}
