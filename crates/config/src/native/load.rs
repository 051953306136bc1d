//! `load` of a virtual server.

use std::time::Duration;

use super::pair::argv;
use super::section::{Reading, Section};
use crate::model::LoadMonitor;

/// Time between two runs, and the limit of one, unless the file says otherwise.
const INTERVAL: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn monitor(run: Vec<String>) -> LoadMonitor {
    LoadMonitor { run, interval: INTERVAL, timeout: TIMEOUT }
}

/// What measures the load of the real servers.
pub(super) fn load<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> Option<LoadMonitor> {
    let at = section.span_of("load")?;
    let node = reading.given(section, "load")?;
    let mut map = reading.section("services.*.load", node, at)?;
    let run = Some(argv(reading, &mut map, "run")).filter(|run| !run.is_empty());
    let run = reading.require(&map, "run", run);
    let usual = monitor(Vec::new());
    let interval = reading.duration(&mut map, "interval").unwrap_or(usual.interval);
    let timeout = reading.duration(&mut map, "timeout").unwrap_or(usual.timeout);
    reading.finish(map);
    run.map(|run| LoadMonitor { run, interval, timeout })
}
