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
    let greeting = server(|stream| async {
        lines(stream, "+OK\r\n", "", &[("", "")]).await;
        std::future::pending().await
    })
    .await;
    let mute = run(greeting, mailbox(110, "x"), SECOND).await;
    assert_eq!(mute, Err("no answer to the login within 1 s".into()));
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

/// What everybody says who fetches a file over FTP.
const FTP: Lines = &[
    ("USER anonymous\r\n", "331 so?\r\n"),
    ("PASS caribe@localhost\r\n", "230-in\r\n230 yes\r\n"),
    ("TYPE I\r\n", "200 so\r\n"),
    ("EPSV\r\n", "500 what?\r\n"),
];

/// A server of one file, whose data comes over the port that it names.
async fn files(stream: TcpStream, content: Vec<u8>) {
    let data = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [high, low] = data.local_addr().unwrap().port().to_be_bytes();
    let mut stream = BufReader::new(stream);
    let _sent = stream.get_mut().write_all(b"220 files\r\n").await;
    // Another address than its own, which nobody follows.
    let passive = format!("227 Passive (192,0,2,9,{high},{low})\r\n");
    let more = [("PASV\r\n", passive.as_str()), ("RETR /welcome.msg\r\n", "150 here\r\n")];
    for (wanted, answer) in FTP.iter().copied().chain(more) {
        let mut line = String::new();
        let _length = stream.read_line(&mut line).await;
        let answer = if line == wanted { answer } else { "550 no such file\r\n" };
        let _sent = stream.get_mut().write_all(answer.as_bytes()).await;
    }
    if let Ok((mut data, _)) = data.accept().await {
        let _sent = data.write_all(&content).await;
    }
}

#[tokio::test]
async fn a_file_is_fetched_and_looked_into() {
    let server = server(|stream| files(stream, b"Welcome to the lab".to_vec())).await;
    let file = |name: &str, holds: &str| {
        of_ldirectord(21, &format!("    request=\"{name}\"\n    receive=\"{holds}\"\n"))
    };
    let well = run(server, file("welcome.msg", "^Welcome"), PLENTY).await;
    assert_eq!(well, Ok("login taken, expected answer".into()));
    let other = run(server, file("welcome.msg", "Goodbye"), PLENTY).await.unwrap_err();
    assert!(other.contains("Goodbye"), "{other}");
    let none = run(server, file("other.msg", "x"), PLENTY).await;
    assert_eq!(none, Err("file refused: \"550 no such file\"".into()));
}

#[tokio::test]
async fn a_file_is_looked_into_to_its_end() {
    let long = [b"Welcome\n".repeat(50_000), b"to the lab\n".to_vec()].concat();
    let server = server(move |stream| files(stream, long.clone())).await;
    let file = |holds: &str| {
        of_ldirectord(21, &format!("    request=\"welcome.msg\"\n    receive=\"{holds}\"\n"))
    };
    for holds in ["to the lab$", r"\bto the", "^Welcome"] {
        let well = run(server, file(holds), PLENTY).await;
        assert_eq!(well, Ok("login taken, expected answer".into()), "{holds}");
    }
    // An end is the end of the file, and not that of a piece.
    let other = run(server, file("Welcome$"), PLENTY).await.unwrap_err();
    assert!(other.starts_with("file does not match"), "{other}");
}

#[tokio::test]
async fn an_endless_file_is_read_no_further_than_its_limit() {
    let endless = vec![b'x'; 5 << 20];
    let server = server(move |stream| files(stream, endless.clone())).await;
    let kind = of_ldirectord(21, "    request=\"welcome.msg\"\n    receive=\"needle\"\n");
    assert_eq!(run(server, kind, PLENTY).await, Err("file does not match needle".into()));
}

/// A directory with one entry, over and over.
async fn directory(mut stream: TcpStream) {
    let mut asked = [0; 512];
    let bound = b"0\x0c\x02\x01\x01a\x07\x0a\x01\x00\x04\x00\x04\x00".as_slice();
    let found = b"0\x13\x02\x01\x02d\x0e\x04\x0adc=example0\x000\x0c\x02\x01\x02e\x07\x0a\x01\x00\x04\x00\x04\x00";
    for answer in [bound, found] {
        let _length = stream.read(&mut asked).await;
        let _sent = stream.write_all(answer).await;
    }
    let _length = stream.read(&mut asked).await;
}

#[tokio::test]
async fn the_name_of_an_entry_is_looked_at() {
    let server = server(directory).await;
    let entry = |holds: &str| {
        of_ldirectord(389, &format!("    request=\"dc=example\"\n    receive=\"{holds}\"\n"))
    };
    let well = run(server, entry("^dc=exa"), PLENTY).await;
    assert_eq!(well, Ok("login taken, expected answer".into()));
    let other = run(server, entry("dc=other"), PLENTY).await.unwrap_err();
    assert!(other.starts_with("name of the entry"), "{other}");
}

#[tokio::test]
async fn a_radius_server_is_asked_again_and_believed_only_with_the_secret() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let mut packet = [0; 512];
        let (first, _) = socket.recv_from(&mut packet).await.unwrap();
        let lost = packet[..first].to_vec();
        let (second, from) = socket.recv_from(&mut packet).await.unwrap();
        // An accept that nobody has signed.
        socket.send_to(&[&[2, packet[1], 0, 20], [0; 16].as_slice()].concat(), from).await.unwrap();
        (lost, packet[..second].to_vec())
    });
    let kind = of_ldirectord(
        1812,
        "    protocol=udp\n    service=radius\n    login=\"anna\"\n    passwd=\"ge heim\"\n    secret=\"ge heim 2\"\n",
    );
    let said = run(server, kind, SECOND * 3).await;
    assert_eq!(said, Err("the answer is not signed with the secret".into()));
    let (lost, again) = seen.await.unwrap();
    assert_eq!(lost, again);
    assert!(!lost.windows(4).any(|part| part == b"heim"));
}

/// A MariaDB that takes no login.
async fn database(mut stream: TcpStream) {
    let mut greeting =
        b"\x0a10.11.6\x00\x01\x00\x00\x00abcdefgh\x00\x00\x82\x21\x02\x00\x08\x00\x15".to_vec();
    greeting.extend([0; 10]);
    greeting.extend(b"ijklmnopqrst\x00mysql_native_password\x00");
    let mut asked = [0; 512];
    let denied = b"\xff\x15\x04#28000Access denied for user 'anna'".to_vec();
    for (number, payload) in [(0, greeting), (2, denied)] {
        let head = [u8::try_from(payload.len()).unwrap(), 0, 0, number];
        let _sent = stream.write_all(&[head.as_slice(), &payload].concat()).await;
        let _length = stream.read(&mut asked).await;
    }
}

#[tokio::test]
async fn a_database_that_takes_no_login_is_down() {
    let server = server(database).await;
    let kind = of_ldirectord(
        3306,
        "    login=\"anna\"\n    passwd=\"ge heim\"\n    database=\"portal\"\n    request=\"SELECT 1\"\n",
    );
    let said = run(server, kind, PLENTY).await;
    assert_eq!(said, Err("login refused: \"Access denied for user 'anna'\"".into()));
}
