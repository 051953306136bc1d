//! What the frames do on a wire: two ends of a veth in a network namespace that each test makes
//! for itself. Without root a user namespace is made as well; where the system allows neither,
//! the tests fail rather than pretend.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use send_arp::{Announcer, Claim, Link, Mac, Repeats, who_has};

/// Set in the process that runs inside.
const INSIDE: &str = "CARIBE_TEST_IN_NAMESPACE";

const OURS: Link = Link { index: 10, mac: Mac([2, 0, 0, 0, 0, 0x0a]), router: false };
const THEIRS: Link = Link { index: 11, mac: Mac([2, 0, 0, 0, 0, 0x0b]), router: false };
const OLD: &str = "02:00:00:00:00:99";

/// Answers come within a millisecond; this leaves room for a machine with much else to do.
const WAIT: Duration = Duration::from_secs(2);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `body` in a fresh network namespace, by starting this very test again inside one.
fn on_a_wire(test: &str, body: impl AsyncFnOnce()) {
    if std::env::var_os(INSIDE).is_none() {
        let flags = if run("id -u").trim() == "0" { "-n" } else { "-rn" };
        let output = Command::new("unshare")
            .args([flags, "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .expect("unshare (util-linux) is needed");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
        return;
    }
    assert_eq!(run("ip -o link").lines().count(), 1, "this is not a fresh namespace");
    run("ip link add ours index 10 address 02:00:00:00:00:0a type veth \
         peer name theirs index 11 address 02:00:00:00:00:0b");
    run("ip link set ours up");
    run("ip link set theirs up");
    wait_for_both_ends();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(body());
}

/// Until the kernel has noticed that the wire is whole, it drops frames in silence.
fn wait_for_both_ends() {
    let begun = std::time::Instant::now();
    while run("ip -o link").matches("state UP").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", run("ip -o link"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn neighbour(address: &str) -> String {
    run(&format!("ip neigh show {address} dev theirs"))
}

#[test]
fn neighbours_learn_the_new_place_of_both_families() {
    on_a_wire("neighbours_learn_the_new_place_of_both_families", async || {
        // A host with no address at all heeds no ARP.
        run("ip addr add 192.168.1.200/24 dev theirs");
        for address in ["192.168.1.1", "2001:db8::1"] {
            run(&format!("ip neigh add {address} dev theirs lladdr {OLD} nud reachable"));
        }
        let mut announcer = Announcer::new(Repeats::every(1, Duration::ZERO)).unwrap();
        announcer.announce(ip("192.168.1.1"), OURS);
        announcer.announce(ip("2001:db8::1"), OURS);
        while !announcer.is_idle() {
            let slice = announcer.slice().await;
            assert!(slice.failed.is_empty(), "{slice:?}");
        }
        for address in ["192.168.1.1", "2001:db8::1"] {
            let entry = neighbour(address);
            assert!(entry.contains(&OURS.mac.to_string()), "{entry}");
        }
    });
}

#[test]
fn the_sending_socket_is_given_no_packet() {
    on_a_wire("the_sending_socket_is_given_no_packet", async || {
        let _announcer = Announcer::new(Repeats::default()).unwrap();
        let sockets = std::fs::read_to_string("/proc/self/net/packet").unwrap();
        let protocols: Vec<_> =
            sockets.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3)).collect();
        assert_eq!(protocols, ["0000"], "{sockets}");
    });
}

#[test]
fn whoever_has_an_address_is_found_and_a_free_one_is_not() {
    on_a_wire("whoever_has_an_address_is_found_and_a_free_one_is_not", async || {
        run("ip addr add 192.168.1.1/24 dev theirs");
        run("ip addr add 2001:db8::1/64 dev theirs nodad");
        let asked = ["192.168.1.1", "192.168.1.2", "2001:db8::1", "2001:db8::2"].map(ip);
        let claims = who_has(&OURS, &asked, WAIT).await.unwrap();
        let mac = THEIRS.mac;
        assert_eq!(claims, [asked[0], asked[2]].map(|ip| Claim { ip, mac }));
        let changed = neighbour("192.168.1.1") + &neighbour("2001:db8::1");
        assert!(!changed.contains("02:"), "asking taught somebody our address: {changed}");
    });
}

#[test]
fn somebody_who_announces_while_we_ask_is_found() {
    on_a_wire("somebody_who_announces_while_we_ask_is_found", async || {
        let asked = ["192.168.1.1", "2001:db8::1"].map(ip);
        let mut announcer =
            Announcer::new(Repeats::every(1000, Duration::from_millis(10))).unwrap();
        for ip in asked {
            announcer.announce(ip, OURS);
        }
        let announce = async {
            loop {
                announcer.slice().await;
            }
        };
        let claims = tokio::select! {
            claims = who_has(&THEIRS, &asked, WAIT) => claims.unwrap(),
            () = announce => unreachable!(),
        };
        assert_eq!(claims, asked.map(|ip| Claim { ip, mac: OURS.mac }));
    });
}

#[test]
fn a_thousand_addresses_leave_room_between_slices() {
    on_a_wire("a_thousand_addresses_leave_room_between_slices", async || {
        let mut announcer = Announcer::new(Repeats::every(1, Duration::ZERO)).unwrap();
        for number in 0..1000u16 {
            let [high, low] = number.to_be_bytes();
            announcer.announce(IpAddr::from([10, 0, high, low]), OURS);
        }
        let (mut made, mut longest) = (0, Duration::ZERO);
        while !announcer.is_idle() {
            let begun = std::time::Instant::now();
            let slice = announcer.send_slice();
            longest = longest.max(begun.elapsed());
            assert!(slice.failed.is_empty(), "{slice:?}");
            made += slice.made;
            if !slice.more && !announcer.is_idle() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert_eq!(made, 1000);
        let sent = run("cat /proc/self/net/dev");
        let line = sent.lines().find(|line| line.trim().starts_with("ours:")).unwrap();
        // What a full receive queue dropped on a busy machine was sent all the same.
        let count = |column| line.split_whitespace().nth(column).unwrap().parse::<u32>().unwrap();
        assert!(count(10) + count(12) >= 2000, "both forms of each: {line}");
        println!("longest slice: {longest:?}");
    });
}

#[test]
fn the_command_finds_the_interface_and_announces() {
    on_a_wire("the_command_finds_the_interface_and_announces", async || {
        run("ip addr add 192.168.1.2/24 dev ours");
        run("ip addr add 2001:db8::2/64 dev ours nodad");
        run("ip addr add 172.16.1.200/24 dev theirs");
        for address in ["192.168.1.1", "2001:db8::1"] {
            run(&format!("ip neigh add {address} dev theirs lladdr {OLD} nud reachable"));
        }
        let program = env!("CARGO_BIN_EXE_send-arp");
        run(&format!("{program} --count 1 192.168.1.1 2001:db8::1"));
        for address in ["192.168.1.1", "2001:db8::1"] {
            let entry = neighbour(address);
            assert!(entry.contains(&OURS.mac.to_string()), "{entry}");
        }
        let old = "192.168.1.1 020000000077 192.168.1.255 ffffffffffff";
        run(&format!("{program} -i ours {old}"));
        assert!(neighbour("192.168.1.1").contains("02:00:00:00:00:77"));
        let unknown = Command::new(program).arg("10.9.9.9").output().unwrap();
        assert_eq!(unknown.status.code(), Some(64));
        let text = String::from_utf8(unknown.stderr).unwrap();
        assert!(text.ends_with("with 10.9.9.9: name one with -i\n"), "{text}");
    });
}

#[test]
fn an_interface_that_is_down_is_reported_and_tried_again() {
    on_a_wire("an_interface_that_is_down_is_reported_and_tried_again", async || {
        run("ip link set ours down");
        let mut announcer = Announcer::new(Repeats::every(2, Duration::from_millis(20))).unwrap();
        announcer.announce(ip("192.168.1.1"), OURS);
        let slice = announcer.slice().await;
        assert_eq!((slice.made, slice.failed.len()), (0, 1));
        run("ip link set ours up");
        assert_eq!(announcer.slice().await.made, 1);
    });
}
