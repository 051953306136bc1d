use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::test_folder::TestFolder;

fn spec(program: &str, arguments: &[&str]) -> ChildSpec {
    ChildSpec {
        program: program.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        run_as: None,
        errors: None,
    }
}

/// Runs `script` in a shell with its output on the socket, and returns what it wrote.
async fn output_of(spec: &ChildSpec) -> String {
    let (mut child, mut stream) = spec.spawn().unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    child.wait().await.unwrap();
    text
}

#[tokio::test]
async fn a_child_talks_over_its_standard_input() {
    let (mut child, mut stream) =
        spec("/bin/sh", &["-c", "read line; echo \"<$line>\" >&0"]).spawn().unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "<hello>\n");
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn the_end_of_the_socket_is_the_sign_to_end() {
    let (mut child, stream) = spec("/bin/cat", &[]).spawn().unwrap();
    drop(stream);
    assert_eq!(ending(child.wait().await.unwrap()), "exit code 0");
}

#[tokio::test]
async fn a_child_inherits_only_the_short_environment_and_no_descriptor() {
    let _held = std::os::unix::net::UnixStream::pair().unwrap();
    let text = output_of(&spec("/bin/sh", &["-c", "env >&0; ls -l /proc/self/fd >&0"])).await;
    let names: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    for (name, _) in &names {
        let of_the_shell = ["PWD", "SHLVL", "_", "OLDPWD"];
        assert!(KEPT_ENVIRONMENT.contains(name) || of_the_shell.contains(name), "{name}");
    }
    let sockets = text.lines().filter(|line| line.contains("socket:")).count();
    assert_eq!(sockets, 2, "its standard input, and what ls was given of it: {text}");
}

#[tokio::test]
async fn a_child_that_ignores_sigterm_is_killed() {
    let (child, mut stream) =
        spec("/bin/sh", &["-c", "trap '' TERM; echo >&0; while :; do sleep 0.01; done"])
            .spawn()
            .unwrap();
    stream.read_u8().await.unwrap();
    let status = child.stop(Duration::from_millis(50)).await.unwrap();
    assert_eq!(ending(status), "killed by signal 9");
}

#[tokio::test]
async fn a_child_that_obeys_sigterm_ends_itself() {
    let script = "trap 'exit 7' TERM; echo >&0; while :; do sleep 0.01; done";
    let (child, mut stream) = spec("/bin/sh", &["-c", script]).spawn().unwrap();
    stream.read_u8().await.unwrap();
    let status = child.stop(Duration::from_secs(60)).await.unwrap();
    assert_eq!(ending(status), "exit code 7");
}

#[tokio::test]
async fn dropping_a_child_kills_it() {
    let (child, mut stream) = spec("/bin/cat", &[]).spawn().unwrap();
    drop(child);
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "its end of the socket is closed");
}

#[tokio::test]
async fn only_root_starts_another_user_who_has_no_group_of_ours_and_no_capability() {
    if !rustix::process::geteuid().is_root() {
        let refused =
            ChildSpec { run_as: Some(RunAs { uid: 0, gid: 0 }), ..spec("/bin/true", &[]) };
        assert!(matches!(refused.spawn(), Err(ChildError::Start { .. })));
        return;
    }
    let script = "id -u >&0; id -G >&0; grep CapEff /proc/self/status >&0";
    let as_nobody = ChildSpec {
        run_as: Some(RunAs { uid: 65534, gid: 65534 }),
        ..spec("/bin/sh", &["-c", script])
    };
    assert_eq!(output_of(&as_nobody).await, "65534\n65534\nCapEff:\t0000000000000000\n");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = spec("/nowhere/nanny", &[]).spawn().unwrap_err();
    assert!(error.to_string().starts_with("cannot start /nowhere/nanny: No such file"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_keeper_restarts_what_ends_with_growing_delays() {
    let mut keeper = Keeper::new(spec("/bin/sh", &["-c", "exit 3"]));
    let mut delays = Vec::new();
    for _ in 0..3 {
        assert!(matches!(keeper.event().await, KeeperEvent::Started { .. }));
        assert!(keeper.pid().is_some());
        match keeper.event().await {
            KeeperEvent::Ended { why, retry_in } => {
                assert_eq!(why, "exit code 3");
                delays.push(retry_in.as_millis());
            }
            started @ KeeperEvent::Started { .. } => panic!("{started:?}"),
        }
        assert!(keeper.pid().is_none());
    }
    assert_eq!(delays, [100, 200, 400]);
    assert_eq!(keeper.restarts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_keeper_goes_on_trying_a_program_that_is_not_there() {
    let mut keeper = Keeper::new(spec("/nowhere/nanny", &[]));
    for delay in [100, 200] {
        match keeper.event().await {
            KeeperEvent::Ended { why, retry_in } => {
                assert!(why.starts_with("cannot start /nowhere/nanny"), "{why}");
                assert_eq!(retry_in.as_millis(), delay);
            }
            started @ KeeperEvent::Started { .. } => panic!("{started:?}"),
        }
    }
    assert_eq!(keeper.restarts(), 0);
}

#[tokio::test]
async fn giving_up_waiting_for_an_event_loses_none() {
    let mut keeper = Keeper::new(spec("/bin/cat", &[]));
    let KeeperEvent::Started { stream, .. } = keeper.event().await else { panic!("not started") };
    tokio::select! {
        biased;
        _ = keeper.event() => panic!("nothing happened yet"),
        () = tokio::task::yield_now() => {}
    }
    drop(stream);
    assert!(matches!(keeper.event().await, KeeperEvent::Ended { .. }));
    keeper.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn what_a_child_complains_of_becomes_lines_of_the_log_also_after_a_rotation() {
    let folder = TestFolder::new();
    let (path, old) = (folder.path().join("log"), folder.path().join("old"));
    let output = LogOutput::file(&path).unwrap();
    let script = "echo one >&2; echo >&0; read go; printf 'two\\033[31m\\nthree' >&2";
    let spec = ChildSpec { errors: Some(output.clone()), ..spec("/bin/sh", &["-c", script]) };
    let (mut child, mut stream) = spec.spawn().unwrap();
    stream.read_u8().await.unwrap();
    let holds = async |path: &Path, text: &str| {
        while std::fs::read_to_string(path).unwrap() != text {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    holds(&path, "one\n").await;
    std::fs::rename(&path, &old).unwrap();
    output.reopen();
    stream.write_all(b"\n").await.unwrap();
    assert!(child.wait().await.unwrap().success());
    holds(&path, "two\\u{1b}[31m\nthree\n").await;
    holds(&old, "one\n").await;
}

#[tokio::test]
async fn an_endless_line_of_a_child_is_cut() {
    let folder = TestFolder::new();
    let path = folder.path().join("log");
    let output = LogOutput::file(&path).unwrap();
    let script = "printf '%05000d' 0 >&2";
    let spec = ChildSpec { errors: Some(output), ..spec("/bin/sh", &["-c", script]) };
    let (mut child, _stream) = spec.spawn().unwrap();
    assert!(child.wait().await.unwrap().success());
    let lengths = || -> Vec<usize> {
        std::fs::read_to_string(&path).unwrap().lines().map(str::len).collect()
    };
    while lengths() != [4096, 904] {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
