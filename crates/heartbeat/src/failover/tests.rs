//! One router against a partner that is played by hand.

use std::time::Duration;

use super::*;
use crate::RouterId;
use crate::action::Action;
use crate::packet::Claim;
use crate::question::QuestionId;
use crate::request::{Refusal, Request};
use crate::setup::{GroupSetup, PathSetup};

mod bench;
mod edits;
mod fencing;
mod questions;
mod witnesses;

use bench::*;

#[test]
fn alone_a_router_listens_first_and_then_takes_over() {
    let mut bench = Bench::new(setup());
    assert_eq!(bench.pass(950, None), []);
    assert_eq!(bench.role(), Role::Starting);
    assert_eq!(bench.probed(false), []);
    assert_eq!(bench.pass(50, None), [take_over(Reason::NobodyHeard)]);
}

#[test]
fn a_take_over_is_announced_before_it_is_begun() {
    let mut bench = Bench::new(setup());
    let actions = bench.router.handle_heartbeat(PathId(0), says(claim(Role::Standby)), at(0));
    let kinds: Vec<&str> = actions
        .into_iter()
        .map(|action| match action {
            Action::Report(_) => "report",
            Action::Send { beat, .. } => {
                assert_eq!(beat.claim(WEB).unwrap().role, Role::Active);
                "send"
            }
            Action::TakeOver { .. } => "take over",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds[kinds.len() - 3..], ["send", "send", "take over"]);
}

#[test]
fn a_hand_over_is_told_only_when_the_addresses_are_gone() {
    let mut bench = Bench::active();
    let (actions, outcome) = bench.router.handle_request(Request::Failover(WEB), at(bench.now));
    assert_eq!(outcome, Ok(()));
    assert_eq!(bench.note(actions), [stand_down(Reason::Operator)]);
    bench.pass(400, Some(claim(Role::Standby)));
    assert_eq!((bench.last_claim().role, bench.last_claim().yours), (Role::Active, false));
    assert_eq!(bench.stood_down(), []);
    assert_eq!((bench.last_claim().role, bench.last_claim().yours), (Role::Standby, true));
    assert_eq!(bench.hear(claim(Role::Active)), []);
    assert_eq!(bench.pass(3000, Some(claim(Role::Active))), []);
    assert!(!bench.last_claim().yours);
}

#[test]
fn a_group_that_the_partner_does_not_take_is_taken_back() {
    let mut bench = Bench::active();
    let (actions, _) = bench.router.handle_request(Request::Failover(WEB), at(bench.now));
    bench.note(actions);
    bench.stood_down();
    let deeds = bench.pass(2000, Some(claim(Role::Standby)));
    assert_eq!(deeds, [take_over(Reason::ComesFirst)]);
}

#[test]
fn two_offers_that_cross_are_not_both_taken() {
    let mut bench = Bench::active();
    let (actions, _) = bench.router.handle_request(Request::Failover(WEB), at(bench.now));
    bench.note(actions);
    bench.stood_down();
    // The partner took it and gave it back, and only the second of its packets came through.
    let yours = Claim { yours: true, ..claim(Role::Standby) };
    assert_eq!(bench.pass(550, Some(yours)), []);
    let deeds = bench.pass(400, Some(yours));
    assert_eq!(deeds, [take_over(Reason::NobodyTook)], "who comes first waits once");
    let setup = Setup { router: RouterId(2), partner: RouterId(1), ..setup() };
    let mut higher = Bench::new(setup);
    higher.worker(READY);
    higher.hear(claim(Role::Standby));
    let (actions, _) = higher.router.handle_request(Request::Failover(WEB), at(higher.now));
    higher.note(actions);
    higher.stood_down();
    assert_eq!(higher.pass(1150, Some(yours)), [], "the other one waits twice as long");
    assert_eq!(higher.pass(400, Some(yours)), [take_over(Reason::NobodyTook)]);
}

#[test]
fn an_operator_is_refused_with_the_reason() {
    let refused = |bench: &mut Bench, request| {
        let (actions, outcome) = bench.router.handle_request(request, at(bench.now));
        assert_eq!(bench.note(actions), []);
        outcome.unwrap_err()
    };
    let mut bench = Bench::active();
    assert_eq!(refused(&mut bench, Request::Failover(GroupId(9))), Refusal::UnknownGroup);
    assert_eq!(refused(&mut bench, Request::TakeOver(WEB)), Refusal::AlreadyActive);
    bench.hear(Claim { fit: false, ..claim(Role::Standby) });
    assert_eq!(refused(&mut bench, Request::Failover(WEB)), Refusal::PartnerUnfit);
    bench.pass(1000, None);
    assert_eq!(refused(&mut bench, Request::Failover(WEB)), Refusal::NoPartner);
    let mut bench = Bench::standby(setup());
    assert_eq!(refused(&mut bench, Request::Failover(WEB)), Refusal::NotActive);
    bench.worker(Worker::Down);
    assert_eq!(refused(&mut bench, Request::TakeOver(WEB)), Refusal::NotReady);
}

#[test]
fn a_wish_that_nobody_grants_is_dropped_and_told() {
    let mut bench = Bench::standby(setup());
    let (actions, outcome) = bench.router.handle_request(Request::TakeOver(WEB), at(bench.now));
    assert_eq!(outcome, Ok(()));
    bench.note(actions);
    assert!(bench.last_claim().wants);
    bench.pass(11_000, Some(claim(Role::Active)));
    assert!(!bench.last_claim().wants);
    assert!(bench.reports.contains(&Event::NotGranted(WEB)));
}

#[test]
fn automatic_failback_waits_its_delay_and_for_readiness() {
    let mut automatic = setup();
    automatic.groups[0].failback = Some(Duration::from_secs(2));
    let mut bench = Bench::standby(automatic);
    bench.worker(Worker::Up { table_in_place: true, checks_warm: false });
    bench.pass(5000, Some(claim(Role::Active)));
    assert!(!bench.last_claim().wants, "not ready");
    bench.worker(READY);
    bench.pass(1800, Some(claim(Role::Active)));
    assert!(!bench.last_claim().wants, "not long enough");
    bench.pass(400, Some(claim(Role::Active)));
    assert!(bench.last_claim().wants);
    let offer = Claim { yours: true, ..claim(Role::Standby) };
    assert_eq!(bench.hear(offer), [take_over(Reason::Failback)]);
}

#[test]
fn what_an_operator_moved_away_does_not_fail_back() {
    let mut automatic = setup();
    automatic.groups[0].failback = Some(Duration::ZERO);
    let mut bench = Bench::new(automatic);
    bench.worker(READY);
    bench.hear(claim(Role::Standby));
    let (actions, _) = bench.router.handle_request(Request::Failover(WEB), at(bench.now));
    bench.note(actions);
    bench.stood_down();
    bench.pass(60_000, Some(claim(Role::Active)));
    assert!(!bench.last_claim().wants);
    // The partner dies: taken over as always, and back to normal.
    assert_eq!(bench.pass(1000, None), [take_over(Reason::PartnerLost)]);
}

#[test]
fn a_lost_carrier_hands_the_group_over_but_never_declares_the_partner_dead() {
    let mut bench = Bench::active();
    let actions = bench.router.handle_fitness(WEB, false, at(bench.now));
    assert_eq!(bench.note(actions), [stand_down(Reason::Unfit)]);
    let mut bench = Bench::standby(setup());
    for path in [0, 1] {
        let actions = bench.router.handle_carrier(PathId(path), false, at(bench.now));
        assert_eq!(bench.note(actions), []);
    }
    assert!(bench.reports.contains(&Event::PathNoCarrier(PathId(0))));
    assert_eq!(bench.router.presence(), Presence::Alive);
    assert_eq!(bench.pass(500, None), []);
    assert_eq!(bench.pass(150, None), [take_over(Reason::PartnerLost)]);
}

#[test]
fn an_unfit_router_that_becomes_fit_again_listens_before_it_acts() {
    let mut bench = Bench::standby(setup());
    let actions = bench.router.handle_fitness(WEB, false, at(bench.now));
    bench.note(actions);
    assert_eq!(bench.pass(5000, None), []);
    let actions = bench.router.handle_fitness(WEB, true, at(bench.now));
    assert_eq!(bench.note(actions), []);
    assert_eq!(bench.pass(550, None), []);
    assert_eq!(bench.pass(50, None), [take_over(Reason::PartnerLost)]);
}

#[test]
fn a_dead_worker_moves_the_group_only_after_its_limit_and_to_a_ready_partner() {
    let mut bench = Bench::active();
    bench.worker(Worker::Down);
    assert_eq!(bench.pass(9_900, Some(claim(Role::Standby))), []);
    let deeds = bench.pass(500, Some(claim(Role::Standby)));
    assert_eq!(deeds, [stand_down(Reason::WorkerFailed)]);
}

#[test]
fn another_configuration_is_told_once_and_stops_no_failover() {
    let mut bench = Bench::standby(setup());
    let mut other = says(claim(Role::Active));
    other.beat.config_hash = 6;
    other.beat.features = Beat::tell_interval(Duration::from_millis(200));
    for _ in 0..3 {
        bench.now += 100;
        let actions = bench.router.handle_heartbeat(PathId(0), other.clone(), at(bench.now));
        bench.note(actions);
    }
    let told = bench.reports.iter().filter(|event| **event == Event::ConfigDiffers).count();
    assert_eq!(told, 1);
    assert_eq!(bench.pass(800, None), [take_over(Reason::PartnerLost)]);
}

#[test]
fn a_pause_ends_with_giving_up_before_anything_is_said() {
    let mut bench = Bench::active();
    bench.pass(1000, Some(claim(Role::Standby)));
    bench.now += 700;
    let said = bench.sent.len();
    let actions = bench.router.handle_timeout(at(bench.now));
    assert_eq!(bench.note(actions), [stand_down(Reason::Paused)]);
    bench.pass(200, None);
    assert_eq!(bench.sent.len(), said, "nothing is said while the addresses are there");
    bench.stood_down();
    assert_eq!(bench.last_claim().role, Role::Standby);
    assert_eq!(bench.pass(350, None), []);
    assert_eq!(bench.hear(claim(Role::Active)), [], "the partner had taken over");
}

#[test]
fn goodbye_hands_everything_over_at_once() {
    let mut bench = Bench::standby(setup());
    let mut goodbye = says(claim(Role::Standby));
    goodbye.beat.kind = Kind::Goodbye;
    let actions = bench.router.handle_heartbeat(PathId(0), goodbye, at(bench.now));
    assert_eq!(bench.note(actions), [take_over(Reason::PartnerStopped)]);
    let mut bench = Bench::active();
    let actions = bench.router.handle_stop(at(bench.now));
    assert_eq!(bench.note(actions), [stand_down(Reason::Stopping)]);
    assert_eq!(bench.stood_down(), [Action::Stopped]);
    let last: Vec<_> = bench.sent.iter().rev().take(4).map(|beat| beat.kind).collect();
    assert_eq!(last, [Kind::Goodbye; 4], "twice on each of two paths");
    assert_eq!(bench.pass(1000, None), []);
}

#[test]
fn a_new_setup_changes_no_role_of_a_group_that_stays() {
    let mut bench = Bench::active();
    let mut new = setup();
    let other = GroupSetup { id: GroupId(8), ..new.groups[0] };
    new.groups.insert(0, other);
    new.paths = vec![PathSetup { carrier: true, was: Some(PathId(0)) }];
    let actions = bench.router.handle_setup(new, at(bench.now)).unwrap();
    assert_eq!(bench.note(actions), []);
    let roles: Vec<_> = bench.router.groups().map(|group| (group.id, group.role)).collect();
    assert_eq!(roles, [(GroupId(8), Role::Standby), (WEB, Role::Active)]);
    assert!(bench.router.paths()[0].alive);
    // The partner never learns of the new group: after a while it is taken.
    let taken = Action::TakeOver { group: GroupId(8), reason: Reason::NobodyTook };
    assert_eq!(bench.pass(2000, Some(claim(Role::Standby))), [taken]);
}

#[test]
fn a_group_that_is_gone_from_the_setup_is_let_go_and_forgotten() {
    let mut bench = Bench::active();
    let new = Setup { groups: Vec::new(), ..setup() };
    let actions = bench.router.handle_setup(new, at(bench.now)).unwrap();
    assert_eq!(bench.note(actions), [stand_down(Reason::Removed)]);
    assert_eq!(bench.router.groups().count(), 1);
    bench.stood_down();
    assert_eq!(bench.router.groups().count(), 0);
}

#[test]
fn heartbeats_that_were_held_back_do_not_keep_a_dead_partner_alive() {
    let mut bench = Bench::standby(setup());
    let mut old = says(claim(Role::Active));
    old.made_after = at(0);
    let mut deeds = Vec::new();
    for _ in 0..40 {
        bench.now += 100;
        let actions = bench.router.handle_heartbeat(PathId(0), old.clone(), at(bench.now));
        deeds.extend(bench.note(actions));
    }
    assert_eq!(deeds, [take_over(Reason::PartnerLost)]);
    let told = |event: &&Event| matches!(event, Event::HeldBack { .. });
    assert_eq!(bench.reports.iter().filter(told).count(), 1);
}

#[test]
fn a_letter_counts_as_long_as_a_heartbeat_would() {
    let router = Bench::standby(setup()).router;
    let letter = Received { made_after: at(10_000), ..says(claim(Role::Standby)) };
    assert!(router.letter_counts(&letter, at(12_000)));
    assert!(!router.letter_counts(&letter, at(12_001)));
}

#[test]
fn an_operators_move_is_remembered_by_the_partner_over_a_restart() {
    let mut automatic = setup();
    automatic.groups[0].failback = Some(Duration::ZERO);
    let pinned = Claim { pinned: true, ..claim(Role::Active) };
    let mut bench = Bench::standby(automatic.clone());
    bench.pass(5000, Some(pinned));
    assert!(!bench.last_claim().wants, "the partner says that it is there on purpose");
    let mut bench = Bench::standby(automatic);
    bench.pass(5000, Some(claim(Role::Active)));
    assert!(bench.last_claim().wants);
}

#[test]
fn lateness_is_warned_of_once_before_the_partner_is_lost() {
    let mut bench = Bench::standby(setup());
    bench.pass(550, None);
    let late = |event: &&Event| matches!(event, Event::PartnerLate { .. });
    assert_eq!(bench.reports.iter().filter(late).count(), 1);
}

#[test]
fn a_setup_out_of_bounds_is_refused() {
    let refused = |setup: Setup| Failover::new(setup, at(0)).err();
    assert_eq!(refused(Setup { paths: vec![], ..setup() }), Some(SetupError::Paths(0)));
    let twice = Setup { groups: vec![setup().groups[0]; 2], ..setup() };
    assert_eq!(refused(twice), Some(SetupError::SameHash(1, 2)));
    let many = Setup { groups: vec![setup().groups[0]; 221], ..setup() };
    assert_eq!(refused(many), Some(SetupError::TooManyGroups(221)));
}
