//! Forms of text: what an editor can tell from the characters alone. The parser is stricter, and
//! has the last word.

/// A form of text.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is, for a person.
    pub what: &'static str,
    /// A regular expression, in the part of the syntax that ECMA-262 and Rust share.
    pub pattern: &'static str,
    /// Smallest and largest where the same may be written as a number.
    pub number: Option<(u64, u64)>,
}

const fn form(what: &'static str, pattern: &'static str) -> Form {
    Form { what, pattern, number: None }
}

/// `50%`
pub(super) static SHARE: Form = form("a share, 0% to 100%", "^ *0*(100|[0-9]{1,2}) *% *$");

/// `IFNAMSIZ` is 16 with the closing NUL.
pub(super) static INTERFACE: Form =
    Form { what: "an interface", pattern: "^[^\\s/:]{1,15}$", number: Some((0, u64::MAX)) };

pub(super) static IPV4_ADDRESS: Form = form("an IPv4 address", "^([0-9]{1,3}\\.){3}[0-9]{1,3}$");

/// IPv4 or IPv6, with or without brackets.
pub(super) const ADDRESS: &str =
    "^ *\\[?(([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)\\]? *$";

pub(super) static ADDRESS_WITH_PREFIX: Form = form(
    "an address, with or without /prefix",
    "^ *\\[?(([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)\\]? *(/ *[0-9]{1,3} *)?$",
);

pub(super) static PORTS: Form = form(
    "ADDRESS:PORT or ADDRESS:FIRST-LAST, with /tcp, /udp or /sctp",
    "^ *(([0-9]{1,3}\\.){3}[0-9]{1,3}|\\[[0-9A-Fa-f:.]*(%[0-9]+)?\\]):[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))? *$",
);

pub(super) static MARK: Form = Form {
    what: "auto, or a number of 1 or more",
    pattern: "^ *(auto|0*[1-9][0-9]{0,9}) *$",
    number: Some((1, 4_294_967_295)),
};

/// An address or a host name, with or without port.
pub(super) static PLACE: Form = Form {
    what: "ADDRESS:PORT or NAME:PORT; without port the virtual server's",
    pattern: "^ *([0-9A-Za-z._-]+(:[0-9]{1,5})?|\\[[0-9A-Fa-f:.]+(%[0-9]+)?\\](:[0-9]{1,5})?|[0-9A-Fa-f:.]+) *$",
    number: Some((0, u64::MAX)),
};

pub(super) static SCHEDULER: Form = Form {
    what: "rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh or twos",
    pattern: "^[a-z0-9_]{1,15}$",
    number: Some((0, u64::MAX)),
};

/// A proxy is asked for a whole address.
pub(super) static REQUEST_PATH: Form = form("text that begins with /", "^(/|http://)\\S*$");

pub(super) static STATUS: Form = Form {
    what: "a status code, or a range of them",
    pattern: "^ *[1-5][0-9]{2} *(- *[1-5][0-9]{2} *)?$",
    number: Some((100, 599)),
};

pub(super) static DIGEST: Form = form("an MD5: 32 hexadecimal digits", "^ *[0-9A-Fa-f]{32} *$");

pub(super) static MAIL_ADDRESS: Form =
    Form { what: "a mail address", pattern: "^[^\\s<>,]+$", number: Some((0, u64::MAX)) };

pub(super) static FULL_PATH: Form = form("a full path", "^/");
