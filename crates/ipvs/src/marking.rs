//! Traffic that is to be marked so that one virtual server takes all of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{Family, Protocol};

/// Ports of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ports {
    /// The address.
    pub ip: IpAddr,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The first port; 0 is every port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl Ports {
    /// One port, or with 0 every port.
    pub fn one(address: SocketAddr, protocol: Protocol) -> Self {
        Self { ip: address.ip(), protocol, first: address.port(), last: address.port() }
    }

    /// Family of the packets.
    pub fn family(&self) -> Family {
        Family::of(self.ip)
    }

    /// Whether a packet may go to both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let every = self.first == 0 || other.first == 0;
        self.ip == other.ip
            && self.protocol == other.protocol
            && (every || (self.first <= other.last && other.first <= self.last))
    }
}

/// `192.168.1.1:21/tcp`, `[2001:db8::1]:10000-10100/tcp`.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", SocketAddr::new(self.ip, self.first))?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        write!(f, "/{}", self.protocol)
    }
}

/// One rule of netfilter: what goes to these ports is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MarkRule {
    /// Where the packets go.
    pub ports: Ports,
    /// The mark; never 0.
    pub mark: u32,
}

/// As `nft` writes it.
impl fmt::Display for MarkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ports: Ports { ip, protocol, first, last }, mark } = self;
        let family = if ip.is_ipv4() { "ip" } else { "ip6" };
        write!(f, "{family} daddr {ip} ")?;
        match (first, last) {
            (0, _) => write!(f, "meta l4proto {protocol}")?,
            (first, last) if first == last => write!(f, "{protocol} dport {first}")?,
            (first, last) => write!(f, "{protocol} dport {first}-{last}")?,
        }
        write!(f, " meta mark set {mark}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(first: u16, last: u16) -> Ports {
        Ports { ip: IpAddr::from([192, 168, 1, 1]), protocol: Protocol::Tcp, first, last }
    }

    #[test]
    fn a_rule_reads_as_nft_writes_it() {
        let rule = |first, last| MarkRule { ports: ports(first, last), mark: 7 }.to_string();
        assert_eq!(rule(21, 21), "ip daddr 192.168.1.1 tcp dport 21 meta mark set 7");
        assert_eq!(rule(20, 21), "ip daddr 192.168.1.1 tcp dport 20-21 meta mark set 7");
        assert_eq!(rule(0, 0), "ip daddr 192.168.1.1 meta l4proto tcp meta mark set 7");
    }

    #[test]
    fn ports_overlap_when_one_packet_may_go_to_both() {
        assert!(ports(20, 30).overlaps(&ports(30, 40)));
        assert!(ports(0, 0).overlaps(&ports(30, 40)), "0 is every port");
        assert!(!ports(20, 29).overlaps(&ports(30, 40)));
        let udp = Ports { protocol: Protocol::Udp, ..ports(20, 30) };
        assert!(!udp.overlaps(&ports(20, 30)));
    }
}
