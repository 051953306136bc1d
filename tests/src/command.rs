//! Programs that are run to their end.

use crate::failure::Context;
use crate::namespace::Namespace;
use crate::{Failure, Outcome};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What a program said and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; 128 plus the signal when one ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The path of the running program, asked once: the kernel answers a thread that moved to other
/// mounts with a path that holds only in the old ones.
pub(crate) fn own_path() -> Option<PathBuf> {
    static OWN: OnceLock<Option<PathBuf>> = OnceLock::new();
    OWN.get_or_init(|| std::env::current_exe().ok()).clone()
}

/// The path of one of our own programs when there is one of that name beside the running
/// program, else the name itself, to be looked up in `PATH`.
pub fn program(name: &str) -> PathBuf {
    let beside = own_path().and_then(|own| Some(own.parent()?.join(name)));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// A command that starts from a clean environment, the same on every machine.
pub(crate) fn clean(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("LANG", "C.UTF-8")
        .env("NO_COLOR", "1");
    command
}

/// Runs a program to its end in the calling thread's namespaces, with `input` on its standard
/// input (at most a few kilobytes: it is written before the output is read).
pub(crate) fn execute(name: &str, arguments: &[&str], input: &str) -> Outcome<Output> {
    let mut child = clean(name, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context(format_args!("starting {name}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading its input is judged by its exit code.
        let _ = stdin.write_all(input.as_bytes());
    }
    let done = child.wait_with_output().context(format_args!("waiting for {name}"))?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&done.status);
    Ok(Output {
        code: done.status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0)),
        stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}

/// Runs a program on a host and returns what it printed.
///
/// # Errors
/// When it cannot be started or ends with another code than 0; then with what it said.
pub(crate) fn on(host: &Namespace, name: &str, arguments: &[&str], input: &str) -> Outcome<Output> {
    let (program, text) = (name.to_owned(), input.to_owned());
    let words: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    host.run(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        execute(&program, &words, &text)
    })?
}

impl Output {
    /// The standard output of a program that ended well.
    ///
    /// # Errors
    /// With code and words of a program that did not.
    pub fn good(self, what: &str) -> Outcome<String> {
        if self.code == 0 {
            return Ok(self.stdout);
        }
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(Failure::new(format!("{what} ended with {}: {}", self.code, said.trim())))
    }
}
