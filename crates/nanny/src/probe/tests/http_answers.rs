//! HTTP answers, good, bad and hostile.

use super::*;

pub(super) fn http(path: &str) -> HttpCheck {
    HttpCheck {
        tls: None,
        method: "GET".into(),
        path: path.into(),
        host: None,
        status: Vec::new(),
        follow_redirects: 0,
        expect: None,
        digest: None,
    }
}

async fn get(server: SocketAddr, http: HttpCheck) -> Result<String, String> {
    run(server, CheckKind::Http(http), PLENTY).await
}

fn holding(text: &str) -> HttpCheck {
    HttpCheck { expect: Some(Expect::Contains(text.into())), ..http("/") }
}

#[tokio::test]
async fn a_good_answer_is_up() {
    let server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntest page").await;
    assert_eq!(get(server, holding("test page")).await, Ok("status 200".into()));
    assert_eq!(
        get(server, holding("other page")).await,
        Err(r#"body does not hold "other page""#.into())
    );
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let server = answering(b"HTTP/1.0 200 OK\r\n\r\nit is ok").await;
    let regex = HttpCheck { expect: Some(Expect::Regex("ok$".into())), ..http("/") };
    assert_eq!(get(server, regex).await, Ok("status 200".into()));
}

#[tokio::test]
async fn a_page_that_has_changed_is_down_and_says_both_digests() {
    let of = |digest: &str| HttpCheck { digest: Some(digest.parse().unwrap()), ..http("/") };
    let right = of("b40a7fcced3010e644d923d4e11fe415");
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntest \r\n5\r\npage\n\r\n0\r\n\r\n";
    for answer in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ntest page\n".as_slice(),
        b"HTTP/1.0 200 OK\r\n\r\ntest page\n",
        chunked,
    ] {
        let server = answering(answer).await;
        assert_eq!(get(server, right.clone()).await, Ok("status 200".into()));
    }
    let server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntest page").await;
    let changed = "body has the MD5 5101de09cc67639deb77f7252628b08b, wanted b40a7fcced3010e644d923d4e11fe415";
    assert_eq!(get(server, right).await, Err(changed.into()));
}

#[tokio::test]
async fn a_body_that_is_too_long_for_a_digest_says_so() {
    let server = server(|mut stream| async move {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    })
    .await;
    let check = HttpCheck { digest: Some(Digest([0; 16])), ..http("/") };
    assert_eq!(
        get(server, check).await,
        Err("body is above 16777216 bytes, more than are hashed".into())
    );
}

#[tokio::test]
async fn the_request_is_what_the_check_says() {
    let (seen, mut requests) = tokio::sync::mpsc::channel(8);
    let server = server_on("[::1]:0", move |mut stream| {
        let seen = seen.clone();
        async move {
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            seen.send(String::from_utf8(request).unwrap()).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    })
    .await;
    assert_eq!(get(server, http("/a?b=c")).await, Ok("status 204".into()));
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {server}\r\n")), "{request}");
    assert!(request.contains("connection: close\r\n"), "{request}");
    let named =
        HttpCheck { host: Some("www.example.com".into()), method: "HEAD".into(), ..http("/") };
    get(server, named).await.unwrap();
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("HEAD / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("host: www.example.com\r\n"), "{request}");
}

#[tokio::test]
async fn another_status_is_down_and_says_which_was_wanted() {
    let server = answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(get(server, http("/")).await, Err("status 500, wanted 200-299".into()));
    let some = HttpCheck { status: vec![(200, 204), (401, 401)], ..http("/") };
    assert_eq!(get(server, some).await, Err("status 500, wanted 200-204, 401".into()));
    let all = HttpCheck { status: vec![(500, 500)], ..http("/") };
    assert_eq!(get(server, all).await, Ok("status 500".into()));
}

#[tokio::test]
async fn what_is_not_http_is_down() {
    let server = answering(b"220 mail.example.com ESMTP\r\n").await;
    assert_eq!(get(server, http("/")).await, Err("the answer is not HTTP".into()));
}

#[tokio::test]
async fn a_server_that_closes_before_the_head_is_down() {
    let server = answering(b"").await;
    assert_eq!(
        get(server, http("/")).await,
        Err("connection closed before the answer was complete".into())
    );
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_of_the_body_is_down() {
    let server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    assert_eq!(
        get(server, http("/")).await,
        Err("connection closed before the answer was complete".into())
    );
}

#[tokio::test]
async fn a_server_that_resets_in_the_middle_is_down() {
    let server = server(|mut stream| async move {
        let mut request = [0; 1024];
        let _length = stream.read(&mut request).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    assert_eq!(get(server, http("/")).await, Err("connection reset by the server".into()));
}

#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let server = server(|mut stream| async move {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").await.is_ok() {}
    })
    .await;
    assert_eq!(
        get(server, http("/")).await,
        Err("the head of the answer is above 65536 bytes".into())
    );
}

#[tokio::test]
async fn a_head_above_the_limit_is_refused_even_if_it_ends() {
    let server = server(|mut stream| async move {
        let field = format!("X-Filler: {}\r\n", "x".repeat(20_000));
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", field.repeat(20));
        let _sent = stream.write_all(head.as_bytes()).await;
        hold(stream).await;
    })
    .await;
    assert_eq!(
        get(server, http("/")).await,
        Err("the head of the answer is above 65536 bytes".into())
    );
}

#[tokio::test]
async fn an_endless_body_is_read_no_further_than_its_limit() {
    let server = server(|mut stream| async move {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    assert_eq!(get(server, http("/")).await, Ok("status 200".into()));
    assert_eq!(get(server, holding("needle")).await, Err(r#"body does not hold "needle""#.into()));
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_limit_of_the_whole_check() {
    let server = server(|mut stream| async move {
        for byte in b"HTTP/1.1 200 OK\r\nX-Filler: ".iter().chain(&[b'x'; 10_000]) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(
        run(server, CheckKind::Http(http("/")), Duration::from_millis(300)).await,
        Err("no answer within 300 ms".into())
    );
}

#[tokio::test]
async fn a_body_that_stops_ends_with_the_limit_of_the_whole_check() {
    let server = server(|mut stream| async move {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        hold(stream).await;
    })
    .await;
    assert_eq!(
        run(server, CheckKind::Http(http("/")), Duration::from_millis(300)).await,
        Err("the answer did not end within 300 ms".into())
    );
}

/// What old servers say, and what every browser understands.
#[tokio::test]
async fn a_head_that_is_not_quite_right_is_forgiven() {
    let server = answering(
        b"HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\njunk without a colon\r\n: no name\r\nServer : old\r\n\
          Content-Length: 9\r\n\r\ntest page",
    )
    .await;
    assert_eq!(get(server, holding("test page")).await, Ok("status 200".into()));
}

#[tokio::test]
async fn what_cannot_be_sent_is_said() {
    let server = answering(b"").await;
    assert_eq!(
        get(server, http("no slash")).await,
        Err(r#"the check's path "no slash" cannot be sent"#.into())
    );
    let host = HttpCheck { host: Some("a\r\nb".into()), ..http("/") };
    assert_eq!(get(server, host).await, Err(r#"the check's host "a\r\nb" cannot be sent"#.into()));
}
