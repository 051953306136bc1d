//! Broken native files, and what a person is told about each.
//!
//! After a change of wording: `INSTA_UPDATE=always cargo test -p config --test broken`, and read
//! the difference as the person who made the mistake would.

#![expect(clippy::disallowed_methods, reason = "a test reads files")]

use std::path::{Path, PathBuf};

use config::{Diagnostic, Severity, load, render};

#[test]
fn each_broken_file_is_told_what_to_write_instead() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    assert!(files.len() >= 25);
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let shown = PathBuf::from(format!("{name}.yaml"));
        let loaded = load(&shown, false, &|_| Ok(bytes.clone()));
        let errors = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.cluster.is_none(), errors, "{name}");
        assert!(!loaded.diagnostics.is_empty(), "{name} is not broken");
        let helpless: Vec<&Diagnostic> =
            loaded.diagnostics.iter().filter(|d| d.help.is_none()).collect();
        assert!(helpless.is_empty(), "{name}: {helpless:?}");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, render(&loaded.diagnostics, false));
        });
    }
}
