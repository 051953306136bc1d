//! Checks that talk in turns: line protocols, binary ones, and the domain name system.

use serde::{Deserialize, Serialize};

use super::{Expect, Tls};

/// A dialogue over one TCP connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dialogue {
    /// TLS from the first byte on, and how the certificate is treated.
    pub tls: Option<Tls>,
    /// What is said and heard, in turns; at least one.
    pub steps: Vec<Exchange>,
}

/// One turn of a dialogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// What is sent; none waits for the server, which speaks first.
    pub send: Option<Vec<u8>>,
    /// What must come back; none goes on at once.
    pub expect: Option<Expect>,
}

/// A question to a name server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DnsCheck {
    /// The name that is asked for; an address is asked for its name.
    pub name: String,
    /// Over TCP.
    pub tcp: bool,
    /// What one of the answers must hold, as text; none takes any answer.
    pub expect: Option<Expect>,
}
