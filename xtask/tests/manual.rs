//! The manual pages say what is so: options, examples, exit codes and files are those of the
//! programs.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests: what cannot be read fails the test"
)]

use clap::{Command, CommandFactory};
use runtime::Exit;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Pages of others that ours may point to.
const FOREIGN: [&str; 2] = ["arp(7)", "ipvsadm(8)"];
/// Sections of every page of a program, in this order.
const SECTIONS: [&str; 7] =
    ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"];

/// A page in mdoc, as lines.
struct Page {
    file: String,
    lines: Vec<String>,
}

impl Page {
    fn read(file: &str) -> Self {
        let text = fs::read_to_string(folder().join(file)).unwrap();
        Self { file: file.to_owned(), lines: text.lines().map(str::to_owned).collect() }
    }

    /// The titles of its sections.
    fn sections(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix(".Sh ")).collect()
    }

    /// The lines of one section.
    fn section(&self, title: &str) -> Vec<&str> {
        let head = format!(".Sh {title}");
        let inside = self.lines.iter().skip_while(|line| **line != head).skip(1);
        inside.take_while(|line| !line.starts_with(".Sh ")).map(String::as_str).collect()
    }

    /// Literal displays with the line before each of them.
    fn displays(&self) -> Vec<(&str, String)> {
        let starts = |line: &String| line.starts_with(".Bd -literal");
        let places = (0..self.lines.len()).filter(|place| starts(&self.lines[*place]));
        places
            .map(|place| {
                let inside = self.lines[place + 1..].iter().take_while(|line| *line != ".Ed");
                let text: Vec<String> = inside.map(|line| unescape(line)).collect();
                (self.lines[place - 1].as_str(), text.join("\n") + "\n")
            })
            .collect()
    }

    /// Commands that the page shows: lines of displays behind a prompt, and quoted ones.
    fn commands(&self) -> Vec<String> {
        let displays = self.displays();
        let lines = displays.iter().flat_map(|(_, text)| text.lines());
        let shown = lines.filter_map(|line| line.strip_prefix("# ").or(line.strip_prefix("$ ")));
        let quoted = self.lines.iter().filter_map(|line| line.strip_prefix(".Ql "));
        let quoted = quoted.map(|line| unescape(line.trim_end_matches([' ', '.', ',', ';'])));
        shown.map(str::to_owned).chain(quoted).collect()
    }

    /// Codes of the list of exit codes.
    fn exit_codes(&self) -> Vec<u8> {
        let section = self.section("EXIT STATUS");
        section.iter().filter_map(|line| line.strip_prefix(".It ")?.parse().ok()).collect()
    }
}

/// What `man` shows for a line of a literal display.
fn unescape(line: &str) -> String {
    line.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
}

/// The options that macros name: `Fl -json` is `--json`, `Fl n` is `-n`.
fn options(lines: &[&str]) -> BTreeSet<String> {
    let words = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        let names = words.windows(2).filter(|pair| pair[0].trim_start_matches('.') == "Fl");
        names.map(|pair| format!("-{}", pair[1])).collect::<Vec<_>>()
    };
    lines.iter().filter(|line| line.starts_with('.')).flat_map(words).collect()
}

fn items<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().copied().filter(|line| line.starts_with(".It Fl ")).collect()
}

/// The options that a program's `--help` shows.
fn options_of(command: &Command) -> BTreeSet<String> {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    shown
        .flat_map(|argument| {
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            long.into_iter().chain(short)
        })
        .collect()
}

/// The options of a subcommand that are not those of the whole program.
fn own_options(command: &Command) -> BTreeSet<String> {
    let of_all = ["-h", "--help", "-V", "--version", "--runtime-dir"].map(str::to_owned);
    options_of(command).difference(&BTreeSet::from(of_all)).cloned().collect()
}

fn programs() -> Vec<Command> {
    let mut programs = vec![
        pulse::Arguments::command(),
        lvsd::options::Options::command(),
        nanny::arguments::Arguments::command(),
        send_arp::command::Arguments::command(),
        lvsctl::Arguments::command(),
    ];
    programs.iter_mut().for_each(Command::build);
    programs
}

fn page_of(program: &Command) -> Page {
    Page::read(&format!("{}.8", program.get_name()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("man")
}

fn pages() -> Vec<Page> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 7, "{names:?}");
    names.iter().map(|name| Page::read(name)).collect()
}

#[test]
fn every_option_of_a_program_is_in_its_page_and_no_other() {
    for program in programs() {
        let page = page_of(&program);
        let mut all = options_of(&program);
        let listed = options(&items(&page.section("OPTIONS")));
        if program.get_name() == "nanny" {
            let check = program.find_subcommand("check").unwrap();
            all.extend(own_options(check));
        }
        assert_eq!(listed, all, "{}", page.file);
        let subcommands = program.get_subcommands().flat_map(own_options);
        let known: BTreeSet<String> = all.iter().cloned().chain(subcommands).collect();
        let lines: Vec<&str> = page.lines.iter().map(String::as_str).collect();
        let unknown: Vec<_> = options(&lines).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{} names {unknown:?}", page.file);
        if program.get_name() != "lvsctl" {
            let synopsis = options(&page.section("SYNOPSIS"));
            let form = ["-h", "--help", "-V", "--version", "--interface"].map(str::to_owned);
            let left_out: Vec<_> = known.difference(&synopsis).collect();
            assert!(left_out.iter().all(|name| form.contains(name)), "{}: {left_out:?}", page.file);
        }
    }
}

#[test]
fn every_command_of_lvsctl_is_in_its_page_with_its_options_and_no_other() {
    let program = programs().pop().unwrap();
    let page = page_of(&program);
    let section = page.section("COMMANDS");
    let item = |line: &&str| line.strip_prefix(".It Cm ").map(str::to_owned);
    let listed: Vec<String> = section.iter().filter_map(item).collect();
    let name = |line: &String| line.split(' ').next().unwrap().to_owned();
    let names: BTreeSet<String> = listed.iter().map(name).collect();
    assert_eq!(names.len(), listed.len());
    let all = program.get_subcommands().map(|command| command.get_name().to_owned());
    assert_eq!(names, all.collect());
    for line in &listed {
        let command = program.find_subcommand(name(line)).unwrap();
        assert_eq!(options(&[&format!(".{line}")]), own_options(command), "{line}");
        let values = command.get_positionals().count();
        let own = line.split("Oc").last().unwrap();
        let shown = own.matches("Ar ").count();
        assert_eq!(shown, values, "{line}");
    }
}

#[test]
fn every_command_that_a_page_shows_is_understood_by_its_program() {
    let mut shown = 0;
    for page in pages() {
        for line in page.commands() {
            let words = words(&line);
            let programs = programs();
            let program = programs.into_iter().find(|program| program.get_name() == words[0]);
            if let Some(program) = program {
                shown += 1;
                let answer = program.try_get_matches_from(&words);
                assert!(answer.is_ok(), "{}: {line}: {}", page.file, answer.unwrap_err());
            }
        }
    }
    assert!(shown > 20, "{shown}");
}

/// Words as a shell takes them apart, with double quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[test]
fn every_configuration_in_a_page_passes_the_checks() {
    let mut found = 0;
    for page in pages() {
        for (before, text) in page.displays() {
            if !before.starts_with(".\\\" example: configuration") {
                assert!(!text.contains("services:"), "{} has an unmarked example", page.file);
                continue;
            }
            found += 1;
            let read = |_: &Path| Ok(text.clone().into_bytes());
            let loaded = config::load(Path::new("cluster.yaml"), false, &read);
            let problems = config::render(&loaded.diagnostics, false);
            assert!(problems.is_empty(), "{}:\n{problems}", page.file);
            assert!(!loaded.cluster.unwrap().services.is_empty());
        }
    }
    assert!(found >= 5, "{found}");
}

#[test]
fn exit_codes_are_those_of_the_programs() {
    let all = Exit::ALL.map(Exit::code);
    for program in programs() {
        let page = page_of(&program);
        let mut codes = page.exit_codes();
        match program.get_name() {
            "pulse" | "lvsd" | "lvsctl" => assert_eq!(codes, all, "{}", page.file),
            "nanny" => {
                assert_eq!(codes.remove(1), nanny::command::DOWN);
                assert_eq!(codes, [Exit::Done, Exit::Usage, Exit::Internal].map(Exit::code));
            }
            _ => assert!(
                codes.len() > 1 && codes.iter().all(|code| all.contains(code)),
                "{}: {codes:?}",
                page.file
            ),
        }
    }
}

#[test]
fn every_page_has_the_sections_that_people_look_for() {
    for page in pages() {
        let sections = page.sections();
        let program = page.file.ends_with(".8");
        let wanted = SECTIONS.iter().filter(|title| {
            program || !["SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES"].contains(title)
        });
        let mut rest = sections.iter();
        for title in wanted {
            assert!(rest.any(|found| found == title), "{}: {title} in {sections:?}", page.file);
        }
        let name = page.file.rsplit_once('.').unwrap().0;
        assert_eq!(page.section("NAME")[0], format!(".Nm {name}"), "{}", page.file);
    }
}

#[test]
fn a_reference_leads_to_a_page() {
    let pages = pages();
    let ours = |name: &str| {
        pages.iter().any(|page| {
            let (file, section) = page.file.rsplit_once('.').unwrap();
            name == format!("{file}({section})")
        })
    };
    for page in &pages {
        for line in page.lines.iter().filter_map(|line| line.strip_prefix(".Xr ")) {
            let mut words = line.split(' ');
            let name = format!("{}({})", words.next().unwrap(), words.next().unwrap());
            assert!(ours(&name) || FOREIGN.contains(&name.as_str()), "{}: {name}", page.file);
        }
    }
}

#[test]
fn the_pages_name_every_place_where_a_configuration_is_looked_for() {
    for file in ["pulse.8", "lvsd.8", "lvsctl.8", "caribe.7"] {
        let text = Page::read(file).lines.join("\n");
        let places = runtime::config_file::DEFAULT_PATHS.map(|path| text.find(path));
        assert!(places.iter().all(Option::is_some), "{file}: {places:?}");
        assert!(text.contains(runtime::dirs::DEFAULT), "{file}");
    }
}

#[test]
fn man_renders_every_page_without_a_warning() {
    for page in pages() {
        let shown = std::process::Command::new("man")
            .args(["--warnings", "-l"])
            .arg(folder().join(&page.file))
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .env_remove("MANROFFOPT")
            .output()
            .expect("man is needed: apt-get install man-db");
        let warnings = String::from_utf8_lossy(&shown.stderr);
        assert!(shown.status.success() && warnings.is_empty(), "{}: {warnings}", page.file);
        let text = String::from_utf8_lossy(&shown.stdout);
        assert!(text.contains("SEE ALSO"), "{}: {text}", page.file);
    }
}
