//! What lvsd still does when its pulse ended unasked: whoever is to remove the floating addresses
//! if nobody starts pulse again is started.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use config::model::Cluster;
use runtime::child::{RunAs, sibling};
use runtime::{LogOptions, privilege};

use crate::options::Options;

/// What is needed to start it.
pub(super) struct Guard {
    arguments: Vec<OsString>,
}

impl Guard {
    /// The same files and the same log as ours.
    pub(super) fn new(config: &Path, options: &Options, log: &LogOptions) -> Self {
        let mut arguments: Vec<OsString> =
            vec!["--release".into(), "--config".into(), config.into()];
        if let Some(dir) = &options.runtime_dir {
            arguments.extend(["--runtime-dir".into(), dir.into()]);
        }
        arguments.extend(log.as_arguments());
        Self { arguments }
    }

    /// Starts it. It outlives us, and ends by itself.
    pub(super) fn start(self, cluster: &Cluster) {
        let Some(pair) = &cluster.pair else { return };
        let after = patience(pair.heartbeat.interval, pair.heartbeat.dead_after);
        let started = sibling("pulse").map_err(|error| error.to_string()).and_then(|program| {
            let mut command = Command::new(program);
            // It gives up what it does not need, as we do.
            if let Some(RunAs { uid, gid }) = privilege::root_if_allowed() {
                command.uid(uid).gid(gid);
            }
            command
                .args(self.arguments)
                .arg("--after-ms")
                .arg(after.as_millis().to_string())
                .stdin(Stdio::null())
                .current_dir("/")
                .spawn()
                .map_err(|error| error.to_string())
        });
        if let Err(error) = started {
            tracing::error!(
                error,
                "cannot start what removes the floating addresses, their lease will end"
            );
        }
    }
}

/// The partner takes over `dead_after` after it heard the last heartbeat, which can be an interval
/// older than the death of pulse.
fn patience(interval: Duration, dead_after: Duration) -> Duration {
    dead_after.saturating_sub(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_gone_when_the_partner_takes_over() {
        let ms = Duration::from_millis;
        assert_eq!(patience(ms(200), ms(600)), ms(400));
        assert_eq!(patience(ms(200), ms(100)), ms(0));
    }
}
