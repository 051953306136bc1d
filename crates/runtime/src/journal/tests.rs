use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::logging::{LogLayer, LogOutput};

fn logged(act: impl FnOnce()) -> String {
    let path = std::env::temp_dir().join(format!(
        "caribe-journal-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let output = LogOutput::file(&path).unwrap();
    let subscriber = tracing_subscriber::registry().with(LogLayer::new("lvsd", output));
    tracing::subscriber::with_default(subscriber, act);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    text
}

#[test]
fn an_event_is_exactly_one_line_in_the_documented_form() {
    let text = logged(|| {
        Journal::new().record(
            EventKind::Verdict,
            Level::Warn,
            "real server down",
            &[
                ("service", "www".into()),
                ("server", "192.168.1.4:80".into()),
                ("check", "http".into()),
                ("reason", "connection refused".into()),
                ("after", "3".into()),
            ],
        );
    });
    let (time, rest) = text.split_at(24);
    assert_eq!(
        rest,
        " WARN lvsd: real server down service=www server=192.168.1.4:80 check=http \
         reason=\"connection refused\" after=3\n"
    );
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
}

#[test]
fn text_of_a_server_forges_neither_a_line_nor_a_field() {
    let text = logged(|| {
        let hostile = "x\"\n2026-11-20T23:59:01.123Z ERROR lvsd: forged role=active".to_owned();
        Journal::new().record(EventKind::Verdict, Level::Info, "seen", &[("reason", hostile)]);
        tracing::warn!(reason = "a\nb", error = %"c d", count = 3, "own\nfield");
    });
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].ends_with(r#"forged role=active""#), "{text}");
    assert!(lines[1].ends_with(r#" WARN lvsd: own\nfield reason="a\nb" error="c d" count=3"#));
}

#[test]
fn the_history_keeps_what_was_logged_and_counts_what_it_dropped() {
    let journal = Journal::new();
    for number in 0..KEPT_EVENTS + 2 {
        let fields = [("number", number.to_string())];
        journal.record(EventKind::Kernel, Level::Error, "kernel refused", &fields);
    }
    let history = journal.clone().history();
    assert_eq!(history.events.len(), KEPT_EVENTS);
    assert_eq!(history.dropped, 2);
    assert_eq!(history.events[0].fields["number"], "2");
    assert_eq!(history.events[0].level, "error");
    assert_eq!(history.events[0].message, "kernel refused");
}

#[test]
fn a_rotated_file_is_left_and_a_new_one_begun() {
    let folder = std::env::temp_dir().join(format!("caribe-rotate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (path, rotated) = (folder.join("log"), folder.join("log.1"));
    let output = LogOutput::file(&path).unwrap();
    output.write_line("one\n".to_owned());
    std::fs::rename(&path, &rotated).unwrap();
    output.write_line("two\n".to_owned());
    output.clone().reopen();
    output.write_line("three\n".to_owned());
    assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "one\ntwo\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_file_that_the_configuration_names_gets_the_log_too() {
    let folder = std::env::temp_dir().join(format!("caribe-also-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [path, rotated, given, nowhere] =
        ["log", "log.1", "given", "none/log"].map(|name| folder.join(name).display().to_string());
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let output = LogOutput::standard_error();
    let journal = Journal::of(output.clone());
    journal.also_to(Some(&path));
    output.write_line("one\n".to_owned());
    journal.also_to(Some(&nowhere));
    let told = journal.history().events;
    assert_eq!((told.len(), told[0].fields["file"].as_str()), (1, nowhere.as_str()));
    output.write_line("two\n".to_owned());
    std::fs::rename(&path, &rotated).unwrap();
    output.reopen();
    output.write_line("three\n".to_owned());
    journal.also_to(None);
    output.write_line("four\n".to_owned());
    assert_eq!((read(&rotated), read(&path)), ("one\ntwo\n".to_owned(), "three\n".to_owned()));
    let output = LogOutput::file(Path::new(&given)).unwrap();
    Journal::of(output.clone()).also_to(Some(&path));
    output.write_line("five\n".to_owned());
    assert_eq!((read(&given), read(&path)), ("five\n".to_owned(), "three\n".to_owned()));
    std::fs::remove_dir_all(&folder).unwrap();
}
