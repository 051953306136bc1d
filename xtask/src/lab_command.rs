//! `cargo xtask lab`: builds, prepares the machine, runs scenarios, says how it went.

use crate::kernel::Kernel;
use crate::machine::{self, Boot};
use crate::process::{cargo, read, show, target};
use crate::trouble::{Context, Result, Trouble};
use crate::{cache, initrd, packages};
use lab::console::{self, BAD, GOOD, paint};
use lab::figure::ScenarioResult;
use lab::runner::{Entry, Order};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the machine may take to boot and to switch off.
const BOOT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(crate) struct LabArguments {
    /// Scenarios to run, in this order, in one boot
    scenarios: Vec<String>,
    /// Print the scenarios and what each promises
    #[arg(long)]
    list: bool,
    /// Run every scenario of the test set
    #[arg(long)]
    all: bool,
    /// Keep the logs of every host even when all went well
    #[arg(long)]
    keep: bool,
    /// Run in namespaces of this host, which must have `ip_vs` and be root's
    #[arg(long, conflicts_with = "guest")]
    direct: bool,
    /// Run in the machine in software even where this host could do it itself
    #[arg(long)]
    guest: bool,
}

/// What to run, and how.
pub(crate) struct Plan {
    pub(crate) scenarios: Vec<Entry>,
    pub(crate) keep: bool,
    pub(crate) direct: bool,
    pub(crate) quiet: bool,
    pub(crate) interactive: bool,
    pub(crate) second_try: bool,
    pub(crate) profile: Profile,
}

/// How the programs are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As for tests.
    Dev,
    /// As for those who use them; for figures.
    Release,
}

impl Profile {
    /// The folder under the target folder.
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

impl Plan {
    /// A plan that narrates, and runs where this host can run it.
    pub(crate) fn new(scenarios: Vec<Entry>) -> Self {
        Self {
            scenarios,
            keep: false,
            direct: host_has_ipvs(),
            quiet: false,
            interactive: false,
            second_try: false,
            profile: Profile::Dev,
        }
    }
}

/// The chore itself; false when a promise was broken.
pub(crate) fn run(arguments: &LabArguments) -> Result<bool> {
    let table = table(Profile::Dev)?;
    if arguments.list || (arguments.scenarios.is_empty() && !arguments.all) {
        for entry in &table {
            console::line(&format!("{:<24} {:<6} {}", entry.name, entry.set, entry.promise));
        }
        return Ok(true);
    }
    let scenarios = choose(&table, arguments)?;
    let mut plan = Plan::new(scenarios);
    plan.keep = arguments.keep;
    plan.direct = arguments.direct || (plan.direct && !arguments.guest);
    let results = execute(&plan)?;
    Ok(summary(&results))
}

fn choose(table: &[Entry], arguments: &LabArguments) -> Result<Vec<Entry>> {
    if arguments.all {
        return Ok(table.iter().filter(|entry| entry.set == "test").cloned().collect());
    }
    let find = |name: &String| {
        let found = table.iter().find(|entry| &entry.name == name).cloned();
        found.ok_or_else(|| Trouble::new(format!("no scenario {name}; see cargo xtask lab --list")))
    };
    arguments.scenarios.iter().map(find).collect()
}

/// Builds every program of the workspace and returns the table of scenarios.
pub(crate) fn table(profile: Profile) -> Result<Vec<Entry>> {
    let mut build = cargo();
    build.args(["build", "--workspace", "--exclude", "xtask", "--bins"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    if !show(&mut build)? {
        return Err(Trouble::new("the workspace does not build"));
    }
    let lines = read(std::process::Command::new(runner(profile)).arg("list"))?;
    lines.lines().map(|line| serde_json::from_str(line).trying("the table of scenarios")).collect()
}

/// The program that runs scenarios.
fn runner(profile: Profile) -> PathBuf {
    target().join(profile.folder()).join("lab")
}

/// Runs a plan and returns what became of each scenario.
pub(crate) fn execute(plan: &Plan) -> Result<Vec<ScenarioResult>> {
    let wanted = plan.scenarios.iter().flat_map(|entry| entry.packages.iter().cloned()).collect();
    let lock = cache::lock()?;
    packages::ensure(!plan.direct, &wanted)?;
    let out = target().join("lab/run");
    if out.exists() {
        fs::remove_dir_all(&out).trying(out.display())?;
    }
    fs::create_dir_all(&out).trying(out.display())?;
    let out = out.canonicalize().trying(out.display())?;
    let done = if plan.direct { direct(plan, &out) } else { guest(plan, &out) };
    drop(lock);
    done?;
    collect(plan, &out)
}

fn order(plan: &Plan, modules: &Path, out: &Path) -> Result {
    let order = Order {
        scenarios: plan.scenarios.iter().map(|entry| entry.name.clone()).collect(),
        modules: modules.to_owned(),
        colour: std::io::stdout().is_terminal(),
        keep: plan.keep,
        quiet: plan.quiet,
        second_try: plan.second_try,
    };
    let text = serde_json::to_string(&order).trying("the order")?;
    fs::write(out.join("order.json"), text).trying("order.json")
}

fn guest(plan: &Plan, out: &Path) -> Result<bool> {
    let cache = cache::folder()?;
    let kernel = Kernel::get(&cache)?;
    order(plan, &kernel.folder, out)?;
    let runner = runner(plan.profile).canonicalize().trying("the runner")?;
    fs::write(out.join("runner"), format!("{}\n", runner.display())).trying("the runner")?;
    let initrd = out.join("initrd");
    initrd::write(&kernel, &initrd)?;
    let names: Vec<&str> = plan.scenarios.iter().map(|entry| entry.name.as_str()).collect();
    console::line(&format!("booting Linux {} for {} …", kernel.version, names.join(", ")));
    let tries = if plan.second_try { 2 } else { 1 };
    let seconds = tries * plan.scenarios.iter().map(|entry| entry.seconds).sum::<u64>();
    machine::boot(&Boot {
        kernel: &kernel,
        initrd: &initrd,
        out,
        limit: BOOT + Duration::from_secs(seconds),
        interactive: plan.interactive,
    })
}

fn direct(plan: &Plan, out: &Path) -> Result<bool> {
    if !host_has_ipvs() {
        return Err(Trouble::new(
            "scenarios cannot run here directly: be root, and load the module (modprobe ip_vs)",
        ));
    }
    order(plan, Path::new("/"), out)?;
    show(std::process::Command::new(runner(plan.profile)).arg("run").arg(out))
}

/// Whether scenarios can run in namespaces of this host.
fn host_has_ipvs() -> bool {
    Path::new("/proc/net/ip_vs").exists() && rustix::process::geteuid().is_root()
}

/// Reads the results; keeps a copy of each where later runs do not remove it.
fn collect(plan: &Plan, out: &Path) -> Result<Vec<ScenarioResult>> {
    let kept = target().join("lab/results");
    fs::create_dir_all(&kept).trying(kept.display())?;
    let mut results = Vec::new();
    for entry in &plan.scenarios {
        let name = format!("{}.json", entry.name);
        let file = out.join("results").join(&name);
        let text = fs::read_to_string(&file)
            .trying(format_args!("scenario {} left no result", entry.name))?;
        results.push(serde_json::from_str(&text).trying(file.display())?);
        fs::copy(&file, kept.join(&name)).trying(kept.display())?;
    }
    Ok(results)
}

/// The last line, and the names of what was broken.
pub(crate) fn summary(results: &[ScenarioResult]) -> bool {
    let failed: Vec<&str> =
        results.iter().filter(|result| !result.passed).map(|result| result.name.as_str()).collect();
    console::line("");
    for result in results.iter().filter(|result| result.passed) {
        if let Some(failure) = &result.broke_before {
            let word = paint(BAD, "unsteady");
            console::line(&format!("{word}: {} was kept the second time; {failure}", result.name));
        }
    }
    if !failed.is_empty() {
        console::line(&format!("{}: {}", paint(BAD, "broken"), failed.join(", ")));
        console::line(&format!("logs: {}", target().join("lab/run/logs").display()));
    }
    let style = if failed.is_empty() { GOOD } else { BAD };
    let passed = results.len() - failed.len();
    console::line(&paint(style, &format!("{passed} passed, {} failed", failed.len())));
    failed.is_empty()
}
