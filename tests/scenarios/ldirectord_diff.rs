//! ldirectord itself and lvsd with the same ldirectord.cf, each on a router of its own, while the
//! real servers of both die and return and files are edited: the kernel has the same table at
//! each step, or it differs as `caribe(7)` says.

mod cases;
mod differences;
mod farm;
mod perl;
mod place;
mod stage;

use std::time::{Duration, Instant};

use lab::{Outcome, Run, console, ensure};

use cases::{CASES, Case};
use place::Place;
use stage::Stage;

/// Cases that run beside each other.
const PLACES: u8 = 5;
/// A busy emulated machine takes its time.
const LIMIT: Duration = Duration::from_secs(600);
/// ldirectord is a large program in Perl, and all of them start at one time.
const START: Duration = Duration::from_secs(900);

/// What is the case with the real servers: which ones of the first and the second are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Start,
    Edited,
    Second,
    None,
    First,
    Both,
}

impl Step {
    fn well(self) -> [bool; 2] {
        match self {
            Self::Start | Self::Edited | Self::Both => [true, true],
            Self::First => [true, false],
            Self::Second => [false, true],
            Self::None => [false, false],
        }
    }
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let mut stage = Stage::build(run, PLACES)?;
    let mut broken = Vec::new();
    let mut differ = Vec::new();
    for cases in CASES.chunks(usize::from(PLACES)) {
        broken.append(&mut lives(run, &mut stage, cases)?);
    }
    for case in CASES {
        differ.extend(case.differs.first().map(|first| format!("{}: {}", case.name, first.why)));
    }
    run.step(format!("{} files, {} the same", CASES.len(), CASES.len() - differ.len()));
    for line in differ {
        run.step(format!("differs on purpose: {line}"));
    }
    ensure!(broken.is_empty(), "{} of {}:\n{}", broken.len(), CASES.len(), broken.join("\n"));
    Ok(())
}

/// Some cases, beside each other, from start to end; what broke.
fn lives(run: &Run, stage: &mut Stage, cases: &'static [Case]) -> Outcome<Vec<String>> {
    let Stage { servers, routers, modules } = stage;
    let mut broken = Vec::new();
    let pairs = routers.iter().zip(cases);
    let started = pairs.map(|(routers, case)| Place::start(routers, modules, case));
    let mut places: Vec<Place<'_>> = started.collect::<Outcome<_>>()?;
    let begin = Instant::now();
    settle(&mut places, Step::Start, begin + START, &mut broken);
    let settled = begin.elapsed();
    keep(&mut places, &mut broken, |place| place.edit(LIMIT));
    settle(&mut places, Step::Edited, Instant::now() + LIMIT, &mut broken);
    for step in [Step::Second, Step::None, Step::First, Step::Both] {
        for (server, well) in servers.iter_mut().zip(step.well()) {
            server.set(well)?;
        }
        settle(&mut places, step, Instant::now() + LIMIT, &mut broken);
    }
    let names: Vec<&str> = places.iter().map(|place| place.case.name).collect();
    let (whole, names) = (begin.elapsed(), names.join(", "));
    run.step(format!("started in {settled:.0?}, done in {whole:.0?}: {names}"));
    for place in places {
        let name = place.case.name;
        if let Err(failure) = place.stop(LIMIT) {
            broken.push(format!("{name}: stop: {failure}"));
        }
    }
    Ok(broken)
}

/// Waits for all, and then once more: who has nothing to notice has had the time of the others to
/// do something wrong.
fn settle(places: &mut Vec<Place<'_>>, step: Step, until: Instant, broken: &mut Vec<String>) {
    for _ in 0..2 {
        keep(places, broken, |place| place.settle(step, until));
    }
}

/// Goes on with those that did what was asked.
fn keep<'a>(
    places: &mut Vec<Place<'a>>,
    broken: &mut Vec<String>,
    mut what: impl FnMut(&mut Place<'a>) -> Outcome,
) {
    places.retain_mut(|place| match what(place) {
        Ok(()) => true,
        Err(failure) => {
            console::step(&format!("broken: {failure}"));
            broken.push(failure.to_string());
            false
        }
    });
}
