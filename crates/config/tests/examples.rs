//! Every example that we hand out is a configuration without a complaint.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]

use std::path::{Path, PathBuf};

use config::{Loaded, load, render};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn clean(loaded: &Loaded) {
    assert_eq!(render(&loaded.diagnostics, false), "");
    assert!(loaded.cluster.is_some());
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect()
}

#[test]
fn every_example_file_is_clean_and_survives_being_written() {
    let mut files = yaml_files(&root().join("etc"));
    files.extend(yaml_files(&root().join("etc/examples")));
    assert!(files.len() >= 5, "examples are missing: {files:?}");
    for file in files {
        println!("{}", file.display());
        let loaded = load(&file, false, &|path| std::fs::read(path));
        clean(&loaded);
        let text = config::native::write(loaded.cluster.as_ref().unwrap());
        let again = load(&file, false, &|_| Ok(text.clone().into_bytes()));
        println!("{text}");
        clean(&again);
        assert_eq!(again.cluster, loaded.cluster);
    }
}

#[test]
fn every_example_has_the_layout_of_lvsctl_format() {
    for file in
        yaml_files(&root().join("etc")).into_iter().chain(yaml_files(&root().join("etc/examples")))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        let formatted = config::native::format("x", text.as_bytes()).unwrap();
        assert_eq!(formatted, text, "lvsctl format --write {}", file.display());
    }
}

/// The `yaml` blocks of the papers that hold services.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match &mut open {
            Some(_) if line.trim_start().starts_with("```") => blocks.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None if line.trim() == "```yaml" => open = Some(String::new()),
            None => {}
        }
    }
    blocks.retain(|block| block.contains("services:"));
    blocks
}

#[test]
fn every_configuration_in_the_papers_is_clean() {
    assert_eq!(blocks("x\n```yaml\nservices: {}\n```\n```sh\n```\n"), ["services: {}\n"]);
    for name in ["README.md", "ARCHITECTURE.md"] {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        for block in blocks(&text) {
            println!("{name}:\n{block}");
            clean(&load(Path::new(name), false, &|_| Ok(block.clone().into_bytes())));
        }
    }
}
