//! The log: one line an event, a constant sentence, then values as fields.
//!
//! `2026-11-20T23:59:01.123Z WARN lvsd: real server down service=www reason="connection refused"`

mod escape;
mod journald;
mod layer;
mod output;
mod queue;
mod sink;

use std::path::PathBuf;

pub use escape::{sentence, value};
pub(crate) use journald::{JOURNAL_STREAM, error_mark};
pub(crate) use layer::LogLayer;
pub use output::LogOutput;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::ExitError;

/// Where the log goes and how much of it; part of every program's command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LogOptions {
    /// Write the log to this file, reopened on SIGUSR1; else it goes to standard error
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// How much to log: error, warn, info, debug, trace, or a filter such as lvsd=debug
    #[arg(long, value_name = "LEVEL", env = "CARIBE_LOG", default_value = "info")]
    pub log_level: String,
    /// What a panic does.
    #[arg(skip)]
    pub on_panic: OnPanic,
}

impl LogOptions {
    /// The same options for a program in which a panic ends one task only.
    pub fn panic_ends_the_task(mut self) -> Self {
        self.on_panic = OnPanic::EndTask;
        self
    }

    /// The arguments that give a child of this program the same log.
    pub fn as_arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments = Vec::new();
        if let Some(file) = &self.log_file {
            arguments.extend(["--log-file".into(), file.clone().into_os_string()]);
        }
        if !self.log_level.is_empty() {
            arguments.extend(["--log-level".into(), self.log_level.clone().into()]);
        }
        arguments
    }
}

/// What a panic does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPanic {
    /// The process ends at once: half a failover daemon is worse than none.
    #[default]
    Abort,
    /// The task ends; whoever waits for it learns of it.
    EndTask,
}

/// Sets the log up for the whole process. The output is returned, to be reopened.
pub(crate) fn start(name: &'static str, options: &LogOptions) -> Result<LogOutput, ExitError> {
    let output = match &options.log_file {
        Some(path) => LogOutput::file(path)?,
        None => LogOutput::standard_error(),
    };
    let level = if options.log_level.is_empty() { "info" } else { &options.log_level };
    let filter = EnvFilter::try_new(level).map_err(|error| {
        ExitError::usage(format!(
            "cannot log at level \"{}\": {error}; use error, warn, info, debug or trace",
            sentence(level)
        ))
    })?;
    tracing_subscriber::registry()
        .with(filter)
        .with(LogLayer::new(name, output.clone()))
        .try_init()
        .map_err(|error| ExitError::internal(format!("cannot start the log: {error}")))?;
    Ok(output)
}
