//! The files, and where the two tables differ on purpose.

use super::Step;

/// A file of keepalived.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// How its real servers fail.
    pub(super) fails: Fails,
    /// Where the tables differ on purpose.
    pub(super) differs: &'static [Difference],
}

/// What makes checks fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fails {
    /// Nothing: there are none, or they do not look.
    Never,
    /// The port is closed.
    Closed,
    /// The page is another one.
    Changed,
}

/// Lines that only one of both has while the servers are so.
pub(super) struct Difference {
    /// As `caribe(7)` says it.
    pub(super) why: &'static str,
    pub(super) step: Step,
    pub(super) ours: &'static [&'static str],
    pub(super) theirs: &'static [&'static str],
}

macro_rules! case {
    ($name:literal, $fails:ident) => {
        case!($name, $fails, &[])
    };
    ($name:literal, $fails:ident, $differs:expr) => {
        Case {
            name: $name,
            file: include_str!(concat!($name, ".conf")),
            fails: Fails::$fails,
            differs: $differs,
        }
    };
}

const NO_SORRY: &str = "-a -t 192.168.1.1:80 -r 192.168.1.200:80 -g -w 0";
const FIRST_STAYS: &str = "-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 0";

const NOT_NEEDED: &str = "a sorry server that is not needed is not in the table";
const ONE_SETTING: &str =
    "What happens to a server that fails is one setting of its virtual server.";

const fn differs(
    why: &'static str,
    step: Step,
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
) -> Difference {
    Difference { why, step, ours, theirs }
}

pub(super) const CASES: &[Case] = &[
    case!("direct", Closed),
    case!("nat", Closed),
    case!("pages", Closed),
    case!("digest", Changed),
    case!("tunnels", Closed),
    case!("schedulers", Never),
    case!("flags", Never),
    case!("persistence", Never),
    case!("protocols", Never),
    case!("marks", Closed),
    case!("groups", Closed),
    case!("ports", Closed),
    case!("ipv6", Closed),
    case!("sorry", Closed),
    case!("sorry-elsewhere", Closed),
    case!("inhibit", Closed),
    case!("limits", Closed),
    case!("programs", Closed),
    case!("timings", Closed),
    case!(
        "sorry-inhibited",
        Closed,
        &[
            differs(NOT_NEEDED, Step::Both, &[], &[NO_SORRY]),
            differs(NOT_NEEDED, Step::Second, &[], &[NO_SORRY]),
            differs(NOT_NEEDED, Step::First, &[], &[NO_SORRY]),
        ]
    ),
    case!("quorum", Closed),
    case!("quorum-of-weights", Closed),
    case!("several-checks", Closed),
    case!(
        "inhibit-some",
        Closed,
        &[
            differs(ONE_SETTING, Step::Second, &[], &[FIRST_STAYS]),
            differs(ONE_SETTING, Step::None, &[], &[FIRST_STAYS]),
        ]
    ),
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
