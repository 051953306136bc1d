//! Every directive of keepalived.conf and every mistake, each with what comes of it. The snapshots
//! are meant to be read: what is said of a file, and what it becomes.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads its own data, and ends where that is not there"
)]

use std::path::{Path, PathBuf};

use config::{Disk, Format, Given, Loaded, Severity, load, load_from, render};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keepalived")
}

/// Loads a file, or a folder's keepalived.conf with the partner's beside it.
fn loaded(name: &str) -> Loaded {
    let folder = root().join(name).is_dir();
    let path = if folder { Path::new(name).join("keepalived.conf") } else { name.into() };
    let partner = Path::new(name).join("partner.conf");
    let partner = root().join(&partner).exists().then_some(partner);
    let list = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    };
    let read = |path: &Path| std::fs::read(root().join(path));
    let disk = Disk { read: &read, private: &read, list: &list };
    load_from(&disk, &path, false, Given { partner: partner.as_deref(), ..Given::default() })
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(root()).expect("tests/data/keepalived");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// What is said, and what it becomes.
fn told(loaded: &Loaded) -> String {
    let becomes = match &loaded.cluster {
        Some(cluster) => config::native::write(cluster),
        None => "It is refused.\n".to_string(),
    };
    format!("{}{becomes}", render(&loaded.diagnostics, false))
}

#[test]
fn what_comes_of_each_file_is_as_it_was_read_last() {
    let names = names();
    assert!(names.len() > 60, "only {names:?}");
    for name in names {
        let loaded = loaded(&name);
        assert_eq!(loaded.format, Format::Keepalived, "{name}");
        insta::with_settings!({ snapshot_path => "keepalived", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.replace(".conf", ""), told(&loaded));
        });
    }
}

#[test]
fn every_message_has_a_place_and_a_help_and_shows_no_secret() {
    for name in names() {
        let loaded = loaded(&name);
        for problem in &loaded.diagnostics {
            assert!(problem.line > 0 && problem.help.is_some(), "{}", problem.one_line());
            assert!(!problem.message.ends_with('.'), "{}", problem.one_line());
        }
        assert!(!told(&loaded).contains("very-secret"), "{name}");
    }
}

#[test]
fn a_file_without_an_error_is_converted_and_one_with_an_error_is_not() {
    for name in names() {
        let loaded = loaded(&name);
        let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.cluster.is_none(), refused, "{name}");
        let broken = ["-broken", "broken-"].iter().any(|word| name.contains(word));
        assert_eq!(refused, broken, "{name}\n{}", told(&loaded));
    }
}

#[test]
fn what_is_converted_is_read_again_as_the_same_model() {
    let mut count = 0;
    for name in names() {
        let Some(cluster) = loaded(&name).cluster else { continue };
        let text = config::native::write(&cluster);
        let again = load(Path::new("cluster.yaml"), false, &|_| Ok(text.clone().into_bytes()));
        let problems = render(&again.diagnostics, false);
        assert_eq!(again.cluster.as_ref(), Some(&cluster), "{name}:\n{text}{problems}");
        count += 1;
    }
    assert!(count > 35, "only {count}");
}

proptest::proptest! {
    /// Half-written and mangled files are refused or read, and never end or stop the reader.
    #[test]
    fn mangled_files_are_read_or_refused(
        which in 0..1000_usize,
        cut in 0..200_usize,
        at in 0..4000_usize,
        mark in "[{}$@~\"\\\\!# \n]{0,8}",
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..4),
    ) {
        let names: Vec<String> = names().into_iter().filter(|n| n.ends_with(".conf")).collect();
        let name = &names[which % names.len()];
        let mut text = std::fs::read(root().join(name))?;
        text.truncate(text.len().saturating_sub(cut));
        let at = at % (text.len() + 1);
        text.splice(at..at, mark.bytes().chain(bytes));
        let loaded = load(Path::new(name), false, &|_| Ok(text.clone()));
        let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        proptest::prop_assert_eq!(loaded.cluster.is_none(), refused);
        told(&loaded);
        if let Some(cluster) = &loaded.cluster {
            let text = config::native::write(cluster);
            let again = load(Path::new("again"), false, &|_| Ok(text.clone().into_bytes()));
            if let Some(again) = &again.cluster {
                proptest::prop_assert_eq!(again, cluster);
            }
        }
    }
}

/// Each file includes nine others, each under a new name, eight levels deep: that would be 43 million.
#[test]
fn files_that_multiply_are_read_up_to_a_bound() {
    let includes: String = (1..10).map(|n| format!("include {n}/x.conf\n")).collect();
    let read = std::cell::Cell::new(0);
    let loaded = load(Path::new("keepalived.conf"), false, &|path| {
        read.set(read.get() + 1);
        let more = if path.components().count() > 8 { "" } else { &includes };
        Ok(format!("global_defs {{\n}}\n{more}").into_bytes())
    });
    assert_eq!(loaded.format, Format::Keepalived);
    let told = render(&loaded.diagnostics, false);
    assert!(told.contains("too many files are included"), "{told}");
    assert!((100..=1000).contains(&read.get()), "{} files were read", read.get());
}

/// Whoever includes it a second time is not told again, and nobody asks the disk again.
#[test]
fn a_file_that_cannot_be_read_is_asked_for_once() {
    let asked = std::cell::Cell::new(0);
    let loaded = load(Path::new("keepalived.conf"), false, &|path| {
        if path.ends_with("missing.conf") {
            asked.set(asked.get() + 1);
            return Err(std::io::ErrorKind::NotFound.into());
        }
        Ok(b"global_defs {\n}\nincluder missing.conf\nincluder missing.conf\n".to_vec())
    });
    let told = render(&loaded.diagnostics, false);
    assert_eq!(told.matches("missing.conf cannot be read").count(), 1, "{told}");
    assert_eq!(told.matches("no file is included").count(), 2, "{told}");
    assert_eq!(asked.get(), 1);
}

/// What was read before the bound ends in the middle of a block: nothing is said of that.
#[test]
fn of_files_that_are_too_much_nothing_else_is_said() {
    let loaded = load(Path::new("keepalived.conf"), false, &|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let text = match name.strip_suffix(".inc").and_then(|level| level.parse::<u32>().ok()) {
            None => "global_defs {\nvrrp_instance V {\ninclude 1.inc\n}\n}\n".to_owned(),
            Some(level @ 1..9) => format!("include {}.inc\n", level + 1).repeat(9),
            Some(_) => "unknown_word\n".to_owned(),
        };
        Ok(text.into_bytes())
    });
    let told = render(&loaded.diagnostics, false);
    assert!(told.contains("make too much of this file"), "{told}");
    assert_eq!(loaded.diagnostics.len(), 1, "{told}");
}

/// The same place is looked up once for each block that does not know its word.
#[test]
fn a_word_that_no_block_knows_is_told_for_each_kind_of_block() {
    let loaded = load(Path::new("keepalived.conf"), false, &|path| {
        let text = match path.ends_with("words.inc") {
            true => "unknown_word\n",
            false => {
                "global_defs {\ninclude words.inc\n}\nglobal_defs {\ninclude words.inc\n}\nvrrp_instance V {\ninclude words.inc\n}\n"
            }
        };
        Ok(text.into())
    });
    let told = render(&loaded.diagnostics, false);
    assert_eq!(told.matches("`unknown_word` is not known").count(), 2, "{told}");
}
