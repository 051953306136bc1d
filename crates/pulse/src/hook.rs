//! Programs that run when a group moves.

use std::process::Stdio;
use std::time::{Duration, Instant};

use runtime::child::RunAs;
use runtime::privilege;
use tokio::process::Command;

/// The environment that a program is given, beside what tells it of the move.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Status 0, in time.
    pub(crate) good: bool,
    /// `exit code 1`, `killed after 5s`.
    pub(crate) how: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

/// Runs a program, never a shell, and kills it when its time is over. Dropping this kills it too.
pub(crate) async fn run(argv: &[String], limit: Duration, group: &str, active: bool) -> Ended {
    let begun = Instant::now();
    let ended = |good, how: String| Ended { good, how, took: begun.elapsed() };
    let Some((program, arguments)) = argv.split_first() else {
        return ended(true, "nothing to run".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).current_dir("/");
    command.env("CARIBE_GROUP", group);
    command.env("CARIBE_ROLE", if active { "active" } else { "standby" });
    // Standard output is where ours is: what the program says is not lost, and not parsed.
    // A resource is what only root can start and stop; what root may then do is what whoever
    // started pulse has left to it.
    if let Some(RunAs { uid, gid }) = privilege::root_if_allowed() {
        command.uid(uid).gid(gid);
    }
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return ended(false, format!("cannot start it: {error}")),
    };
    match tokio::time::timeout(limit, child.wait()).await {
        Ok(Ok(status)) => ended(status.success(), runtime::child::ending(status)),
        Ok(Err(error)) => ended(false, format!("cannot wait for it: {error}")),
        Err(_) => {
            kill_group(child.id());
            // Killed and reaped by the drop; nothing more to learn.
            ended(false, format!("killed after {limit:?}"))
        }
    }
}

/// The program is its group's leader: what it started goes with it.
fn kill_group(leader: Option<u32>) {
    let leader = leader.and_then(|id| i32::try_from(id).ok());
    if let Some(leader) = leader.and_then(rustix::process::Pid::from_raw)
        && let Err(error) =
            rustix::process::kill_process_group(leader, rustix::process::Signal::KILL)
    {
        tracing::debug!(%error, "cannot kill a program's group");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_program_that_ends_well_is_good_and_one_that_does_not_says_how() {
        let limit = Duration::from_secs(5);
        assert!(run(&words("true"), limit, "web", true).await.good);
        let ended = run(&words("false"), limit, "web", true).await;
        assert_eq!((ended.good, ended.how.as_str()), (false, "exit code 1"));
        let ended = run(&words("/nowhere/program"), limit, "web", true).await;
        assert!(ended.how.starts_with("cannot start it"), "{ended:?}");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        let ended = run(&words("sleep 600"), Duration::from_millis(50), "web", false).await;
        assert_eq!(ended.how, "killed after 50ms");
    }
}
