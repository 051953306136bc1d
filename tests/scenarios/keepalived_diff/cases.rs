//! The files, and where the two tables differ on purpose.

use super::Step;

/// A file of keepalived.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// Its real servers are checked, so that they can fail.
    pub(super) is_checked: bool,
    /// Where the tables differ on purpose.
    pub(super) differs: &'static [Difference],
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
    ($name:literal, $is_checked:literal) => {
        case!($name, $is_checked, &[])
    };
    ($name:literal, $is_checked:literal, $differs:expr) => {
        Case {
            name: $name,
            file: include_str!(concat!($name, ".conf")),
            is_checked: $is_checked,
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
    case!("direct", true),
    case!("nat", true),
    case!("pages", true),
    case!("tunnels", true),
    case!("schedulers", false),
    case!("flags", false),
    case!("persistence", false),
    case!("protocols", false),
    case!("marks", true),
    case!("groups", true),
    case!("ports", true),
    case!("ipv6", true),
    case!("sorry", true),
    case!("sorry-elsewhere", true),
    case!("inhibit", true),
    case!("limits", true),
    case!("programs", true),
    case!("timings", true),
    case!(
        "sorry-inhibited",
        true,
        &[
            differs(NOT_NEEDED, Step::Both, &[], &[NO_SORRY]),
            differs(NOT_NEEDED, Step::Second, &[], &[NO_SORRY]),
            differs(NOT_NEEDED, Step::First, &[], &[NO_SORRY]),
        ]
    ),
    case!("quorum", true),
    case!("quorum-of-weights", true),
    case!("several-checks", true),
    case!(
        "inhibit-some",
        true,
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
