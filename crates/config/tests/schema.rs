//! The JSON Schema that is installed takes every configuration that the parser takes.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]

use std::path::{Path, PathBuf};

use config::load;

#[path = "../src/native/tests/validator.rs"]
mod validator;
use validator::Validator;

/// Broken files of which each key alone is right: the parser alone knows rules between keys.
const BROKEN_BETWEEN_KEYS: [&str; 9] = [
    "duplicate-services",
    "families",
    "groups-without-routers",
    "no-port-to-check",
    "nothing-to-compare",
    "ports-with-direct-routing",
    "router-paths",
    "routers-without-groups",
    "three-routers",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn installed() -> String {
    std::fs::read_to_string(root().join("etc/cluster.schema.json")).unwrap()
}

fn validator() -> Validator {
    Validator::new(serde_json::from_str(&installed()).unwrap())
}

fn files(folder: PathBuf, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == end)).collect();
    files.sort();
    files
}

#[test]
fn the_installed_schema_is_that_of_the_table() {
    let fresh = serde_json::to_string_pretty(&config::native::schema()).unwrap() + "\n";
    let stale = "etc/cluster.schema.json is stale: write what `lvsctl schema` prints to it";
    assert!(fresh == installed(), "{stale}");
}

#[test]
fn every_example_fits() {
    let validator = validator();
    let mut examples = files(root().join("etc"), "yaml");
    examples.extend(files(root().join("etc/examples"), "yaml"));
    assert!(examples.len() >= 5);
    for file in examples {
        let refusals = validator.refusals(&std::fs::read_to_string(&file).unwrap());
        assert!(refusals.is_empty(), "{}: {refusals:?}", file.display());
    }
}

/// What convert made of the files of other programs, behind the messages in the golden results.
#[test]
fn every_converted_file_fits() {
    let validator = validator();
    let mut count = 0;
    for folder in ["corpus", "keepalived"] {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        for file in files(results, "snap") {
            let result = std::fs::read_to_string(&file).unwrap();
            let begin = |line: &&str| line.starts_with("routers:") || line.starts_with("services:");
            let lines: Vec<&str> = result.lines().collect();
            let Some(at) = lines.iter().position(begin) else { continue };
            let text = lines[at..].join("\n");
            let refusals = validator.refusals(&text);
            assert!(refusals.is_empty(), "{}: {refusals:?}\n{text}", file.display());
            count += 1;
        }
    }
    assert!(count > 100, "only {count}");
}

#[test]
fn every_broken_file_is_refused_unless_each_key_alone_is_right() {
    let validator = validator();
    let broken = files(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken"), "yaml");
    let mut taken = Vec::new();
    for file in &broken {
        let text = std::fs::read(file).unwrap();
        let refused = load(file, false, &|_| Ok(text.clone())).cluster.is_none();
        let text = String::from_utf8_lossy(&text);
        if refused && validator.refusals(&text).is_empty() {
            taken.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(taken, BROKEN_BETWEEN_KEYS);
}
