//! Logins, from the file of ldirectord to what a person reads.

use super::https::Authority;
use super::*;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};

/// What a client has to say, and what it is answered.
type Lines = &'static [(&'static str, &'static str)];

/// A mailbox of anna's, over POP.
const POP: Lines = &[("USER anna\r\n", "+OK\r\n"), ("PASS ge heim\r\n", "+OK 0 0\r\n")];
/// The same over IMAP.
const IMAP: Lines = &[("a1 LOGIN \"anna\" \"ge heim\"\r\n", "* CAPABILITY\r\na1 OK in\r\n")];

/// Greets, and answers the right lines; whoever says another one is refused.
async fn lines(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    greeting: &str,
    refusal: &str,
    lines: Lines,
) {
    let mut stream = BufReader::new(stream);
    let _sent = stream.get_mut().write_all(greeting.as_bytes()).await;
    for (wanted, answer) in lines {
        let mut line = String::new();
        let _length = stream.read_line(&mut line).await;
        let answer = if line == *wanted { *answer } else { refusal };
        let _sent = stream.get_mut().write_all(answer.as_bytes()).await;
    }
    let mut rest = String::new();
    let _length = stream.read_line(&mut rest).await;
}

/// The check that a virtual server of an ldirectord.cf has, after it was written in our own
/// format and read again, with the files that somebody made.
pub(super) fn of_ldirectord(port: u16, below: &str) -> CheckKind {
    let text = format!("virtual=192.0.2.1:{port}\n    real=192.0.2.2 masq\n{below}");
    let read = |_: &Path| Ok(text.clone().into_bytes());
    let loaded = config::load(Path::new("ldirectord.cf"), false, &read);
    let mut cluster = loaded.cluster.unwrap();
    let secrets = config::passwords::name_files(&mut cluster);
    let text = config::native::write(&cluster);
    assert!(!text.contains("heim"), "{text}");
    let read = |path: &Path| {
        let file = secrets.iter().find(|wanted| Path::new(&wanted.file) == path);
        Ok(file.map_or(text.clone(), |wanted| format!("{}\n", wanted.secret.expose())).into_bytes())
    };
    let again = config::load(Path::new("cluster.yaml"), false, &read).cluster.unwrap();
    assert_eq!(again, cluster, "{text}");
    again.services[0].check.kind.clone()
}

fn mailbox(port: u16, password: &str) -> CheckKind {
    of_ldirectord(port, &format!("    login=\"anna\"\n    passwd=\"{password}\"\n"))
}

#[tokio::test]
async fn mailboxes_take_the_login_of_an_ldirectord_file() {
    let pop = server(|stream| lines(stream, "+OK\r\n", "-ERR no\r\n", POP)).await;
    let imap = server(|stream| lines(stream, "* OK\r\n", "a1 NO no\r\n", IMAP)).await;
    for (server, port, no) in [(pop, 110, "-ERR no"), (imap, 143, "a1 NO no")] {
        let right = run(server, mailbox(port, "ge heim"), PLENTY).await;
        assert_eq!(right, Ok("login taken".into()));
        let wrong = run(server, mailbox(port, "falsch"), PLENTY).await;
        assert_eq!(wrong, Err(format!("login refused: \"{no}\"")));
    }
}

#[tokio::test]
async fn mailboxes_take_it_inside_tls() {
    let authority = Authority::new("logins");
    let acceptor = authority.acceptor(|_| {});
    let imap = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            lines(stream, "* OK\r\n", "a1 NO no\r\n", IMAP).await;
        }
    })
    .await;
    assert_eq!(run(imap, mailbox(993, "ge heim"), PLENTY).await, Ok("login taken".into()));
}

#[tokio::test]
async fn a_mailbox_that_is_gone_or_mute_is_down() {
    let gone = run(closed_port().await, mailbox(110, "x"), PLENTY).await;
    assert_eq!(gone, Err("connection refused".into()));
    let mute = run(server(hold).await, mailbox(110, "x"), SECOND).await;
    assert_eq!(mute, Err("no answer within 1 s".into()));
    let closing = server(|stream| lines(stream, "+OK\r\n", "", &[])).await;
    let closed = run(closing, mailbox(110, "x"), PLENTY).await;
    assert_eq!(closed, Err("connection closed before the login was taken".into()));
}

#[test]
fn checks_that_differ_in_their_password_are_different_checks() {
    let server = SocketAddr::from(([192, 0, 2, 2], 110));
    let probe = |password| {
        let check = check(mailbox(110, password), PLENTY);
        health::Probe::new(server, None, &check, ipvs::Forwarding::Direct).unwrap()
    };
    assert_eq!(probe("one"), probe("one"));
    assert_ne!(probe("one"), probe("two"));
}

#[test]
fn what_lvsd_says_to_nanny_holds_the_password_and_its_debug_form_does_not() {
    let check = check(mailbox(110, "ge heim"), PLENTY);
    let json = serde_json::to_string(&check).unwrap();
    let again: Check = serde_json::from_str(&json).unwrap();
    assert_eq!(again, check);
    assert!(json.contains("ge heim"));
    let shared = Shared::new(Vec::new());
    let probe = Probe::new(SocketAddr::from(([127, 0, 0, 1], 1)), None, &check, &shared);
    for shown in [format!("{check:?}"), format!("{probe:?}")] {
        assert!(shown.contains("anna") && !shown.contains("heim"), "{shown}");
    }
}
