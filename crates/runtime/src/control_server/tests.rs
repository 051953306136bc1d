use control::action::{Failure, MoveGroups};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::test_folder::TestFolder;

async fn echo(request: Request) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/status") => Response::json(&request.query("server").unwrap_or("all")),
        ("POST", "/v1/failover") => match request.json::<MoveGroups>() {
            Ok(body) => Response::json(&body),
            Err(response) => response,
        },
        _ => Response::not_found(&request.path),
    }
}

async fn exchange(path: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // The server may answer, and close, before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn ask(path: &Path, line: &str, body: &str) -> (u16, String) {
    let request =
        format!("{line} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answer = exchange(path, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn error_in(body: &str) -> String {
    serde_json::from_str::<Failure>(body).unwrap().error
}

#[tokio::test]
async fn requests_reach_the_router_and_its_answers_come_back() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let path = server.path();
    assert_eq!(ask(path, "GET /v1/status?server=a%20b", "").await, (200, "\"a b\"".into()));
    let body = r#"{"groups":["web"]}"#;
    assert_eq!(ask(path, "POST /v1/failover", body).await, (200, body.into()));
    assert_eq!(ask(path, "POST /v1/failover", "").await, (200, r#"{"groups":[]}"#.into()));
}

#[tokio::test]
async fn what_cannot_be_done_is_answered_with_a_reason() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let (status, body) = ask(server.path(), "GET /nothing", "").await;
    assert_eq!((status, error_in(&body).as_str()), (404, "there is nothing at /nothing"));
    let (status, body) = ask(server.path(), "POST /v1/failover", r#"{"group":"web"}"#).await;
    assert_eq!(status, 400);
    assert!(error_in(&body).contains("unknown field `group`"), "{body}");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let (status, body) = ask(server.path(), "GET /v1/status", &"x".repeat(MAX_BODY + 1)).await;
    assert_eq!(status, 413);
    assert!(error_in(&body).contains("65536 bytes"), "{body}");
    let long = " ".repeat(MAX_ACTION_BODY - 2) + "{}";
    assert_eq!(ask(server.path(), "POST /v1/failover", &long).await.0, 200);
    let (status, _) = ask(server.path(), "POST /v1/failover", &(long + " ")).await;
    assert_eq!(status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_ends_its_request_is_let_go() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let mut slow = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut stream = UnixStream::connect(server.path()).await.unwrap();
        stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost:").await.unwrap();
        slow.push(stream);
    }
    // Every slot is taken: this one is answered only because the slow ones are let go. The clock
    // is the test's, which leaps to the next deadline when nothing else can happen.
    let begun = tokio::time::Instant::now();
    assert_eq!(ask(server.path(), "GET /v1/status", "").await.0, 200);
    assert!(begun.elapsed() < 2 * HEAD_TIMEOUT, "the head's own limit holds");
}

#[tokio::test]
async fn an_endless_head_is_refused_at_its_limit() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let mut stream = UnixStream::connect(server.path()).await.unwrap();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\n").await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let line = [b"x: ".as_slice(), &[b'y'; 1021], b"\r\n"].concat();
    let mut taken = 0;
    // Sixteen MiB: what is taken is the limit and what the socket itself holds.
    while taken < 16 << 20 && writer.write_all(&line).await.is_ok() {
        taken += line.len();
    }
    assert!(taken < 1 << 20, "{taken} bytes of a head were taken");
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    assert_eq!(ask(server.path(), "GET /v1/status", "").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_ends_with_the_limit_of_the_exchange() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let mut stream = UnixStream::connect(server.path()).await.unwrap();
    let head = b"POST /v1/failover HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let begun = tokio::time::Instant::now();
    while stream.write_all(b" ").await.is_ok() {
        assert!(begun.elapsed() < 2 * EXCHANGE_TIMEOUT, "the limit of the exchange holds");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(ask(server.path(), "GET /v1/status", "").await.0, 200);
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_a_socket_left_behind_is_replaced() {
    let folder = TestFolder::new();
    let path = folder.path().join("lvsd.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = ControlServer::start(path.clone(), echo).unwrap();
    let error = ControlServer::start(path.clone(), echo).unwrap_err();
    assert!(error.message.contains("answers on it already"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, SOCKET_MODE);
    drop(server);
    assert!(!path.exists());
}

#[tokio::test]
async fn somebody_without_any_right_gets_403_and_no_more() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    refuse(&ours).await;
    drop(ours);
    let mut answer = String::new();
    theirs.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert_eq!(error_in(body), peer::NO_ACCESS);
}

#[tokio::test]
async fn a_reader_reads_and_cannot_act_and_a_stranger_can_do_neither() {
    let folder = TestFolder::new();
    let start = |name: &str, access: fn(&Peer) -> Access| {
        ControlServer::start_for(folder.path().join(name), access, echo).unwrap()
    };
    let reader = start("reader", |_| Access { read: true, act: false });
    assert_eq!(ask(reader.path(), "GET /v1/status", "").await.0, 200);
    let (status, body) = ask(reader.path(), "POST /v1/failover", "{}").await;
    assert_eq!(status, 403);
    assert!(error_in(&body).contains("caribe-admin"), "{body}");
    let stranger = start("stranger", |_| Access::default());
    let (status, body) = ask(stranger.path(), "GET /v1/status", "").await;
    assert_eq!((status, error_in(&body).as_str()), (403, peer::NO_ACCESS));
}

#[tokio::test]
async fn a_stranger_who_says_nothing_is_let_go_before_anybody_else() {
    let folder = TestFolder::new();
    let path = folder.path().join("lvsd.sock");
    let server = ControlServer::start_for(path, |_| Access::default(), echo).unwrap();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    assert_eq!(exchange(server.path(), b"").await, "");
    assert!(begun.elapsed() < HEAD_TIMEOUT);
}

#[tokio::test]
async fn a_connection_serves_one_request() {
    let folder = TestFolder::new();
    let server = ControlServer::start(folder.path().join("lvsd.sock"), echo).unwrap();
    let one = b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = exchange(server.path(), &[&one[..], one].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn the_kernel_tells_who_asks() {
    let folder = TestFolder::new();
    let tell = async |request: Request| Response::json(&(request.peer.uid, request.peer.pid));
    let server = ControlServer::start(folder.path().join("lvsd.sock"), tell).unwrap();
    let (_, body) = ask(server.path(), "GET /", "").await;
    let own = (rustix::process::geteuid().as_raw(), std::process::id());
    assert_eq!(body, serde_json::to_string(&own).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_cannot_be_made_is_made_as_soon_as_it_can_be() {
    let folder = TestFolder::new();
    let run = folder.path().join("run");
    // No socket can be in a file, as none can be where there is no room.
    std::fs::write(&run, "").unwrap();
    let server = ControlServer::start(run.join("pulse.sock"), echo).unwrap();
    tokio::time::sleep(3 * AGAIN).await;
    assert!(!server.path().exists());
    std::fs::remove_file(&run).unwrap();
    tokio::time::sleep(2 * AGAIN).await;
    assert_eq!(ask(server.path(), "GET /v1/status", "").await, (200, "\"all\"".into()));
    let second = ControlServer::start(run.join("pulse.sock"), echo).unwrap_err();
    assert!(second.message.contains("answers on it already"), "{second}");
}
