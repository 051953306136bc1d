//! Firewall marks in the running kernel, in a network namespace that each test makes for itself.
//! Without root a user namespace is made as well; where the system allows neither, the tests fail
//! rather than pretend.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::process::Command;

use ipvs::wire::marks::MarkTable;
use ipvs::{MarkRule, Ports, Protocol};
use netlink::MarksSocket;

/// Set in the process that runs inside.
const INSIDE: &str = "CARIBE_TEST_IN_NAMESPACE";

/// More than the send buffer takes that a socket begins with.
const MANY: usize = 1000;

/// What twice the usual `net.core.wmem_max` has room for: all that a user namespace is granted.
const MANY_WITHOUT_ROOT: usize = 400;

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// Runs `body` in a fresh network namespace, by starting this very test again inside one, with
/// the number of rules that it may try.
fn in_a_namespace(test: &str, body: impl AsyncFnOnce(usize)) {
    let Some(many) = std::env::var_os(INSIDE) else {
        let (flags, many) = if is_root() { ("-n", MANY) } else { ("-rn", MANY_WITHOUT_ROOT) };
        let output = Command::new("unshare")
            .args([flags, "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, many.to_string())
            .output()
            .expect("unshare (util-linux) is needed");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
        return;
    };
    let many = many.to_str().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(body(many));
}

fn rule(number: usize) -> MarkRule {
    let number = u16::try_from(number).unwrap();
    let address = SocketAddr::from(([192, 0, 2, 1], 1000 + number));
    MarkRule { ports: Ports::one(address, Protocol::Tcp), mark: u32::from(number) + 1 }
}

#[test]
fn more_rules_than_the_send_buffer_holds_are_set_in_one_step() {
    in_a_namespace("more_rules_than_the_send_buffer_holds_are_set_in_one_step", async |many| {
        let rules: Vec<_> = (0..many).map(rule).collect();
        let mut socket = MarksSocket::open().unwrap();
        socket.replace(&rules).await.unwrap();
        assert!(socket.read().await.unwrap().is(&rules));
        socket.replace(&rules[1..]).await.unwrap();
        assert!(socket.read().await.unwrap().is(&rules[1..]));
        socket.replace(&[]).await.unwrap();
        assert_eq!(socket.read().await.unwrap(), MarkTable::Absent);
    });
}
