//! One page with everything that is said of every broken file, to be read as a whole: is the place
//! there, is the nearest word named, does it say what to do next?

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its own data, and ends where that is not there"
)]

use std::path::{Path, PathBuf};

use config::{Loaded, load, render};

/// Where broken files of each format are. In the last ones good files are among them.
const FOLDERS: [&str; 7] = [
    "broken",
    "data/broken",
    "data/corpus/ha",
    "data/corpus/ipvsadm",
    "data/corpus/ldirectord",
    "data/corpus/lvs",
    "data/corpus/lvs_dr",
];
/// At least so many broken files.
const LEAST: usize = 50;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Every broken file or folder with what was read of it.
fn broken() -> Vec<(String, Loaded)> {
    let mut all = Vec::new();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(tests().join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        for name in names {
            let root = tests().join(folder);
            let is_dir = root.join(&name).is_dir();
            // Nothing of this machine may have a say.
            let read = |path: &Path| match path.is_absolute() {
                true => Err(std::io::ErrorKind::NotFound.into()),
                false => std::fs::read(root.join(path)),
            };
            let loaded = load(Path::new(&name), is_dir, &read);
            if loaded.cluster.is_none() {
                all.push((format!("{folder}/{name}"), loaded));
            }
        }
    }
    all
}

#[test]
fn what_is_said_of_every_broken_file_is_as_it_was_read_last() {
    let broken = broken();
    assert!(broken.len() >= LEAST, "only {}", broken.len());
    let page: Vec<String> = broken
        .iter()
        .map(|(name, loaded)| format!("==== {name}\n\n{}", render(&loaded.diagnostics, false)))
        .collect();
    insta::with_settings!({ snapshot_path => "page", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("every-broken-file", page.join("\n"));
    });
}

#[test]
fn every_message_has_line_column_and_help() {
    let mut without = Vec::new();
    for (name, loaded) in broken() {
        for problem in &loaded.diagnostics {
            if problem.line == 0 || problem.column == 0 || problem.help.is_none() {
                without.push(format!("{name}: {}: {}", problem.file, problem.message));
            }
        }
    }
    // A file that is not there has no line, and nothing else has none.
    let missing = |file: &str| {
        let folder = "data/broken/ha-no-files.d";
        format!(
            "{folder}: ha-no-files.d/{file}: cannot be read: No such file or directory (os error 2)"
        )
    };
    assert_eq!(without, ["ha.cf", "authkeys", "haresources"].map(missing));
}
