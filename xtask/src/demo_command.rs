//! `cargo xtask demo`: the pair of routers at work, for a person.

use crate::lab_command::{self, Plan, Profile};
use crate::trouble::{Result, Trouble};
use lab::console;

#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    /// Leave everything running, with a prompt to play with it
    #[arg(long)]
    serve: bool,
}

/// The chore itself; false when a promise was broken.
pub(crate) fn run(arguments: &DemoArguments) -> Result<bool> {
    console::line("building the routers' programs …");
    let name = if arguments.serve { "serve" } else { "demo" };
    let entry = lab_command::table(Profile::Dev)?
        .into_iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| Trouble::new(format!("there is no scenario {name}")))?;
    let mut plan = Plan::new(vec![entry]);
    plan.quiet = true;
    plan.interactive = arguments.serve;
    Ok(lab_command::execute(&plan)?.iter().all(|result| result.passed))
}
