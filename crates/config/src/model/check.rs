//! How a real server is asked whether it is well.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Dialogue, Digest, DnsCheck, LoginCheck};

/// How a real server is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Check {
    /// What is done.
    pub kind: CheckKind,
    /// Port that is asked; none is the real server's.
    pub port: Option<u16>,
    /// Time between the starts of two checks.
    pub interval: Duration,
    /// Limit for one whole check.
    pub timeout: Duration,
    /// Failures in a row that take a server out; at least 1.
    pub fall: u32,
    /// Successes in a row that bring it back; at least 1.
    pub rise: u32,
    /// A returning server must also have been well for this long (lvs.cf `reentry`).
    pub reentry: Duration,
    /// The next check after a failure that has not yet taken the server out begins after this, when
    /// that is sooner than the interval; none waits for the interval.
    pub retry: Option<Duration>,
    /// So many checks in a row only open a connection, then one asks everything (ldirectord's
    /// `checktype = N`); after a failure everything is asked at once. 0 always asks everything.
    pub connects: u32,
}

impl Check {
    /// One whose first answer is the verdict.
    pub fn plain(kind: CheckKind, interval: Duration, timeout: Duration) -> Self {
        Self {
            kind,
            port: None,
            interval,
            timeout,
            fall: 1,
            rise: 1,
            reentry: Duration::ZERO,
            retry: None,
            connects: 0,
        }
    }
}

/// What a check does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Always up.
    On,
    /// Always down.
    Off,
    /// A TCP connection opens.
    Connect,
    /// Text is sent and an answer is expected, over TCP or UDP.
    SendExpect {
        /// Over UDP.
        udp: bool,
        /// What is sent after connecting; none sends nothing.
        send: Option<Vec<u8>>,
        /// What must come back; none: the connection is enough.
        expect: Option<Expect>,
    },
    /// An HTTP request is answered well.
    Http(HttpCheck),
    /// A dialogue in turns, with or without TLS.
    Dialogue(Dialogue),
    /// A name server answers a question.
    Dns(DnsCheck),
    /// A login is taken, and what is asked then is answered well.
    Login(Box<LoginCheck>),
    /// A program ends with status 0.
    External {
        /// Program and arguments. `%h` and `%p` stand for the real server's address and port,
        /// `%H` and `%P` for the virtual server's.
        argv: Vec<String>,
        /// What its output must hold.
        expect: Option<Expect>,
        /// A status from 2 to 255 is good too, and asks for that weight and 2.
        #[serde(default)]
        sets_weight: bool,
    },
    /// An ICMP echo is answered.
    Ping,
    /// A SYN to the virtual server's address, given to the real server as the director would give
    /// it, is answered.
    DataPath {
        /// It goes through a tunnel. Not of the file: it follows from the real server.
        #[serde(default)]
        tunnel: bool,
    },
}

/// What an answer must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Anything at all (lvs.cf `*`).
    Anything,
    /// It begins with these bytes (lvs.cf's plain `expect`).
    Prefix(Vec<u8>),
    /// It holds these bytes.
    Contains(Vec<u8>),
    /// It matches this regular expression, anywhere unless anchored.
    Regex(String),
}

/// An HTTP or HTTPS request, and what makes its answer good.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpCheck {
    /// HTTPS, and how the certificate is treated.
    pub tls: Option<Tls>,
    /// GET, HEAD, POST, OPTIONS.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// `Host` header, and the name in the TLS handshake; none is the server's address.
    pub host: Option<String>,
    /// Status codes that are good, as inclusive ranges; empty is 200 to 299.
    pub status: Vec<(u16, u16)>,
    /// Redirects that are followed at most, on the same server; 0 follows none.
    #[serde(default)]
    pub follow_redirects: u8,
    /// What the body must hold.
    pub expect: Option<Expect>,
    /// The MD5 of the whole body; none takes any body.
    pub digest: Option<Digest>,
}

/// TLS of a check.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tls {
    /// The certificate must be valid for the host and signed by a known authority.
    pub verify: bool,
    /// File with authorities instead of the system's.
    pub ca_file: Option<String>,
    /// Name in the handshake and the certificate, when it is not the `Host` header.
    pub name: Option<String>,
}
