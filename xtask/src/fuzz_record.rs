//! `fuzz/record.tsv`: how long each target has run, and what came of it.
//!
//! Thirty minutes of every target do not fit into one evening, so the time adds up over runs.

use crate::process::root;
use crate::trouble::{Context, Result, Trouble};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// First line of the file.
const HEAD: &str = "target\tcpu_seconds\texecutions\tfound\tlast_commit";

/// What one target has had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Time of a processor, not of the clock: targets share the machine with other work.
    pub(crate) time: Duration,
    /// Inputs that the body was given.
    pub(crate) executions: u64,
    /// Runs that ended with something found.
    pub(crate) found: u32,
    /// The commit of the newest run.
    pub(crate) commit: String,
}

/// Every target that ran, by its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Record(BTreeMap<String, Entry>);

impl Record {
    /// The record as it stands in the tree; an empty one where there is none yet.
    pub(crate) fn load() -> Result<Self> {
        let path = path();
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).trying(path.display()),
        }
    }

    /// Writes it to the tree.
    pub(crate) fn save(&self) -> Result {
        let path = path();
        fs::write(&path, self.text()).trying(path.display())
    }

    /// The time that a target has had.
    pub(crate) fn time(&self, target: &str) -> Duration {
        self.0.get(target).map(|entry| entry.time).unwrap_or_default()
    }

    /// Adds a run to what the target had before.
    pub(crate) fn add(&mut self, target: &str, run: &Entry) {
        let entry = self.0.entry(target.to_owned()).or_default();
        entry.time += run.time;
        entry.executions += run.executions;
        entry.found += run.found;
        entry.commit.clone_from(&run.commit);
    }

    fn text(&self) -> String {
        let line = |(target, entry): (&String, &Entry)| {
            let Entry { time, executions, found, commit } = entry;
            format!("{target}\t{}\t{executions}\t{found}\t{commit}\n", time.as_secs())
        };
        format!("{HEAD}\n{}", self.0.iter().map(line).collect::<String>())
    }

    fn parse(text: &str) -> Result<Self> {
        let wrong = |line: &str| Trouble::new(format!("fuzz/record.tsv: cannot read \"{line}\""));
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        if head != HEAD {
            return Err(wrong(head));
        }
        let entries = lines.map(|line| entry(line).ok_or_else(|| wrong(line)));
        entries.collect::<Result<_>>().map(Self)
    }
}

fn entry(line: &str) -> Option<(String, Entry)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[target, seconds, executions, found, commit] = fields.as_slice() else { return None };
    let entry = Entry {
        time: Duration::from_secs(seconds.parse().ok()?),
        executions: executions.parse().ok()?,
        found: found.parse().ok()?,
        commit: commit.to_owned(),
    };
    Some((target.to_owned(), entry))
}

fn path() -> PathBuf {
    root().join("fuzz/record.tsv")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: u64, executions: u64, found: u32, commit: &str) -> Entry {
        let time = Duration::from_secs(seconds);
        Entry { time, executions, found, commit: commit.to_owned() }
    }

    #[test]
    fn runs_add_up_and_survive_the_file() {
        let mut record = Record::default();
        record.add("native", &run(300, 1000, 0, "aaaa"));
        record.add("native", &run(200, 50, 1, "bbbb"));
        record.add("packet", &run(1, 2, 0, "bbbb"));
        assert_eq!(record.0.get("native"), Some(&run(500, 1050, 1, "bbbb")));
        assert_eq!(Record::parse(&record.text()).unwrap(), record);
        assert_eq!(record.time("native"), Duration::from_secs(500));
        assert_eq!(record.time("session"), Duration::ZERO);
    }

    #[test]
    fn a_line_that_is_no_entry_is_shown() {
        let text = format!("{HEAD}\nnative\tmuch\t1\t0\taaaa\n");
        let trouble = Record::parse(&text).unwrap_err().to_string();
        assert!(trouble.contains("native\tmuch"), "{trouble}");
        assert!(Record::parse("").is_err());
    }

    #[test]
    fn the_record_in_the_tree_can_be_read() {
        Record::load().unwrap();
    }
}
