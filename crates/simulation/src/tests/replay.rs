//! Somebody who has recorded every packet, and every clock that leaps.

use super::*;
use crate::node::Input;
use crate::random::Random;

/// A run with a hand-over in it, and everything that was said.
fn recorded() -> World {
    let mut world = pair(&plain(2), 5 * SECOND);
    world.befall(&Fault::Failover(0, 0));
    pass(&mut world, 20 * SECOND);
    for recorded in &mut world.recorded {
        recorded.arrived = true;
    }
    world
}

/// Every packet to both routers, in the order of `of`; each is an attack that must change nothing.
fn replay_all(world: &mut World, mut order: Vec<usize>, random: &mut Random) {
    for index in (1..order.len()).rev() {
        order.swap(index, random.index(index + 1));
    }
    for index in order {
        let bytes = world.recorded[index].bytes.clone();
        for to in [0, 1] {
            for path in [0, 1] {
                world.attack(to, path, &bytes);
                assert_eq!(world.violation, None);
            }
        }
        // The pair goes on meanwhile.
        pass(world, 1_000);
    }
}

#[test]
fn every_recorded_packet_in_any_order_changes_nothing_after_restarts_of_either_or_both() {
    let crash: [&[Fault]; 5] = [
        &[],
        &[Fault::Crash(0), Fault::Start(0)],
        &[Fault::Crash(1), Fault::Start(1)],
        &[Fault::Crash(0), Fault::Crash(1), Fault::StartBoth],
        &[Fault::PowerLoss(0), Fault::PowerLoss(1), Fault::StartBoth],
    ];
    for (seed, faults) in crash.iter().enumerate() {
        let mut world = recorded();
        let mut random = Random::new(seed as u64, 3);
        for fault in *faults {
            world.befall(fault);
        }
        pass(&mut world, 3 * SECOND);
        let (before, held) = (roles(&world), holders(&world));
        let old =
            (0..world.recorded.len()).filter(|index| world.recorded[*index].arrived).collect();
        replay_all(&mut world, old, &mut random);
        pass(&mut world, 3 * SECOND);
        assert_eq!((roles(&world), holders(&world)), (before, held), "no group moved");
    }
}

#[test]
fn recordings_while_both_restart_change_nothing() {
    let mut world = recorded();
    let mut random = Random::new(9, 3);
    let old: Vec<usize> = (0..world.recorded.len()).collect();
    for fault in [Fault::PowerLoss(0), Fault::PowerLoss(1), Fault::StartBoth] {
        world.befall(&fault);
    }
    // From the first moment on, before the two have met.
    for index in old.iter().rev().take(400) {
        let bytes = world.recorded[*index].bytes.clone();
        let to = random.index(2);
        world.attack(to, 0, &bytes);
        pass(&mut world, 2_000);
    }
    pass(&mut world, 3 * SECOND);
    assert_eq!(holders(&world).len(), 1);
}

#[test]
fn a_dead_partner_is_not_kept_alive_by_recordings() {
    let mut world = recorded();
    let old: Vec<usize> = (0..world.recorded.len()).collect();
    world.befall(&Fault::PowerLoss(1));
    let died = world.now;
    for index in old {
        let bytes = world.recorded[index].bytes.clone();
        world.attack(0, 0, &bytes);
        pass(&mut world, 2_000);
        if world.now - died > DEAD_AFTER + 11_000 {
            break;
        }
    }
    assert_eq!(holders(&world), [0]);
}

#[test]
fn no_turned_bit_of_any_field_changes_anything() {
    let mut world = recorded();
    let last = world.recorded.len() - 1;
    for record in [last, last - 1] {
        let bytes = world.recorded[record].bytes.clone();
        let to = 1 - world.recorded[record].from;
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.to_vec();
            turned[bit / 8] ^= 1 << (bit % 8);
            world.attack(to, 0, &turned);
            assert_eq!(world.violation, None, "bit {bit}");
        }
    }
}

#[test]
fn a_packet_that_is_cut_short_or_made_longer_changes_nothing() {
    let mut world = recorded();
    let bytes = world.recorded.last().unwrap().bytes.to_vec();
    let to = 1 - world.recorded.last().unwrap().from;
    for length in 0..bytes.len() {
        world.attack(to, 0, &bytes[..length]);
    }
    for more in [1, 5, 32, 1500] {
        let longer: Vec<u8> = bytes.iter().copied().chain(vec![0; more]).collect();
        world.attack(to, 0, &longer);
    }
    assert_eq!(world.violation, None);
}

/// The state machine knows one kind of time, the time since the machine started. When that leaps,
/// the machine has slept: it lets go and listens, and claims nothing before.
#[test]
fn a_clock_that_leaps_ten_years_is_a_pause_and_nothing_else() {
    const TEN_YEARS: Micros = 10 * 365 * 24 * 3600 * SECOND;
    for index in [0, 1] {
        let mut world = pair(&plain(1), 5 * SECOND);
        world.unsettle();
        world.routers[index].clock.leap(TEN_YEARS);
        world.routers[index].arrivals.ask_anew();
        world.give(index, Input::Timeout);
        pass(&mut world, 5 * SECOND);
        assert_eq!(holders(&world).len(), 1);
        assert_eq!(world.coverage.events.get("paused"), Some(&1));
    }
}

/// Both start with clocks that are ten years apart: nothing depends on what they show.
#[test]
fn clocks_that_are_ten_years_apart_make_no_difference() {
    let plays = [0, 10 * 365 * 24 * 3600 * SECOND].map(|apart| {
        let mut world = World::new(&plain(1), None, Story::written());
        world.routers[1].clock.leap(apart);
        world.befall(&Fault::StartBoth);
        world.run(5 * SECOND);
        world.befall(&Fault::PowerLoss(0));
        pass(&mut world, 5 * SECOND);
        let actions = world.coverage;
        (actions.roles, actions.events, actions.refused)
    });
    assert_eq!(plays[0], plays[1]);
}
