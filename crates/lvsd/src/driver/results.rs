//! Lines at the end of files, written on a thread of their own: a slow disk holds up nothing.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use runtime::Journal;
use runtime::append::{Change, Lines};
use runtime::journal::{EventKind, Level};

use crate::core::ResultLine;

/// Lines that may wait for the disk; what comes on top is dropped and named.
const WAITING: usize = 4096;

/// Files that are kept open at one time.
const OPEN: usize = 64;

/// Of a file that is new: servers' words are not for everybody.
const MODE: u32 = 0o640;

enum Work {
    Write(ResultLine),
    Reopen,
}

/// The files in which each result of a check is a line.
pub(super) struct Results {
    journal: Journal,
    queue: Option<SyncSender<Work>>,
    /// Lines were dropped, and that was told.
    dropping: bool,
}

impl Results {
    /// Without a thread, as long as nobody wants a line.
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal, queue: None, dropping: false }
    }

    /// Hands lines on, and never waits.
    pub(super) fn write(&mut self, lines: Vec<ResultLine>) {
        for line in lines {
            let queue = self.queue.get_or_insert_with(|| start(self.journal.clone()));
            let dropped = queue.try_send(Work::Write(line)).is_err();
            if dropped && !std::mem::replace(&mut self.dropping, dropped) {
                let sentence = "results of checks are not written, too many wait for the disk";
                self.journal.record(EventKind::Daemon, Level::Error, sentence, &[]);
            }
            self.dropping = dropped;
        }
    }

    /// The files were rotated: each is opened anew under its name.
    pub(super) fn reopen(&mut self) {
        // A queue that is full is so because the files cannot be written.
        let _ = self.queue.as_ref().map(|queue| queue.try_send(Work::Reopen));
    }
}

/// The thread ends with the queue.
fn start(journal: Journal) -> SyncSender<Work> {
    let (sender, work) = sync_channel(WAITING);
    let thread = std::thread::Builder::new().name("results".to_owned());
    let spawned = thread.spawn({
        let journal = journal.clone();
        move || Writer { journal, files: HashMap::new() }.run(&work)
    });
    if let Err(error) = spawned {
        let fields = [("reason", error.to_string())];
        let sentence = "results of checks are not written, no thread can be started";
        journal.record(EventKind::Daemon, Level::Error, sentence, &fields);
    }
    sender
}

struct Writer {
    journal: Journal,
    /// None where it could not be opened; that was told.
    files: HashMap<String, Option<Lines>>,
}

impl Writer {
    fn run(mut self, work: &Receiver<Work>) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Reopen => self.files.clear(),
                Work::Write(line) => self.write(line),
            }
        }
    }

    fn write(&mut self, ResultLine { path, line }: ResultLine) {
        if self.files.len() >= OPEN && !self.files.contains_key(&path) {
            self.files.clear();
        }
        if !self.files.contains_key(&path) {
            let file = append(Path::new(&path));
            if let Err(error) = &file {
                let sentence =
                    "results of checks cannot be written, SIGUSR1 makes lvsd try the file again";
                self.tell(Level::Error, &path, sentence, ("reason", error.to_string()));
            }
            self.files.insert(path.clone(), file.ok());
        }
        let Some(Some(file)) = self.files.get_mut(&path) else { return };
        match file.write(&line) {
            Some(Change::Fails(error)) => {
                let sentence = "results of checks cannot be written, they are missing there";
                self.tell(Level::Error, &path, sentence, ("reason", error.to_string()));
            }
            Some(Change::Works(missing)) => {
                let sentence = "results of checks are written again";
                self.tell(Level::Warn, &path, sentence, ("missing", missing.to_string()));
            }
            None => {}
        }
    }

    fn tell(
        &self,
        level: Level,
        path: &str,
        sentence: &'static str,
        because: (&'static str, String),
    ) {
        let fields = [("file", path.to_owned()), because];
        self.journal.record(EventKind::Daemon, level, sentence, &fields);
    }
}

/// A plain file, and no device or pipe.
fn append(path: &Path) -> io::Result<Lines> {
    let file = Lines::open(path, MODE)?;
    match file.is_plain()? {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    /// A folder of the test's own.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("lvsd-{name}-{}", std::process::id()));
        // Of a run before this one.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn line(path: &Path, text: &str) -> ResultLine {
        ResultLine { path: path.display().to_string(), line: format!("{text}\n") }
    }

    /// Waits until a file holds this.
    fn holds(path: &Path, text: &str) {
        while fs::read_to_string(path).unwrap_or_default() != text {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn lines_go_to_the_end_of_a_file_and_to_another_one_after_it_was_rotated() {
        let folder = folder("rotated");
        let (path, old) = (folder.join("checks.log"), folder.join("old"));
        fs::write(&path, "before\n").unwrap();
        let mut results = Results::new(Journal::new());
        results.write(vec![line(&path, "one"), line(&path, "two")]);
        holds(&path, "before\none\ntwo\n");
        fs::rename(&path, &old).unwrap();
        results.write(vec![line(&path, "three")]);
        holds(&old, "before\none\ntwo\nthree\n");
        results.reopen();
        results.write(vec![line(&path, "four")]);
        holds(&path, "four\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_once_and_holds_up_no_other() {
        let folder = folder("unwritable");
        let (good, bad) = (folder.join("good"), folder.join("none/bad"));
        let journal = Journal::new();
        let mut results = Results::new(journal.clone());
        let lines = [&bad, &folder, &bad, &good].map(|path| line(path, "x"));
        results.write(lines.into());
        holds(&good, "x\n");
        let told: Vec<_> = journal.history().events;
        let files: Vec<_> = told.iter().filter_map(|event| event.fields.get("file")).collect();
        assert_eq!(files, [&bad.display().to_string(), &folder.display().to_string()]);
        fs::create_dir(folder.join("none")).unwrap();
        results.reopen();
        results.write(vec![line(&bad, "y")]);
        holds(&bad, "y\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
