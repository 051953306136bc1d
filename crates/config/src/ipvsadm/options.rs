//! The words of one line as options with values.

use crate::foreign::report::Reporter;
use crate::foreign::table::Report;
use crate::foreign::word::Word;
use crate::nearest;

/// How many words an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    One,
    /// A number that may be left out.
    Perhaps,
    Three,
}
use Takes::{Nothing, One, Perhaps, Three};

/// Commands: long name, letter, words.
const COMMANDS: [(&str, char, Takes); 16] = [
    ("add-service", 'A', Nothing),
    ("edit-service", 'E', Nothing),
    ("delete-service", 'D', Nothing),
    ("clear", 'C', Nothing),
    ("restore", 'R', Nothing),
    ("save", 'S', Nothing),
    ("add-server", 'a', Nothing),
    ("edit-server", 'e', Nothing),
    ("delete-server", 'd', Nothing),
    ("list", 'L', Nothing),
    ("zero", 'Z', Nothing),
    ("set", ' ', Three),
    ("start-daemon", ' ', One),
    ("stop-daemon", ' ', One),
    ("help", 'h', Nothing),
    ("version", 'v', Nothing),
];

const OPTIONS: [(&str, char, Takes); 30] = [
    ("tcp-service", 't', One),
    ("udp-service", 'u', One),
    ("sctp-service", ' ', One),
    ("fwmark-service", 'f', One),
    ("ipv6", '6', Nothing),
    ("scheduler", 's', One),
    ("persistent", 'p', Perhaps),
    ("netmask", 'M', One),
    ("pe", ' ', One),
    ("sched-flags", 'b', One),
    ("ops", 'o', Nothing),
    ("real-server", 'r', One),
    ("gatewaying", 'g', Nothing),
    ("ipip", 'i', Nothing),
    ("masquerading", 'm', Nothing),
    ("weight", 'w', One),
    ("u-threshold", 'x', One),
    ("l-threshold", 'y', One),
    ("tun-type", ' ', One),
    ("tun-port", ' ', One),
    ("tun-nocsum", ' ', Nothing),
    ("tun-csum", ' ', Nothing),
    ("tun-remcsum", ' ', Nothing),
    ("mcast-interface", ' ', One),
    ("syncid", ' ', One),
    ("sync-maxlen", ' ', One),
    ("mcast-group", ' ', One),
    ("mcast-port", ' ', One),
    ("mcast-ttl", ' ', One),
    ("numeric", 'n', Nothing),
];

/// One option as it was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: &'static str,
    /// The word that gave it.
    pub(super) word: Word,
    pub(super) values: Vec<Word>,
}

impl Given {
    /// Its value.
    pub(super) fn value(&self) -> &Word {
        self.values.first().unwrap_or(&self.word)
    }
}

/// The options of one line.
#[derive(Debug, Default)]
pub(super) struct Options(Vec<Given>);

impl Options {
    /// An option, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&Given> {
        self.0.iter().find(|given| given.name == name)
    }

    /// The first of these that was given.
    pub(super) fn any(&self, names: &[&str]) -> Option<&Given> {
        self.0.iter().find(|given| names.contains(&given.name))
    }
}

/// The command and the options of a line; none when it cannot be read, which was told.
pub(super) fn split(report: &mut Report<'_>, words: &[Word]) -> Option<(Given, Options)> {
    let mut rest = words.iter().cloned().collect::<std::collections::VecDeque<Word>>();
    let mut all: Vec<Given> = Vec::new();
    while let Some(word) = rest.pop_front() {
        for (name, takes, own) in named(report, &word)? {
            let mut values: Vec<Word> = own.into_iter().collect();
            let (least, most) = match takes {
                Nothing => (0, 0),
                One => (1, 1),
                Perhaps => (0, 1),
                Three => (3, 3),
            };
            while values.len() < most && rest.front().is_some_and(|next| is_value(next, takes)) {
                values.extend(rest.pop_front());
            }
            if values.len() < least {
                let help = format!(
                    "write {} behind it",
                    if least > 1 { "three numbers" } else { "its value" }
                );
                report.error(&word.span, format!("{} has no value", word.text), help);
                return None;
            }
            if all.iter().any(|given| given.name == name) {
                report.error(
                    &word.span,
                    format!("--{name} is given twice"),
                    "remove one of the two",
                );
                return None;
            }
            all.push(Given { name, word: word.clone(), values });
        }
    }
    let is_command = |given: &Given| COMMANDS.iter().any(|(name, ..)| *name == given.name);
    match all.split_first() {
        Some((first, others)) if is_command(first) => {
            Some((first.clone(), Options(others.to_vec())))
        }
        Some((first, _)) => {
            let help = "begin each line with -A for a service or -a for a real server";
            report.error(&first.word.span, "a line begins with what it does", help);
            None
        }
        None => None,
    }
}

fn is_value(word: &Word, takes: Takes) -> bool {
    match takes {
        Perhaps => word.text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => !word.text.starts_with('-') || word.text.len() == 1,
    }
}

/// What a word that begins with `-` gives: one long option, with a value behind `=` perhaps, or
/// several letters.
fn named(report: &mut Report<'_>, word: &Word) -> Option<Vec<(&'static str, Takes, Option<Word>)>> {
    let known = || COMMANDS.iter().chain(OPTIONS.iter());
    if let Some(long) = word.text.strip_prefix("--") {
        let end = long.find('=').unwrap_or(long.len());
        let name = long.get(..end).unwrap_or(long);
        let own = (end < long.len()).then(|| word.part(end + 3..word.text.len()));
        if let Some((name, _, takes)) = known().find(|(known, ..)| *known == name) {
            return Some(vec![(name, *takes, own)]);
        }
        let near = nearest(name, known().map(|(name, ..)| *name));
        let help = near.map(|near| format!("did you mean --{near}?"));
        report.error(
            &word.span,
            format!("ipvsadm has no option --{name}"),
            help.unwrap_or_else(|| "see ipvsadm(8) for those that it has".into()),
        );
        return None;
    }
    let Some(letters) = word.text.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
        let help = "blanks separate words here, and nothing can be quoted";
        report.error(&word.span, format!("{} belongs to no option", word.text), help);
        return None;
    };
    let mut found = Vec::new();
    for letter in letters.chars() {
        let Some((name, _, takes)) = known().find(|(_, known, _)| *known == letter) else {
            let help = "see ipvsadm(8) for those that it has";
            report.error(&word.span, format!("ipvsadm has no option -{letter}"), help);
            return None;
        };
        found.push((*name, *takes, None));
    }
    Some(found)
}
