use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::WAITING;
use crate::logging::LogOutput;
use crate::test_folder::TestFolder;

/// Ends a test that would fail.
const LONG: Duration = Duration::from_secs(20);

/// A disk that writes nothing before it is told to, and tells what it has written.
struct Disk {
    go: Receiver<()>,
    written: Sender<String>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Once the test lets go of its end the disk is fast.
        let _go = self.go.recv();
        self.written.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn on_a_disk() -> (LogOutput, Sender<()>, Receiver<String>) {
    let (go, wait) = channel();
    let (written, lines) = channel();
    let output = LogOutput::stream(Disk { go: wait, written });
    output.start_thread("pulse").unwrap();
    (output, go, lines)
}

#[test]
fn a_disk_that_hangs_holds_up_nobody_and_what_was_dropped_is_counted() {
    let (output, go, lines) = on_a_disk();
    // Nothing is written: were this not a queue, it would wait for ever here.
    for number in 0..2 * WAITING {
        output.write_line(format!("{number}\n"));
    }
    drop(go);
    output.flush(LONG);
    let written: Vec<String> = lines.try_iter().collect();
    let (told, kept) = written.split_last().unwrap();
    // One may be in the hands of the thread, which may come late for it: another one has its place.
    assert!((WAITING..=WAITING + 1).contains(&kept.len()), "{}", kept.len());
    let expected: Vec<String> = (0..WAITING).map(|number| format!("{number}\n")).collect();
    assert!(kept.starts_with(&expected), "the order is kept, and the first ones are");
    let dropped = 2 * WAITING - kept.len();
    assert!(told.ends_with(&format!(" count={dropped}\n")), "{told}");
    assert!(told.contains(" ERROR pulse: lines of the log were dropped"), "{told}");
}

#[test]
fn the_end_waits_for_what_was_logged_and_not_for_ever() {
    let (output, go, lines) = on_a_disk();
    output.write_line("one\n".to_owned());
    output.flush(Duration::from_millis(1));
    assert!(lines.try_recv().is_err(), "the disk hangs");
    drop(go);
    output.flush(LONG);
    assert_eq!(lines.try_recv().unwrap(), "one\n");
}

#[test]
fn a_rotation_comes_after_the_lines_before_it_also_when_the_queue_was_full() {
    let folder = TestFolder::new();
    let [also, old] = ["log", "log.1"].map(|name| folder.path().join(name));
    let (output, go, _lines) = on_a_disk();
    let never = |error: std::io::Error| panic!("{error}");
    output.also(Some(&also), Box::new(never));
    output.write_line("one\n".to_owned());
    go.send(()).unwrap();
    while std::fs::read_to_string(&also).unwrap_or_default() != "one\n" {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::rename(&also, &old).unwrap();
    for _ in 0..2 * WAITING {
        output.write_line("full\n".to_owned());
    }
    output.reopen();
    drop(go);
    output.flush(LONG);
    output.write_line("two\n".to_owned());
    output.flush(LONG);
    assert_eq!(std::fs::read_to_string(&also).unwrap(), "two\n");
    let before = std::fs::read_to_string(&old).unwrap();
    assert!(before.starts_with("one\nfull\n") && before.contains(" were dropped"), "{before}");
}
