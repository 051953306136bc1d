//! The files, and where the two tables differ on purpose.

use super::Step;
use super::differences::{
    DNS_ANY, Difference, KILLED, LENIENT, MARK, PORTS, REFUSED, SLASH, TLS, VACUOUS,
};

/// A file of ldirectord.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// What the file is edited to.
    pub(super) edited: Option<&'static str>,
    /// Both refuse what it is edited to.
    pub(super) is_refused: bool,
    /// The last numbers of the real servers that come and go.
    pub(super) watched: &'static [u16],
    /// Where the tables differ on purpose.
    pub(super) differs: &'static [Difference],
}

impl Case {
    /// What differs at a step.
    pub(super) fn differs_at(&self, step: Step) -> Option<&'static Difference> {
        self.differs.iter().find(|differs| differs.steps.contains(&step))
    }
}

macro_rules! case {
    ($name:literal) => {
        case!($name, &[4, 5], &[])
    };
    ($name:literal, $watched:expr) => {
        case!($name, $watched, &[])
    };
    ($name:literal, $watched:expr, $differs:expr) => {
        Case {
            name: $name,
            file: include_str!(concat!($name, ".cf")),
            edited: None,
            is_refused: false,
            watched: $watched,
            differs: $differs,
        }
    };
}

macro_rules! edited {
    ($name:literal, $is_refused:literal, $differs:expr) => {
        Case {
            edited: Some(include_str!(concat!($name, ".after.cf"))),
            is_refused: $is_refused,
            ..case!($name, &[4, 5], $differs)
        }
    };
}

/// Programs that the files name.
pub(super) const PROGRAMS: [(&str, &str); 3] = [
    ("connects", "#!/bin/bash\nexec 3<>/dev/tcp/$3/$4\n"),
    ("dies", "#!/bin/bash\nexec 3<>/dev/tcp/$3/$4 || kill -KILL $$\n"),
    ("connects.pl", "#!/usr/bin/perl\nexit(system('/etc/ha.d/connects', @ARGV) >> 8);\n"),
];

pub(super) const CASES: &[Case] = &[
    case!("web"),
    case!("ways"),
    case!("ping"),
    case!("unasked", &[]),
    case!("programs"),
    case!("questions"),
    case!("schedulers", &[]),
    case!("persistence"),
    case!("quiescent"),
    case!("quiescent-some"),
    case!("limits"),
    case!("fallback"),
    case!("fallback-all"),
    case!("range"),
    case!("names"),
    case!("ipv6"),
    case!("marks"),
    case!("dns"),
    case!("mail"),
    case!("talk"),
    case!("failures"),
    case!("inherited"),
    case!("forks"),
    case!("maintenance", &[4]),
    case!("blanks"),
    case!("ports"),
    edited!("edits", false, &[]),
    edited!("edits-services", false, &[]),
    case!("quiescent-ports", &[4, 5], PORTS),
    case!("fallback-mark", &[4, 5], MARK),
    case!("killed", &[4, 5], KILLED),
    case!("dns-any", &[4, 5], DNS_ANY),
    case!("vacuous", &[4, 5], VACUOUS),
    case!("slash", &[4, 5], SLASH),
    case!("tls", &[4, 5], TLS),
    case!("lenient", &[4, 5], LENIENT),
    edited!("edits-broken", true, REFUSED),
];

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn what_differs_on_purpose_stands_in_the_manual() {
        for differs in CASES.iter().flat_map(|case| case.differs) {
            assert!(crate::manual::says(differs.why), "the manual does not say: {}", differs.why);
        }
    }
}
