//! Faults under load: what the client, the roles and the kernel's table saw of each.

pub(crate) mod deaths;
mod flood;
pub(crate) mod interface;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod pause;
pub(crate) mod resources;

use crate::pair_moves::{WEB, config, wait_until_ready, warm};
use lab::daemon::Process;
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Daemon, Load, Node, Outcome, Run, Seed, ensure, wait_until};
use std::time::Duration;

pub(crate) const LONG: Duration = Duration::from_secs(30);
/// How long a bad wire, a flood or a wrong clock lasts.
const SPELL: Duration = Duration::from_secs(5);

/// What became of one fault.
#[derive(Debug)]
pub(crate) struct Row {
    fault: String,
    pub(crate) requests: usize,
    pub(crate) lost: usize,
    pub(crate) outage: Duration,
    /// Groups taken over or stood down, on both routers.
    pub(crate) role_changes: usize,
    /// Changes of the kernel's tables, on both routers.
    pub(crate) writes: usize,
}

impl Row {
    fn line(&self) -> String {
        format!(
            "{:<46} {:>8} {:>5} {:>7} ms {:>6} {:>7}",
            self.fault,
            self.requests,
            self.lost,
            self.outage.as_millis(),
            self.role_changes,
            self.writes
        )
    }

    /// Nobody noticed: nothing lost, no role changed, nothing written.
    pub(crate) fn nobody_noticed(&self) -> Outcome {
        let quiet = self.lost == 0 && self.role_changes == 0 && self.writes == 0;
        ensure!(quiet, "somebody noticed: {}", self.line());
        Ok(())
    }

    /// No role changed.
    pub(crate) fn nobody_moved(&self) -> Outcome {
        ensure!(self.role_changes == 0, "a role changed: {}", self.line());
        Ok(())
    }
}

/// A warm pair that things happen to.
pub(crate) struct Stage<'a> {
    pub(crate) net: &'a Seed,
    pub(crate) pair: Pair,
    rows: Vec<Row>,
}

impl<'a> Stage<'a> {
    /// The pair of most scenarios, with master active and backup ready.
    pub(crate) fn set(net: &'a Seed, dead_after: &str) -> Outcome<Self> {
        let text = config(WEB, "").replace("dead_after: 600ms", dead_after);
        Ok(Self::of(net, warm(net, &text)?))
    }

    /// A pair that was started in another way.
    pub(crate) fn of(net: &'a Seed, pair: Pair) -> Self {
        Self { net, pair, rows: Vec::new() }
    }

    /// Lets something happen while a client asks each 10 ms, and waits until both are well again.
    pub(crate) fn fault(
        &mut self,
        run: &Run,
        name: &str,
        act: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome<&Row> {
        let before = self.marks()?;
        let load = Load::new(web_address()).start(&self.net.c)?;
        load.answered(30, LONG)?;
        act(self)?;
        for router in self.net.routers() {
            wait_until_ready(router)?;
        }
        self.both_hear()?;
        load.answered(50, LONG)?;
        let report = load.finish()?;
        let after = self.marks()?;
        let row = Row {
            fault: name.to_owned(),
            requests: report.requests.len(),
            lost: report.lost(),
            outage: report.longest_outage(),
            role_changes: after.role_changes - before.role_changes,
            writes: after.writes - before.writes,
        };
        run.step(row.line());
        self.rows.push(row);
        self.rows.last().ok_or_else(|| lab::Failure::new("no row"))
    }

    /// Both routers hear each other.
    fn both_hear(&self) -> Outcome {
        for router in self.net.routers() {
            let what = format!("{} has a ready partner", router.name());
            wait_until(LONG, &what, || pair::partner_is_ready(router))?;
        }
        Ok(())
    }

    /// The group is on this router again.
    pub(crate) fn bring_home(&mut self) -> Outcome {
        if !self.net.ra.has_address(VIP)? {
            self.net.ra.execute(&["lvsctl", "takeover"])?;
            wait_for_address(&self.net.ra, VIP, LONG)?;
            let gone = || Ok(!self.net.rb.has_address(VIP)?);
            wait_until(LONG, "rb has let it go", gone)?;
        }
        Ok(())
    }

    fn marks(&self) -> Outcome<Marks> {
        let mut marks = Marks::default();
        for router in self.net.routers() {
            let log = log_of(router)?;
            let count = |text| log.matches(text).count();
            marks.role_changes += count("taking over group=") + count("standing down group=");
            // A pulse that finds its addresses goes on as what it was.
            marks.role_changes -= count("reason=\"held before the restart\"");
            marks.writes += count("kernel changed change=");
        }
        Ok(marks)
    }

    /// The process of a daemon. What a dead pulse left behind to remove its addresses bears the
    /// same name, so pulse is found as what was started.
    pub(crate) fn process(&self, router: &Node, daemon: &str) -> Outcome<Process> {
        let ra = router.name() == self.net.ra.name();
        let started = if ra { &self.pair.a } else { &self.pair.b };
        match started {
            Some(pulse) if daemon == "pulse" => {
                Ok(Process { id: pulse.id(), name: daemon.to_owned() })
            }
            _ => router.process(daemon),
        }
    }

    /// Starts pulse again on a router, as its supervisor would.
    pub(crate) fn start_pulse(&mut self, router: &Node) -> Outcome {
        self.started(router, pair::start_pulse(router)?);
        Ok(())
    }

    /// This pulse runs on a router from now on.
    pub(crate) fn started(&mut self, router: &Node, pulse: Daemon) {
        if router.name() == self.net.ra.name() {
            self.pair.a = Some(pulse);
        } else {
            self.pair.b = Some(pulse);
        }
    }
}

/// Everything that the pulses of a router wrote, one after the other, with their children.
pub(crate) fn log_of(router: &Node) -> Outcome<String> {
    let path = router.folder().join("pulse.log");
    let log = std::fs::read(&path)
        .map_err(|error| lab::Failure::new(format!("{}: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&log).into_owned())
}

/// Counts over both routers' logs.
#[derive(Default)]
struct Marks {
    role_changes: usize,
    writes: usize,
}

/// The headings of the rows.
pub(crate) fn headings(run: &Run) {
    run.step(format!(
        "{:<46} {:>8} {:>5} {:>10} {:>6} {:>7}",
        "fault", "requests", "lost", "outage", "roles", "writes"
    ));
}
