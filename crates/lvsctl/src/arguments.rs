//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use config::Format;

/// Look at and steer a pair of Linux Virtual Server routers.
#[derive(Debug, Parser)]
#[command(name = "lvsctl", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// Where the daemons' sockets are [default: /run/caribe]
    #[arg(long, global = true, value_name = "DIR", env = "CARIBE_RUNTIME_DIR")]
    pub(crate) runtime_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The formats by their names.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::NAMED.map(|(name, _)| name)).map(|given| {
        let named = Format::NAMED.iter().find(|(name, _)| *name == given);
        named.map_or(Format::Native, |(_, format)| *format)
    })
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the pair, the table and the checks
    Status {
        /// Everything, as JSON with a schema version
        #[arg(long)]
        json: bool,
    },
    /// Show the status again each second
    Watch,
    /// Say why a real server has the weight that it has
    Explain {
        /// Its name, ADDRESS or ADDRESS:PORT
        server: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what happened
    History {
        /// At most so many lines, the newest
        #[arg(short = 'n', long, value_name = "COUNT")]
        lines: Option<usize>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say everything that is wrong with a configuration
    Check {
        /// A file, or a folder like /etc/ha.d [default: the one that the daemons would read]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Turn a configuration of any known format into the native one
    Convert {
        /// A file, or a folder like /etc/ha.d
        path: PathBuf,
        /// The other router's keepalived.conf
        partner: Option<PathBuf>,
        /// The format [default: told from the content]
        #[arg(long, value_name = "FORMAT", value_parser = formats())]
        from: Option<Format>,
        /// Write to this file, which must not exist yet, instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show what a configuration would change in the kernel; nothing is changed
    Plan {
        /// A file, or a folder like /etc/ha.d [default: the one that the daemons would read]
        path: Option<PathBuf>,
    },
    /// Give this router's groups of addresses to the partner
    #[command(visible_alias = "standby")]
    Failover(Groups),
    /// Fetch groups of addresses from the partner
    Takeover(Takeover),
    /// Give a real server no new connections, and take it out when the old ones have ended
    Drain(Drain),
    /// Take a drain back
    Undrain(Which),
    /// Take a real server out of the table at once; its connections end
    Disable(Which),
    /// Take a disable back
    Enable(Which),
    /// Give a real server another weight than the configuration's
    Weight(Weight),
    /// Read the configuration again, as SIGHUP does
    Reload,
    /// Apply the configuration on disk, also one that removes much; on trial if wanted
    Apply(Apply),
    /// Make a key for the heartbeats, to be copied to the partner
    Keygen {
        /// The file to make; it must not exist yet
        #[arg(default_value = "/etc/caribe/heartbeat.key")]
        path: PathBuf,
    },
    /// Make a new heartbeat key on both routers while they run; the old one leaves by itself
    RotateKey,
    /// On a real server: answer for floating addresses, silently
    Realserver(RealServer),
    /// Explain a key of the native configuration; without one, list them all
    ExplainKey {
        /// Such as heartbeat.interval, or a part of it
        key: Option<String>,
    },
    /// Lay out a native configuration as every other one, with all its comments
    Format {
        /// The file [default: the one that the daemons would read]
        path: Option<PathBuf>,
        /// Change the file instead of printing it
        #[arg(long)]
        write: bool,
        /// Only say whether the file has that layout
        #[arg(long, conflicts_with = "write")]
        check: bool,
    },
    /// Print the JSON Schema of the native configuration, for editors
    Schema,
}

/// What is done on a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RealServerTask {
    /// Set up what is missing; what was there before is kept
    Up,
    /// Put everything back as it was before
    Down,
    /// Say what is missing and what it is for; nothing is changed
    Check,
}

#[derive(Args, Debug)]
pub(crate) struct RealServer {
    /// What is done
    pub(crate) task: RealServerTask,
    /// Floating addresses [default: those that the configuration sends to this host]
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<IpAddr>,
    /// Their packets come wrapped by IP in IP, not as they are
    #[arg(long, requires = "addresses")]
    pub(crate) tunnel: bool,
    /// Carries the addresses of direct routing; made as a dummy where it is not there
    #[arg(long, value_name = "NAME", default_value = "lo")]
    pub(crate) interface: String,
    /// The routers' configuration [default: where the daemons look for theirs]
    #[arg(long, value_name = "PATH", conflicts_with = "addresses")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Groups {
    /// Which groups: names, or all, local (that prefer this router), foreign (the others)
    /// [default: all]
    #[arg(value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Takeover {
    #[command(flatten)]
    pub(crate) which: Groups,
    /// The partner is not heard, cannot be fenced, and you have seen that it is off
    #[arg(long)]
    pub(crate) force: bool,
}

/// Which real servers.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Name, ADDRESS or ADDRESS:PORT; every real server that matches
    pub(crate) server: String,
    /// Only in this virtual server
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Why, for whoever reads the status later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Drain {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Take it out after this long, whatever connections are left: 90s, 10m, 2h
    #[arg(long, value_name = "TIME", value_parser = config::native::parse_duration)]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// Whatever it removes. With a time, on trial: 60s, 5m; then it goes back unless it is kept
    #[arg(long, value_name = "TIME", num_args = 0..=1, value_parser = config::native::parse_duration)]
    pub(crate) confirm: Option<Option<Duration>>,
    /// Keep the configuration that is on trial
    #[arg(long, conflicts_with = "confirm")]
    pub(crate) keep: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Weight {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The weight; without one, the configuration's holds again
    pub(crate) weight: Option<u32>,
}
