//! Runs of many seeds, and the shortest story of one that fails.

use crate::bug::Bug;
use crate::coverage::Coverage;
use crate::invariants::Violation;
use crate::schedule::Schedule;
use crate::story::Story;
use crate::world::World;

/// A run that broke a promise, cut down to the faults that matter.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The promise, as the whole run broke it.
    pub violation: Violation,
    /// How many faults the whole run had.
    pub faults: usize,
    /// The run with no more faults than it needs.
    pub schedule: Schedule,
    /// What happened in it.
    pub story: Story,
}

/// One run; the violation if there is one, and what was met.
pub fn run(seed: u64, bug: Option<Bug>) -> (Option<Violation>, Coverage) {
    let world = World::play(&Schedule::of(seed), bug, Story::untold());
    (world.violation, world.coverage)
}

/// The whole story of one run, whether it fails or not.
pub fn tell(seed: u64, bug: Option<Bug>) -> (Option<Violation>, Story) {
    let world = World::play(&Schedule::of(seed), bug, Story::written());
    (world.violation, world.story)
}

/// Leaves out one fault after the other as long as the same promise is broken.
pub fn shrink(seed: u64, bug: Option<Bug>) -> Option<Failure> {
    let mut schedule = Schedule::of(seed);
    let faults = schedule.faults.len();
    let violation = World::play(&schedule, bug, Story::untold()).violation?;
    let broken = |schedule: &Schedule| {
        let found = World::play(schedule, bug, Story::untold()).violation;
        found.is_some_and(|found| found.invariant == violation.invariant)
    };
    let mut index = 0;
    while index < schedule.faults.len() {
        let mut shorter = schedule.clone();
        shorter.faults.remove(index);
        if broken(&shorter) {
            schedule = shorter;
            index = 0;
        } else {
            index += 1;
        }
    }
    let story = World::play(&schedule, bug, Story::written()).story;
    Some(Failure { seed, violation, faults, schedule, story })
}
