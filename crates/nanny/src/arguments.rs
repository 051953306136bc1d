//! The command line.

use clap::Parser;
use runtime::LogOptions;

use crate::command;
use crate::sandbox::Confine;

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
    /// Sends frames for data-path checks, and does nothing else
    #[arg(long, hide = true, conflicts_with = "programs")]
    pub paths: bool,
    /// What to do instead of watching.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Arguments {
    /// The sandbox for what it is to do.
    pub fn confine(&self) -> Confine {
        match (self.programs, self.paths) {
            (true, _) => Confine::Programs,
            (false, true) => Confine::Paths,
            (false, false) => Confine::Network,
        }
    }
}

/// What a person asks for.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check one server once: what it took, and why it fails
    Check(command::Options),
}
