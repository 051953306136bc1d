//! `include`.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use crate::{Disk, Given, load_from};

use super::*;

const MAIN: &str = "/etc/caribe/cluster.yaml";
const HEAD: &str = "include: [conf.d/*.yaml]\n";
const WWW: &str = "services:\n  www: { listen: \"10.0.0.1:80\", servers: [10.0.0.4] }\n";
const DNS: &str = "services:\n  dns: { listen: 10.0.0.1:53/udp, servers: [10.0.0.5] }\n";

/// Loads the main file from a disk that holds these.
fn load_among(files: &[(&str, &str)]) -> Loaded {
    let at = |name: &str| Path::new(MAIN).with_file_name("").join(name);
    let disk: BTreeMap<_, _> = files.iter().map(|(name, text)| (at(name), *text)).collect();
    let read = |path: &Path| {
        let text = disk.get(path).ok_or(std::io::Error::from(ErrorKind::NotFound))?;
        Ok(text.as_bytes().to_vec())
    };
    let list = |folder: &Path| {
        let inside = disk.keys().filter(|path| path.parent() == Some(folder));
        inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    load_from(
        &Disk { read: &read, private: &read, list: &list },
        Path::new(MAIN),
        false,
        Given::default(),
    )
}

fn told(files: &[(&str, &str)]) -> Vec<String> {
    let found = load_among(files).diagnostics;
    found.iter().map(crate::Diagnostic::one_line).collect()
}

#[test]
fn services_of_all_files_add_up_in_the_order_of_their_names() {
    let main = format!("{HEAD}services:\n  own: {{ listen: \"10.0.0.1:81\", servers: [x] }}\n");
    let files = [("cluster.yaml", main.as_str()), ("conf.d/b.yaml", DNS), ("conf.d/a.yaml", WWW)];
    let loaded = load_among(&files);
    assert_eq!(render(&loaded.diagnostics, false), "");
    let services = loaded.cluster.unwrap().services;
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["own", "www", "dns"]);
}

#[test]
fn every_file_and_the_folder_of_a_pattern_are_watched_and_every_file_is_hashed() {
    let files = |www| [("cluster.yaml", HEAD), ("conf.d/a.yaml", www), ("conf.d/b.txt", "")];
    let loaded = load_among(&files(WWW));
    let watched: Vec<&str> = loaded.files.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(watched, [MAIN, "/etc/caribe/conf.d", "/etc/caribe/conf.d/a.yaml"]);
    assert_ne!(loaded.hash, load_among(&files(DNS)).hash);
}

#[test]
fn other_sections_may_stand_in_any_file_and_defaults_hold_for_all() {
    let rest = "kernel: { tcp_timeout: 90s }\nmax_down: 20%\n";
    let loaded = load_among(&[
        ("cluster.yaml", "include: [rest.yaml, www.yaml, empty.yaml, www.yaml]\n"),
        ("rest.yaml", rest),
        ("www.yaml", WWW),
        ("empty.yaml", "# nothing yet\n"),
    ]);
    assert_eq!(render(&loaded.diagnostics, false), "");
    let cluster = loaded.cluster.unwrap();
    assert_eq!(cluster.kernel.tcp_timeout, Some(Duration::from_secs(90)));
    assert_eq!(cluster.services[0].max_down.to_string(), "20%");
}

#[test]
fn a_problem_is_told_in_its_own_file_with_line_and_column() {
    let wrong = "services:\n  dns: { listen: 10.0.0.1:53/udp, servers: [10.0.0.5], wieght: 1 }\n";
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", WWW), ("conf.d/b.yaml", wrong)]);
    let place = "/etc/caribe/conf.d/b.yaml:2:56: error: unknown key wieght in dns";
    assert!(lines[0].starts_with(place), "{lines:?}");
    let unread = "services: [\n";
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", WWW), ("conf.d/b.yaml", unread)]);
    assert!(lines[0].starts_with("/etc/caribe/conf.d/b.yaml:"), "{lines:?}");
    // A rule over the whole model points into the file, too.
    let lonely = "services:\n  s: { listen: \"10.0.0.1:0\", servers: [10.0.0.5] }\n";
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", WWW), ("conf.d/b.yaml", lonely)]);
    assert!(lines[0].starts_with("/etc/caribe/conf.d/b.yaml:2:"), "{lines:?}");
}

#[test]
fn what_two_files_give_is_told_with_both_places() {
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", WWW), ("conf.d/b.yaml", WWW)]);
    assert_eq!(
        lines,
        ["/etc/caribe/conf.d/b.yaml:2:3: error: www is given twice \
          (it stands in /etc/caribe/conf.d/a.yaml:2 already: remove one of the two)"]
    );
    let main = format!("{HEAD}max_down: 10%\n{WWW}");
    let lines = told(&[("cluster.yaml", &main), ("conf.d/b.yaml", "max_down: 20%\n")]);
    assert_eq!(
        lines,
        ["/etc/caribe/conf.d/b.yaml:1:1: error: max_down is given twice \
          (it stands in /etc/caribe/cluster.yaml:2 already: remove one of the two)"]
    );
}

#[test]
fn a_pattern_may_name_nothing_and_a_file_that_is_named_must_be_there() {
    let main = format!("{HEAD}{WWW}");
    assert_eq!(told(&[("cluster.yaml", &main)]), [""; 0]);
    let main = format!("include: conf.d/www.yaml\n{WWW}");
    let lines = told(&[("cluster.yaml", &main)]);
    let place = "/etc/caribe/cluster.yaml:1:10: error: /etc/caribe/conf.d/www.yaml cannot be read";
    assert!(lines[0].starts_with(place), "{lines:?}");
}

#[test]
fn no_file_includes_itself_or_by_way_of_another() {
    let main = format!("include: [\"*.yaml\"]\n{WWW}");
    assert!(told(&[("cluster.yaml", &main)])[0].contains("names this file itself"));
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", "include: ../cluster.yaml\n")]);
    let place = "/etc/caribe/conf.d/a.yaml:1:1: error: an included file includes no other";
    assert!(lines[0].starts_with(place), "{lines:?}");
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", "- x\n")]);
    assert!(lines[0].contains("an included file holds keys"), "{lines:?}");
}

#[test]
fn a_number_that_is_given_twice_in_an_included_file_is_told_there() {
    let twice = "services:\n  80: { listen: \"10.0.0.1:80\", servers: [x] }\n  80: { mark: 7, servers: [x] }\n";
    let lines = told(&[("cluster.yaml", HEAD), ("conf.d/a.yaml", twice)]);
    assert!(lines[0].starts_with("/etc/caribe/conf.d/a.yaml:3:"), "{lines:?}");
}
