//! How fast a large table is filled and read, beside ipvsadm.

use std::time::Instant;

use ipvs::{Table, ipvsadm_lines, plan};
use lab::failure::Context;
use lab::figure::Figure;
use lab::{Outcome, Run, Seed, ensure};

use crate::ipvs_table::with_ipvs;
use crate::sample_table::large_table;

/// Virtual servers of the table.
const SERVICES: u16 = 1000;
/// Real servers of each.
const SERVERS: u8 = 10;
/// Times that each is measured, in turn.
const ROUNDS: usize = 3;

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let wanted = large_table(SERVICES, SERVERS);
    let text = ipvsadm_lines(&wanted).join("\n") + "\n";
    let folder = net.ra.folder().join("table");
    std::fs::write(&folder, &text).context(folder.display())?;
    let script = format!("exec ipvsadm -R < {}", folder.display());
    let (mut theirs, mut ours, mut empty, mut read, mut change) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let begun = Instant::now();
        net.ra.execute(&["sh", "-c", &script])?;
        theirs.push(milliseconds(begun));
        net.ra.execute(&["ipvsadm", "-C"])?;

        let (table, steps) = (wanted.clone(), plan(&wanted, &Table::new(), &[].into()).steps);
        let took = with_ipvs(&net.ra, async move |mut kernel| {
            let begun = Instant::now();
            let refused = count_refused(&kernel.apply(&steps).await);
            let filled = milliseconds(begun);
            let begun = Instant::now();
            let found = kernel.dump().await?.table;
            let listed = milliseconds(begun);
            let begun = Instant::now();
            let one = one_weight(&table);
            let refused =
                refused + count_refused(&kernel.apply(&plan(&one, &found, &[].into()).steps).await);
            let changed = milliseconds(begun);
            let begun = Instant::now();
            let owned = table.keys().copied().collect();
            let removal = plan(&Table::new(), &found, &owned).steps;
            let refused = refused + count_refused(&kernel.apply(&removal).await);
            Ok((refused, found == table, [filled, listed, changed, milliseconds(begun)]))
        })?;
        let (refused, same, [filled, listed, changed, emptied]) = took;
        ensure!(refused == 0, "the kernel refused {refused} steps");
        ensure!(same, "the kernel's table is another");
        ours.push(filled);
        read.push(listed);
        change.push(changed);
        empty.push(emptied);
        run.step(format!(
            "round {round}: {filled:.0} ms, ipvsadm -R {:.0} ms",
            theirs.last().unwrap_or(&0.0)
        ));
    }
    run.figure("filling 1,000 x 10", "ms", &ours)?;
    run.figure("ipvsadm -R of the same", "ms", &theirs)?;
    run.figure("listing it", "ms", &read)?;
    run.figure("planning and making one change in it", "ms", &change)?;
    run.figure("removing it", "ms", &empty)?;
    let ratio: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    run.figure("filling, ours to ipvsadm's", "times", &ratio)?;
    let median = Figure::new("", "", &ratio).map_or(f64::INFINITY, |figure| figure.median);
    ensure!(median < 1.0, "ipvsadm -R is faster, {median:.2} times");
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn count_refused<E>(results: &[Result<(), E>]) -> usize {
    results.iter().filter(|result| result.is_err()).count()
}

/// The table with another weight of one real server.
fn one_weight(table: &Table) -> Table {
    let mut table = table.clone();
    let last = table.values_mut().last().and_then(|pool| pool.destinations.values_mut().last());
    if let Some(destination) = last {
        destination.weight += 1;
    }
    table
}
