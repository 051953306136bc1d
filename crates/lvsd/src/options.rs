//! The command line.

use std::path::PathBuf;

use runtime::LogOptions;

/// Keeps the kernel's IPVS table as the configuration and the health of the real servers want it.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "lvsd", version, about)]
pub struct Options {
    /// Configuration: a file, or a folder like /etc/ha.d; its format is told from its content
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Where sockets, owned services and the operator's decisions are kept [default: /run/caribe]
    #[arg(long, value_name = "DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// Started by pulse, which is at the other end of standard input
    #[arg(long, hide = true)]
    pub control_stdin: bool,
    /// How and where to log.
    #[command(flatten)]
    pub log: LogOptions,
}
