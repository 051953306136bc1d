//! External programs.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A script of its own, in a folder of its own that goes with it.
struct Script {
    folder: PathBuf,
    file: PathBuf,
}

impl Script {
    fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nanny-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("script");
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, file }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    async fn run(
        &self,
        arguments: &[&str],
        expect: Option<Expect>,
        timeout: Duration,
    ) -> Result<String, String> {
        let argv = std::iter::once(self.file.display().to_string())
            .chain(arguments.iter().map(|argument| (*argument).to_owned()))
            .collect();
        let server = "192.0.2.4:8080".parse().unwrap();
        run(server, CheckKind::External { argv, expect, sets_weight: false }, timeout).await
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn status_0_is_up_and_any_other_is_down_with_its_first_words() {
    let script = Script::new("status", r#"echo "$2"; exit "$1""#);
    assert_eq!(
        script.run(&["0", ""], None, PLENTY).await,
        Ok("program ended with status 0".into())
    );
    assert_eq!(
        script.run(&["2", "CRITICAL - disk full"], None, PLENTY).await,
        Err(r#"program ended with status 2: "CRITICAL - disk full""#.into())
    );
}

#[tokio::test]
async fn a_status_from_2_on_asks_for_a_weight_where_that_is_wanted() {
    let script = Script::new("weight", r#"echo "$2"; exit "$1""#);
    let shared = Arc::new(Shared::new(Vec::new()));
    let asked = async |status: &str, expect: Option<&str>| {
        let argv = vec![script.file.display().to_string(), status.to_owned(), "well".to_owned()];
        let expect = expect.map(|text| Expect::Contains(text.into()));
        let kind = CheckKind::External { argv, expect, sets_weight: true };
        let server = "192.0.2.4:8080".parse().unwrap();
        let probe = Probe::new(server, None, &check(kind, PLENTY), &shared);
        let mut trace = Trace::quiet();
        let outcome = probe.run(&shared, &mut trace).await.map_err(|failure| failure.to_string());
        (outcome.map(Cow::into_owned), trace.asked())
    };
    let good = |text: &str| Ok(text.to_owned());
    assert_eq!(asked("0", None).await, (good("program ended with status 0"), None));
    let failed = Err(r#"program ended with status 1: "well""#.to_owned());
    assert_eq!(asked("1", None).await, (failed, None));
    assert_eq!(asked("2", None).await, (good("program ended with status 2, weight 0"), Some(0)));
    assert_eq!(
        asked("12", None).await,
        (good("program ended with status 12, weight 10"), Some(10))
    );
    assert_eq!(asked("12", Some("well")).await, (good("expected output"), Some(10)));
    assert_eq!(asked("12", Some("ill")).await.0, Err(r#"output does not hold "ill""#.to_owned()));
}

#[tokio::test]
async fn the_places_are_filled_in_and_the_environment_is_cleared() {
    let script = Script::new(
        "places",
        r#"echo "$1 $2 $(env | grep -c -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=)""#,
    );
    let expect = Some(Expect::Prefix(b"192.0.2.4 8080 0\n".to_vec()));
    assert_eq!(script.run(&["%h", "%p"], expect, PLENTY).await, Ok("expected output".into()));
}

#[tokio::test]
async fn status_0_with_other_output_is_down() {
    let script = Script::new("output", "echo FAIL");
    assert_eq!(
        script.run(&[], Some(Expect::Contains(b"OK".to_vec())), PLENTY).await,
        Err(r#"output does not hold "OK""#.into())
    );
}

#[tokio::test]
async fn a_program_killed_by_a_signal_is_down() {
    let script = Script::new("signal", "kill -SEGV $$");
    assert_eq!(script.run(&[], None, PLENTY).await, Err("program killed by signal 11".into()));
}

#[tokio::test]
async fn a_missing_program_is_down() {
    let script = Script::new("missing", "");
    let argv = vec![script.path("absent")];
    let outcome = run(
        "192.0.2.4:80".parse().unwrap(),
        CheckKind::External { argv, expect: None, sets_weight: false },
        PLENTY,
    )
    .await;
    let reason = outcome.unwrap_err();
    assert!(reason.contains("cannot be started: No such file"), "{reason}");
}

#[tokio::test]
async fn a_talkative_program_does_not_get_stuck() {
    let script =
        Script::new("talkative", "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2");
    assert_eq!(script.run(&[], None, PLENTY).await, Ok("program ended with status 0".into()));
}

#[tokio::test]
async fn a_process_left_behind_does_not_hold_up_the_result() {
    let script = Script::new("behind", "sleep 5 & echo OK");
    assert_eq!(
        script.run(&[], Some(Expect::Prefix(b"OK".to_vec())), PLENTY).await,
        Ok("expected output".into())
    );
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_it_started() {
    let script = Script::new("hangs", "sleep 600 & echo $! > \"$1\"; echo $$ >> \"$1\"; wait");
    let pids = script.path("pids");
    assert_eq!(
        script.run(&[&pids], None, SECOND).await,
        Err("the program did not end within 1 s".into())
    );
    let pids = std::fs::read_to_string(&pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        wait_until_gone(pid).await;
    }
}

/// Killed processes need a moment to be reaped by init or by tokio.
async fn wait_until_gone(pid: &str) {
    let status = PathBuf::from(format!("/proc/{pid}/status"));
    let gone = || std::fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ"));
    timeout(PLENTY, async {
        while !gone() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("process {pid} still lives"));
}
