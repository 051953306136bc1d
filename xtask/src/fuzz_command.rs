//! `cargo xtask fuzz`: libFuzzer over every parser.
//!
//! What it finds that is new goes to a folder of its own below `target/`; the kept inputs in
//! `fuzz/corpus` are few and chosen, and every test run gives them to the same bodies.

use crate::fuzz_record::{Entry, Record};
use crate::process::{command, read, root, show, target};
use crate::trouble::{Context, Result, Trouble};
use lab::console::{self, BAD, DIM, GOOD, STRONG, paint};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// Longest input, in bytes.
const MAX_LENGTH: u32 = 4096;
/// Memory that a target may take, in MiB: everything that is parsed is bounded far below.
const MEMORY: u32 = 1024;
/// Seconds by the clock that one input may take. At the lowest priority beside a busy machine, a
/// target waits for minutes; an input that takes ten seconds is told in the log.
const SLOWEST: u32 = 600;
/// A target gives way to the next one after this much of a processor's time.
const SLICE: Duration = Duration::from_secs(300);
/// How often running targets are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A processor's time in `/proc` is in hundredths of a second (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICK: Duration = Duration::from_millis(10);

#[derive(clap::Args)]
pub(crate) struct FuzzArguments {
    /// The targets; without any all of them
    targets: Vec<String>,
    /// Time of a processor that each target gets
    #[arg(long, value_name = "N", default_value_t = 1)]
    minutes: u32,
    /// How many targets run at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    at_once: usize,
    /// Count the time that fuzz/record.tsv tells of as well, and add to it
    #[arg(long)]
    record: bool,
}

/// The chore itself; false when a target found something.
pub(crate) fn run(arguments: &FuzzArguments) -> Result<bool> {
    let chosen = chosen(&arguments.targets)?;
    if read(fuzzer().arg("--version")).is_err() {
        let line = "rustup toolchain install nightly && cargo install cargo-fuzz --locked";
        return Err(Trouble::new(format!(
            "fuzzing needs a nightly compiler and cargo-fuzz: {line}"
        )));
    }
    if !show(fuzzer().arg("build"))? {
        return Err(Trouble::new("the targets could not be built"));
    }
    let wanted = Duration::from_secs(60 * u64::from(arguments.minutes));
    let record = if arguments.record { Record::load()? } else { Record::default() };
    let mut campaign =
        Campaign { record, save: arguments.record, commit: commit()?, found: vec![] };
    campaign.run(&chosen, wanted, arguments.at_once.max(1))?;
    let verdict = match campaign.found.as_slice() {
        [] => paint(GOOD, "nothing found"),
        found => format!("{}: {}, see fuzz/artifacts", paint(BAD, "found"), found.join(", ")),
    };
    console::line(&verdict);
    Ok(campaign.found.is_empty())
}

/// Targets that run in slices, those first that had the least time.
struct Campaign {
    record: Record,
    /// Whether the record is written to the tree.
    save: bool,
    commit: String,
    /// Targets that found something. They do not run again.
    found: Vec<String>,
}

impl Campaign {
    fn run(&mut self, targets: &[String], wanted: Duration, at_once: usize) -> Result {
        let mut running: Vec<Run> = Vec::new();
        loop {
            while running.len() < at_once
                && let Some(name) = self.next(targets, &running, wanted)
            {
                let left = wanted.saturating_sub(self.record.time(name));
                running.push(Run::start(name, left.min(SLICE))?);
            }
            if running.is_empty() {
                return Ok(());
            }
            sleep(LOOK);
            let mut going = Vec::new();
            for mut run in running {
                match run.look()? {
                    None => going.push(run),
                    Some(status) => self.ended(&run, status)?,
                }
            }
            running = going;
        }
    }

    /// Of the targets that neither run nor had their time, the one that had the least.
    fn next<'a>(
        &self,
        targets: &'a [String],
        running: &[Run],
        wanted: Duration,
    ) -> Option<&'a str> {
        let open = |name: &&String| {
            self.record.time(name) < wanted
                && !self.found.contains(name)
                && running.iter().all(|run| run.name != **name)
        };
        targets.iter().filter(open).min_by_key(|name| self.record.time(name)).map(String::as_str)
    }

    fn ended(&mut self, run: &Run, status: ExitStatus) -> Result {
        let log = fs::read(&run.log).trying(run.log.display())?;
        let executions = executions(&String::from_utf8_lossy(&log)).unwrap_or_default();
        let good = status.success();
        let entry = Entry {
            // The file has whole seconds.
            time: Duration::from_secs(run.time.as_secs()),
            executions,
            found: u32::from(!good),
            commit: self.commit.clone(),
        };
        self.record.add(&run.name, &entry);
        if self.save {
            self.record.save()?;
        }
        let (seconds, total) = (entry.time.as_secs(), self.record.time(&run.name).as_secs());
        let figures = format!("{executions} inputs in {seconds} s, {total} s so far");
        let word = if good { paint(GOOD, "good") } else { paint(BAD, "FOUND") };
        console::line(&format!("{word} {} {}", paint(STRONG, &run.name), paint(DIM, &figures)));
        if !good {
            console::line(&format!("     {}", run.log.display()));
            self.found.push(run.name.clone());
        }
        Ok(())
    }
}

/// A target that runs.
struct Run {
    name: String,
    child: Child,
    /// What libFuzzer says goes here.
    log: PathBuf,
    /// The processor's time that it has taken.
    time: Duration,
    /// … and that it may take.
    limit: Duration,
}

impl Run {
    fn start(name: &str, limit: Duration) -> Result<Self> {
        let found = root().join("fuzz/artifacts").join(name);
        let scratch = target().join("fuzz-corpus").join(name);
        for folder in [&found, &scratch] {
            fs::create_dir_all(folder).trying(folder.display())?;
        }
        let log = target().join("fuzz-corpus").join(format!("{name}.log"));
        let output = File::create(&log).trying(log.display())?;
        let child = Command::new(program(name))
            .args([scratch, root().join("fuzz/corpus").join(name)])
            .args(files_of_people(name))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-max_len={MAX_LENGTH}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={SLOWEST}"))
            // Without it a few slow inputs take the time of all others: native tried a hundredth.
            .arg("-entropic_scale_per_exec_time=1")
            .args(["-print_final_stats=1", "-verbosity=0"])
            .stderr(output)
            .spawn()
            .trying(name)?;
        Ok(Self { name: name.to_owned(), child, log, time: Duration::ZERO, limit })
    }

    /// How it ended, if it did. When its time is over it is asked to end: libFuzzer does so in
    /// order on SIGUSR1 (its `-handle_usr1`).
    fn look(&mut self) -> Result<Option<ExitStatus>> {
        let process = rustix::process::Pid::from_child(&self.child);
        let path = format!("/proc/{}/stat", process.as_raw_nonzero());
        if let Some(time) = fs::read_to_string(path).ok().and_then(|stat| processor_time(&stat)) {
            self.time = time;
        }
        let ended = self.child.try_wait().trying(&self.name)?;
        if ended.is_none() && self.time >= self.limit {
            rustix::process::kill_process(process, rustix::process::Signal::USR1)
                .trying(&self.name)?;
        }
        Ok(ended)
    }
}

/// Where files as people write them are, to begin with: a target, and folders for it. Without them
/// one spends its time on finding the words of a format.
const FILES_OF_PEOPLE: &[(&str, &[&str])] = &[
    ("native", &["etc"]),
    ("keepalived", &["crates/config/tests/data/keepalived"]),
    ("lvs_cf", &["crates/config/tests/data/corpus/lvs"]),
    ("ldirectord", &["crates/config/tests/data/corpus/ldirectord"]),
    ("ha_cf", HA),
    ("haresources", HA),
    ("authkeys", HA),
    (
        "tables",
        &["crates/config/tests/data/corpus/ipvsadm", "crates/config/tests/data/corpus/lvs_dr"],
    ),
];
const HA: &[&str] = &["crates/config/tests/data/corpus/ha"];

fn files_of_people(name: &str) -> impl Iterator<Item = PathBuf> {
    let known = FILES_OF_PEOPLE.iter().find(|(target, _)| *target == name);
    known.into_iter().flat_map(|(_, folders)| *folders).map(|folder| root().join(folder))
}

/// User and system time in a line of `/proc/PID/stat`, its fields 14 and 15 (proc(5)). The second
/// field is a name in brackets, which may hold anything.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * ticks()?.checked_add(ticks()?)?)
}

/// How many inputs libFuzzer says it has tried.
fn executions(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
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

/// Where `cargo fuzz build` puts a target's program.
fn program(name: &str) -> PathBuf {
    root().join(format!("fuzz/target/{}-unknown-linux-gnu/release/{name}", std::env::consts::ARCH))
}

/// The short name of the commit that is checked out.
fn commit() -> Result<String> {
    let text = read(command("git").args(["rev-parse", "--short", "HEAD"]).current_dir(root()))?;
    Ok(text.trim().to_owned())
}

/// The named targets, or all.
fn chosen(named: &[String]) -> Result<Vec<String>> {
    let all = targets()?;
    if let Some(name) = named.iter().find(|name| !all.contains(name)) {
        let known = all.join(", ");
        return Err(Trouble::new(format!("no target is called {name}; known: {known}")));
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_to_begin_with_are_there() {
        let targets = targets().unwrap();
        for (name, _) in FILES_OF_PEOPLE {
            assert!(targets.iter().any(|target| target == name), "{name}");
            assert!(files_of_people(name).all(|folder| folder.is_dir()), "{name}");
        }
    }

    #[test]
    fn every_target_is_named_after_its_file() {
        let names = targets().unwrap();
        assert!(names.contains(&"native".to_owned()) && names.len() > 10, "{names:?}");
        assert!(names.is_sorted());
    }

    #[test]
    fn a_target_that_is_not_there_is_told() {
        let trouble = chosen(&["nativ".to_owned()]).unwrap_err().to_string();
        assert!(trouble.contains("no target is called nativ; known: attributes,"), "{trouble}");
    }

    #[test]
    fn the_time_of_a_process_is_read_whatever_it_is_called() {
        let stat = "7 (a) R 1) R 1 7 7 0 -1 4194304 1 2 3 4 250 50 8 9 39 19 1 0 5 6";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(processor_time("7 (a"), None);
    }

    #[test]
    fn inputs_are_counted_as_the_fuzzer_says() {
        let log = "INFO: Seed: 1\nstat::number_of_executed_units: 500\nstat::peak_rss_mb: 49\n";
        assert_eq!(executions(log), Some(500));
        assert_eq!(executions("killed"), None);
    }

    #[test]
    fn the_target_with_the_least_time_is_next_until_each_had_its_own() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let minute = Duration::from_secs(60);
        let ran = |time| Entry { time, ..Entry::default() };
        let mut record = Record::default();
        record.add("a", &ran(minute));
        record.add("b", &ran(minute * 2));
        let mut campaign =
            Campaign { record, save: false, commit: String::new(), found: vec!["c".to_owned()] };
        assert_eq!(campaign.next(&names, &[], minute * 3), Some("a"));
        assert_eq!(campaign.next(&names, &[], minute), None);
        campaign.found.clear();
        assert_eq!(campaign.next(&names, &[], minute), Some("c"));
    }
}
