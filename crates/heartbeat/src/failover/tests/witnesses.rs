//! Whoever reaches fewer witnesses than its partner gives its groups away.

use super::*;

fn counting() -> Setup {
    Setup { witness: true, yields: true, ..setup() }
}

fn reached(bench: &mut Bench, count: u8) {
    let actions = bench.router.handle_witnesses(Some(count), at(bench.now));
    assert_eq!(bench.note(actions), []);
}

/// Time passes beside a partner that reaches so many.
fn beside(bench: &mut Bench, millis: u64, role: Role, count: Option<u8>) -> Vec<Action> {
    let mut deeds = Vec::new();
    let mut packet = says(claim(role));
    packet.beat.features = Beat::tell_witnesses(count);
    for _ in 0..millis / 200 {
        deeds.extend(bench.pass(200, None));
        let actions = bench.router.handle_heartbeat(PathId(0), packet.clone(), at(bench.now));
        deeds.extend(bench.note(actions));
    }
    deeds
}

/// Nothing moves beside a partner that reaches more, and says this too.
fn stays_beside(say: impl FnOnce(&mut Beat)) {
    let mut bench = active();
    reached(&mut bench, 0);
    let mut packet = says(claim(Role::Standby));
    packet.beat.features = Beat::tell_witnesses(Some(2));
    say(&mut packet.beat);
    for _ in 0..50 {
        assert_eq!(bench.pass(200, None), []);
        let actions = bench.router.handle_heartbeat(PathId(0), packet.clone(), at(bench.now));
        assert_eq!(bench.note(actions), []);
    }
}

fn active() -> Bench {
    let mut bench = Bench::new(counting());
    bench.worker(READY);
    assert_eq!(bench.hear(claim(Role::Standby)), [take_over(Reason::ComesFirst)]);
    reached(&mut bench, 2);
    assert_eq!(beside(&mut bench, 20_000, Role::Standby, Some(2)), []);
    bench
}

#[test]
fn who_reaches_fewer_for_a_while_hands_over() {
    let mut bench = active();
    reached(&mut bench, 1);
    assert_eq!(bench.sent.last().unwrap().witnesses(), Some(1), "told at once");
    assert_eq!(beside(&mut bench, 1400, Role::Standby, Some(2)), []);
    let gives = [stand_down(Reason::FewerWitnesses)];
    assert_eq!(beside(&mut bench, 400, Role::Standby, Some(2)), gives);
    bench.stood_down();
    assert!(bench.last_claim().yours, "the partner takes it at once");
}

#[test]
fn nothing_moves_where_the_two_reach_equally_many_or_do_not_tell() {
    let mut bench = active();
    reached(&mut bench, 1);
    assert_eq!(beside(&mut bench, 1200, Role::Standby, Some(2)), []);
    assert_eq!(beside(&mut bench, 200, Role::Standby, Some(1)), [], "it was only slower to notice");
    assert_eq!(beside(&mut bench, 1200, Role::Standby, Some(2)), [], "counted anew");
    assert_eq!(
        beside(&mut bench, 20_000, Role::Standby, None),
        [],
        "a partner that does not count"
    );
    let actions = bench.router.handle_witnesses(None, at(bench.now));
    assert_eq!(bench.note(actions), []);
    assert_eq!(beside(&mut bench, 20_000, Role::Standby, Some(2)), [], "pinging fails here");
    let mut plain = Bench::active();
    reached(&mut plain, 0);
    assert_eq!(plain.sent.last().unwrap().witnesses(), None);
    assert_eq!(beside(&mut plain, 20_000, Role::Standby, Some(2)), [], "it is not configured");
}

#[test]
fn a_group_is_not_given_to_who_could_not_serve_it() {
    stays_beside(|beat| beat.groups[0].1.fit = false);
    stays_beside(|beat| beat.checks_warm = false);
}

#[test]
fn a_partner_with_another_configuration_may_count_other_witnesses() {
    stays_beside(|beat| beat.config_hash = 6);
}

#[test]
fn a_partner_that_does_not_hear_this_router_is_given_nothing_for_its_witnesses() {
    stays_beside(|beat| beat.heard_paths = 0);
}

#[test]
fn witnesses_that_come_and_go_move_a_group_no_more_than_each_ten_seconds() {
    let mut bench = Bench::new(counting());
    bench.worker(READY);
    reached(&mut bench, 0);
    assert_eq!(bench.hear(claim(Role::Standby)), [take_over(Reason::ComesFirst)]);
    assert_eq!(beside(&mut bench, 9800, Role::Standby, Some(1)), []);
    let gives = [stand_down(Reason::FewerWitnesses)];
    assert_eq!(beside(&mut bench, 400, Role::Standby, Some(1)), gives);
}

#[test]
fn a_group_fails_back_only_once_as_many_are_reached() {
    let mut automatic = counting();
    automatic.groups[0].failback = Some(Duration::ZERO);
    let mut bench = Bench::standby(automatic);
    beside(&mut bench, 5000, Role::Active, Some(2));
    assert!(!bench.last_claim().wants, "nothing was counted yet");
    reached(&mut bench, 1);
    beside(&mut bench, 5000, Role::Active, Some(2));
    assert!(!bench.last_claim().wants);
    reached(&mut bench, 2);
    beside(&mut bench, 400, Role::Active, Some(2));
    assert!(bench.last_claim().wants);
}

#[test]
fn as_many_witnesses_are_told_as_there_are_bits_for() {
    for count in [None, Some(0), Some(1), Some(14)] {
        let beat = Beat { features: 3 | Beat::tell_witnesses(count), ..Beat::default() };
        assert_eq!((beat.witnesses(), beat.features & 0xff), (count, 3));
    }
    let many = Beat { features: Beat::tell_witnesses(Some(15)), ..Beat::default() };
    assert_eq!(many.witnesses(), Some(14));
}
