//! Hears of changes of interfaces and addresses.

use std::collections::HashSet;

use neli::consts::socket::NlFamily;
use neli::utils::Groups;

use crate::KernelError;
use crate::addresses::{self, DELETE_ADDRESS, HostAddress, NEW_ADDRESS};
use crate::channel::Channel;
use crate::message::{Message, Messages};

/// Multicast groups: links, IPv4 addresses, IPv6 addresses (`RTNLGRP_…`).
const NOTICES: [u32; 3] = [1, 5, 9];

/// Notices that are taken in one go: more than the socket has room for.
const MOST_WAITING: usize = 8192;

/// Hears when an interface or an address of this host changed.
pub struct LinkMonitor {
    channel: Channel,
    known: Known,
}

impl LinkMonitor {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the kernel has no sockets to give.
    pub fn open() -> Result<Self, KernelError> {
        let channel = Channel::open_with(NlFamily::Route, Groups::new_groups(&NOTICES))?;
        Ok(Self { channel, known: Known::default() })
    }

    /// Waits until something changed; what, is to be listed anew. All that changed by now is one
    /// change: a thousand addresses that come at once are no thousand reasons to list them. May be
    /// dropped and called again.
    ///
    /// # Errors
    /// When the socket failed for good.
    pub async fn changed(&mut self) -> Result<(), KernelError> {
        loop {
            match self.channel.notice().await {
                Ok(notice) if self.known.learn(notice) => return self.learn_waiting(),
                Ok(_) => {}
                // Notices were lost, so something changed.
                Err(KernelError::Overrun) => {
                    self.known.0.clear();
                    return self.learn_waiting();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the notices that are there already.
    fn learn_waiting(&mut self) -> Result<(), KernelError> {
        for _ in 0..MOST_WAITING {
            match self.channel.waiting_notice() {
                Ok(Some(notice)) => {
                    self.known.learn(notice);
                }
                Ok(None) => break,
                Err(KernelError::Overrun) => self.known.0.clear(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The addresses that were told. The kernel tells each of them anew whenever its lease is renewed,
/// and that changes nothing.
#[derive(Default)]
struct Known(HashSet<HostAddress>);

impl Known {
    /// Whether a datagram of notices tells anything new.
    fn learn(&mut self, datagram: &[u8]) -> bool {
        let mut news = false;
        for message in Messages(datagram) {
            news |= message.map_or(true, |message| self.learn_one(&message));
        }
        news
    }

    fn learn_one(&mut self, message: &Message<'_>) -> bool {
        match (message.kind, addresses::decode(message.payload)) {
            (NEW_ADDRESS, Ok(Some(address))) => self.0.insert(address),
            (DELETE_ADDRESS, Ok(Some(address))) => {
                self.0.remove(&address);
                true
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::append;

    /// `ifaddrmsg` of an IPv4 address on interface 3, and `IFA_LOCAL`.
    fn notice(kind: u16, last: u8) -> Vec<u8> {
        let payload = [2, 24, 0, 0, 3, 0, 0, 0, 8, 0, 2, 0, 192, 168, 1, last];
        let mut datagram = Vec::new();
        append(&mut datagram, kind, 0, 0, &payload);
        datagram
    }

    #[test]
    fn a_renewed_lease_is_no_news() {
        let mut known = Known::default();
        assert!(known.learn(&notice(NEW_ADDRESS, 1)));
        assert!(!known.learn(&notice(NEW_ADDRESS, 1)));
        assert!(known.learn(&[notice(NEW_ADDRESS, 1), notice(NEW_ADDRESS, 2)].concat()));
    }

    #[test]
    fn an_address_that_goes_and_comes_back_is_news_both_times() {
        let mut known = Known::default();
        known.learn(&notice(NEW_ADDRESS, 1));
        assert!(known.learn(&notice(DELETE_ADDRESS, 1)));
        assert!(known.learn(&notice(NEW_ADDRESS, 1)));
    }

    #[test]
    fn a_link_and_what_cannot_be_read_are_news() {
        let mut known = Known::default();
        assert!(known.learn(&notice(16, 1)) && known.learn(&notice(16, 1)));
        assert!(known.learn(&[1, 2, 3]));
    }
}
