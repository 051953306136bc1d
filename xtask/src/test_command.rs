//! `cargo xtask test`: everything that has to hold.

use crate::lab_command::{self, Plan, Profile};
use crate::packages;
use crate::process::{cargo, find, show};
use crate::trouble::{Context, Result};
use lab::console::{self, BAD, DIM, GOOD, STRONG, paint};
use lab::figure::ScenarioResult;
use std::path::Path;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct TestArguments {
    /// Leave the lab's scenarios out
    #[arg(long)]
    quick: bool,
}

/// The chore itself; false when anything failed. Every part runs, whatever failed before it, and
/// the last lines name the parts and say how many scenarios passed.
pub(crate) fn run(arguments: &TestArguments) -> Result<bool> {
    packages::ensure_for_tests()?;
    let (mut good, mut failed): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for part in parts() {
        let names = if part.run()? { &mut good } else { &mut failed };
        names.push(part.name);
    }
    let results = if arguments.quick { None } else { Some(scenarios()) };
    console::line("");
    for (style, word, names) in [(GOOD, "good", &good), (BAD, "failed", &failed)] {
        if !names.is_empty() {
            console::line(&format!("{}: {}", paint(style, word), names.join(", ")));
        }
    }
    let promises = results.transpose()?.is_none_or(|results| lab_command::summary(&results));
    Ok(promises && failed.is_empty())
}

/// One of cargo's commands.
struct Part {
    name: &'static str,
    words: &'static [&'static str],
    /// Whether its output is of interest only when it fails.
    silent: bool,
}

impl Part {
    fn run(&self) -> Result<bool> {
        let start = Instant::now();
        console::line(&paint(STRONG, self.name));
        let mut command = cargo();
        command.args(self.words);
        let good = if self.silent {
            let output = command.output().trying(self.name)?;
            if !output.status.success() {
                console::line(&String::from_utf8_lossy(&output.stdout));
                console::line(&String::from_utf8_lossy(&output.stderr));
            }
            output.status.success()
        } else {
            show(&mut command)?
        };
        let time = format!("in {:.0} s", start.elapsed().as_secs_f64());
        let word = if good { paint(GOOD, "good") } else { paint(BAD, "FAILED") };
        console::line(&format!("{word} {}", paint(DIM, &time)));
        Ok(good)
    }
}

/// What runs outside of the lab.
fn parts() -> Vec<Part> {
    let part = |name, words, silent| Part { name, words, silent };
    let mut parts = vec![
        part("form (cargo fmt)", &["fmt", "--all", "--check"] as &[_], false),
        part(
            "lints (cargo clippy)",
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            false,
        ),
    ];
    if has_nextest() {
        let words = &["nextest", "run", "--workspace", "--status-level", "fail"];
        parts.push(part("tests (cargo nextest)", words, false));
        let words = &["test", "-q", "--workspace", "--doc"];
        parts.push(part("examples in the documentation", words, true));
    } else {
        parts.push(part("tests (cargo test)", &["test", "-q", "--workspace"], false));
    }
    parts
}

/// Whether cargo has the faster test runner.
fn has_nextest() -> bool {
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    find("cargo-nextest").is_some()
        || home.is_ok_and(|home| Path::new(&home).join("bin/cargo-nextest").is_file())
}

/// Every scenario of the test set, in one boot. What breaks is tried once more at the end: half an
/// hour on a shared machine is not thrown away for one slow moment, and the last lines name it.
fn scenarios() -> Result<Vec<ScenarioResult>> {
    console::line(&paint(STRONG, "scenarios (cargo xtask lab --all)"));
    let table = lab_command::table(Profile::Dev)?;
    let scenarios = table.into_iter().filter(|entry| entry.set == "test").collect();
    lab_command::execute(&Plan { second_try: true, ..Plan::new(scenarios) })
}
