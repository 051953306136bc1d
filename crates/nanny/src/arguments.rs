//! The command line.

use clap::Parser;
use runtime::LogOptions;

use crate::command;

/// Watches real servers for lvsd, which starts it; or checks one by hand
#[derive(Debug, Parser)]
#[command(name = "nanny", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// How and where to log.
    #[command(flatten)]
    pub log: LogOptions,
    /// Runs external programs, and is confined less for that
    #[arg(long, hide = true)]
    pub programs: bool,
    /// What to do instead of watching.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What a person asks for.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check one server once: what it took, and why it fails
    Check(command::Options),
}
