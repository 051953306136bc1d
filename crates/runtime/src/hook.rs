//! Programs that run when something has changed: never a shell, never for ever.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::child::RunAs;
use crate::group::Group;
use crate::privilege;

/// The environment that a program is given, beside what tells it of the change.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Status 0, in time.
    pub good: bool,
    /// `exit code 1`, `killed after 5s`.
    pub how: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs a program, never a shell, and kills it, with all that it started, when its time is over.
/// Dropping this kills them too.
pub async fn run(argv: &[String], limit: Duration, told: &[(&str, &str)]) -> Ended {
    finish(command(argv, told), limit).await
}

/// The same as another user; as this one where that cannot be chosen, and this is not root.
pub async fn run_as(user: RunAs, argv: &[String], limit: Duration, told: &[(&str, &str)]) -> Ended {
    finish(command_as(user, argv, told), limit).await
}

/// The same with this on its standard input, which it can open as `/proc/self/fd/0` too. The words are
/// in no list of processes, and in no file.
pub async fn run_as_reading(
    user: RunAs,
    argv: &[String],
    input: &str,
    limit: Duration,
    told: &[(&str, &str)],
) -> Ended {
    let mut command = command_as(user, argv, told);
    if let Some(command) = &mut command {
        match in_memory(input) {
            Ok(file) => command.stdin(file),
            Err(error) => {
                let how = format!("cannot keep its standard input in memory: {error}");
                return Ended { good: false, how, took: Duration::ZERO };
            }
        };
    }
    finish(command, limit).await
}

/// A file that is in memory only (`memfd_create(2)`). A pipe could be opened by its maker's user
/// alone, and this is for other users.
fn in_memory(text: &str) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

fn command_as(user: RunAs, argv: &[String], told: &[(&str, &str)]) -> Option<Command> {
    let mut command = command(argv, told)?;
    if privilege::root_if_allowed().is_some() {
        command.uid(user.uid).gid(user.gid);
    }
    Some(command)
}

async fn finish(command: Option<Command>, limit: Duration) -> Ended {
    let begun = Instant::now();
    let ended = |good, how: String| Ended { good, how, took: begun.elapsed() };
    let Some(mut command) = command else {
        return ended(true, "nothing to run".to_owned());
    };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return ended(false, format!("cannot start it: {error}")),
    };
    let group = Group::of(&child);
    match tokio::time::timeout(limit, child.wait()).await {
        Ok(waited) => {
            group.ended();
            match waited {
                Ok(status) => ended(status.success(), crate::child::ending(status)),
                Err(error) => ended(false, format!("cannot wait for it: {error}")),
            }
        }
        // Killed and reaped by the drop; nothing more to learn.
        Err(_) => ended(false, format!("killed after {limit:?}")),
    }
}

/// The program with its arguments, ready to be started; none when there is nothing to run.
fn command(argv: &[String], told: &[(&str, &str)]) -> Option<Command> {
    let (program, arguments) = argv.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).current_dir("/");
    command.envs(told.iter().copied());
    // Standard output is where ours is: what the program says is not lost, and not parsed.
    // A resource is what only root can start and stop; what root may then do is what whoever
    // started the daemon has left to it.
    if let Some(RunAs { uid, gid }) = privilege::root_if_allowed() {
        command.uid(uid).gid(gid);
    }
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    Some(command)
}

/// Whether a program says that what it stands for runs already, by the words that heartbeat goes
/// by: "not running" is no, else "running" or "OK" is yes. Nothing else is.
pub async fn says_running(argv: &[String], limit: Duration, told: &[(&str, &str)]) -> bool {
    let words = output_of(command(argv, told), limit).await.unwrap_or_default();
    !words.contains("not running") && (words.contains("running") || words.contains("OK"))
}

/// What a program says that runs as another user, as far as [`run_as`] can choose one; none when
/// it cannot be started or takes too long.
pub async fn output(user: RunAs, argv: &[String], limit: Duration) -> Option<String> {
    output_of(command_as(user, argv, &[]), limit).await
}

async fn output_of(command: Option<Command>, limit: Duration) -> Option<String> {
    let mut child = command?.stdout(Stdio::piped()).spawn().ok()?;
    let mut words = Vec::new();
    let mut output = child.stdout.take()?.take(OUTPUT);
    let group = Group::of(&child);
    tokio::time::timeout(limit, output.read_to_end(&mut words)).await.ok()?.ok()?;
    group.ended();
    Some(String::from_utf8_lossy(&words).into_owned())
}

/// Bytes of output that are read.
const OUTPUT: u64 = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_program_that_ends_well_is_good_and_one_that_does_not_says_how() {
        let limit = Duration::from_secs(5);
        assert!(run(&words("true"), limit, &[]).await.good);
        let ended = run(&words("false"), limit, &[]).await;
        assert_eq!((ended.good, ended.how.as_str()), (false, "exit code 1"));
        let ended = run(&words("/nowhere/program"), limit, &[]).await;
        assert!(ended.how.starts_with("cannot start it"), "{ended:?}");
    }

    #[tokio::test]
    async fn a_program_that_is_dropped_takes_what_it_started_along() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut command = Command::new("/bin/sh");
        // The child of the shell holds the other end of the socket as well.
        command.args(["-c", "sleep 60 & echo >&0; wait"]).process_group(0).kill_on_drop(true);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)));
        let running = finish(Some(command), Duration::from_secs(60));
        ours.set_nonblocking(true).unwrap();
        let mut socket = tokio::net::UnixStream::from_std(ours).unwrap();
        tokio::select! {
            _ = running => panic!("it ended by itself"),
            begun = socket.read_u8() => drop(begun.unwrap()),
        }
        // Its end shows that nobody lives.
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).await.unwrap();
    }

    #[tokio::test]
    async fn a_status_is_read_by_its_words() {
        let echo = |text: &str| vec!["/bin/echo".to_owned(), text.to_owned()];
        let limit = Duration::from_secs(5);
        for (text, runs) in [
            ("INFO: Running OK", true),
            ("httpd (pid 7) is running...", true),
            ("httpd is not running", false),
            ("INFO: Resource is stopped", false),
            ("", false),
        ] {
            assert_eq!(says_running(&echo(text), limit, &[]).await, runs, "{text}");
        }
        assert!(!says_running(&words("/nowhere/program"), limit, &[]).await);
        assert!(!says_running(&words("sleep 600"), Duration::from_millis(50), &[]).await);
    }

    #[tokio::test]
    async fn a_program_reads_what_nobody_else_sees() {
        let limit = Duration::from_secs(5);
        for file in ["-", "/proc/self/fd/0"] {
            let argv = words(&format!("grep -q -x geheim {file}"));
            for (input, good) in [("geheim\n", true), ("geheimer\n", false), ("", false)] {
                let ended = run_as_reading(users::NOBODY, &argv, input, limit, &[]).await;
                assert_eq!(ended.good, good, "{file} {input}: {ended:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        let ended = run(&words("sleep 600"), Duration::from_millis(50), &[]).await;
        assert_eq!(ended.how, "killed after 50ms");
    }
}
