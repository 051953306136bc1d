//! Tells the neighbours where an address is now, and asks whether somebody else has it.
//!
//! An IPv4 address is announced by gratuitous ARP in both forms (RFC 5227, section 3: some
//! equipment heeds only requests, some only replies), an IPv6 address by an unsolicited neighbour
//! advertisement (RFC 4861, section 7.2.6).

pub mod announcer;
pub mod command;
pub mod frame;
pub mod interface;
pub mod mac;
pub mod probe;
pub mod schedule;
mod socket;

pub use announcer::{Announcer, Slice};
pub use interface::Interfaces;
pub use mac::Mac;
pub use probe::{Claim, who_has};
pub use schedule::{Repeats, Schedule};
pub use socket::PacketSocket;

/// The interface that an address is announced on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its link-layer address.
    pub mac: Mac,
    /// It forwards IPv6, so that hosts may go on using it as a router.
    pub router: bool,
}
