//! The command line.

use std::path::PathBuf;

use runtime::LogOptions;

/// Keeps the floating addresses of a router pair on a router that works
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "pulse", version)]
pub struct Arguments {
    /// The configuration: a file, or a folder like /etc/ha.d
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Which router of the configuration this is, when the host name does not tell
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Where sockets and state are kept [default: /run/caribe]
    #[arg(long, value_name = "DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// Remove the floating addresses of this router if pulse does not run, and end
    #[arg(long)]
    pub release: bool,
    /// How long --release waits for pulse to be started again
    #[arg(long, value_name = "MS", requires = "release", default_value_t = 0)]
    pub after_ms: u64,
    /// Where the log goes.
    #[command(flatten)]
    pub log: LogOptions,
}
