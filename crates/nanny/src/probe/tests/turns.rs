//! Dialogues in turns, name servers, and checks that take turns with connections.

use super::*;
use config::model::{Dialogue, DnsCheck, Exchange};
use std::sync::atomic::AtomicUsize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UdpSocket;

fn step(send: Option<&str>, expect: Option<&str>) -> Exchange {
    Exchange {
        send: send.map(|text| text.as_bytes().to_vec()),
        expect: expect.map(|text| Expect::Regex(text.to_owned())),
    }
}

/// What is asked of a mail server: it must speak first.
fn mail() -> CheckKind {
    let steps = vec![
        step(None, Some(r"(?m)^220(?: .*)?\r?\n")),
        step(Some("EHLO me\r\n"), Some(r"(?m)^250(?: .*)?\r?\n")),
        step(Some("QUIT\r\n"), None),
    ];
    CheckKind::Dialogue(Dialogue { tls: None, steps })
}

/// A mail server that drops whoever speaks before the greeting is over.
async fn mail_server(greeting: &'static [&'static str], answer: &'static str) -> SocketAddr {
    server(move |stream| async move {
        let mut stream = BufReader::new(stream);
        for line in greeting {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.get_ref().try_read(&mut [0; 1]).is_ok() {
                return;
            }
            let _sent = stream.get_mut().write_all(line.as_bytes()).await;
        }
        let mut line = String::new();
        let _length = stream.read_line(&mut line).await;
        assert_eq!(line, "EHLO me\r\n");
        let _sent = stream.get_mut().write_all(answer.as_bytes()).await;
        hold(stream.into_inner()).await;
    })
    .await
}

#[tokio::test]
async fn a_mail_server_is_heard_out_before_it_is_spoken_to() {
    let server = mail_server(&["220-one moment\r\n", "220 ready\r\n"], "250-SIZE\r\n250 ok\r\n");
    assert_eq!(run(server.await, mail(), PLENTY).await, Ok("expected answer".into()));
}

#[tokio::test]
async fn another_answer_is_shown_when_the_wanted_one_does_not_come() {
    let limit = Duration::from_secs(4);
    let busy = mail_server(&["421 too busy\r\n"], "").await;
    let foreign = mail_server(&["220 ready\r\n"], "500 what?\r\n").await;
    let (busy, foreign) = tokio::join!(run(busy, mail(), limit), run(foreign, mail(), limit));
    assert_eq!(
        busy.unwrap_err(),
        r#"answer "421 too busy\r\n" is not the expected one, no other within 4 s"#
    );
    let said = foreign.unwrap_err();
    assert!(said.starts_with(r#"answer "500 what?\r\n""#), "{said}");
}

#[tokio::test]
async fn a_name_server_is_asked_over_udp() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let mut answer = packet[..length].to_vec();
            answer[2] |= 0x80;
            // The name has an IPv4 address, and no other.
            if answer[length - 3] == 1 {
                answer[7] = 1;
                answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
            }
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    let ask = |expect: Option<&str>| {
        let expect = expect.map(|text| Expect::Regex(text.to_owned()));
        CheckKind::Dns(DnsCheck { name: "www.example.com".into(), tcp: false, expect })
    };
    assert_eq!(run(server, ask(None), PLENTY).await, Ok("answered 192.0.2.7".into()));
    let wanted = run(server, ask(Some(r"^192\.0\.2\.7$")), PLENTY).await;
    assert_eq!(wanted, Ok("expected answer".into()));
    assert!(run(server, ask(Some("10.0.0.1")), PLENTY).await.is_err());
}

/// A datagram may be lost on its way, and that tells nothing of the server.
#[tokio::test]
async fn a_name_server_that_does_not_answer_is_asked_again() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let mut packet = [0; 512];
        let (first, _) = socket.recv_from(&mut packet).await.unwrap();
        let lost = packet[..first].to_vec();
        let (second, from) = socket.recv_from(&mut packet).await.unwrap();
        let again = packet[..second].to_vec();
        let mut answer = again.clone();
        answer[2] |= 0x80;
        answer[7] = 1;
        answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
        socket.send_to(&answer, from).await.unwrap();
        (lost, again)
    });
    let name = "www.example.com".to_owned();
    let kind = CheckKind::Dns(DnsCheck { name, tcp: false, expect: None });
    assert_eq!(run(server, kind, SECOND * 3).await, Ok("answered 192.0.2.7".into()));
    let (lost, again) = seen.await.unwrap();
    assert_eq!(lost, again);
}

#[tokio::test]
async fn connections_take_turns_with_checks_that_ask_everything() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let server = server(move |mut stream| {
        let asked = Arc::clone(&counter);
        async move {
            let mut request = [0; 64];
            if let Ok(1..) = stream.read(&mut request).await {
                let count = asked.fetch_add(1, Ordering::SeqCst);
                let answer: &[u8] = if count == 1 { b"sick" } else { b"well" };
                let _sent = stream.write_all(answer).await;
            }
        }
    })
    .await;
    let shared = Arc::new(Shared::new(Vec::new()));
    let expect = Some(Expect::Prefix(b"well".to_vec()));
    let kind = CheckKind::SendExpect { udp: false, send: Some(b"?".to_vec()), expect };
    let check = Check { connects: 2, ..check(kind, PLENTY) };
    let probe = Probe::new(server, None, &check, &shared);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(probe.run(&shared, &mut Trace::quiet()).await.is_ok());
    }
    // Asked, two connections, asked: sick, so asked at once, and a connection again.
    assert_eq!(seen, [true, true, true, false, true, true]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}
