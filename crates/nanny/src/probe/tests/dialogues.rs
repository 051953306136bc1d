//! Connections and send/expect.

use super::*;
use tokio::net::UdpSocket;

fn dialogue(send: Option<&[u8]>, expect: Option<Expect>) -> CheckKind {
    CheckKind::SendExpect { udp: false, send: send.map(<[u8]>::to_vec), expect }
}

fn datagram(send: &[u8], expect: Option<Expect>) -> CheckKind {
    CheckKind::SendExpect { udp: true, send: Some(send.to_vec()), expect }
}

fn prefix(text: &str) -> Option<Expect> {
    Some(Expect::Prefix(text.into()))
}

#[tokio::test]
async fn an_open_port_is_up() {
    let server = server(hold).await;
    assert_eq!(run(server, CheckKind::Connect, PLENTY).await, Ok("connected".into()));
}

#[tokio::test]
async fn an_open_port_is_up_over_ipv6() {
    let server = server_on("[::1]:0", hold).await;
    assert_eq!(run(server, CheckKind::Connect, PLENTY).await, Ok("connected".into()));
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let server = closed_port().await;
    assert_eq!(run(server, CheckKind::Connect, PLENTY).await, Err("connection refused".into()));
}

/// A listener whose queue is full drops what comes, as a host that is off does.
#[tokio::test]
async fn a_host_that_does_not_answer_is_too_slow() {
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _fills_the_queue = TcpStream::connect(address).await.unwrap();
    assert_eq!(
        run(address, CheckKind::Connect, Duration::from_millis(200)).await,
        Err("no connection within 200 ms".into())
    );
}

#[tokio::test]
async fn the_connect_check_never_reaches_the_program_that_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..20 {
        run(address, CheckKind::Connect, PLENTY).await.unwrap();
    }
    // Whatever the checks left in the queue would come before this one.
    let ours = TcpStream::connect(address).await.unwrap();
    let (_, from) = listener.accept().await.unwrap();
    assert_eq!(from, ours.local_addr().unwrap());
}

#[tokio::test]
async fn an_answer_in_pieces_is_put_together() {
    let server = server(|mut stream| async move {
        stream.set_nodelay(true).unwrap();
        for byte in b"220 ready\r\n" {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        hold(stream).await;
    })
    .await;
    for expect in [
        prefix("220 "),
        Some(Expect::Contains(b"ready".to_vec())),
        Some(Expect::Regex(r"^2\d\d .*ready".into())),
        Some(Expect::Anything),
    ] {
        assert_eq!(run(server, dialogue(None, expect), PLENTY).await, Ok("expected answer".into()));
    }
}

#[tokio::test]
async fn the_sent_text_arrives_as_it_is() {
    let server = server(|mut stream| async move {
        let mut request = [0; 6];
        stream.read_exact(&mut request).await.unwrap();
        let answer: &[u8] = if request == *b"PING\r\n" { b"+PONG" } else { b"-ERR" };
        stream.write_all(answer).await.unwrap();
        hold(stream).await;
    })
    .await;
    let kind = dialogue(Some(b"PING\r\n"), prefix("+PONG"));
    assert_eq!(run(server, kind, PLENTY).await, Ok("expected answer".into()));
    let kind = dialogue(Some(b"PONG\r\n"), prefix("+PONG"));
    assert_eq!(
        run(server, kind, PLENTY).await,
        Err(r#"answer begins with "-ERR", wanted "+PONG""#.into())
    );
}

#[tokio::test]
async fn a_server_that_closes_without_a_word_is_down() {
    let server = server(|stream| async move { drop(stream) }).await;
    assert_eq!(
        run(server, dialogue(None, prefix("220")), PLENTY).await,
        Err("connection closed before an answer".into())
    );
}

#[tokio::test]
async fn a_server_that_resets_is_down() {
    let server = server(|stream| async move {
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    assert_eq!(
        run(server, dialogue(None, prefix("220")), PLENTY).await,
        Err("connection reset by the server".into())
    );
}

#[tokio::test]
async fn a_mute_server_is_too_slow() {
    let server = server(hold).await;
    assert_eq!(
        run(server, dialogue(None, prefix("220")), Duration::from_millis(100)).await,
        Err("no answer within 100 ms".into())
    );
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_its_limit() {
    let server =
        server(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} })
            .await;
    assert_eq!(
        run(server, dialogue(None, Some(Expect::Contains(b"needle".to_vec()))), PLENTY).await,
        Err(r#"answer does not hold "needle""#.into())
    );
    assert_eq!(
        run(server, dialogue(None, Some(Expect::Regex("needle".into()))), PLENTY).await,
        Err("answer does not match needle".into())
    );
}

/// It has not ended, and what is looked for comes last.
#[tokio::test]
async fn a_long_answer_is_looked_into_with_each_piece_of_it() {
    let server = server(|mut stream| async move {
        let lines = b"a line\n".repeat(6000);
        let _sent = stream.write_all(&lines).await;
        let _sent = stream.write_all(b"OK 7\n").await;
        hold(stream).await;
    })
    .await;
    let kind = dialogue(None, Some(Expect::Regex(r"(?m-u)^OK \d$".into())));
    assert_eq!(run(server, kind, PLENTY).await, Ok("expected answer".into()));
}

/// Answers each datagram with the same text.
async fn udp_server(answer: &'static [u8]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 1024];
        while let Ok((_, from)) = socket.recv_from(&mut datagram).await {
            let _sent = socket.send_to(answer, from).await;
        }
    });
    address
}

#[tokio::test]
async fn a_udp_answer_is_matched() {
    let server = udp_server(b"pong").await;
    assert_eq!(
        run(server, datagram(b"ping", prefix("po")), PLENTY).await,
        Ok("expected answer".into())
    );
    assert_eq!(
        run(server, datagram(b"ping", Some(Expect::Regex("^ping$".into()))), PLENTY).await,
        Err("answer does not match ^ping$".into())
    );
    assert_eq!(run(server, datagram(b"ping", None), PLENTY).await, Ok("answered".into()));
}

#[tokio::test]
async fn a_udp_server_that_does_not_answer_is_asked_again() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 16];
        let _lost = socket.recv_from(&mut datagram).await.unwrap();
        let (length, from) = socket.recv_from(&mut datagram).await.unwrap();
        socket.send_to(&datagram[..length], from).await.unwrap();
    });
    let kind = datagram(b"ping", Some(Expect::Regex("^ping$".into())));
    let limit = Duration::from_secs(3);
    assert_eq!(run(server, kind, limit).await, Ok("expected answer".into()));
}

#[tokio::test]
async fn a_closed_udp_port_refuses_with_or_without_an_expected_answer() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    for expect in [None, prefix("x")] {
        assert_eq!(
            run(address, datagram(b"ping", expect), PLENTY).await,
            Err("connection refused".into())
        );
    }
}

#[tokio::test]
async fn a_mute_udp_server_is_up_only_when_no_answer_is_expected() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let limit = Duration::from_millis(100);
    assert_eq!(run(address, datagram(b"ping", None), limit).await, Ok("not refused".into()));
    assert_eq!(
        run(address, datagram(b"ping", prefix("x")), limit).await,
        Err("no answer within 100 ms".into())
    );
}

#[tokio::test]
async fn a_check_that_cannot_be_done_says_so_each_time() {
    let server = server(hold).await;
    let kind = dialogue(None, Some(Expect::Regex("a(".into())));
    assert_eq!(
        run(server, kind, PLENTY).await,
        Err("the regular expression a( cannot be used: unclosed group".into())
    );
    let no_port = SocketAddr::from(([127, 0, 0, 1], 0));
    assert_eq!(
        run(no_port, CheckKind::Connect, PLENTY).await,
        Err("the check has no port to ask".into())
    );
}
