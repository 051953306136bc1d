//! What keeps the crates in their layers: dependencies point downwards only, the clock and the
//! sockets stay out of the pure crates, and files stay short.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be read fails the test")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates that decide and touch nothing, with the crates of ours that each may depend on.
const PURE: [(&str, &[&str]); 5] = [
    ("ipvs", &[]),
    ("heartbeat", &[]),
    ("config", &["ipvs"]),
    ("health", &["config", "ipvs"]),
    ("control", &["config", "health", "heartbeat", "ipvs"]),
];
/// Crates that talk to the kernel.
const EDGE: [&str; 2] = ["netlink", "runtime"];
/// Programs.
const TOP: [&str; 5] = ["lvsctl", "lvsd", "nanny", "pulse", "send-arp"];
/// What never ships.
const CHORES: [&str; 4] = ["fuzzing", "lab", "simulation", "xtask"];
/// The arrows between programs: whoever sends frames has the socket for that from one place.
const BETWEEN_PROGRAMS: [(&str, &str); 2] = [("pulse", "send-arp"), ("nanny", "send-arp")];
/// Crates that a pure crate may not even depend on through another.
const NOT_PURE: [&str; 8] =
    ["tokio", "socket2", "neli", "hyper", "reqwest", "rand", "tracing", "inotify"];
/// Crates that a pure crate may not name itself.
const NOT_NAMED: [&str; 4] = ["libc", "rustix", "nix", "getrandom"];
/// What a pure crate's source may not say.
const NOT_SAID: [&str; 12] = [
    "Instant::now",
    "SystemTime",
    "tokio::",
    "net::UdpSocket",
    "net::TcpStream",
    "net::TcpListener",
    "os::unix::net",
    "rand::",
    "SystemRandom",
    "std::fs",
    "thread::sleep",
    "libc::",
];
/// Lines of code that a file may have, tests and comments not counted.
const LONGEST_FILE: usize = 400;
/// Lines of code that a program's `main.rs` may have.
const LONGEST_MAIN: usize = 40;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Metadata {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), platform])
        .exec()
        .unwrap()
}

/// Names of the crates that a package depends on in the product itself, tests not counted.
fn direct(package: &Package) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.clone())
        .collect()
}

/// Names of all crates that a package's product contains.
fn all(metadata: &Metadata, package: &Package) -> BTreeSet<String> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let mut seen = BTreeSet::from([package.id.clone()]);
    let mut open = vec![package.id.clone()];
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node.id == id).unwrap();
        for dependency in &node.deps {
            let product =
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if product && seen.insert(dependency.pkg.clone()) {
                open.push(dependency.pkg.clone());
            }
        }
    }
    seen.iter().map(|id| metadata[id].name.to_string()).collect()
}

/// The crates of ours that the layers let `name` depend on; `None` for a crate in no layer.
fn allowed(name: &str) -> Option<BTreeSet<String>> {
    let pure = PURE.iter().map(|(name, _)| *name);
    let below: Vec<&str> = match name {
        _ if EDGE.contains(&name) => pure.collect(),
        _ if TOP.contains(&name) => {
            let sideways = BETWEEN_PROGRAMS.iter().filter(|(from, _)| *from == name);
            pure.chain(EDGE).chain(sideways.map(|(_, to)| *to)).collect()
        }
        "lab" => pure.chain(EDGE).collect(),
        "fuzzing" => pure.chain(EDGE).chain(["nanny"]).collect(),
        // What decides, as everybody else has it: through its public interface only.
        "simulation" => pure.chain(["lvsd"]).collect(),
        "xtask" => pure.chain(["lab", "simulation"]).collect(),
        _ => PURE.iter().find(|(pure, _)| *pure == name)?.1.to_vec(),
    };
    Some(below.into_iter().map(str::to_owned).collect())
}

#[test]
fn dependencies_between_our_crates_point_downwards_only() {
    let metadata = metadata();
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    for package in metadata.workspace_packages() {
        let allowed = allowed(&package.name)
            .unwrap_or_else(|| panic!("{} is in no layer of tests/architecture.rs", package.name));
        for name in direct(package).intersection(&ours) {
            assert!(allowed.contains(name), "{} may not depend on {name}", package.name);
        }
    }
}

#[test]
fn every_layer_names_crates_that_exist() {
    let metadata = metadata();
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let pure = PURE.iter().map(|(name, _)| *name);
    let named: BTreeSet<String> =
        pure.chain(EDGE).chain(TOP).chain(CHORES).map(str::to_owned).collect();
    assert_eq!(named, ours);
}

#[test]
fn pure_crates_contain_no_runtime_and_no_socket() {
    let metadata = metadata();
    for (name, _) in PURE {
        let packages = metadata.workspace_packages();
        let package = packages.iter().find(|package| package.name.as_str() == name).unwrap();
        let inside = all(&metadata, package);
        for forbidden in NOT_PURE {
            assert!(!inside.contains(forbidden), "{name} contains {forbidden}");
        }
        let named = direct(package);
        for forbidden in NOT_NAMED {
            assert!(!named.contains(forbidden), "{name} names {forbidden}");
        }
    }
}

#[test]
fn the_product_has_one_cryptography_provider_and_one_tls_stack() {
    let metadata = metadata();
    let names: BTreeSet<&str> =
        metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "serde_yml", "daemonize"] {
        assert!(!names.contains(banned), "{banned} came into the build");
    }
}

#[test]
fn every_pure_crate_has_the_same_clippy_toml_that_keeps_the_clock_out() {
    let read = |name: &str| {
        let file = root().join("crates").join(name).join("clippy.toml");
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let first = read("ipvs");
    assert!(first.contains("std::time::Instant::now"), "the clock is not refused");
    for (name, _) in PURE {
        assert_eq!(read(name), first, "the clippy.toml of {name} is another than that of ipvs");
    }
    let common = fs::read_to_string(root().join("clippy.toml")).unwrap();
    for rule in common.lines() {
        assert!(first.contains(rule.trim()), "the pure crates' clippy.toml lost a rule: {rule}");
    }
}

#[test]
fn the_source_of_pure_crates_says_nothing_of_clocks_sockets_files_or_randomness() {
    for (name, _) in PURE {
        for (file, text) in sources(&root().join("crates").join(name)) {
            for (number, line) in code(&text) {
                for word in NOT_SAID {
                    assert!(!says(line, word), "{}:{number} says {word}", file.display());
                }
            }
        }
    }
}

#[test]
fn no_file_is_too_long_to_be_read_in_one_go() {
    let folders = ["crates", "tests", "xtask"].map(|name| root().join(name));
    let long: BTreeMap<PathBuf, usize> = folders
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|(file, text)| (file, code(&text).count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines of code: {long:?}");
}

#[test]
fn a_program_is_a_thin_driver() {
    for name in TOP {
        let file = root().join("crates").join(name).join("src/main.rs");
        let lines = code(&fs::read_to_string(&file).unwrap()).count();
        assert!(lines <= LONGEST_MAIN, "{} has {lines} lines of code", file.display());
    }
}

/// Every source file of the product under a folder; files that only hold tests are left out.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut tests = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                // A crate's own tests; the lab is a crate that is called tests.
                if name != "tests" && name != "target" {
                    open.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                tests.extend(test_modules(&text).map(|name| module(&path, name)));
                found.push((path.clone(), text));
            }
        }
    }
    found.retain(|(path, _)| !tests.contains(path));
    assert!(!found.is_empty(), "no source under {}", folder.display());
    found
}

/// Names of the modules that only tests compile, which have files of their own.
fn test_modules(text: &str) -> impl Iterator<Item = &str> {
    let pairs = text.lines().zip(text.lines().skip(1));
    pairs
        .filter(|(first, _)| first.starts_with("#[cfg(test)]"))
        .filter_map(|(_, second)| second.strip_prefix("mod ")?.strip_suffix(';'))
}

/// The file of a module that `parent` declares.
fn module(parent: &Path, name: &str) -> PathBuf {
    let own = parent.file_stem().unwrap_or_default();
    let folder = if ["lib", "main", "mod"].iter().any(|root| own == *root) {
        parent.parent().unwrap_or(parent).to_owned()
    } else {
        parent.with_extension("")
    };
    folder.join(name).with_extension("rs")
}

/// Lines of code with their numbers; blank lines, comments and unit tests are left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut test = Test::No;
    text.lines()
        .enumerate()
        .filter(move |(_, line)| {
            let inside = test != Test::No;
            test = match test {
                Test::No if line.starts_with("#[cfg(test)]") => {
                    test = Test::Begins;
                    return false;
                }
                Test::Begins if line.ends_with('{') => Test::Until,
                Test::Begins if line.ends_with(';') => Test::No,
                Test::Until if *line == "}" => Test::No,
                other => other,
            };
            !inside
        })
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
}

/// Where a line is, seen from the item that only tests compile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    No,
    Begins,
    Until,
}

/// Whether a line says a word that does not only end another word.
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[test]
fn lines_of_code_are_those_outside_of_unit_tests_that_are_no_comment() {
    let text = "//! doc\nuse a;\n#[cfg(test)]\nmod tests;\n\n    // why\n    b();\n\
                #[cfg(test)]\nmod more {\n    fn x() {\n    }\n}\nfn c() {}\n";
    let lines: Vec<(usize, &str)> = code(text).collect();
    assert_eq!(lines, [(2, "use a;"), (7, "b();"), (13, "fn c() {}")]);
}

#[test]
fn a_module_that_only_tests_compile_is_found_where_rust_looks_for_it() {
    let names: Vec<&str> = test_modules("mod a;\n#[cfg(test)]\nmod simulation;\n").collect();
    assert_eq!(names, ["simulation"]);
    let file = |parent: &str| module(Path::new(parent), "x").display().to_string();
    assert_eq!(file("src/lib.rs"), "src/x.rs");
    assert_eq!(file("src/failover.rs"), "src/failover/x.rs");
}

#[test]
fn a_word_is_not_found_at_the_end_of_another() {
    assert!(says("use rand::Rng;", "rand::"));
    assert!(!says("operand::x", "rand::"));
}
