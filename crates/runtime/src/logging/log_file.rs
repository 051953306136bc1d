//! A file of the log, on a disk that may be full.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::append;

/// Of a log that is new; the umask takes from it.
const MODE: u32 = 0o666;

/// The file, and what it lacks.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Lines that it does not have since it takes none.
    missing: u64,
    /// Its last line is not whole.
    torn: bool,
}

/// What is to be told, when it changes.
#[derive(Debug)]
pub(super) enum Change {
    /// It takes no lines, for this reason.
    Fails(PathBuf, io::Error),
    /// It takes them again, and lacks so many.
    Works(PathBuf, u64),
}

impl Change {
    /// Tells it in the log, which has other places, too.
    pub(super) fn tell(self) {
        match self {
            Self::Fails(path, error) => {
                let path = path.display().to_string();
                tracing::error!(path, %error, "log file takes no lines, they are missing there");
            }
            Self::Works(path, missing) => {
                let path = path.display().to_string();
                tracing::warn!(path, missing, "log file takes lines again");
            }
        }
    }
}

impl LogFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = append::open(path, MODE)?;
        Ok(Self { path: path.to_owned(), file, missing: 0, torn: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = append::open(&self.path, MODE)?;
        self.torn = false;
        Ok(())
    }

    /// Writes a line in one call, so that lines of several processes do not mix. One that finds no
    /// room is counted.
    pub(super) fn write(&mut self, line: &str) -> Option<Change> {
        let end_of_torn = if self.torn { "\n" } else { "" };
        let (written, result) = write(&mut self.file, format!("{end_of_torn}{line}").as_bytes());
        match result {
            Ok(()) => {
                self.torn = false;
                let missing = std::mem::take(&mut self.missing);
                (missing > 0).then(|| Change::Works(self.path.clone(), missing))
            }
            Err(error) => {
                self.torn |= written > 0;
                self.missing += 1;
                (self.missing == 1).then(|| Change::Fails(self.path.clone(), error))
            }
        }
    }
}

/// How many bytes were written, and why no more.
fn write(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_full_disk_is_told_once_and_how_many_lines_are_missing_when_there_is_room() {
        let folder = TestFolder::new();
        let path = folder.path().join("log");
        symlink("/dev/full", &path).unwrap();
        let mut log = LogFile::open(&path).unwrap();
        let Some(Change::Fails(told, error)) = log.write("one\n") else { panic!() };
        assert_eq!((told, error.kind()), (path.clone(), io::ErrorKind::StorageFull));
        assert!(log.write("two\n").is_none());
        std::fs::remove_file(&path).unwrap();
        log.reopen().unwrap();
        let Some(Change::Works(told, missing)) = log.write("three\n") else { panic!() };
        assert_eq!((told, missing), (path.clone(), 2));
        assert!(log.write("four\n").is_none());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\nfour\n");
    }

    #[test]
    fn what_comes_after_half_a_line_is_a_line_of_its_own() {
        let folder = TestFolder::new();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // Reads and writes, so that opening it waits for nobody.
        let mut pipe = File::options().read(true).write(true).open(&path).unwrap();
        let mut log = LogFile::open(&path).unwrap();
        let long = "x".repeat(1 << 20) + "\n";
        assert!(matches!(log.write(&long), Some(Change::Fails(..))));
        assert!(log.write("lost\n").is_none());
        let mut half = vec![0; 1 << 20];
        let count = pipe.read(&mut half).unwrap();
        assert!(half[..count].iter().all(|byte| *byte == b'x'));
        assert!(matches!(log.write("whole\n"), Some(Change::Works(_, 2))));
        assert!(log.write("next\n").is_none());
        let count = pipe.read(&mut half).unwrap();
        assert_eq!(&half[..count], b"\nwhole\nnext\n");
    }
}
