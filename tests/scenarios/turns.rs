//! Real servers that take turns, as the scheduler `rr` means it.

use lab::seed::web_address;
use lab::{Load, Node, Outcome, Run, Seed, ensure};

const REQUESTS: usize = 20;
/// How often they are asked while other connections come in between.
const TRIES: usize = 5;

/// Twenty requests through a router; each of two servers answers half of them. A connection that
/// is not one of the twenty moves the scheduler on, too, and one that the router knows already
/// does not: only twenty choices are judged.
pub(crate) fn take_turns(run: &Run, net: &Seed, router: &Node, what: &str) -> Outcome {
    for _ in 0..TRIES {
        let before = router.scheduled_connections()?;
        let report = Load::new(web_address()).most(REQUESTS).start(&net.c)?.complete()?;
        let chosen = router.scheduled_connections()?.saturating_sub(before);
        run.step(format!("{what}: {}", report.summary()));
        ensure!(report.lost() == 0, "{what}: {}", report.summary());
        if chosen == REQUESTS as u64 {
            let answers: Vec<usize> = report.answers().into_values().collect();
            let order: Vec<String> =
                report.requests.iter().map(|one| one.fate.to_string()).collect();
            let fair = answers == [REQUESTS / 2; 2];
            ensure!(fair, "{what}: the servers do not take turns: {}", order.join(", "));
            return Ok(());
        }
        let table = router.execute(&["ipvsadm", "-Lnc"])?;
        run.step(format!("{chosen} connections were scheduled meanwhile, asked again:\n{table}"));
    }
    Err(lab::Failure::new(format!("{what}: others' connections came in between {TRIES} times")))
}
