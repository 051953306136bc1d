//! `cargo xtask fuzz`: libFuzzer over every parser, one target after the other.
//!
//! What it finds that is new goes to a folder of its own below `target/`; the kept inputs in
//! `fuzz/corpus` are few and chosen, and every test run gives them to the same bodies.

use crate::process::{command, read, root, show, target};
use crate::trouble::{Context, Result, Trouble};
use lab::console::{self, BAD, GOOD, STRONG, paint};
use std::fs;
use std::process::Command;

/// Longest input, in bytes.
const MAX_LENGTH: u32 = 4096;
/// Memory that a target may take, in MiB: everything that is parsed is bounded far below.
const MEMORY: u32 = 1024;
/// Seconds that one input may take.
const SLOWEST: u32 = 10;

#[derive(clap::Args)]
pub(crate) struct FuzzArguments {
    /// The target; without it all of them, one after the other
    target: Option<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

/// The chore itself; false when a target found something.
pub(crate) fn run(arguments: &FuzzArguments) -> Result<bool> {
    let all = targets()?;
    let chosen = match &arguments.target {
        Some(name) if !all.contains(name) => {
            let known = all.join(", ");
            return Err(Trouble::new(format!("no target is called {name}; known: {known}")));
        }
        Some(name) => vec![name.clone()],
        None => all,
    };
    if read(fuzzer().arg("--version")).is_err() {
        let line = "rustup toolchain install nightly && cargo install cargo-fuzz --locked";
        return Err(Trouble::new(format!(
            "fuzzing needs a nightly compiler and cargo-fuzz: {line}"
        )));
    }
    let mut found = Vec::new();
    for name in chosen {
        if !fuzz(&name, arguments.seconds)? {
            found.push(name);
        }
    }
    let verdict = match found.as_slice() {
        [] => paint(GOOD, "nothing found"),
        found => format!("{}: {}, see fuzz/artifacts", paint(BAD, "found"), found.join(", ")),
    };
    console::line(&verdict);
    Ok(found.is_empty())
}

/// `cargo fuzz` of the nightly toolchain, whichever one this program was built with.
fn fuzzer() -> Command {
    let mut fuzzer = command("rustup");
    fuzzer.args(["run", "nightly", "cargo", "fuzz"]).current_dir(root());
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        fuzzer.env_remove(name);
    }
    fuzzer
}

/// Names of the targets, as their files are called.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).trying("fuzz/fuzz_targets")?;
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".rs")?.to_owned())
    };
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?)).collect();
    names.sort();
    Ok(names)
}

fn fuzz(name: &str, seconds: u32) -> Result<bool> {
    console::line(&paint(STRONG, name));
    let scratch = target().join("fuzz-corpus").join(name);
    fs::create_dir_all(&scratch).trying(scratch.display())?;
    let kept = root().join("fuzz/corpus").join(name);
    let mut command = fuzzer();
    command.args(["run", name]).arg(scratch).arg(kept).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={MAX_LENGTH}"));
    command.arg(format!("-rss_limit_mb={MEMORY}"));
    command.arg(format!("-timeout={SLOWEST}"));
    command.args(["-print_final_stats=1", "-verbosity=0"]);
    show(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_named_after_its_file() {
        let names = targets().unwrap();
        assert!(names.contains(&"native".to_owned()) && names.len() > 10, "{names:?}");
        assert!(names.is_sorted());
    }

    #[test]
    fn a_target_that_is_not_there_is_told() {
        let arguments = FuzzArguments { target: Some("nativ".to_owned()), seconds: 1 };
        let trouble = run(&arguments).unwrap_err().to_string();
        assert!(trouble.contains("no target is called nativ; known: attributes,"), "{trouble}");
    }
}
