use control::status::LvsdStatus;
use runtime::control_server::{ControlServer, Method, Request, Response, StatusCode as Answered};
use serde_json::{Value, json};

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("caribe-{test}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn daemon(request: Request) -> Response {
    match (request.method.clone(), request.path.as_str()) {
        (Method::GET, "/v1/status") => Response::json(&LvsdStatus::default()),
        (Method::GET, "/v1/explain") => Response::json(&json!(request.query("server"))),
        (Method::POST, "/v1/plan") => Response::json(&request.json::<Value>().unwrap()),
        (Method::GET, "/broken") => Response::text("no JSON".into()),
        _ => Response::failure(Answered::NOT_FOUND, "no real server is called that"),
    }
}

#[tokio::test]
async fn questions_and_answers_cross_the_socket() {
    let folder = Folder::new("client");
    let _server = ControlServer::start(folder.0.join("lvsd.sock"), daemon).unwrap();
    let lvsd = Daemons::new(folder.0.clone()).lvsd;
    let status: LvsdStatus = lvsd.get("/v1/status", &[]).await.unwrap();
    assert_eq!(status, LvsdStatus::default());
    let hostile = "[2001:db8::1]:80&x=y#/ü %";
    let echoed: String = lvsd.get("/v1/explain", &[("server", hostile)]).await.unwrap();
    assert_eq!(echoed, hostile);
    let large = json!({ "cluster": "x".repeat(1 << 20) });
    let echoed: Value = lvsd.post("/v1/plan", &large).await.unwrap();
    assert_eq!(echoed, large);
}

#[tokio::test]
async fn a_refusal_is_the_daemons_own_sentence() {
    let folder = Folder::new("refusal");
    let _server = ControlServer::start(folder.0.join("lvsd.sock"), daemon).unwrap();
    let lvsd = Daemons::new(folder.0.clone()).lvsd;
    let error = ExitError::from(lvsd.get::<Value>("/v1/nothing", &[]).await.unwrap_err());
    assert_eq!(error, ExitError::usage("no real server is called that"));
    let error = ExitError::from(lvsd.get::<Value>("/broken", &[]).await.unwrap_err());
    assert_eq!(error.exit, Exit::Internal);
    assert!(error.message.contains("of one version"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_with_what_to_start() {
    let folder = Folder::new("nobody");
    let daemons = Daemons::new(folder.0.clone());
    drop(std::os::unix::net::UnixListener::bind(folder.0.join("pulse.sock")).unwrap());
    for (daemon, name) in [(&daemons.pulse, "pulse"), (&daemons.lvsd, "lvsd")] {
        let status = unless_silent(daemon.get::<LvsdStatus>("/v1/status", &[]).await);
        assert_eq!(status, Ok(None));
        let error = ExitError::from(daemon.get::<Value>("/v1/status", &[]).await.unwrap_err());
        assert_eq!(error.exit, Exit::Unavailable);
        let wanted = format!("{name}.sock: is {name} running? start it with: {name} --config PATH");
        assert!(error.message.contains(&wanted), "{error}");
    }
}

#[tokio::test]
async fn a_daemon_that_breaks_off_is_not_taken_for_one_that_is_not_there() {
    let folder = Folder::new("breaks");
    let listener = tokio::net::UnixListener::bind(folder.0.join("lvsd.sock")).unwrap();
    let breaks = tokio::spawn(async move { drop(listener.accept().await) });
    let lvsd = Daemons::new(folder.0.clone()).lvsd;
    let asked = unless_silent(lvsd.get::<LvsdStatus>("/v1/status", &[]).await);
    let error = asked.unwrap_err();
    assert_eq!(error.exit, Exit::Unavailable);
    assert!(error.message.starts_with("lvsd broke the exchange"), "{error}");
    breaks.await.unwrap();
}
