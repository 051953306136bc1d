//! The runner: what the `lab` program does with a table of scenarios.
//!
//! `lab list` prints the table. `lab run FOLDER NAME…` runs scenarios here and now; `lab guest`
//! does so as the first process of the lab's kernel, and `lab within GROUP PROGRAM` starts a
//! program as a member of a control group. Each scenario is a process of its own in
//! process and mount namespaces of its own, so whatever it leaves is gone when it ends.

use crate::command::{self, own_path};
use crate::console::{self, BAD, DIM, GOOD, STRONG, paint};
use crate::failure::Context;
use crate::figure::{Figure, ScenarioResult};
use crate::node::mount_memory;
use crate::separate::separate;
use crate::{Failure, Outcome, Run, Scenario, Set, cgroup, guest};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// The first line that the runner writes: what a machine's firmware wrote before is no news.
pub const BEGIN: &str = "the lab is up";
/// What a scenario's process may take beyond the scenario's limit, to start and to save logs.
const GRACE: Duration = Duration::from_secs(15);
/// Lines of each log that are shown when a scenario fails.
const TAIL: usize = 40;

/// What the runner is to do, as the file `order.json` in the results folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// The scenarios, in this order.
    pub scenarios: Vec<String>,
    /// The folder under which the kernel's modules are found (`lib/modules/…`).
    pub modules: PathBuf,
    /// Whether lines are coloured.
    pub colour: bool,
    /// Whether logs are kept of scenarios that went well.
    pub keep: bool,
    /// Whether the lab narrates to a person rather than to a developer.
    pub quiet: bool,
    /// Whether a scenario that broke is run once more at the end. One that is kept then is called
    /// unsteady, not kept: it stood on the machine's mood, and somebody has to look at it.
    pub second_try: bool,
}

/// One line of `lab list`, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The scenario's name.
    pub name: String,
    /// What it promises.
    pub promise: String,
    /// `test`, `bench` or `named`.
    pub set: String,
    /// Packages that it needs.
    pub packages: Vec<String>,
    /// Its time limit.
    pub seconds: u64,
}

/// The whole program: does what the arguments say.
pub fn main(table: &[Scenario]) -> ExitCode {
    console::start_clock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words != ["guest"] {
        // Before any thread changes its mounts; in the guest, only once it has a /proc.
        let _ = own_path();
    }
    let done = match words.as_slice() {
        ["list"] => list(table),
        ["guest"] => machine(table),
        ["run", folder] => order(Path::new(folder)).and_then(|order| {
            console::set_colour(order.colour);
            all(table, &order, Path::new(folder))
        }),
        ["scenario", folder, name] => contain(Path::new(folder), name),
        ["within", group, program, arguments @ ..] => within(group, program, arguments),
        ["inside", folder, name] => inside(table, Path::new(folder), name),
        _ => Err(Failure::new("usage: lab list | guest | run FOLDER")),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            console::line(&format!("lab: {failure}"));
            ExitCode::from(70)
        }
    }
}

fn own_program() -> Outcome<PathBuf> {
    own_path().ok_or_else(|| Failure::new("the system does not say where the own program is"))
}

fn list(table: &[Scenario]) -> Outcome<bool> {
    for scenario in table {
        let set = match scenario.set {
            Set::Test => "test",
            Set::Bench => "bench",
            Set::Named => "named",
        };
        let entry = Entry {
            name: scenario.name.to_owned(),
            promise: scenario.promise.to_owned(),
            set: set.to_owned(),
            packages: scenario.packages.iter().map(|&name| name.to_owned()).collect(),
            seconds: scenario.limit.as_secs(),
        };
        console::line(&serde_json::to_string(&entry).context("the table of scenarios")?);
    }
    Ok(true)
}

/// Becomes another program, as a member of a control group from its first page of memory on.
fn within(group: &str, program: &str, arguments: &[&str]) -> Outcome<bool> {
    cgroup::join(Path::new(group))?;
    let error = Command::new(command::program(program)).args(arguments).exec();
    Err(Failure::of(format!("starting {program}"), error))
}

fn order(folder: &Path) -> Outcome<Order> {
    let path = folder.join("order.json");
    let text = fs::read_to_string(&path).context(path.display())?;
    serde_json::from_str(&text).context(path.display())
}

/// The life of the lab's machine.
fn machine(table: &[Scenario]) -> Outcome<bool> {
    console::line(BEGIN);
    let out = Path::new(guest::OUT);
    let done = (|| {
        let order = order(out)?;
        console::set_colour(order.colour);
        guest::prepare(&order.modules)?;
        all(table, &order, out)
    })();
    let code = match &done {
        Ok(true) => "0",
        Ok(false) => "1",
        Err(failure) => {
            console::line(&format!("lab: {failure}"));
            "70"
        }
    };
    fs::write(out.join("status"), code).context("writing the status")?;
    guest::power_off();
    done
}

/// Runs the scenarios of an order one after the other; whether all promises were kept.
fn all(table: &[Scenario], order: &Order, out: &Path) -> Outcome<bool> {
    let mut broken = Vec::new();
    for name in &order.scenarios {
        let scenario = find(table, name)?;
        if !one(scenario, order, out)? {
            broken.push(scenario);
        }
    }
    if !order.second_try {
        return Ok(broken.is_empty());
    }
    let mut good = true;
    for scenario in broken {
        good &= again(scenario, order, out)?;
    }
    Ok(good)
}

fn find<'a>(table: &'a [Scenario], name: &str) -> Outcome<&'a Scenario> {
    table
        .iter()
        .find(|scenario| scenario.name == name)
        .ok_or_else(|| Failure::new(format!("there is no scenario {name}")))
}

/// Runs a broken scenario once more; its result says why it broke the first time.
fn again(scenario: &Scenario, order: &Order, out: &Path) -> Outcome<bool> {
    let first = read_result(out, scenario.name)?;
    fs::remove_file(result_file(out, scenario.name)).context("the first result")?;
    let good = one(scenario, order, out)?;
    let second = read_result(out, scenario.name)?;
    write_result(out, &ScenarioResult { broke_before: first.failure, ..second })?;
    Ok(good)
}

/// Runs one scenario in a process of its own and says how it went.
fn one(scenario: &Scenario, order: &Order, out: &Path) -> Outcome<bool> {
    if !order.quiet {
        console::line(&format!("\n{}: {}", paint(STRONG, scenario.name), scenario.promise));
    }
    let start = Instant::now();
    let child = start_scenario(scenario.name, out)?;
    let code = wait(child, scenario.limit + GRACE)?;
    let result = result(scenario, out, code, start.elapsed().as_secs_f64())?;
    if !order.quiet {
        for figure in &result.figures {
            console::line(&format!("  {} {}", paint(DIM, "figure"), figure.line()));
        }
    }
    if let Some(failure) = &result.failure {
        console::line(&format!("  {} {}: {failure}", paint(BAD, "BROKEN"), scenario.name));
        show_logs(&out.join("logs").join(scenario.name));
    } else if !order.quiet {
        let time = format!("in {:.1} s", result.seconds);
        console::line(&format!("  {} {}", paint(GOOD, "kept"), paint(DIM, &time)));
    }
    if result.passed && !order.keep {
        let _ = fs::remove_dir_all(out.join("logs").join(scenario.name));
    }
    Ok(result.passed)
}

/// Starts `lab scenario` as the first process of a process namespace: when it ends, the kernel
/// ends everything that it started.
fn start_scenario(name: &str, out: &Path) -> Outcome<Child> {
    let own = own_program()?;
    let (folder, name) = (out.to_owned(), name.to_owned());
    let thread = std::thread::spawn(move || {
        separate(UnshareFlags::NEWPID)?;
        Command::new(own).arg("scenario").arg(folder).arg(name).stdin(Stdio::inherit()).spawn()
    });
    let child = thread.join().map_err(|_| Failure::new("a thread panicked"))?;
    child.context("starting the scenario")
}

/// Waits for a scenario's process; ends it when even its own watch failed (exit code -1).
fn wait(mut child: Child, limit: Duration) -> Outcome<i32> {
    let ended = crate::wait::wait_for(limit, "", || child.try_wait().context("waiting"));
    if let Ok(status) = ended {
        return Ok(status.code().unwrap_or(70));
    }
    child.kill().context("ending the scenario")?;
    child.wait().context("ending the scenario")?;
    Ok(-1)
}

/// The result that the scenario wrote, or one that says why there is none.
fn result(scenario: &Scenario, out: &Path, code: i32, seconds: f64) -> Outcome<ScenarioResult> {
    if code >= 0 && result_file(out, scenario.name).exists() {
        return read_result(out, scenario.name);
    }
    let failure = if code < 0 {
        format!("hung, and did not notice that {:?} were over", scenario.limit)
    } else {
        format!("the scenario itself ended with {code}")
    };
    let result = ScenarioResult {
        name: scenario.name.to_owned(),
        promise: scenario.promise.to_owned(),
        passed: false,
        failure: Some(failure),
        seconds,
        figures: Vec::new(),
        broke_before: None,
    };
    write_result(out, &result)?;
    Ok(result)
}

fn result_file(out: &Path, name: &str) -> PathBuf {
    out.join("results").join(format!("{name}.json"))
}

fn read_result(out: &Path, name: &str) -> Outcome<ScenarioResult> {
    let path = result_file(out, name);
    let text = fs::read_to_string(&path).context(path.display())?;
    serde_json::from_str(&text).context(path.display())
}

fn write_result(out: &Path, result: &ScenarioResult) -> Outcome {
    let path = result_file(out, &result.name);
    fs::create_dir_all(out.join("results")).context("the results folder")?;
    let text = serde_json::to_string_pretty(result).context("the result")?;
    fs::write(&path, text).context(path.display())
}

/// First process of a scenario's process namespace: own mounts, own /proc, own /run; starts the
/// scenario proper and collects what ends.
fn contain(folder: &Path, name: &str) -> Outcome<bool> {
    separate(UnshareFlags::NEWNS).context("separating the mounts")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).context("separating the mounts")?;
    mount("proc", "/proc", "proc", MountFlags::empty(), None).context("mounting /proc")?;
    mount_memory("/run").context("mounting /run")?;
    let work = work_folder(name);
    fs::create_dir_all(&work).context(work.display())?;
    mount_memory(&work.display().to_string()).context(work.display())?;
    let own = own_program()?;
    let mut command = Command::new(own);
    let child = command.arg("inside").arg(folder).arg(name).spawn().context("starting")?;
    Ok(guest::reap_until(&child)? == 0)
}

/// Where a scenario keeps its files: in the guest's memory, or under the temporary folder.
fn work_folder(name: &str) -> PathBuf {
    if Path::new(guest::WORK).is_dir() {
        return Path::new(guest::WORK).join(name);
    }
    std::env::temp_dir().join("caribe-lab").join(name)
}

/// The scenario proper.
fn inside(table: &[Scenario], out: &Path, name: &str) -> Outcome<bool> {
    let scenario = find(table, name)?;
    let order = order(out)?;
    console::set_colour(order.colour);
    let start = Instant::now();
    let work = work_folder(name);
    let (figures, ended) = attempt(scenario, Run::new(&work, &out.join("results"), order.quiet))?;
    save_logs(&work, &out.join("logs").join(name));
    let result = ScenarioResult {
        name: name.to_owned(),
        promise: scenario.promise.to_owned(),
        passed: ended.is_ok(),
        failure: ended.err().map(|failure| failure.to_string()),
        seconds: start.elapsed().as_secs_f64(),
        figures,
        broke_before: None,
    };
    write_result(out, &result)?;
    Ok(result.passed)
}

/// Runs a scenario in a thread until its end or its limit: its figures, and how it ended. The
/// thread of one that is over its limit goes away with the process.
fn attempt(scenario: &Scenario, mut run: Run) -> Outcome<(Vec<Figure>, Outcome)> {
    let (limit, function) = (scenario.limit, scenario.run);
    let (send, receive) = sync_channel(1);
    let thread = std::thread::Builder::new().name(scenario.name.to_owned()).spawn(move || {
        let ended = function(&mut run);
        let _ = send.send((run.figures().to_vec(), ended));
    });
    thread.context("starting the scenario")?;
    Ok(receive.recv_timeout(limit).unwrap_or_else(|why| {
        let failure = match why {
            RecvTimeoutError::Timeout => format!("not at its end after {limit:?}"),
            RecvTimeoutError::Disconnected => "the scenario's own code panicked".to_owned(),
        };
        (Vec::new(), Err(Failure::new(failure)))
    }))
}

/// Copies every host's logs out of the memory that goes away.
fn save_logs(work: &Path, logs: &Path) {
    for host in entries(work) {
        let name = host.file_name().unwrap_or_default().to_owned();
        for log in entries(&host).into_iter().filter(|path| is_log(path)) {
            let target = logs.join(&name);
            let saved = fs::create_dir_all(&target)
                .and_then(|()| fs::copy(&log, target.join(log.file_name().unwrap_or_default())));
            if let Err(error) = saved {
                console::line(&format!("  log {} was not kept: {error}", log.display()));
            }
        }
    }
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Shows the end of every host's logs.
fn show_logs(logs: &Path) {
    for log in entries(logs).iter().flat_map(|host| entries(host)) {
        let text = fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let name = log.strip_prefix(logs).unwrap_or(&log).display().to_string();
        console::line(&paint(DIM, &format!("  ── {name}")));
        let skip = text.lines().count().saturating_sub(TAIL);
        for line in text.lines().skip(skip) {
            console::line(&format!("  │ {line}"));
        }
    }
}
