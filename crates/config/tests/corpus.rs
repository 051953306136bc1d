//! Files of other programs, each with what becomes of it: the messages, and our own form of it.
//! Each file of the folder is small and shows a few directives or mistakes; the results are meant
//! to be read.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads its own data, and ends where that is not there"
)]

use std::path::{Path, PathBuf};

use config::{Loaded, Severity, load, render, render_notes};

/// At least so many files, so that a walk that finds nothing is noticed.
const LEAST: usize = 100;

/// What every host of the files knows.
const HOSTS: &[u8] = b"127.0.0.1 localhost\n10.0.0.1 sql01\n10.0.0.3 sql03\n192.168.1.1 www\n\
                       192.168.1.2 director1\n192.168.1.3 director2\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus")
}

/// How the names of files and folders of other programs end here.
const ENDS: [&str; 4] = ["cf", "conf", "rules", "d"];

/// Every file and folder with such a name, by program.
fn names() -> Vec<PathBuf> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).expect("the folder").map(|e| e.expect("an entry"));
        entries.map(|entry| entry.path()).collect()
    };
    let programs = entries(&root());
    let files = programs.iter().flat_map(|program| entries(program));
    let wanted =
        |path: &PathBuf| path.extension().is_some_and(|end| ENDS.iter().any(|known| end == *known));
    let mut names: Vec<PathBuf> = files.filter(wanted).collect();
    names.sort();
    names
}

/// Loads a file or folder under its short name.
fn loaded(path: &Path) -> Loaded {
    loaded_below(Path::new(""), path)
}

/// Loads a file or folder as if it stood in that place.
fn loaded_below(place: &Path, path: &Path) -> Loaded {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name");
    load(&place.join(name), path.is_dir(), &|file| {
        let file = file.strip_prefix(place).unwrap_or(file);
        if file == Path::new("/etc/hosts") {
            return Ok(HOSTS.to_vec());
        }
        // Nothing of this machine may have a say.
        if file.is_absolute() {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        std::fs::read(folder.join(file))
    })
}

/// The messages, and what is made of it.
fn result(loaded: &Loaded) -> String {
    let messages = render(&loaded.diagnostics, false) + &render_notes(&loaded.notes);
    match &loaded.cluster {
        Some(cluster) => {
            let mut cluster = cluster.clone();
            let wanted = config::fencing::name_files(&mut cluster, Path::new("/etc/caribe"));
            let files = wanted.iter().map(|one| format!("{} is to be made\n", one.file.display()));
            let files: String = files.collect();
            format!("{messages}{files}{}", config::native::write(&cluster))
        }
        None => format!("{messages}It is refused.\n"),
    }
}

#[test]
fn what_becomes_of_each_file_is_as_it_was_read_last() {
    let names = names();
    assert!(names.len() >= LEAST, "only {}", names.len());
    for path in names {
        let program = path.parent().and_then(Path::file_name).expect("a program");
        let file = path.file_stem().expect("a name");
        let name = format!("{}-{}", program.display(), file.display());
        let said = result(&loaded(&path));
        insta::with_settings!({ snapshot_path => "corpus", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, said);
        });
    }
}

#[test]
fn a_file_is_refused_exactly_when_a_message_is_an_error() {
    for path in names() {
        let loaded = loaded(&path);
        let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.cluster.is_none(), refused, "{}", path.display());
    }
}

#[test]
fn every_message_has_a_line_a_column_and_a_help() {
    let mut without = Vec::new();
    for path in names() {
        let loaded = loaded(&path);
        for told in loaded.diagnostics.iter().chain(&loaded.notes) {
            assert!(told.column > 0 && told.help.is_some(), "{}", told.one_line());
            if told.line == 0 {
                without.push(format!("{}: {}", told.file, told.message));
            }
        }
    }
    // A file that is not there has no line, and nothing else has none.
    let missing = "no-keys.d/authkeys: cannot be read: No such file or directory (os error 2)";
    assert_eq!(without, [missing]);
}

#[test]
fn no_message_and_no_file_of_ours_says_a_password() {
    let mut count = 0;
    for path in names() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let said = result(&loaded(&path));
        for line in text.lines() {
            let Some((name, password)) = line.split_once('=') else { continue };
            let password = password.trim().trim_matches('"');
            if matches!(name.trim(), "passwd" | "pasword" | "secret") && password.len() > 3 {
                assert!(!said.contains(password), "{}: {said}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 5, "only {count}");
}

#[test]
fn no_message_and_no_file_of_ours_says_what_a_device_is_told() {
    let mut count = 0;
    for path in names() {
        let text = std::fs::read_to_string(path.join("ha.cf")).unwrap_or_default();
        let said = result(&loaded(&path));
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["stonith_host", _, kind, .., last] = words.as_slice() else { continue };
            if *kind != "meatware" {
                let says = said.split_whitespace().any(|word| word.trim_matches('"') == *last);
                assert!(!says, "{}: {said}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 2, "only {count}");
}

#[test]
fn our_own_form_of_each_file_says_the_same() {
    for path in names() {
        // Programs have full paths, so the files need one.
        let Some(mut cluster) = loaded_below(Path::new("/lab"), &path).cluster else { continue };
        // Somebody makes the files with the passwords.
        let wanted = config::passwords::name_files(&mut cluster);
        let text = config::native::write(&cluster);
        let again = load(Path::new("cluster.yaml"), false, &|file| {
            let secret = wanted.iter().find(|wanted| Path::new(&wanted.file) == file);
            let said = secret.map_or(text.as_str(), |wanted| wanted.secret.expose());
            Ok(said.as_bytes().to_vec())
        });
        assert_eq!(again.cluster.as_ref(), Some(&cluster), "{}:\n{text}", path.display());
    }
}
