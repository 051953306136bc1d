//! What the processes of a host use.

use lab::daemon::Process;
use lab::failure::Context;
use lab::{Node, Outcome};
use std::fs;
use std::time::{Duration, Instant};

/// `USER_HZ`: the kernel counts processor time in hundredths of a second for everybody.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor and memory of all processes of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Share of one core, in percent.
    pub(crate) percent: f64,
    /// Resident memory, in megabytes; what several processes share is counted once for each.
    pub(crate) megabytes: f64,
}

impl Usage {
    /// Watches all processes of a host for a time.
    pub(crate) fn measure(node: &Node, time: Duration) -> Outcome<Self> {
        let start = Instant::now();
        let before = processor(node)?;
        std::thread::sleep(time);
        let used = processor(node)? - before;
        let percent = 100.0 * used / start.elapsed().as_secs_f64();
        Ok(Self { percent, megabytes: megabytes(node)? })
    }
}

/// Processor time of all processes so far, in seconds.
fn processor(node: &Node) -> Outcome<f64> {
    node.processes()?.iter().map(processor_seconds).sum()
}

/// Processor time of one process so far, in seconds (fields `utime` and `stime` of
/// proc_pid_stat(5)).
pub(crate) fn processor_seconds(process: &Process) -> Outcome<f64> {
    let path = format!("/proc/{}/stat", process.id);
    let text = fs::read_to_string(&path).context(&path)?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // The first field after the name is number 3.
    let times = fields.skip(14 - 3).take(2).map(|field| field.parse::<f64>().context(&path));
    Ok(times.sum::<Outcome<f64>>()? / TICKS_A_SECOND)
}

fn megabytes(node: &Node) -> Outcome<f64> {
    node.processes()?.iter().map(|process| memory(process, "VmRSS:")).sum()
}

/// Megabytes of one process, by a line of proc_pid_status(5); none for a thread of the kernel.
pub(crate) fn memory(process: &Process, line: &str) -> Outcome<f64> {
    let path = format!("/proc/{}/status", process.id);
    let text = fs::read_to_string(&path).context(&path)?;
    let found = text.lines().find_map(|have| have.strip_prefix(line));
    let kilobytes = found.and_then(|rest| rest.split_whitespace().next()).unwrap_or("0");
    Ok(kilobytes.parse::<f64>().context(path)? / 1024.0)
}
