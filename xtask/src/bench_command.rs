//! `cargo xtask bench`: figures beside those of others, in one run on one machine.

use crate::lab_command::{self, Plan, Profile};
use crate::trouble::{Result, Trouble};
use lab::console::{self, STRONG, paint};

#[derive(clap::Args)]
pub(crate) struct BenchArguments {
    /// Only these scenarios of the bench
    scenarios: Vec<String>,
}

/// The chore itself; false when a promise was broken.
pub(crate) fn run(arguments: &BenchArguments) -> Result<bool> {
    console::line("building the routers' programs as for those who use them …");
    let wanted = &arguments.scenarios;
    let scenarios: Vec<_> = lab_command::table(Profile::Release)?
        .into_iter()
        .filter(|entry| entry.set == "bench")
        .filter(|entry| wanted.is_empty() || wanted.contains(&entry.name))
        .collect();
    if scenarios.is_empty() {
        return Err(Trouble::new("no scenario of the bench has that name; see xtask lab --list"));
    }
    let mut plan = Plan::new(scenarios);
    plan.profile = Profile::Release;
    let results = lab_command::execute(&plan)?;
    console::line(&paint(STRONG, "\nfigures"));
    for result in &results {
        console::line(&result.name);
        for figure in &result.figures {
            console::line(&format!("  {}", figure.line()));
        }
    }
    Ok(lab_command::summary(&results))
}
