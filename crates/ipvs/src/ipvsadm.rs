//! Tables and steps in the words of ipvsadm(8), which operators know and scripts compare.

use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;

use crate::{
    Destination, DestinationKey, Family, Forwarding, Pool, Protocol, Scheduler, SchedulerFlags,
    Service, ServiceKey, Table, Tunnel, TunnelChecksum,
};

#[cfg(test)]
mod tests;

/// The table as `ipvsadm -S -n` prints it, one rule per line.
///
/// Virtual servers come in the order of their keys and real servers in the order of their addresses;
/// ipvsadm's own order differs a little, so whoever compares the two sorts the lines first.
/// Like ipvsadm, this leaves the thresholds out. Unlike ipvsadm, which prints an empty `-b`, it names
/// the third flag of `sh` and `mh`.
pub fn ipvsadm_lines(table: &Table) -> Vec<String> {
    table.iter().flat_map(|(key, pool)| pool_lines(key, pool)).collect()
}

fn pool_lines(key: &ServiceKey, pool: &Pool) -> Vec<String> {
    let mut lines = vec![format!("-A {}", ServiceRule { key, service: &pool.service })];
    lines.extend(pool.destinations.iter().map(|(real, destination)| {
        format!("-a {}", DestinationLine { key, real, destination, thresholds: false })
    }));
    lines
}

/// `-t 192.168.1.1:80`, `-u [2001:db8::1]:53`, `--sctp-service …`, `-f 7`, `-f 7 -6`.
pub(crate) struct ServiceName<'a>(pub(crate) &'a ServiceKey);

impl fmt::Display for ServiceName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ServiceKey::Address { address, protocol } => {
                let option = match protocol {
                    Protocol::Tcp => "-t",
                    Protocol::Udp => "-u",
                    Protocol::Sctp => "--sctp-service",
                };
                write!(f, "{option} {address}")
            }
            ServiceKey::Mark { mark, family: Family::Inet } => write!(f, "-f {mark}"),
            ServiceKey::Mark { mark, family: Family::Inet6 } => write!(f, "-f {mark} -6"),
        }
    }
}

/// A virtual server with its attributes, as after `-A` and `-E`.
pub(crate) struct ServiceRule<'a> {
    pub(crate) key: &'a ServiceKey,
    pub(crate) service: &'a Service,
}

impl fmt::Display for ServiceRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service { scheduler, flags, persistence, one_packet } = self.service;
        write!(f, "{} -s {scheduler}", ServiceName(self.key))?;
        if let Some(persistence) = persistence {
            write!(f, " -p {}", persistence.timeout_seconds)?;
            match (self.key.family(), persistence.prefix_length) {
                (Family::Inet, 32..) | (Family::Inet6, 128..) => {}
                (Family::Inet, length) => write!(f, " -M {}", netmask(length))?,
                (Family::Inet6, length) => write!(f, " -M {length}")?,
            }
            if let Some(engine) = &persistence.engine {
                write!(f, " --pe {engine}")?;
            }
        }
        if *one_packet {
            f.write_str(" -o")?;
        }
        write_flags(f, scheduler, *flags)
    }
}

/// The IPv4 netmask with this many leading ones.
pub(crate) fn netmask(prefix_length: u8) -> Ipv4Addr {
    let zeros = 32 - u32::from(prefix_length.min(32));
    Ipv4Addr::from_bits(u32::MAX.checked_shl(zeros).unwrap_or(0))
}

fn write_flags(
    f: &mut fmt::Formatter<'_>,
    scheduler: &Scheduler,
    flags: SchedulerFlags,
) -> fmt::Result {
    let (fallback, port) = match scheduler.name() {
        "sh" => ("sh-fallback", "sh-port"),
        "mh" => ("mh-fallback", "mh-port"),
        _ => ("flag-1", "flag-2"),
    };
    let named = [(flags.fallback, fallback), (flags.port, port), (flags.third, "flag-3")];
    let mut separator = " -b ";
    for (_, name) in named.iter().filter(|(set, _)| *set) {
        write!(f, "{separator}{name}")?;
        separator = ",";
    }
    Ok(())
}

/// A real server with its attributes, as after `-a` and `-e`.
pub(crate) struct DestinationLine<'a> {
    pub(crate) key: &'a ServiceKey,
    pub(crate) real: &'a DestinationKey,
    pub(crate) destination: &'a Destination,
    /// Thresholds are written as well, which `ipvsadm -S` does not do.
    pub(crate) thresholds: bool,
}

impl fmt::Display for DestinationLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { forwarding, tunnel, weight, upper_threshold, lower_threshold } =
            self.destination;
        let method = match forwarding {
            Forwarding::Nat => "-m",
            Forwarding::Direct => "-g",
            Forwarding::Tunnel => "-i",
        };
        write!(f, "{} -r {} {method} -w {weight}", ServiceName(self.key), self.real)?;
        if *forwarding == Forwarding::Tunnel {
            write_tunnel(f, *tunnel)?;
        }
        if self.thresholds && *upper_threshold > 0 {
            write!(f, " -x {upper_threshold}")?;
        }
        if self.thresholds && *lower_threshold > 0 {
            write!(f, " -y {lower_threshold}")?;
        }
        Ok(())
    }
}

fn write_tunnel(f: &mut fmt::Formatter<'_>, tunnel: Tunnel) -> fmt::Result {
    let checksum = match tunnel {
        Tunnel::Ipip => return f.write_str(" --tun-type ipip"),
        Tunnel::Gue { port, checksum } => {
            write!(f, " --tun-type gue --tun-port {port}")?;
            checksum
        }
        Tunnel::Gre { checksum } => {
            f.write_str(" --tun-type gre")?;
            checksum
        }
    };
    f.write_char(' ')?;
    f.write_str(match checksum {
        TunnelChecksum::None => "--tun-nocsum",
        TunnelChecksum::Full => "--tun-csum",
        TunnelChecksum::Remote => "--tun-remcsum",
    })
}
