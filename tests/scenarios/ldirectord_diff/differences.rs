//! Where the two tables differ on purpose, line by line.

use super::Step;
use super::Step::{Both, Edited, First, None, Second, Start};

/// Lines that only one of both has while the servers are so.
pub(super) struct Difference {
    /// As `caribe(7)` says it.
    pub(super) why: &'static str,
    pub(super) steps: &'static [Step],
    pub(super) ours: &'static [&'static str],
    pub(super) theirs: &'static [&'static str],
}

const PROOF: &str = "A check that cannot prove health fails";
const ANY_ANSWER: &str = "A name server is well when it answers";
const CERTIFICATES: &str =
    "Certificates of real servers are verified only where the file asks for it.";
const ARRIVAL: &str = "With direct routing and tunnels the port of the virtual server is checked";
const MARKS: &str = "A sorry server for the whole file stands in behind firewall marks, too.";
const BLANKS: &str =
    "Blank lines do not end a virtual server, and blanks or comments behind a value do no harm.";
const OWN_PAGE: &str =
    "The page that one real server is asked for counts with and without a slash before it.";

const WHOLE: &str = "A configuration is taken whole or not at all";

const WEB: &str = "-A -t 192.168.1.1:80 -s wrr";
const ONE: &str = "-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 1";
const TWO: &str = "-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 1";
const ONE_0: &str = "-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 0";
const TWO_0: &str = "-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 0";
const ONE_5: &str = "-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 5";
const TWO_5: &str = "-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5";
const ALL_WELL: &[Step] = &[Start, Edited, Both];

const fn differs(
    why: &'static str,
    steps: &'static [Step],
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
) -> Difference {
    Difference { why, steps, ours, theirs }
}

/// A program that a signal ends says nothing good.
pub(super) const KILLED: &[Difference] = &[
    differs(PROOF, &[Second], &[], &[ONE]),
    differs(PROOF, &[None], &[], &[ONE, TWO]),
    differs(PROOF, &[First], &[], &[TWO]),
];

/// An edit that is refused: ldirectord has half of it, and is blind for the rest.
pub(super) const REFUSED: &[Difference] = &[differs(WHOLE, &[None, First], &[], &[TWO])];

const MAIL_1: &str = "-a -t 192.168.1.1:110 -r 192.168.1.4:110 -g -w 1";
const MAIL_2: &str = "-a -t 192.168.1.1:110 -r 192.168.1.5:110 -g -w 1";
const FILE_1: &str = "-a -t 192.168.1.1:21 -r 192.168.1.4:21 -g -w 1";
const FILE_2: &str = "-a -t 192.168.1.1:21 -r 192.168.1.5:21 -g -w 1";

/// Servers that nobody reaches.
pub(super) const VACUOUS: &[Difference] = &[
    differs(PROOF, &[Second], &[], &[MAIL_1, FILE_1]),
    differs(PROOF, &[None], &[], &[MAIL_1, MAIL_2, FILE_1, FILE_2]),
    differs(PROOF, &[First], &[], &[MAIL_2, FILE_2]),
];

const NAME_1: &str = "-a -u 192.168.1.1:53 -r 192.168.1.4:53 -g -w 1";
const NAME_2: &str = "-a -u 192.168.1.1:53 -r 192.168.1.5:53 -g -w 1";

/// Name servers that answer what nobody waits for.
pub(super) const DNS_ANY: &[Difference] = &[
    differs(ANY_ANSWER, ALL_WELL, &[NAME_1, NAME_2], &[]),
    differs(ANY_ANSWER, &[Second], &[NAME_2], &[]),
    differs(ANY_ANSWER, &[First], &[NAME_1], &[]),
];

const TLS_1: &str = "-a -t 192.168.1.1:443 -r 192.168.1.4:443 -g -w 1";
const TLS_2: &str = "-a -t 192.168.1.1:443 -r 192.168.1.5:443 -g -w 1";
const TLS_SORRY: &str = "-a -t 192.168.1.1:443 -r 127.0.0.1:443 -g -w 1";

/// ldirectord means to verify nothing either, but today's Perl verifies who signed.
pub(super) const TLS: &[Difference] = &[
    differs(CERTIFICATES, ALL_WELL, &[TLS_1, TLS_2], &[TLS_SORRY]),
    differs(CERTIFICATES, &[Second], &[TLS_2], &[TLS_SORRY]),
    differs(CERTIFICATES, &[First], &[TLS_1], &[TLS_SORRY]),
];

/// ldirectord forgets what such a page has to hold, and asks for the page of all.
pub(super) const SLASH: &[Difference] =
    &[differs(OWN_PAGE, &[Start, Edited, Second, Both], &[TWO], &[])];

/// ldirectord looks for the port of its file, finds the other one in the table, and never gives
/// the weight back.
pub(super) const PORTS: &[Difference] = &[
    differs(ARRIVAL, ALL_WELL, &[ONE_5, TWO_5], &[ONE_0, TWO_0]),
    differs(ARRIVAL, &[Second], &[TWO_5], &[TWO_0]),
    differs(ARRIVAL, &[First], &[ONE_5], &[ONE_0]),
];

/// ldirectord tries to add a server without an address.
pub(super) const MARK: &[Difference] =
    &[differs(MARKS, &[None], &["-a -f 7 -r 127.0.0.1:0 -g -w 1"], &[])];

/// ldirectord refuses the file.
pub(super) const LENIENT: &[Difference] = &[
    differs(BLANKS, ALL_WELL, &[WEB, ONE, TWO], &[]),
    differs(BLANKS, &[Second], &[WEB, ONE_0, TWO], &[]),
    differs(BLANKS, &[None], &[WEB, ONE_0, TWO_0], &[]),
    differs(BLANKS, &[First], &[WEB, ONE, TWO_0], &[]),
];
