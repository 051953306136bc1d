//! The kernel's IPVS table as `/proc/net/ip_vs` shows it: read without starting a process, so
//! that a scenario can look at it every few milliseconds.

use crate::{Failure, Outcome};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// One virtual service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelService {
    /// `TCP 192.168.1.1:80`, `FWM 7`.
    pub name: String,
    /// The scheduler, for example `wlc`.
    pub scheduler: String,
    /// Its real servers in the kernel's order.
    pub servers: Vec<KernelServer>,
}

/// One real server of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelServer {
    /// Address and port.
    pub address: SocketAddr,
    /// `Route`, `Masq`, `Tunnel` or `Local`.
    pub forwarding: String,
    /// Weight.
    pub weight: i32,
    /// Connections that are open.
    pub active: u32,
    /// Connections that are closing.
    pub inactive: u32,
}

impl KernelService {
    /// Its real server with this address (`192.168.1.4:80`).
    pub fn server(&self, address: &str) -> Option<&KernelServer> {
        let address: SocketAddr = address.parse().ok()?;
        self.servers.iter().find(|server| server.address == address)
    }
}

/// The file in as few reads as can be, a page each. Where a read ends, the kernel counts the
/// services of every network, and goes on by counting those of this one: some would be left out.
/// A usual reader begins with 32 bytes.
pub(crate) fn read(path: &str) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut bytes, mut page) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut page)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            count => bytes.extend_from_slice(page.get(..count).unwrap_or_default()),
        }
    }
}

/// Reads what the kernel shows.
pub(crate) fn parse(text: &str) -> Outcome<Vec<KernelService>> {
    let mut services: Vec<KernelService> = Vec::new();
    // Three lines of headings come first.
    for line in text.lines().skip(3) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = match words.as_slice() {
            ["->", address, forwarding, weight, active, inactive] => {
                server([address, forwarding, weight, active, inactive]).and_then(|server| {
                    services.last_mut()?.servers.push(server);
                    Some(())
                })
            }
            [protocol, address, scheduler, ..] => service(protocol, address).map(|name| {
                let scheduler = (*scheduler).to_owned();
                services.push(KernelService { name, scheduler, servers: Vec::new() });
            }),
            _ => None,
        };
        known.ok_or_else(|| Failure::new(format!("the kernel's table has a line: {line}")))?;
    }
    Ok(services)
}

/// The connections that every processor has scheduled, of `/proc/net/ip_vs_stats_percpu`: its
/// numbers are hexadecimal.
pub(crate) fn scheduled(text: &str) -> Outcome<u64> {
    // Two lines of headings; the line of totals lags behind.
    let rows = text.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let counts = rows.take_while(|words| words.first().is_some_and(|first| *first != "~"));
    let read = |words: Vec<&str>| u64::from_str_radix(words.get(1)?, 16).ok();
    let counts: Option<Vec<u64>> = counts.map(read).collect();
    let counts = counts.filter(|counts| !counts.is_empty());
    let counts = counts.ok_or_else(|| Failure::new(format!("the kernel's counters are {text}")))?;
    Ok(counts.iter().sum())
}

fn service(protocol: &str, address: &str) -> Option<String> {
    if protocol == "FWM" {
        return Some(format!("FWM {}", u32::from_str_radix(address, 16).ok()?));
    }
    Some(format!("{protocol} {}", socket_address(address)?))
}

fn server(words: [&str; 5]) -> Option<KernelServer> {
    let [address, forwarding, weight, active, inactive] = words;
    Some(KernelServer {
        address: socket_address(address)?,
        forwarding: forwarding.to_owned(),
        weight: weight.parse().ok()?,
        active: active.parse().ok()?,
        inactive: inactive.parse().ok()?,
    })
}

/// `C0A80101:0050` or `[2001:0db8:0000:0000:0000:0000:0000:0001]:0050`.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = match inner {
        Some(inner) => inner.parse().ok()?,
        None => Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?).into(),
    };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0A80101:0050 rr  persistent 300 FFFFFFFF
  -> C0A80105:0050      Route   1      2          3
FWM  00000007 wlc
  -> C0A80104:0000      Masq    5      0          0
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 wlc
  -> [2001:0db8:0000:0000:0000:0000:0000:0004]:0050      Tunnel  1      0          0
";

    #[test]
    fn the_kernels_table_is_read_with_marks_and_both_families() {
        let table = parse(TABLE).unwrap();
        let names: Vec<&str> = table.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["TCP 192.168.1.1:80", "FWM 7", "TCP [2001:db8::1]:80"]);
        let server = table[0].server("192.168.1.5:80").unwrap();
        assert_eq!((server.weight, server.active, server.inactive), (1, 2, 3));
        assert_eq!(table[2].server("[2001:db8::4]:80").unwrap().forwarding, "Tunnel");
    }

    #[test]
    fn what_every_processor_has_scheduled_is_added_up() {
        let text = "       Total Incoming Outgoing         Incoming         Outgoing
CPU    Conns  Packets  Packets            Bytes            Bytes
  0       1A       12        0             1000                0
  1        2        1        0               60                0
  ~       1B       12        0             1000                0

     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
           0        0        0                0                0
";
        assert_eq!(scheduled(text).unwrap(), 28);
        assert!(scheduled("").is_err());
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        assert!(parse(&format!("{TABLE}surprise\n")).is_err());
    }
}
