//! The journal of systemd at the other end of standard error: it keeps the time and the level of a
//! line by itself.

use std::borrow::Cow;
use std::ffi::OsStr;

use rustix::fs::{Stat, fstat};

/// Device and inode of the stream that goes to the journal (systemd.exec(5)).
pub(crate) const JOURNAL_STREAM: &str = "JOURNAL_STREAM";

/// Whether standard error goes to the journal. The variable alone does not tell: a program may
/// have been started with other streams since.
pub(super) fn reads_standard_error() -> bool {
    let (Some(told), Ok(stream)) = (std::env::var_os(JOURNAL_STREAM), fstat(std::io::stderr()))
    else {
        return false;
    };
    is(&told, &stream)
}

/// What stands before an error where there is no log yet.
pub(crate) fn error_mark() -> &'static str {
    if reads_standard_error() { "<3>" } else { "" }
}

fn is(told: &OsStr, stream: &Stat) -> bool {
    told == OsStr::new(&format!("{}:{}", stream.st_dev, stream.st_ino))
}

/// A line without its time and level, and with the level as sd-daemon(3) has it, by which
/// `journalctl --priority` finds it.
pub(super) fn line(line: &str) -> Cow<'_, str> {
    let Some((_, (level, rest))) =
        line.split_once(' ').and_then(|(time, rest)| Some((time, rest.split_once(' ')?)))
    else {
        return Cow::Borrowed(line);
    };
    let priority = match level {
        "ERROR" => 3,
        "WARN" => 4,
        "INFO" => 6,
        "DEBUG" | "TRACE" => 7,
        _ => return Cow::Borrowed(line),
    };
    Cow::Owned(format!("<{priority}>{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_given_the_level_and_keeps_the_time_itself() {
        let time = "2026-11-20T23:59:01.123Z";
        for (level, priority) in
            [("ERROR", 3), ("WARN", 4), ("INFO", 6), ("DEBUG", 7), ("TRACE", 7)]
        {
            let told = format!("{time} {level} lvsd: real server down service=www\n");
            let expected = format!("<{priority}>lvsd: real server down service=www\n");
            assert_eq!(line(&told), expected);
        }
        for other in ["", "\n", "x y z\n"] {
            assert_eq!(line(other), other);
        }
    }

    #[test]
    fn a_stream_that_took_the_place_of_the_journals_is_not_the_journal() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let stream = fstat(&file).unwrap();
        let told = format!("{}:{}", stream.st_dev, stream.st_ino);
        assert!(is(OsStr::new(&told), &stream));
        for other in ["", "9:1", &told.replace(':', ""), &format!("{told}0")] {
            assert!(!is(OsStr::new(other), &stream), "{other}");
        }
    }
}
