use proptest::prelude::*;

use super::*;

const PAGE: &str = "192.168.1.4:8080";

/// A pool whose first server is asked at two ports.
fn twice() -> VirtualServer {
    let mut service = www(&[A, B]);
    service.servers[0].check = Some(connect());
    service.servers[0].also = vec![Check { port: Some(8080), ..connect() }];
    service
}

#[test]
fn a_server_is_up_only_when_all_its_checks_are() {
    let both = [format!("{A}=1"), format!("{B}=1")];
    assert_eq!(World::up(&[A, PAGE, B]).pool(&twice()), both);
    let one_fails = World { down: vec![PAGE], ..World::up(&[A, B]) };
    assert_eq!(one_fails.pool(&twice()), [format!("{B}=1")]);
    let one_is_unknown = World::up(&[A, B]);
    assert_eq!(one_is_unknown.pool(&twice()), [format!("{B}=1")]);
    assert_eq!(one_is_unknown.wanted(&twice()).servers[0].placement, Placement::Unchecked);
}

#[test]
fn the_checks_of_the_virtual_server_count_for_those_without_one_of_their_own() {
    let mut service = www(&[A, B]);
    service.also = vec![Check { port: Some(8080), ..connect() }];
    service.servers[1].check = Some(connect());
    let world = World { down: vec![PAGE], ..World::up(&[A, B]) };
    assert_eq!(world.pool(&service), [format!("{B}=1")]);
    let wanted = world.wanted(&service);
    assert_eq!(wanted.servers.iter().map(|s| s.probes.len()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn the_same_check_twice_is_asked_once_and_one_that_is_off_keeps_the_server_out() {
    let mut service = twice();
    service.servers[0].also = vec![connect(), connect()];
    assert_eq!(World::up(&[A, B]).wanted(&service).servers[0].probes.len(), 1);
    service.servers[0].also = vec![Check { kind: CheckKind::Off, ..connect() }];
    assert_eq!(World::up(&[A, B]).pool(&service), [format!("{B}=1")]);
    service.servers[0].also = vec![Check { kind: CheckKind::On, ..connect() }];
    assert_eq!(World::up(&[A, B]).pool(&service).len(), 2);
}

#[test]
fn of_several_checks_each_has_a_line_in_the_reasons() {
    let world = World { down: vec![PAGE], ..World::up(&[A, B]) };
    let said = [
        CONNECTED,
        Said { check: "connect 8080", fitness: Fitness::DOWN, reason: "connection refused" },
    ];
    let server = &world.wanted(&twice()).servers[0];
    let because = server.because(1, &said, &Decisions::default(), "www");
    let lines = ["check connect: up: connected", "check connect 8080: down: connection refused"];
    assert_eq!(because[1..3], lines);
}

#[test]
fn a_server_was_last_up_when_the_first_of_its_failing_checks_began_to_fail() {
    let down = |last_up| Fitness { last_up, ..Fitness::DOWN };
    assert_eq!(down(5).and(down(9)), down(5));
    assert_eq!(Fitness { last_up: 3, ..Fitness::UP }.and(down(9)), down(9));
    assert_eq!(down(5).and(down(0)).last_up, 0, "it was never up");
}

fn any_fitness() -> impl Strategy<Value = Fitness> {
    let verdict = prop_oneof![Just(Verdict::Up), Just(Verdict::Down), Just(Verdict::Unknown)];
    let asked = proptest::option::of(0..4_u32).prop_map(Asked::of);
    (verdict, any::<bool>(), 0..4_u64, asked).prop_map(|(verdict, provisional, last_up, asked)| {
        Fitness { verdict, provisional, last_up, asked }
    })
}

proptest! {
    #[test]
    fn the_order_of_checks_says_nothing(one in any_fitness(), two in any_fitness()) {
        let (ours, theirs) = (one.and(two), two.and(one));
        prop_assert_eq!(ours.verdict, theirs.verdict);
        prop_assert_eq!(ours.provisional, theirs.provisional);
        prop_assert_eq!(ours.asked, theirs.asked);
        prop_assert!(ours.verdict != Verdict::Down || ours.last_up == theirs.last_up);
    }
}
