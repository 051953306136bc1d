//! The program as a shell sees it: output, errors, exit codes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use control::action::ActionResult;
use control::history::History;
use control::status::{LvsdStatus, PulseStatus};
use runtime::control_server::{ControlServer, Request, Response, StatusCode};
use tokio::net::UnixListener;

const GOOD: &str = "virtual=192.168.1.1:80\n    real=192.168.1.4:80 gate\n    protocol=tcp\n";

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lvsctl-{test}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn lvsctl(runtime_dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lvsctl"))
        .env("CARIBE_RUNTIME_DIR", runtime_dir)
        .env("USER", "ann")
        .env_remove("SUDO_USER")
        .args(arguments)
        .output()
        .unwrap()
}

/// [`lvsctl`] on another thread, so that the daemons of the test can answer.
async fn lvsctl_beside(folder: &Folder, arguments: &[&str]) -> Output {
    let runtime_dir = folder.0.clone();
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        lvsctl(&runtime_dir, &arguments)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn check_says_every_problem_of_every_path_and_ends_with_78() {
    let folder = Folder::new("check");
    let good = folder.file("good.cf", GOOD);
    let bad = folder.file("bad.cf", &GOOD.replace("protocol", "protokol").replace("gate", "gat"));
    let output = lvsctl(&folder.0, &["check", &good]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).ends_with("is good: 1 virtual server, 1 real server\n"));
    let output = lvsctl(&folder.0, &["check", &good, &bad]);
    assert_eq!(output.status.code(), Some(78));
    let text = out(&output);
    assert!(text.contains("bad.cf:2:"), "{text}");
    assert!(text.contains("bad.cf:3:5"), "{text}");
    assert!(text.contains("is good") && text.contains("is refused, 2 errors"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text}");
}

#[test]
fn a_wrong_command_line_ends_with_64_and_help_with_0() {
    let nowhere = Path::new("/nowhere");
    for wrong in [
        &["stauts"][..],
        &["drain"],
        &["weight", "www1", "much"],
        &["apply", "--keep", "--confirm"],
        &[],
    ] {
        let output = lvsctl(nowhere, wrong);
        assert_eq!(output.status.code(), Some(64), "{wrong:?}");
        assert!(out(&output).is_empty());
    }
    for help in ["--help", "--version"] {
        assert_eq!(lvsctl(nowhere, &[help]).status.code(), Some(0));
    }
}

#[test]
fn nobody_at_home_is_one_line_and_69() {
    let nowhere = Path::new("/nowhere");
    for command in [
        &["status"][..],
        &["history"],
        &["explain", "www1"],
        &["failover"],
        &["takeover", "web"],
        &["drain", "www1"],
        &["enable", "www1"],
        &["reload"],
        &["apply"],
        &["apply", "--keep"],
    ] {
        let output = lvsctl(nowhere, command);
        assert_eq!(output.status.code(), Some(69), "{command:?}");
        let text = err(&output);
        assert!(text.starts_with("lvsctl: nothing answers on /nowhere/"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// Echoes what was asked, in the form of an action's result.
async fn echo(request: Request) -> Response {
    match request.path.as_str() {
        "/v1/status" => Response::json(&LvsdStatus::default()),
        "/v1/history" => Response::json(&History::default()),
        "/v1/failover" => Response::failure(StatusCode::CONFLICT, "the partner is\nlost"),
        path => {
            let done = vec![format!("{path} {}", String::from_utf8_lossy(&request.body))];
            Response::json(&ActionResult { done })
        }
    }
}

async fn pulse(request: Request) -> Response {
    match request.path.as_str() {
        "/v1/status" => Response::json(&PulseStatus::default()),
        _ => echo(request).await,
    }
}

#[tokio::test]
async fn actions_reach_the_daemon_with_who_and_why() {
    let folder = Folder::new("act");
    let _lvsd = ControlServer::start(folder.0.join("lvsd.sock"), echo).unwrap();
    let _pulse = ControlServer::start(folder.0.join("pulse.sock"), pulse).unwrap();
    let ask = async |arguments: &[&str]| out(&lvsctl_beside(&folder, arguments).await);
    let drained = ask(&["drain", "www1", "--deadline", "10m", "--reason", "new disk"]).await;
    for part in [
        r#""server":"www1""#,
        r#""type":"drain","deadline_seconds":600"#,
        r#""reason":"new disk""#,
        r#""who":"ann""#,
        r#""service":null"#,
    ] {
        assert!(drained.contains(part), "{part}: {drained}");
    }
    let weighed = ask(&["weight", "www1", "7", "--service", "www"]).await;
    assert!(weighed.contains(r#""type":"weight","weight":7"#), "{weighed}");
    assert!(weighed.contains(r#""service":"www""#), "{weighed}");
    assert!(ask(&["weight", "www1"]).await.contains(r#""weight":null"#));
    assert!(ask(&["undrain", "x"]).await.contains(r#""type":"undrain""#));
    assert!(ask(&["disable", "x"]).await.contains(r#""type":"disable""#));
    assert!(ask(&["enable", "x"]).await.contains(r#""type":"enable""#));
    assert_eq!(ask(&["takeover", "web"]).await, "/v1/takeover {\"groups\":[\"web\"]}\n");
    assert_eq!(ask(&["reload"]).await, "/v1/reload {}\n/v1/reload {}\n");
    for (words, body) in [
        (&["apply"][..], r#"{"type":"unconfirmed"}"#),
        (&["apply", "--confirm"], r#"{"type":"confirmed","trial_seconds":null}"#),
        (&["apply", "--confirm", "1500ms"], r#"{"type":"confirmed","trial_seconds":2}"#),
        (&["apply", "--keep"], r#"{"type":"keep"}"#),
    ] {
        assert_eq!(ask(words).await, format!("/v1/apply {body}\n/v1/apply {body}\n"));
    }
}

/// A daemon that has the same to say to everybody.
fn says(folder: &Folder, name: &str, status: StatusCode, text: &'static str) -> ControlServer {
    let socket = folder.0.join(format!("{name}.sock"));
    let answer = move |_| async move {
        match status {
            StatusCode::OK => Response::json(&ActionResult { done: vec![text.to_owned()] }),
            refused => Response::failure(refused, text),
        }
    };
    ControlServer::start(socket, answer).unwrap()
}

/// Exit code, output, errors.
async fn said(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = lvsctl_beside(folder, arguments).await;
    (output.status.code(), out(&output), err(&output))
}

#[tokio::test]
async fn a_configuration_is_kept_when_both_keep_it_or_one_has_nothing_on_trial() {
    const KEEP: &[&str] = &["apply", "--keep"];
    let nothing = (StatusCode::CONFLICT, "no configuration is on trial");
    let full = (StatusCode::INTERNAL_SERVER_ERROR, "disk full");
    let kept = (StatusCode::OK, "kept");
    let none = String::new();
    for (name, pulse, lvsd, wanted) in [
        ("keep-both", kept, kept, (Some(0), "kept\nkept\n", none.clone())),
        ("keep-pulse", kept, nothing, (Some(0), "kept\n", none.clone())),
        ("keep-lvsd", nothing, kept, (Some(0), "kept\n", none)),
        ("keep-none", nothing, nothing, (Some(64), "", format!("lvsctl: {}\n", nothing.1))),
        ("keep-fails", kept, full, (Some(70), "kept\n", "lvsctl: disk full\n".into())),
        ("keep-failed", full, kept, (Some(70), "kept\n", "lvsctl: disk full\n".into())),
        ("keep-never", full, full, (Some(70), "", "lvsctl: disk full; disk full\n".into())),
        ("keep-or-not", nothing, full, (Some(70), "", "lvsctl: disk full\n".into())),
    ] {
        let folder = Folder::new(name);
        let _pulse = says(&folder, "pulse", pulse.0, pulse.1);
        let _lvsd = says(&folder, "lvsd", lvsd.0, lvsd.1);
        let (code, output, errors) = said(&folder, KEEP).await;
        assert_eq!((code, output.as_str(), errors), wanted, "{name}");
    }
    let folder = Folder::new("keep-alone");
    let _lvsd = says(&folder, "lvsd", kept.0, kept.1);
    assert_eq!(said(&folder, KEEP).await.0, Some(0), "a single director has no pulse");
}

#[tokio::test]
async fn where_pulse_runs_an_lvsd_that_is_silent_or_fails_is_an_error_after_what_pulse_did() {
    for words in [&["apply"][..], &["apply", "--confirm"], &["apply", "--keep"], &["reload"]] {
        let folder = Folder::new("half");
        let _pulse = says(&folder, "pulse", StatusCode::OK, "pulse did");
        let (code, output, errors) = said(&folder, words).await;
        assert_eq!((code, output.as_str()), (Some(69), "pulse did\n"), "{words:?}");
        assert!(
            errors.contains("lvsd.sock: lvsd, which pulse starts, has not done it"),
            "{errors}"
        );
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        let _lvsd = says(&folder, "lvsd", refused, "configuration refused");
        let (code, output, errors) = said(&folder, words).await;
        assert_eq!((code, output.as_str()), (Some(78), "pulse did\n"), "{words:?}");
        assert_eq!(errors, "lvsctl: configuration refused\n");
    }
}

#[tokio::test]
async fn what_pulse_refuses_lvsd_is_not_asked() {
    let folder = Folder::new("first");
    let _pulse = says(&folder, "pulse", StatusCode::UNPROCESSABLE_ENTITY, "refused");
    let _lvsd = says(&folder, "lvsd", StatusCode::OK, "lvsd did");
    for words in [&["apply"][..], &["reload"]] {
        let wanted = (Some(78), String::new(), "lvsctl: refused\n".to_owned());
        assert_eq!(said(&folder, words).await, wanted, "{words:?}");
    }
}

#[tokio::test]
async fn a_refused_action_is_the_daemons_sentence_on_one_line() {
    let folder = Folder::new("refused");
    let _pulse = ControlServer::start(folder.0.join("pulse.sock"), pulse).unwrap();
    let output = lvsctl_beside(&folder, &["failover"]).await;
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(err(&output), "lvsctl: the partner is\\nlost\n");
}

#[tokio::test]
async fn the_status_is_whole_with_either_daemon_alone() {
    let folder = Folder::new("status");
    let lvsd = ControlServer::start(folder.0.join("lvsd.sock"), echo).unwrap();
    let output = lvsctl_beside(&folder, &["status"]).await;
    assert!(out(&output).starts_with("Single director"), "{}", out(&output));
    let json: serde_json::Value =
        serde_json::from_str(&out(&lvsctl_beside(&folder, &["status", "--json"]).await)).unwrap();
    assert!(json["schema"] == 1 && json["pulse"].is_null() && json["lvsd"].is_object());
    drop(lvsd);
    let _pulse = ControlServer::start(folder.0.join("pulse.sock"), pulse).unwrap();
    let output = lvsctl_beside(&folder, &["status"]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("lvsd does not answer"), "{}", out(&output));
}

/// A daemon that takes questions and answers none.
fn breaks_off(folder: &Folder, name: &str) {
    let listener = UnixListener::bind(folder.0.join(format!("{name}.sock"))).unwrap();
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
}

#[tokio::test]
async fn what_one_daemon_says_is_shown_before_the_error_of_the_other() {
    let folder = Folder::new("pulse-fails");
    breaks_off(&folder, "pulse");
    let _lvsd = ControlServer::start(folder.0.join("lvsd.sock"), echo).unwrap();
    let (code, output, errors) = said(&folder, &["status"]).await;
    assert_eq!((code, errors.lines().count()), (Some(69), 1), "{errors}");
    assert!(output.starts_with("pulse does not answer\n"), "{output}");
    assert!(errors.starts_with("lvsctl: pulse broke the exchange"), "{errors}");
    let (code, output, _) = said(&folder, &["status", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(code, Some(69));
    assert!(json["pulse"].is_null() && json["lvsd"].is_object());
    let (code, output, _) = said(&folder, &["history"]).await;
    assert_eq!((code, output.as_str()), (Some(69), "pulse does not answer\n"));
    let folder = Folder::new("lvsd-fails");
    breaks_off(&folder, "lvsd");
    let _pulse = ControlServer::start(folder.0.join("pulse.sock"), pulse).unwrap();
    let (code, output, errors) = said(&folder, &["status"]).await;
    assert_eq!(code, Some(69), "{errors}");
    assert!(output.contains("lvsd does not answer"), "{output}");
    let folder = Folder::new("both-fail");
    breaks_off(&folder, "pulse");
    breaks_off(&folder, "lvsd");
    let (code, output, errors) = said(&folder, &["status"]).await;
    assert_eq!((code, output.as_str()), (Some(69), ""));
    assert!(errors.contains("pulse broke") && errors.contains("lvsd broke"), "{errors}");
}

#[test]
fn watch_wants_a_terminal() {
    let output = lvsctl(Path::new("/nowhere"), &["watch"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(err(&output).contains("use lvsctl status"));
}

#[test]
fn a_foreign_configuration_is_converted_to_one_that_is_good() {
    let folder = Folder::new("convert");
    let old = folder.file("ldirectord.cf", GOOD);
    let new = folder.0.join("cluster.yaml").display().to_string();
    let printed = lvsctl(&folder.0, &["convert", &old]);
    assert_eq!(printed.status.code(), Some(0), "{}", err(&printed));
    let written = lvsctl(&folder.0, &["convert", &old, "-o", &new]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    assert!(out(&written).is_empty());
    assert_eq!(std::fs::read_to_string(&new).unwrap(), out(&printed));
    let checked = lvsctl(&folder.0, &["check", &new]);
    assert_eq!(checked.status.code(), Some(0), "{}", out(&checked));
    let again = lvsctl(&folder.0, &["convert", &old, "-o", &new]);
    assert_eq!(again.status.code(), Some(64), "an existing file is never overwritten");
    assert_eq!(std::fs::read_to_string(&new).unwrap(), out(&printed));
    let bad = folder.file("bad.cf", &GOOD.replace("gate", "gat"));
    assert_eq!(lvsctl(&folder.0, &["convert", &bad]).status.code(), Some(78));
}

#[test]
fn what_a_file_says_needlessly_is_noted_and_it_is_good_all_the_same() {
    let folder = Folder::new("needless");
    let file = folder.file("l.cf", &format!("fork=yes\n{GOOD}"));
    let note = ":1:1: note: `fork` is not needed here (";
    let checked = lvsctl(&folder.0, &["check", &file]);
    let text = out(&checked);
    assert!(text.contains(note), "{text}");
    assert!(text.ends_with("is good: 1 virtual server, 1 real server\n"), "{text}");
    let converted = lvsctl(&folder.0, &["convert", &file]);
    assert!(err(&converted).contains(note), "{}", err(&converted));
    assert!(!out(&converted).contains("note"), "{}", out(&converted));
}

#[test]
fn what_a_fencing_device_is_told_is_shown_by_nobody() {
    let folder = Folder::new("device");
    std::fs::create_dir(folder.0.join("ha.d")).unwrap();
    // What is too long for stonith to read in another way is told, with its line.
    let long = "x".repeat(1100);
    let told = format!(
        "node one two\nbcast eth1\nauto_failback on\nstonith_host * baytech 10.0.0.3 geheim{long}\n"
    );
    folder.file("ha.d/ha.cf", &told);
    folder.file("ha.d/haresources", "one 192.168.1.1\n");
    let old = folder.0.join("ha.d").display().to_string();
    let new = folder.0.join("cluster.yaml").display().to_string();
    let checked = lvsctl(&folder.0, &["check", &old]);
    let converted = lvsctl(&folder.0, &["convert", &old, "-o", &new]);
    assert_eq!(converted.status.code(), Some(0), "{}", err(&converted));
    let file = folder.0.join("fence.stonith").display().to_string();
    assert!(
        err(&converted).contains(&format!("into {file} on one and two")),
        "{}",
        err(&converted)
    );
    let written = std::fs::read_to_string(&new).unwrap();
    assert!(written.contains(&file), "{written}");
    assert!(out(&checked).contains("ch ******** *******"), "{}", out(&checked));
    for said in [out(&checked), err(&checked), err(&converted), written] {
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[test]
fn the_files_of_both_routers_become_one() {
    let folder = Folder::new("both");
    let file = |name: &str, priority: u8| {
        let text = format!(
            "global_defs {{\n router_id {name}\n}}\nvrrp_instance V {{\n interface eth0\n priority {priority}\n \
             virtual_ipaddress {{\n  192.168.1.1/24\n }}\n}}\n"
        );
        folder.file(name, &text)
    };
    let (one, other) = (file("lvs-a", 100), file("lvs-b", 150));
    let alone = lvsctl(&folder.0, &["convert", &one]);
    assert_eq!(alone.status.code(), Some(78));
    assert!(err(&alone).contains("not where its partner is"), "{}", err(&alone));
    let both = lvsctl(&folder.0, &["convert", &one, &other]);
    assert_eq!(both.status.code(), Some(0), "{}", err(&both));
    assert!(out(&both).contains("preferred: lvs-b"), "{}", out(&both));
    let foreign = folder.file("ldirectord.cf", GOOD);
    assert_eq!(lvsctl(&folder.0, &["convert", &foreign, &other]).status.code(), Some(78));
}

#[test]
fn a_program_of_a_check_that_nobody_can_run_is_a_warning() {
    let folder = Folder::new("program");
    let text = format!("{GOOD}    checktype=external\n    checkcommand=/root/check\n");
    let file = folder.file("l.cf", &text);
    let output = lvsctl(&folder.0, &["check", &file]);
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    assert!(
        text.contains("the checks of tcp:192.168.1.1:80 cannot run this program: /root"),
        "{text}"
    );
    assert!(text.contains("/root/check") && text.contains("is good, 1 warning"), "{text}");
}

#[test]
fn a_pair_without_a_key_is_told_how_to_make_one() {
    let folder = Folder::new("no-key");
    let lvs_cf = "primary = 10.0.0.1\nbackup = 10.0.0.2\nbackup_active = 1\nvirtual web {\n\
                  active = 1\naddress = 10.0.0.9 eth0:1\n\
                  server one {\naddress = 10.0.1.4\nactive = 1\n}\n}\n";
    let old = folder.file("lvs.cf", lvs_cf);
    let key = folder.0.join("heartbeat.key").display().to_string();
    let checked = lvsctl(&folder.0, &["check", &old]);
    assert_eq!(checked.status.code(), Some(0));
    assert!(
        out(&checked).contains(&format!("make one with `lvsctl keygen {key}`")),
        "{}",
        out(&checked)
    );
    assert!(out(&checked).contains("is good, 1 warning"), "{}", out(&checked));
    std::fs::create_dir(folder.0.join("new")).unwrap();
    let new = folder.0.join("new/cluster.yaml").display().to_string();
    let converted = lvsctl(&folder.0, &["convert", &old, "-o", &new]);
    let there = folder.0.join("new/heartbeat.key").display().to_string();
    assert!(err(&converted).contains(&format!("`lvsctl keygen {there}`")), "{}", err(&converted));
    assert_eq!(lvsctl(&folder.0, &["keygen", &key]).status.code(), Some(0));
    let checked = lvsctl(&folder.0, &["check", &old]);
    assert!(out(&checked).contains("is good: 1 virtual server"), "{}", out(&checked));
    std::fs::remove_file(&new).unwrap();
    let converted = lvsctl(&folder.0, &["convert", &old, "-o", &new]);
    assert!(
        err(&converted).contains(&format!("copy {key} beside the new file")),
        "{}",
        err(&converted)
    );
}

#[test]
fn keys_that_stay_behind_are_mentioned() {
    let folder = Folder::new("keys");
    let etc = folder.0.join("etc");
    std::fs::create_dir(&etc).unwrap();
    let pair = "routers:\n  a: { paths: [10.0.0.1] }\n  b: { paths: [10.0.0.2] }\n\
                heartbeat: { key_file: my.key }\n\
                groups:\n  web: { addresses: [10.0.0.9/24] }\n";
    let old = folder.file("etc/cluster.yaml", pair);
    folder.file("etc/my.key", "");
    let away = lvsctl(&folder.0, &["convert", &old]);
    assert_eq!(away.status.code(), Some(0), "{}", err(&away));
    assert!(err(&away).contains("etc/my.key beside the new file"), "{}", err(&away));
    let beside = folder.0.join("etc/new.yaml").display().to_string();
    let stays = lvsctl(&folder.0, &["convert", &old, "-o", &beside]);
    assert!(!err(&stays).contains("my.key beside"), "{}", err(&stays));
}

#[test]
fn a_plan_of_a_refused_configuration_is_none() {
    let folder = Folder::new("plan");
    let bad = folder.file("bad.cf", &GOOD.replace("gate", "gat"));
    let output = lvsctl(&folder.0, &["plan", &bad]);
    assert_eq!(output.status.code(), Some(78));
    assert!(out(&output).is_empty());
    assert!(err(&output).ends_with("mend the errors above first\n"), "{}", err(&output));
}
