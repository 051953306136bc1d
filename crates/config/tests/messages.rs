//! What a person is told about broken files, word for word. The snapshots are meant to be read.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads its own data, and ends where that is not there"
)]

use std::path::{Path, PathBuf};

use config::{Loaded, Severity, load, render, render_notes};

/// The examples of other programs' files, below etc.
const OLD_EXAMPLES: [&str; 5] = [
    "ha.d",
    "ha.d/ldirectord.cf",
    "examples/lvs-nat.cf",
    "examples/lvs-direct.cf",
    "examples/lvs-tunnel.cf",
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Loads a file or folder below `root`, under its short name.
fn loaded(root: &Path, name: &str) -> Loaded {
    load(Path::new(name), root.join(name).is_dir(), &|path| std::fs::read(root.join(path)))
}

/// Everything that is said, and whether it runs.
fn said(loaded: &Loaded) -> String {
    let end = if loaded.cluster.is_some() { "It runs.\n" } else { "It is refused.\n" };
    format!("{}{}{end}", render(&loaded.diagnostics, false), render_notes(&loaded.notes))
}

fn broken() -> Vec<String> {
    let entries = std::fs::read_dir(data("broken")).expect("tests/data/broken");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_messages_about_broken_files_are_as_they_were_read_last() {
    let names = broken();
    assert!(names.len() > 30, "only {names:?}");
    for name in names {
        let loaded = loaded(&data("broken"), &name);
        insta::with_settings!({ snapshot_path => "messages", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.replace('.', "-"), said(&loaded));
        });
    }
}

#[test]
fn the_messages_about_the_printed_folder_are_as_they_were_read_last() {
    let loaded = loaded(&data(""), "as-printed");
    insta::with_settings!({ snapshot_path => "messages", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("as-printed", said(&loaded));
    });
}

#[test]
fn every_defect_of_the_printed_folder_has_its_message_place_and_help() {
    let loaded = loaded(&data(""), "as-printed");
    let found = |file: &str, line: usize, column: usize, words: &str| {
        let file = format!("as-printed/{file}");
        let here = |d: &&config::Diagnostic| d.file == file && d.line == line && d.column == column;
        let mut all = loaded.diagnostics.iter().filter(here);
        all.any(|d| d.message.contains(words) && d.help.is_some())
    };
    assert!(found("ha.cf", 7, 18, "no host name"));
    assert!(found("haresources", 1, 1, "`Master` is no router"));
    assert!(found("haresources", 3, 27, "ends with a backslash"));
    assert!(found("ldirectord.cf", 5, 9, "typographic quotes"));
    assert!(found("ldirectord.cf", 8, 1, "stands at the margin"));
    assert!(found("ldirectord.cf", 8, 6, "port 53 is not the virtual server's port 80"));
    assert!(found("ldirectord.cf", 9, 6, "port 53"));
    assert!(found("ldirectord.cf", 10, 9, "typographic quotes"));
    assert!(found("ldirectord.cf", 11, 9, "typographic quotes"));
    assert!(found("ldirectord.cf", 15, 1, "`checkcount` counts pings only"));
    assert!(found("authkeys", 2, 1, "short"));
    assert!(loaded.cluster.is_none());
}

#[test]
fn every_message_has_a_place_in_its_file_and_a_help() {
    for name in broken() {
        for problem in loaded(&data("broken"), &name).diagnostics {
            assert!(problem.help.is_some(), "{}", problem.one_line());
            assert!(!problem.message.ends_with('.'), "{}", problem.one_line());
            let width = problem.source_line.chars().count();
            let secret = problem.file.ends_with("authkeys");
            let inside = problem.column + problem.length <= width + 2;
            assert!(problem.line == 0 || secret || inside, "{}", problem.one_line());
        }
    }
}

#[test]
fn every_example_of_an_old_file_loads_clean() {
    let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc");
    for name in OLD_EXAMPLES {
        let loaded = loaded(&etc, name);
        assert!(loaded.diagnostics.is_empty(), "{}", said(&loaded));
        assert!(loaded.cluster.is_some(), "{name}");
    }
}

#[test]
fn a_warning_alone_refuses_nothing_and_an_error_always_does() {
    for name in broken() {
        let loaded = loaded(&data("broken"), &name);
        let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.cluster.is_none(), refused, "{name}");
    }
}

#[test]
fn every_example_of_an_old_file_says_the_same_in_our_own_form() {
    let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc");
    for name in OLD_EXAMPLES {
        let cluster = loaded(&etc, name).cluster.expect("a clean example");
        let text = config::native::write(&cluster);
        let again = load(Path::new("cluster.yaml"), false, &|_| Ok(text.clone().into_bytes()));
        assert_eq!(again.cluster.as_ref(), Some(&cluster), "{text}{}", said(&again));
    }
}

proptest::proptest! {
    /// Half-written and mangled files are refused or read, and never end the daemon.
    #[test]
    fn mangled_files_are_read_or_refused(
        which in 0..OLD_EXAMPLES.len(),
        cut in 0..4000_usize,
        at in 0..4000_usize,
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..8),
        mark in "[=#{}\"\\\\\u{201c}\u{e9} \t\r\n/:,-]{0,6}",
    ) {
        let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc");
        let name = OLD_EXAMPLES[which];
        let read = |path: &Path| {
            let mut text = std::fs::read(etc.join(path))?;
            text.truncate(text.len().saturating_sub(cut % 200));
            let at = at % (text.len() + 1);
            text.splice(at..at, bytes.iter().copied().chain(mark.bytes()));
            Ok(text)
        };
        let loaded = load(Path::new(name), etc.join(name).is_dir(), &read);
        let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        proptest::prop_assert_eq!(loaded.cluster.is_none(), refused);
        said(&loaded);
    }
}
