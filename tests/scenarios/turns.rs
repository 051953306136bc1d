//! Real servers that take turns, as the scheduler `rr` means it.

use lab::seed::web_address;
use lab::{Load, Node, Outcome, Run, Seed, ensure};
use std::sync::atomic::{AtomicU16, Ordering};

const REQUESTS: u16 = 20;
/// How often they are asked while other connections come in between.
const TRIES: usize = 5;

/// Source ports for the next try, below those that the kernel takes by itself.
static NEXT_PORT: AtomicU16 = AtomicU16::new(10_000);

/// Twenty requests through a router; each of two servers answers half of them. A connection that
/// is not one of the twenty moves the scheduler on, too: only twenty choices are judged. One that the
/// router knows from before, or was told of by its partner, makes no choice, so that the twenty come
/// from ports that had none.
pub(crate) fn take_turns(run: &Run, net: &Seed, router: &Node, what: &str) -> Outcome {
    for _ in 0..TRIES {
        let before = router.scheduled_connections()?;
        let port = NEXT_PORT.fetch_add(REQUESTS, Ordering::Relaxed);
        let load = Load::new(web_address()).most(REQUESTS.into()).from_port(port);
        let report = load.start(&net.c)?.complete()?;
        let chosen = router.scheduled_connections()?.saturating_sub(before);
        run.step(format!("{what}: {}", report.summary()));
        ensure!(report.lost() == 0, "{what}: {}", report.summary());
        if chosen == u64::from(REQUESTS) {
            let answers: Vec<usize> = report.answers().into_values().collect();
            let order: Vec<String> =
                report.requests.iter().map(|one| one.fate.to_string()).collect();
            let fair = answers == [usize::from(REQUESTS) / 2; 2];
            ensure!(fair, "{what}: the servers do not take turns: {}", order.join(", "));
            return Ok(());
        }
        let table = router.execute(&["ipvsadm", "-Lnc"])?;
        run.step(format!("{chosen} connections were scheduled meanwhile, asked again:\n{table}"));
    }
    Err(lab::Failure::new(format!("{what}: others' connections came in between {TRIES} times")))
}
