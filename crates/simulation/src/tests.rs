//! The promises of SPECIFICATION.md that the simulation enforces.

use super::*;
use crate::fault::Micros;
use crate::schedule::GroupShape;
use crate::world::World;
use std::time::Duration;

const SECOND: Micros = 1_000_000;
const INTERVAL: Micros = 200_000;
const DEAD_AFTER: Micros = 600_000;

fn plain(groups: usize) -> Schedule {
    let group = GroupShape { preferred: Some(0), failback: None };
    Schedule {
        seed: 1,
        shape: Shape {
            paths: 2,
            groups: vec![group; groups],
            witness: false,
            interval: Duration::from_micros(INTERVAL),
            dead_after: Duration::from_micros(DEAD_AFTER),
            quicker: 1,
            addresses: 8_000,
            lease: None,
            clocks: [0, 0],
            mixed: false,
            fence: None,
            farm: None,
            yields: false,
            agrees_keys: false,
        },
        faults: Vec::new(),
        heal_at: Micros::MAX,
        end_at: Micros::MAX,
    }
}

/// A pair that runs, `warm` after its start.
fn pair(schedule: &Schedule, warm: Micros) -> World {
    let mut world = World::new(schedule, None, Story::untold());
    world.befall(&Fault::StartBoth);
    world.run(warm);
    world
}

fn holders(world: &World) -> Vec<usize> {
    (0..2).filter(|index| world.routers[*index].holds(0)).collect()
}

/// Runs on for so long, with every promise kept.
fn pass(world: &mut World, time: Micros) {
    world.run(world.now + time);
    assert_eq!(world.violation, None);
}

fn seeds() -> impl Iterator<Item = Schedule> {
    (0..200).map(|seed| Schedule { seed, ..plain(1) })
}

fn roles(world: &World) -> u64 {
    world.coverage.roles.values().sum()
}

#[test]
fn random_lives_of_the_pair_keep_every_promise_and_meet_every_fault() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let campaign = campaign(0..3000, None, threads, &|_| {});
    let first = campaign.broken.first().and_then(|seed| shrink(*seed, None));
    let told = first.map(|failure| format!("seed {}:\n{}", failure.seed, failure.story));
    assert!(campaign.broken.is_empty(), "{}", told.unwrap_or_default());
    assert_eq!(campaign.coverage.missing_faults(), Vec::<&str>::new());
    let never: Vec<_> = campaign.coverage.missing_invariants();
    assert_eq!(never, [Invariant::Rest], "promises that were never put to the test");
}

/// Lives that broke a promise once: a settled router that did not look again, two offers that
/// crossed, packets of a router that heard nobody, held back beyond its death, an old answer about the
/// addresses that an old packet made count; two that were started with different times, and two of
/// those of which one does not tell them; heartbeats that were held back, taken for seldom ones.
#[test]
fn what_broke_once_does_not_break_again() {
    for seed in
        [16_953, 99_781, 267_480, 276_766, 424_240, 579_493, 611_973, 633_060, 801_001, 909_335]
    {
        assert_eq!(run(seed, None).0, None, "seed {seed}");
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..200 {
        let (one, other) = (run(seed, None), run(seed, None));
        assert_eq!(one, other, "seed {seed}");
        assert_eq!(tell(seed, None).1.to_string(), tell(seed, None).1.to_string());
    }
}

#[test]
fn every_deliberate_bug_is_caught() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for bug in Bug::ALL {
        let mut first = 0;
        while campaign(first..first + 100, Some(bug), threads, &|_| {}).broken.is_empty() {
            first += 100;
            assert!(first < 5000, "{bug} is not caught");
        }
    }
}

#[test]
fn a_failure_shrinks_to_a_story_that_still_fails() {
    let seed = (0..).find(|seed| run(*seed, Some(Bug::ForgetsThePause)).0.is_some()).unwrap();
    let failure = shrink(seed, Some(Bug::ForgetsThePause)).unwrap();
    assert!(failure.schedule.faults.len() <= 2, "{:?}", failure.schedule.faults);
    assert!(failure.story.to_string().contains("BROKEN"));
}

#[test]
fn an_active_router_that_loses_power_is_replaced_within_dead_after() {
    for (n, schedule) in seeds().enumerate() {
        let mut world = pair(&schedule, 2 * SECOND + 7_000 * n as u64);
        assert_eq!(holders(&world), [0]);
        world.befall(&Fault::PowerLoss(0));
        pass(&mut world, DEAD_AFTER + 3_000 + 8_000);
        assert_eq!(holders(&world), [1]);
    }
}

#[test]
fn with_a_witness_a_power_loss_costs_no_more_than_its_answer() {
    for (n, schedule) in seeds().enumerate() {
        let shape = Shape { witness: true, ..schedule.shape.clone() };
        let mut world = pair(&Schedule { shape, ..schedule }, 2 * SECOND + 7_000 * n as u64);
        world.befall(&Fault::PowerLoss(0));
        pass(&mut world, DEAD_AFTER + 3_000 + 20_500 + 8_000);
        assert_eq!(holders(&world), [1]);
    }
}

#[test]
fn an_active_daemon_that_is_restarted_at_once_stays_active() {
    for (n, schedule) in seeds().enumerate() {
        let mut world = pair(&schedule, 2 * SECOND + 7_000 * n as u64);
        world.befall(&Fault::Crash(0));
        pass(&mut world, 300_000);
        world.befall(&Fault::Start(0));
        let before = roles(&world);
        pass(&mut world, 3 * SECOND);
        assert_eq!(holders(&world), [0]);
        assert_eq!(roles(&world), before + 1, "it resumes, and nothing else moves");
    }
}

#[test]
fn a_router_that_stops_in_order_is_replaced_at_once() {
    for (n, schedule) in seeds().enumerate() {
        let mut world = pair(&schedule, 2 * SECOND + 7_000 * n as u64);
        world.befall(&Fault::Stop(0));
        pass(&mut world, 8_000 + 8_000 + 3_000);
        assert_eq!(holders(&world), [1]);
    }
}

#[test]
fn with_both_at_the_witness_and_all_paths_cut_nothing_moves() {
    for (n, schedule) in seeds().enumerate() {
        let shape = Shape { witness: true, ..schedule.shape.clone() };
        let mut world = pair(&Schedule { shape, ..schedule }, 2 * SECOND + 7_000 * n as u64);
        let before = roles(&world);
        world.befall(&Fault::Partition);
        pass(&mut world, 30 * SECOND);
        assert_eq!((holders(&world), roles(&world)), (vec![0], before));
        world.befall(&Fault::PowerLoss(0));
        pass(&mut world, DEAD_AFTER + INTERVAL * 3 / 4 + DEAD_AFTER);
        assert_eq!(holders(&world), [1], "its death is noticed all the same");
    }
}

#[test]
fn of_two_that_are_cut_off_only_the_one_that_reaches_the_witness_is_active() {
    for (schedule, away) in seeds().zip([0, 1].into_iter().cycle()) {
        let shape = Shape { witness: true, ..schedule.shape.clone() };
        let mut world = pair(&Schedule { shape, ..schedule }, 2 * SECOND);
        for fault in [Fault::Partition, Fault::CutAddresses, Fault::CutWitness(away)] {
            world.befall(&fault);
        }
        pass(&mut world, 3 * SECOND);
        assert_eq!(holders(&world), [1 - away]);
    }
}

#[test]
fn a_deaf_router_that_is_restarted_takes_nothing_that_the_other_one_holds() {
    for (schedule, power) in seeds().zip([false, true].into_iter().cycle()) {
        let mut world = pair(&schedule, 2 * SECOND);
        // Router 1 hears nothing any more, takes over, and router 0 yields to it.
        world.befall(&Fault::CutAllFrom(0));
        pass(&mut world, 5 * SECOND);
        assert_eq!(holders(&world), [1]);
        world.befall(&if power { Fault::PowerLoss(1) } else { Fault::Crash(1) });
        world.befall(&Fault::Start(1));
        pass(&mut world, 10 * SECOND);
        assert_eq!(holders(&world).len(), 1);
    }
}

#[test]
fn an_operators_failover_outlives_a_restart_of_either_daemon() {
    for (schedule, restarted) in seeds().zip([0, 1].into_iter().cycle()) {
        let mut schedule = schedule;
        schedule.shape.groups[0].failback = Some(Duration::ZERO);
        let mut world = pair(&schedule, 4 * SECOND);
        world.befall(&Fault::Failover(0, 0));
        pass(&mut world, 3 * SECOND);
        assert_eq!(holders(&world), [1]);
        world.befall(&Fault::Crash(restarted));
        pass(&mut world, 300_000);
        world.befall(&Fault::Start(restarted));
        pass(&mut world, 10 * SECOND);
        assert_eq!(holders(&world), [1], "it fails back although an operator moved it away");
    }
}

#[test]
fn a_key_rotation_loses_no_heartbeat() {
    for schedule in seeds() {
        let mut world = pair(&schedule, 2 * SECOND);
        let refused: u64 = world.coverage.refused.values().sum();
        for _ in 0..4 {
            world.befall(&Fault::RotateKeys);
            pass(&mut world, 4 * SECOND);
        }
        assert_eq!(world.coverage.refused.values().sum::<u64>(), refused);
        assert_eq!(world.coverage.events.get("partner lost"), None);
    }
}

mod replay;
