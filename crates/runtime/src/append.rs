//! Files that grow at their end, where only root may make them, on a disk that may be full.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file of lines, and what it lacks.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    mode: u32,
    file: File,
    /// Lines that it does not have since it takes none.
    missing: u64,
    /// Its last line is not whole.
    torn: bool,
}

/// What has changed about a file of lines.
#[derive(Debug)]
pub enum Change {
    /// It takes no lines, for this reason.
    Fails(io::Error),
    /// It takes them again, and lacks so many.
    Works(u64),
}

impl Lines {
    /// Opens a file to write at its end, as root where we can be; made with this mode where it is not
    /// there. A pipe that nobody reads is an error and no wait.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path, mode: u32) -> io::Result<Self> {
        let file = open(path, mode)?;
        Ok(Self { path: path.to_owned(), mode, file, missing: 0, torn: false })
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is no device, and no pipe.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn is_plain(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.is_file())
    }

    /// Opens it anew under its name.
    ///
    /// # Errors
    /// Those of open(2): the old file stays.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.path, self.mode)?;
        self.torn = false;
        Ok(())
    }

    /// Writes a line in one call, so that lines of several processes do not mix. One that finds no
    /// room is counted.
    pub fn write(&mut self, line: &str) -> Option<Change> {
        let end_of_torn = if self.torn { "\n" } else { "" };
        let (written, result) = write(&mut self.file, format!("{end_of_torn}{line}").as_bytes());
        match result {
            Ok(()) => {
                self.torn = false;
                let missing = std::mem::take(&mut self.missing);
                (missing > 0).then_some(Change::Works(missing))
            }
            Err(error) => {
                self.torn |= written > 0;
                self.missing += 1;
                (self.missing == 1).then_some(Change::Fails(error))
            }
        }
    }
}

fn open(path: &Path, mode: u32) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = File::options();
    options.append(true).create(true).mode(mode).custom_flags(flags);
    crate::privilege::as_root(|| options.open(path))
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
        let mut log = Lines::open(&path, 0o600).unwrap();
        let Some(Change::Fails(error)) = log.write("one\n") else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(log.write("two\n").is_none());
        std::fs::remove_file(&path).unwrap();
        log.reopen().unwrap();
        assert!(matches!(log.write("three\n"), Some(Change::Works(2))));
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
        let mut log = Lines::open(&path, 0o600).unwrap();
        let long = "x".repeat(1 << 20) + "\n";
        assert!(matches!(log.write(&long), Some(Change::Fails(..))));
        assert!(log.write("lost\n").is_none());
        let mut half = vec![0; 1 << 20];
        let count = pipe.read(&mut half).unwrap();
        assert!(half[..count].iter().all(|byte| *byte == b'x'));
        assert!(matches!(log.write("whole\n"), Some(Change::Works(2))));
        assert!(log.write("next\n").is_none());
        let count = pipe.read(&mut half).unwrap();
        assert_eq!(&half[..count], b"\nwhole\nnext\n");
    }
}
