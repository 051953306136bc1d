use std::net::SocketAddr;

use ipvs::{Connections, DestinationKey, DestinationStats, PoolStats, Protocol, ServiceKey};

use super::*;
use crate::output::without_colour;

fn service() -> ServiceKey {
    let address: SocketAddr = "192.168.1.1:80".parse().unwrap();
    ServiceKey::Address { address, protocol: Protocol::Tcp }
}

fn stats(active: u32) -> (DestinationKey, TableStats) {
    let server: SocketAddr = "192.168.1.4:80".parse().unwrap();
    let key: DestinationKey = server;
    let connections = Connections { active, inactive: 2, persistent: 5 };
    let one = DestinationStats { connections, ..DestinationStats::default() };
    let pool = PoolStats { destinations: [(key, one)].into(), ..PoolStats::default() };
    (key, [(service(), pool)].into())
}

#[test]
fn a_removal_ends_its_live_connections_and_templates_are_none() {
    let (key, stats) = stats(12);
    let change = change(&Step::RemoveDestination(service(), key), &stats);
    assert_eq!(change.line, "-d -t 192.168.1.1:80 -r 192.168.1.4:80");
    assert_eq!((change.connections, change.ends_connections), (14, true));
}

#[test]
fn the_lines_are_shell_commands_with_the_connections_as_comments() {
    let change = |line: &str, connections, ends_connections| PlannedChange {
        line: line.into(),
        connections,
        ends_connections,
    };
    let answer = PlanAnswer {
        changes: vec![
            change("-a -t 192.168.1.1:80 -r 192.168.1.6:80 -g -w 1", 0, false),
            change("-d -t 192.168.1.1:80 -r 192.168.1.4:80", 1, true),
            change("-e -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5", 3, false),
        ],
        marks: vec!["set by lvsd: ip daddr 192.168.1.1 tcp dport 21 meta mark set 21".into()],
        unchecked: vec!["www 192.168.1.6:80".into()],
    };
    assert_eq!(
        without_colour(&render(&answer)),
        "ipvsadm -a -t 192.168.1.1:80 -r 192.168.1.6:80 -g -w 1\n\
         ipvsadm -d -t 192.168.1.1:80 -r 192.168.1.4:80          # ends 1 live connection\n\
         ipvsadm -e -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5  # 3 live connections go on\n\
         # firewall mark set by lvsd: ip daddr 192.168.1.1 tcp dport 21 meta mark set 21\n\
         # www 192.168.1.6:80 joins once its first check has passed\n"
    );
    assert_eq!(summary(&answer), "3 changes, ending 1 live connection, and 1 firewall mark\n");
    assert_eq!(summary(&PlanAnswer::default()), "nothing to change\n");
}

#[test]
fn a_kernel_without_ipvs_and_a_missing_privilege_have_their_exit_codes() {
    assert_eq!(refused(&KernelError::NoIpvs).exit, Exit::Unavailable);
    assert_eq!(refused(&KernelError::NotPermitted).exit, Exit::Privilege);
    assert!(refused(&KernelError::NoIpvs).message.contains("modprobe ip_vs"));
}
