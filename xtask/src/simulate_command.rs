//! `cargo xtask simulate`: the pair of routers in a world where everything goes wrong.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use lab::console::{self, BAD, DIM, GOOD, STRONG, paint};
use simulation::{Bug, Campaign, campaign, shrink, tell};

use crate::trouble::Result;

/// Time between two lines that tell how far it is.
const PAUSE: Duration = Duration::from_secs(20);

#[derive(clap::Args)]
pub(crate) struct SimulateArguments {
    /// How many runs
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Tell the story of this one seed, and do nothing else
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    replay: Option<u64>,
    /// Put a deliberate bug in, and see that it is caught
    #[arg(long)]
    bug: Option<Bug>,
    /// Every deliberate bug, one after the other
    #[arg(long, conflicts_with_all = ["bug", "replay"])]
    bugs: bool,
    /// Threads [default: one for each processor]
    #[arg(long)]
    threads: Option<usize>,
}

/// The chore itself; false when a promise was broken, or a deliberate bug was not caught.
pub(crate) fn run(arguments: &SimulateArguments) -> Result<bool> {
    if let Some(seed) = arguments.replay {
        let (violation, story) = tell(seed, arguments.bug);
        console::line(&story.to_string());
        return Ok(violation.is_none());
    }
    let bugs: Vec<Bug> =
        if arguments.bugs { Bug::ALL.to_vec() } else { arguments.bug.into_iter().collect() };
    if bugs.is_empty() {
        let (campaign, rate) = runs(arguments, None);
        console::line(&campaign.coverage.to_string());
        return Ok(verdict(&campaign, rate));
    }
    let mut caught = true;
    for bug in bugs {
        let (campaign, _) = runs(arguments, Some(bug));
        caught &= told(bug, &campaign);
    }
    Ok(caught)
}

fn runs(arguments: &SimulateArguments, bug: Option<Bug>) -> (Campaign, f64) {
    let threads =
        arguments.threads.or_else(|| thread::available_parallelism().ok().map(usize::from));
    let seeds = arguments.first..arguments.first.saturating_add(arguments.seeds);
    let begun = Instant::now();
    let told = Mutex::new(begun);
    let progress = |done: u64| {
        if let Ok(mut told) = told.try_lock()
            && told.elapsed() >= PAUSE
        {
            *told = Instant::now();
            let rate = rate(done, begun.elapsed());
            console::line(&paint(DIM, &format!("{done} runs, {rate:.0} a second")));
        }
    };
    let campaign = campaign(seeds, bug, threads.unwrap_or(1), &progress);
    let rate = rate(campaign.coverage.runs, begun.elapsed());
    (campaign, rate)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(runs: u64, elapsed: Duration) -> f64 {
    runs as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// Says how it ended, with the shortest story of the first failure.
fn verdict(campaign: &Campaign, rate: f64) -> bool {
    let runs = campaign.coverage.runs;
    console::line(&paint(STRONG, &format!("{runs} runs, {rate:.0} a second")));
    let missing = campaign.coverage.missing_faults();
    if !missing.is_empty() {
        console::line(&format!("never met: {}", missing.join(", ")));
    }
    let Some(first) = campaign.broken.first() else {
        console::line(&format!("{}: no promise was broken", paint(GOOD, "good")));
        return true;
    };
    let count = campaign.broken.len();
    console::line(&format!("{}: {count} runs broke a promise", paint(BAD, "broken")));
    let some: Vec<String> = campaign.broken.iter().take(20).map(u64::to_string).collect();
    console::line(&format!("seeds {}", some.join(", ")));
    if let Some(failure) = shrink(*first, None) {
        let (left, all) = (failure.schedule.faults.len(), failure.faults);
        console::line(&format!("seed {first}, with {left} of its {all} faults:"));
        console::line(&format!("{:?}", failure.schedule.shape));
        console::line(&failure.story.to_string());
    }
    false
}

/// Whether a deliberate bug was caught, by what, and how soon.
fn told(bug: Bug, campaign: &Campaign) -> bool {
    let runs = campaign.coverage.runs;
    let Some(first) = campaign.broken.first() else {
        console::line(&format!("{bug}: {} in {runs} runs", paint(BAD, "not caught")));
        return false;
    };
    let by = shrink(*first, Some(bug)).map(|failure| {
        let (left, all) = (failure.schedule.faults.len(), failure.faults);
        format!("{} ({left} of {all} faults are enough)", failure.violation.invariant.name())
    });
    let count = campaign.broken.len();
    let by = by.unwrap_or_default();
    let caught = paint(GOOD, "caught");
    console::line(&format!(
        "{bug}: {caught} in {count} of {runs} runs, first in seed {first}: {by}"
    ));
    true
}
