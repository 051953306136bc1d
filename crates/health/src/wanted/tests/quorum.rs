use super::*;

const C: &str = "192.168.1.6:80";

fn three(weight: u32, hysteresis: u32) -> VirtualServer {
    VirtualServer { quorum: Quorum { weight, hysteresis }, ..www(&[A, B, C]) }
}

fn world(up: usize, was_below: bool) -> World {
    let all = [A, B, C];
    let (up, down) = all.split_at(up);
    let below_quorum = if was_below { BTreeSet::from(["www".to_owned()]) } else { BTreeSet::new() };
    World { down: down.to_vec(), below_quorum, ..World::up(up) }
}

#[test]
fn below_its_quorum_a_pool_is_given_up_for_the_sorry_server() {
    assert_eq!(world(2, false).pool(&three(2, 0)), [format!("{A}=1"), format!("{B}=1")]);
    let wanted = world(1, false).wanted(&three(2, 0));
    assert_eq!(rows(wanted.pools.values().next().unwrap()), [format!("{SORRY}=1")]);
    assert!(wanted.below_quorum && wanted.on_sorry && !wanted.failing_open);
    assert_eq!(wanted.servers[0].placement, Placement::GivenUp(OnFailure::Remove));
    let because = wanted.servers[0].because(1, &[CONNECTED], &Decisions::default(), "www");
    assert!(because.contains(&"left out: what is up is below the quorum".to_owned()));
}

#[test]
fn weights_count_and_not_servers() {
    let mut service = three(5, 0);
    service.servers[0].weight = 5;
    assert_eq!(world(1, false).pool(&service), [format!("{A}=5")]);
}

#[test]
fn with_quiescing_those_that_are_up_stay_with_weight_0() {
    let service = VirtualServer { on_failure: OnFailure::Quiesce, ..three(2, 0) };
    let expected = [format!("{SORRY}=1"), format!("{A}=0"), format!("{B}=0"), format!("{C}=0")];
    assert_eq!(world(1, false).pool(&service), expected);
}

#[test]
fn without_a_sorry_server_those_that_are_up_go_on() {
    let service = VirtualServer { sorry: None, max_down: config::Percent::ALL, ..three(2, 0) };
    assert_eq!(world(1, false).pool(&service), [format!("{A}=1")]);
    assert!(world(1, false).wanted(&service).below_quorum);
}

#[test]
fn hysteresis_keeps_the_pool_a_while_and_keeps_it_out_a_while() {
    let below = |up, was_below| world(up, was_below).wanted(&three(2, 1)).below_quorum;
    assert_eq!([0, 1, 2, 3].map(|up| below(up, false)), [true, false, false, false]);
    assert_eq!([0, 1, 2, 3].map(|up| below(up, true)), [true, true, true, false]);
}
