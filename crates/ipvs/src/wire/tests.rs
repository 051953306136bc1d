//! Bytes captured between ipvsadm and a real kernel, and bytes that no kernel would send.

use std::collections::BTreeMap;
use std::time::Duration;

mod properties;

use super::*;
use crate::examples::direct;
use crate::{
    Destination, DestinationKey, Family, Forwarding, Persistence, Pool, Protocol, Scheduler,
    SchedulerFlags, Service, ServiceKey, Table, Tunnel, TunnelChecksum, ipvsadm_lines,
};

const REQUESTS: &str = include_str!("tests/requests.txt");
const TABLE: &str = include_str!("tests/table.txt");
const SETTINGS: &str = include_str!("tests/settings.txt");

/// The generic netlink header, which is not part of what is written here.
const HEADER: usize = 4;

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Each command with the request that ipvsadm made of it.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let lines: Vec<&str> = REQUESTS.lines().skip(1).collect();
    let pairs = lines.chunks(2).map(|pair| (&pair[0]["# ipvsadm ".len()..], bytes(pair[1])));
    pairs.collect()
}

fn request_of(command: &str) -> Vec<u8> {
    let found = requests().into_iter().find(|(one, _)| *one == command);
    found.unwrap_or_else(|| panic!("no {command}")).1
}

/// The step that a captured request asks for.
fn step_of(request: &[u8]) -> Option<Step> {
    let (command, message) = (request[0], &request[HEADER..]);
    let service = || decode_service(message).map(|(key, service, _)| (key, service)).unwrap();
    let key = || service::decode_key(message).unwrap();
    let real = || decode_destination(message, key().family()).unwrap();
    Some(match command {
        1 => Step::AddService(service().0, service().1),
        2 => Step::EditService(service().0, service().1),
        3 => Step::RemoveService(key()),
        5 => Step::AddDestination(key(), real().0, real().1),
        6 => Step::EditDestination(key(), real().0, real().1),
        7 => Step::RemoveDestination(key(), real().0),
        _ => return None,
    })
}

/// ipvsadm's words for the captured steps, with the defaults that it fills in.
fn spelled_out(command: &str) -> String {
    let text = match command {
        "-A -t 192.168.1.1:0 -s rr -p" => "-A -t 192.168.1.1:0 -s rr -p 360",
        "--add-service --sctp-service 192.168.1.1:7 -s lc" => {
            "-A --sctp-service 192.168.1.1:7 -s lc"
        }
        "-A -t [2001:db8::1]:81 -s mh -b flag-3 -p 300 -M 64" => {
            "-A -t [2001:db8::1]:81 -s mh -p 300 -M 64 -b flag-3"
        }
        "-a -f 7 -r 192.168.1.4 -g" => "-a -f 7 -r 192.168.1.4:0 -g",
        "-a -t 192.168.1.1:9 -r 192.168.1.4:9" => "-a -t 192.168.1.1:9 -r 192.168.1.4:9 -g",
        other => other,
    };
    let mut text = text.to_owned();
    if text.starts_with("-a") || text.starts_with("-e") {
        if !text.contains(" -w ") {
            for method in [" -g", " -i", " -m"] {
                text = text.replace(method, &format!("{method} -w 1"));
            }
        }
        if text.contains(" -i ") && !text.contains("--tun-type") {
            text += " --tun-type ipip";
        }
        if text.ends_with("gre") {
            text += " --tun-nocsum";
        }
    }
    text
}

#[test]
fn what_ipvsadm_asks_reads_as_what_was_typed() {
    let mut steps = 0;
    for (command, request) in requests() {
        if let Some(step) = step_of(&request) {
            assert_eq!(step.to_string(), spelled_out(command));
            steps += 1;
        }
    }
    assert_eq!(steps, 35);
}

/// Whether every attribute of `ours` is in `theirs` with the same value.
fn within(ours: &[u8], theirs: &[u8], nested: bool) -> bool {
    Attributes::new(ours).all(|one| {
        let one = one.unwrap();
        let other = Attributes::new(theirs).find_kind(one.kind).unwrap();
        other.is_some_and(|other| match nested {
            true => within(one.value, other.value, false),
            false => one.value == other.value,
        })
    })
}

#[test]
fn what_we_ask_is_what_ipvsadm_asks() {
    for (command, request) in requests() {
        let Some(step) = step_of(&request) else { continue };
        let ours = step_request(&step);
        if command.contains("[2001:db8::1]:80 -r 192.168.1.4:80") {
            // Behind the four bytes of this address ipvsadm leaves some of the one before it.
            continue;
        }
        assert_eq!(ours.command as u8, request[0], "{command}");
        assert!(within(&ours.attributes, &request[HEADER..], true), "{command}");
        if matches!(step, Step::AddService(..) | Step::EditService(..)) {
            assert_eq!(ours.attributes, request[HEADER..], "{command}");
        }
    }
}

#[test]
fn settings_are_asked_for_as_ipvsadm_does() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let timeouts = Timeouts { tcp: seconds(900), tcp_fin: seconds(120), udp: seconds(300) };
    let master = SyncDaemon {
        role: SyncRole::Master,
        interface: "d0".into(),
        id: 3,
        max_length: None,
        group: None,
        port: None,
        ttl: None,
    };
    let backup = SyncDaemon {
        role: SyncRole::Backup,
        max_length: Some(1400),
        group: Some([224, 0, 0, 99].into()),
        port: Some(9000),
        ttl: Some(3),
        ..master.clone()
    };
    let six = SyncDaemon {
        role: SyncRole::Backup,
        group: Some("ff02::99".parse().unwrap()),
        ..master.clone()
    };
    let web =
        ServiceKey::Address { address: "192.168.1.1:80".parse().unwrap(), protocol: Protocol::Tcp };
    let start = "--start-daemon master --mcast-interface d0 --syncid 3";
    for (command, ours) in [
        ("--set 900 120 300", set_timeouts(&timeouts)),
        ("-Z", zero(None)),
        ("-Z -t 192.168.1.1:80", zero(Some(&web))),
        (start, start_daemon(&master)),
        (
            "--start-daemon backup --mcast-interface d0 --syncid 3 --sync-maxlen 1400 \
             --mcast-group 224.0.0.99 --mcast-port 9000 --mcast-ttl 3",
            start_daemon(&backup),
        ),
        (
            "--start-daemon backup --mcast-interface d0 --syncid 3 --mcast-group ff02::99",
            start_daemon(&six),
        ),
        ("--stop-daemon master", stop_daemon(SyncRole::Master)),
        ("--stop-daemon backup", stop_daemon(SyncRole::Backup)),
    ] {
        let theirs = request_of(command);
        assert_eq!(ours.command as u8, theirs[0], "{command}");
        // The timeouts have no attributes within attributes.
        let nested = ours.command != Command::SetConfig;
        assert!(within(&ours.attributes, &theirs[HEADER..], nested), "{command}");
    }
}

/// Requests (`?`) and answers (`=`) of a capture, without the header.
fn talk(capture: &'static str) -> Vec<(bool, u8, Vec<u8>)> {
    let lines = capture.lines().filter(|line| !line.starts_with('#'));
    let split = lines.map(|line| (line.starts_with('?'), bytes(&line[2..])));
    split.map(|(asked, bytes)| (asked, bytes[0], bytes[HEADER..].to_vec())).collect()
}

fn captured_table() -> Table {
    let mut table = Table::new();
    let mut about = None;
    for (asked, command, message) in talk(TABLE) {
        match (asked, command) {
            (true, 8) => about = Some(service::decode_key(&message).unwrap()),
            (false, 1) => {
                let (key, service, counters) = decode_service(&message).unwrap();
                assert_eq!(counters, crate::Counters::default());
                table.insert(key, Pool { service, destinations: BTreeMap::new() });
            }
            (false, 5) => {
                let key = about.unwrap();
                let (real, destination, _) = decode_destination(&message, key.family()).unwrap();
                table.get_mut(&key).unwrap().destinations.insert(real, destination);
            }
            other => assert_eq!(other, (true, 4)),
        }
    }
    table
}

#[test]
fn the_kernels_table_reads_as_ipvsadm_printed_it() {
    let printed = "\
-A -t 192.168.1.1:0 -s rr -p 360
-A --sctp-service 192.168.1.1:7 -s lc
-A -u 192.168.1.1:53 -s rr -o
-A -t 192.168.1.1:80 -s wlc
-a -t 192.168.1.1:80 -r 8.8.8.8:80 -g -w 1
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 9
-a -t 192.168.1.1:80 -r 192.168.1.5:8080 -m -w 1
-a -t 192.168.1.1:80 -r 192.168.1.6:80 -i -w 1 --tun-type ipip
-a -t 192.168.1.1:80 -r 192.168.1.7:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.168.1.1:80 -r 192.168.1.8:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.168.1.1:80 -r 192.168.1.9:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.168.1.1:80 -r 192.168.1.10:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.168.1.1:80 -r 192.168.1.11:80 -i -w 1 --tun-type gre --tun-nocsum
-A -t 192.168.1.1:443 -s wrr -p 600 -M 255.255.255.0
-A -u 192.168.1.1:5060 -s rr -p 60 --pe sip -o
-A -t [2001:db8::1]:80 -s sh -b sh-fallback,sh-port
-a -t [2001:db8::1]:80 -r 192.168.1.4:80 -i -w 1 --tun-type ipip
-a -t [2001:db8::1]:80 -r [2001:db8::4]:80 -m -w 0
-A -t [2001:db8::1]:81 -s mh -p 300 -M 64 -b flag-3
-A -f 7 -s rr
-a -f 7 -r 192.168.1.4:0 -g -w 1
-A -f 7 -6 -s sed
";
    assert_eq!(ipvsadm_lines(&captured_table()).join("\n") + "\n", printed);
}

#[test]
fn lists_are_asked_for_as_ipvsadm_does() {
    for (asked, command, message) in talk(TABLE) {
        match (asked, command) {
            (true, 4) => assert_eq!(list_services().attributes, message),
            (true, 8) => {
                let key = service::decode_key(&message).unwrap();
                // ipvsadm sends a port with a mark, too.
                assert!(within(&list_destinations(&key).attributes, &message, true));
            }
            _ => {}
        }
    }
}

#[test]
fn the_kernels_settings_are_read() {
    let answers: Vec<_> = talk(SETTINGS).into_iter().filter(|(asked, ..)| !asked).collect();
    let of = |command| {
        let matching = answers.iter().filter(move |(_, one, _)| *one == command);
        matching.map(|(.., message)| message.as_slice()).collect::<Vec<_>>()
    };
    let info = decode_info(of(14)[0]).unwrap();
    assert_eq!(info, Info { version: (1, 2, 1), connection_buckets: 4096 });
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let timeouts = Timeouts { tcp: seconds(900), tcp_fin: seconds(120), udp: seconds(300) };
    assert_eq!(decode_timeouts(of(12)[0]), Ok(timeouts));
    let daemons: Vec<_> = of(9).into_iter().map(|one| decode_daemon(one).unwrap()).collect();
    let said: Vec<_> = daemons
        .iter()
        .map(|SyncDaemon { role, interface, id, max_length, group, port, ttl }| {
            format!("{role:?} {interface} {id} {max_length:?} {group:?} {port:?} {ttl:?}")
        })
        .collect();
    assert_eq!(
        said,
        [
            "Master d0 3 Some(1472) Some(224.0.0.81) Some(8848) Some(1)",
            "Backup d0 3 Some(1400) Some(224.0.0.99) Some(9000) Some(3)",
            "Backup d0 3 Some(1452) Some(ff02::99) Some(8848) Some(1)",
        ]
    );
}

/// Reads a message as everything that it could be.
fn read_any(message: &[u8]) -> [bool; 5] {
    [
        decode_service(message).is_ok(),
        decode_destination(message, Family::Inet).is_ok(),
        decode_info(message).is_ok(),
        decode_timeouts(message).is_ok(),
        decode_daemon(message).is_ok(),
    ]
}

#[test]
fn an_answer_that_was_cut_is_an_error() {
    for (asked, command, message) in talk(TABLE) {
        for length in 0..message.len() {
            let cut = &message[..length];
            let read = match (asked, command) {
                (false, 1) => decode_service(cut).is_ok(),
                (false, 5) => decode_destination(cut, Family::Inet).is_ok(),
                _ => false,
            };
            assert!(!read, "{length} bytes of {} were enough", message.len());
        }
    }
}

#[test]
fn an_attribute_that_reaches_beyond_the_end_is_told_once() {
    for cut in [&[8, 0, 1, 0, 9][..], &[3, 0, 1, 0], &[8, 0, 1], &[0, 0, 0, 0]] {
        let read: Vec<_> = Attributes::new(cut).collect();
        assert_eq!(read, [Err(WireError::Truncated)], "{cut:?}");
        assert_eq!(Attributes::new(cut).find_kind(1), Err(WireError::Truncated));
    }
}

#[test]
fn attributes_that_are_not_known_are_skipped() {
    let mut payload = Payload::default();
    payload.u32(77, 1);
    payload.nested(top::DEST, |inner| {
        inner.text(78, "new");
        destination::put(inner, &"192.168.1.4:80".parse().unwrap(), &direct());
        inner.nested(79, |_| {});
    });
    let (real, destination, _) = decode_destination(&payload.into_bytes(), Family::Inet).unwrap();
    assert_eq!((real.to_string().as_str(), destination), ("192.168.1.4:80", direct()));
}

#[test]
fn a_kernel_that_does_not_tell_the_real_servers_family_means_that_of_the_virtual_server() {
    for (family, address) in [(Family::Inet, "192.168.1.4:80"), (Family::Inet6, "[2001:db8::4]:80")]
    {
        let mut payload = Payload::default();
        let real: DestinationKey = address.parse().unwrap();
        payload.nested(top::DEST, |inner| {
            service::put_address(inner, 1, real.ip());
            inner.u16_be(2, real.port());
        });
        assert_eq!(decode_destination(&payload.into_bytes(), family).unwrap().0, real);
    }
}

#[test]
fn wide_counters_count_before_narrow_ones() {
    let mut payload = Payload::default();
    payload.nested(top::DEST, |inner| {
        destination::put(inner, &"192.168.1.4:80".parse().unwrap(), &direct());
        inner.u32(7, 5);
        inner.u32(8, 6);
        inner.u32(9, 7);
        inner.nested(10, |old| old.u32(1, 1));
        inner.nested(12, |wide| {
            for kind in 1..=10u16 {
                wide.bytes(kind, &((1u64 << 40) + u64::from(kind)).to_ne_bytes());
            }
        });
    });
    let stats = decode_destination(&payload.into_bytes(), Family::Inet).unwrap().2;
    let connections = stats.connections;
    assert_eq!((connections.active, connections.inactive, connections.persistent), (5, 6, 7));
    assert_eq!(stats.counters.connections, (1 << 40) + 1);
    assert_eq!(stats.counters.bytes_out_per_second, (1 << 40) + 10);
}

#[test]
fn counters_of_an_old_kernel_are_read() {
    let mut payload = Payload::default();
    payload.nested(top::DEST, |inner| {
        destination::put(inner, &"192.168.1.4:80".parse().unwrap(), &direct());
        inner.nested(10, |old| {
            old.u32(1, 9);
            old.bytes(4, &(1u64 << 33).to_ne_bytes());
        });
    });
    let counters = decode_destination(&payload.into_bytes(), Family::Inet).unwrap().2.counters;
    assert_eq!((counters.connections, counters.bytes_in), (9, 1 << 33));
}

#[test]
fn values_without_a_word_are_errors() {
    let mut request = request_of("-A -t 192.168.1.1:80 -s wlc");
    let protocol = request.windows(6).position(|bytes| bytes == [6, 0, 2, 0, 6, 0]).unwrap();
    request[protocol + 4] = 50;
    let unknown = WireError::Unknown { what: "protocol", value: 50 };
    assert_eq!(decode_service(&request[HEADER..]), Err(unknown));
}

#[test]
fn timeouts_are_rounded_up_and_never_zero() {
    let asked = |timeout| {
        let timeouts = Timeouts { udp: Some(timeout), ..Timeouts::default() };
        decode_timeouts(&set_timeouts(&timeouts).attributes).unwrap().udp.unwrap().as_secs()
    };
    assert_eq!(asked(Duration::ZERO), 1);
    assert_eq!(asked(Duration::from_millis(1001)), 2);
    assert_eq!(asked(Duration::MAX), u64::from(u32::MAX));
}
