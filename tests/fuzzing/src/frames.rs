//! What our own processes and people send to each other.

use std::cell::OnceCell;
use std::path::PathBuf;

use control::action::{MoveGroups, ServerAction};
use control::nanny::{FromNanny, ToNanny};
use control::plan::PlanRequest;
use control::worker::{FromLvsd, ToLvsd};
use runtime::control_server::{ControlServer, Request, Response};
use runtime::lines::JsonLines;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Lines from a parent or a child: every message that is understood is written as one line that
/// means the same.
pub fn control_lines(data: &[u8]) {
    lines::<ToLvsd>(data);
    lines::<FromLvsd>(data);
    lines::<ToNanny>(data);
    lines::<FromNanny>(data);
}

fn lines<Message: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(data: &[u8]) {
    block_on_lines::<Message>(data).into_iter().for_each(|message| {
        let line = serde_json::to_string(&message).unwrap();
        assert!(!line.contains('\n'));
        let again: Message = serde_json::from_str(&line).expect("what we write we read");
        assert_eq!(again, message);
    });
}

fn block_on_lines<Message: DeserializeOwned>(data: &[u8]) -> Vec<Message> {
    crate::block_on(async {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut reader = JsonLines::<Message, ()>::new(ours);
        let write = async {
            // The reader gives up at the first line that it does not understand.
            let _ = theirs.write_all(data).await;
            drop(theirs);
        };
        let read = async {
            let mut messages = Vec::new();
            while let Ok(Some(message)) = reader.next().await {
                messages.push(message);
            }
            drop(reader);
            messages
        };
        tokio::join!(write, read).1
    })
}

/// A request to a control socket: it is answered with HTTP, or the connection ends. What reaches
/// the router is read as every body that a daemon takes.
pub fn control_server(data: &[u8]) {
    crate::block_on(async {
        // A runtime per thread: so is the server.
        thread_local! {
            static SERVER: OnceCell<(ControlServer, PathBuf)> = const { OnceCell::new() };
        }
        let path = SERVER.with(|server| server.get_or_init(serve).1.clone());
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let ask = async {
            // The server may answer, and close, before it has read everything.
            let _ = writer.write_all(data).await;
            let _ = writer.shutdown().await;
        };
        let mut answer = Vec::new();
        let (_, read) = tokio::join!(ask, reader.read_to_end(&mut answer));
        assert!(read.is_err() || answer.is_empty() || answer.starts_with(b"HTTP/1."));
    });
}

fn serve() -> (ControlServer, PathBuf) {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("caribe-fuzzing-{}-{number}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let server = ControlServer::start(path.clone(), async |request: Request| route(&request));
    (server.unwrap(), path)
}

fn route(request: &Request) -> Response {
    let _ = request.query("server");
    let taken = [
        request.json::<MoveGroups>().is_ok(),
        request.json::<ServerAction>().is_ok(),
        request.json::<PlanRequest>().is_ok(),
    ];
    if taken.contains(&true) { Response::json(&taken) } else { Response::not_found(&request.path) }
}
