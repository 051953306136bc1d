use config::model::Check;
use control::nanny::{Follow, Verdict};
use runtime::lines::JsonLines;

use super::*;

fn one_check() -> Checks {
    let check = Check::plain(CheckKind::Connect, SECOND, SECOND);
    let (id, server) = (WatchId(1), "127.0.0.1:9".parse().unwrap());
    let (verdict, follow) = (Verdict::Unknown, Follow::No);
    let watch = Watch { id, server, virtual_server: None, check, verdict, follow };
    Arc::new(BTreeMap::from([(id, watch)]))
}

/// Time is told to pass wherever everybody waits, so ten seconds take no time.
#[tokio::test(start_paused = true)]
async fn a_nanny_that_stands_still_is_killed_told_and_started_again() {
    let (sender, mut events) = mpsc::channel(16);
    let (_checks, wanted) = watch::channel(one_check());
    let (_recalls, questions) = mpsc::channel(1);
    let one = One { kind: Kind::Network, wanted, questions, events: sender };
    let spec = ChildSpec {
        program: "/bin/sh".into(),
        arguments: ["-c", "kill -STOP $$"].map(Into::into).to_vec(),
        run_as: None,
        errors: None,
    };
    let keeping = tokio::spawn(one.keep(spec));
    let mut pids = Vec::new();
    for _ in 0..2 {
        let Some(Event::Nanny(_, News::Started { pid, restarts })) = events.recv().await else {
            panic!("it was not started");
        };
        assert_eq!(restarts, pids.len() as u64);
        pids.push(pid);
        let Some(Event::Nanny(_, News::Ended { why })) = events.recv().await else {
            panic!("it said something");
        };
        assert_eq!(why, "it hangs: it said nothing for 10 s; killed by signal 9");
    }
    keeping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_nanny_that_says_a_word_each_nine_seconds_does_not_hang() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (reader, _writer) = JsonLines::<FromNanny, ToNanny>::new(ours).split();
    let (sender, mut events) = mpsc::channel(1);
    let listening = tokio::spawn(listen(reader, Kind::Network, sender));
    let mut nanny = JsonLines::<ToNanny, FromNanny>::new(theirs);
    for _ in 0..20 {
        tokio::time::sleep(SECOND * (SILENT - 1)).await;
        nanny.send(&FromNanny::Results { id: WatchId(1), results: Vec::new() }).await.unwrap();
        assert!(events.recv().await.is_some());
    }
    assert!(listening.await.unwrap().starts_with("it hangs"));
}
