//! The driver as it runs, with programs that hang and flood.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use config::model::{
    Failback, Fence, FenceFailure, FloatingAddress, Group, Heartbeat, Hook, HookOrder, KeySource,
    Pair, Router,
};
use heartbeat::{GroupId, Reason, Side};
use runtime::child::ChildSpec;
use runtime::{Journal, LogOptions};
use tokio::net::UdpSocket;

use super::*;
use crate::announce::Announce;
use crate::aside::Thread;
use crate::host::tests::{address, link};
use crate::keys;
use crate::mover::Hurry;
use crate::notice::{Moved, NOTICES, Question};

const ROUTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const PARTNER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));
const KEY: &str = "1 5e0c1f7a9b3d2846c7e1f0a4d38b6925be17a0c4f2893d6e5b7041ca9fd6382e\n";

/// So many heartbeats show that nothing holds them up.
const ENOUGH: usize = 20;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A pair on the loopback interface, whose only group has no address and is taken soon.
fn pair(port: u16, hooks: Vec<Hook>, fence: Option<Fence>) -> Pair {
    let ms = Duration::from_millis;
    let router = |name: &str, ip| Router { name: name.to_owned(), paths: vec![ip] };
    Pair {
        routers: [router("master", ROUTER), router("backup", PARTNER)],
        heartbeat: Heartbeat {
            interval: ms(20),
            dead_after: ms(100),
            warn_after: None,
            listen_first: ms(100),
            port,
            shared_paths: Vec::new(),
            keys: KeySource::Default,
            witness: Vec::new(),
            yield_on_fewer_witnesses: false,
        },
        groups: vec![Group {
            name: "web".to_owned(),
            preferred: None,
            failback: Failback::Manual,
            addresses: Vec::new(),
            hooks,
        }],
        fence,
    }
}

/// One whose status floods, and whose start never ends; both say in a file that they have begun.
fn hanging_hook(folder: &Path) -> Hook {
    let begun = folder.join("begun").display().to_string();
    let start = format!("echo > {begun}; exec sleep 600");
    Hook {
        name: "disk".to_owned(),
        start: vec!["/bin/sh".to_owned(), "-c".to_owned(), start],
        stop: words("/bin/sleep 600"),
        status: words("/usr/bin/yes"),
        timeout: Duration::from_secs(600),
        order: HookOrder::BeforeAddresses,
    }
}

fn hanging_fence() -> Fence {
    Fence {
        off: [words("/bin/sleep 600"), words("/bin/sleep 600")],
        timeout: Duration::from_secs(600),
        on_failure: FenceFailure::Wait,
        delay: Duration::ZERO,
        user: None,
    }
}

/// A driver of the first router, and the way to ask it something.
fn driver(
    pair: &Pair,
    thread: &Thread,
    journal: &Journal,
    folder: &Path,
) -> (Driver, mpsc::Sender<Notice>) {
    let host = Host {
        links: vec![netlink::HostLink { loopback: true, ..link(1, "lo", true) }],
        addresses: vec![address("127.0.0.1", 8, 1)],
    };
    let mut plan = Plan::new(pair, None, Side::First, 7, &host).unwrap();
    let keys = config::keys::parse_key_file("key", KEY.as_bytes()).unwrap();
    let session = Session::new("master", "backup", &keys::shared(&keys), 1, [7; 32]).unwrap();
    let mut sockets = Sockets::default();
    sockets.renew(&mut plan.paths).unwrap();
    let failover = Failover::new(plan.setup(&host, &[]), clock::now()).unwrap();
    let (notices, inbox) = mpsc::channel(NOTICES);
    // It is no lvsd, and says nothing.
    let spec = ChildSpec {
        program: "/bin/sleep".into(),
        arguments: vec!["600".into()],
        run_as: None,
        errors: None,
    };
    let worker = Worker::keep(spec, "master", notices.clone());
    let path = folder.join("cluster.yaml");
    let text = b"autoreload: false\nservices: { s: { listen: '192.168.1.1:80/tcp' } }\n".to_vec();
    let mut loaded = config::load(&path, false, &|_| Ok(text.clone()));
    let (applied, beginning) = Applied::begin(folder, &path, &mut loaded).unwrap();
    let tools = Tools {
        aside: thread.aside(),
        announce: Announce::to_nobody(),
        journal: journal.clone(),
        notices: notices.clone(),
        folder: folder.into(),
    };
    let parts =
        Parts { plan, host, keys, session, failover, sockets, worker, tools, inbox, applied };
    (Driver::new(parts, path, &beginning.loaded, Vec::new()), notices)
}

/// Heartbeats come, and questions are answered.
async fn is_alive(partner: &UdpSocket, notices: &mpsc::Sender<Notice>) {
    let mut packet = [0; 2048];
    while partner.try_recv(&mut packet).is_ok() {}
    for _ in 0..ENOUGH {
        assert!(partner.recv(&mut packet).await.unwrap() > 0);
    }
    let (reply, answer) = tokio::sync::oneshot::channel();
    notices.send(Notice::Asked(Question::Status, reply)).await.unwrap();
    assert_eq!(answer.await.unwrap().status.as_u16(), 200);
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn told(journal: &Journal, sentence: &str) -> bool {
    journal.history().events.iter().any(|event| event.message == sentence)
}

/// Were a heartbeat to wait for any of these programs, this test would wait for ten minutes.
#[test]
fn programs_that_hang_or_flood_hold_up_no_heartbeat_and_no_answer() {
    let log = LogOptions { log_level: "warn".to_owned(), ..LogOptions::default() };
    let code = runtime::run("pulse", log.panic_ends_the_task(), async |mut context| {
        let folder = std::env::temp_dir().join(format!("caribe-hangs-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let partner = UdpSocket::bind((PARTNER, 0)).await.unwrap();
        let port = partner.local_addr().unwrap().port();
        let thread = Thread::start().unwrap();
        let journal = context.journal.clone();

        let hooked = pair(port, vec![hanging_hook(&folder)], None);
        let (running, notices) = driver(&hooked, &thread, &journal, &folder);
        tokio::select! {
            ended = running.run(&mut context.signals) => panic!("{ended:?}"),
            () = async {
                until(|| folder.join("begun").exists()).await;
                is_alive(&partner, &notices).await;
            } => {}
        }
        assert!(!told(&journal, "hook failed") && !told(&journal, "hook ended well"));

        let fenced = pair(port, Vec::new(), Some(hanging_fence()));
        let (running, notices) = driver(&fenced, &thread, &journal, &folder);
        tokio::select! {
            ended = running.run(&mut context.signals) => panic!("{ended:?}"),
            () = async {
                until(|| told(&journal, "switching the partner off")).await;
                is_alive(&partner, &notices).await;
            } => {}
        }
        assert!(!told(&journal, "the fence program failed"));
        std::fs::remove_dir_all(&folder).unwrap();
        Ok(())
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

/// The partner may have started its own by now.
#[test]
fn programs_that_a_killed_pulse_has_left_behind_are_stopped() {
    let log = LogOptions { log_level: "error".to_owned(), ..LogOptions::default() };
    let code = runtime::run("pulse", log.panic_ends_the_task(), async |context| {
        let folder = std::env::temp_dir().join(format!("caribe-left-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let thread = Thread::start().unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        let hook = |name: &str| Hook {
            start: words(&format!("/bin/touch {}", file("started"))),
            stop: words(&format!("/bin/touch {}", file(name))),
            status: Vec::new(),
            timeout: Duration::from_secs(600),
            name: name.to_owned(),
            order: HookOrder::BeforeAddresses,
        };
        let mut held = pair(1, vec![hook("disk"), hook("never")], None);
        held.groups[0].addresses = vec![FloatingAddress {
            ip: "127.0.0.77".parse().unwrap(),
            prefix_length: None,
            interface: None,
            label: None,
            broadcast: None,
        }];
        let (notices, _inbox) = mpsc::channel(NOTICES);
        let tools = Tools {
            aside: thread.aside(),
            announce: Announce::to_nobody(),
            journal: context.journal.clone(),
            notices,
            folder: folder.as_path().into(),
        };
        let plan = Plan::new(&held, None, Side::First, 7, &Host::default()).unwrap();
        let plan = Arc::new(plan.groups[0].clone());
        let note = folder.join(format!("programs-{:08x}.json", plan.id.0));
        std::fs::write(&note, r#"["disk"]"#).unwrap();
        let mover = Mover::start(plan, false, tools);
        until(|| !note.exists()).await;
        assert!(folder.join("disk").exists() && !folder.join("never").exists());
        let sentence = "a pulse that was killed has left programs behind, they are stopped";
        assert!(told(&context.journal, sentence));
        drop(mover);
        std::fs::remove_dir_all(&folder).unwrap();
        Ok(())
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

/// Nothing is wrong with the file itself: it names a key that is not there, an address without a
/// place, another router.
#[test]
fn an_edit_that_cannot_be_applied_here_is_told_once_and_shown_until_it_can_be() {
    let log = LogOptions { log_level: "error".to_owned(), ..LogOptions::default() };
    let code = runtime::run("pulse", log.panic_ends_the_task(), async |context| {
        let folder = std::env::temp_dir().join(format!("caribe-refused-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let partner = UdpSocket::bind((PARTNER, 0)).await.unwrap();
        let port = partner.local_addr().unwrap().port();
        let thread = Thread::start().unwrap();
        let journal = context.journal.clone();
        let (mut running, _notices) =
            driver(&pair(port, Vec::new(), None), &thread, &journal, &folder);
        let edit = |name: &str, rest: &str| {
            let text = format!(
                "routers: {{ master: {{ paths: [127.0.0.1] }}, {name}: {{ paths: [127.0.0.2] }} }}\n\
                 {rest}\nservices: {{ s: {{ listen: '192.168.1.1:80/tcp' }} }}\n"
            );
            config::load(&folder.join("cluster.yaml"), false, &|_| Ok(text.clone().into()))
        };
        let count = || {
            let events = journal.history().events;
            let refused = "configuration refused, the old one stays in force";
            events.iter().filter(|event| event.message == refused).count()
        };
        let group = "groups: { web: { addresses: [{ ip: 192.168.1.1, interface: lo }] } }";
        let key = &format!("{group}\nheartbeat: {{ key_file: none-such.key }}");
        let away = &group.replace("lo", "none-such");
        for (told, (name, rest, why)) in [
            ("backup", key, "none-such.key"),
            ("backup", away, "none-such"),
            ("other", key, "restart pulse on both routers"),
        ]
        .into_iter()
        .enumerate()
        {
            let loaded = edit(name, rest);
            assert!(loaded.cluster.is_some(), "{:?}", loaded.diagnostics);
            for _ in 0..2 {
                running.loaded(&loaded, How::Unconfirmed, None);
                assert_eq!(count(), told + 1, "told once");
            }
            let [reason] = running.config.refused.as_slice() else { panic!("no reason") };
            assert!(reason.one_line().contains(why), "{}", reason.one_line());
            let page = crate::metrics::of(&crate::status::of(&running), &running);
            assert!(page.contains("caribe_config_refused 1\n"), "{page}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        Ok(())
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

/// Each change is told once, and a failure of ours once until it is over.
#[test]
fn each_witness_that_comes_or_goes_is_told_once() {
    let log = LogOptions { log_level: "info".to_owned(), ..LogOptions::default() };
    let code = runtime::run("pulse", log.panic_ends_the_task(), async |context| {
        let folder = std::env::temp_dir().join(format!("caribe-rounds-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let thread = Thread::start().unwrap();
        let journal = context.journal.clone();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        let mut counting = pair(1, Vec::new(), None);
        counting.heartbeat.witness = vec![one, other];
        counting.heartbeat.yield_on_fewer_witnesses = true;
        let (mut running, _notices) = driver(&counting, &thread, &journal, &folder);
        let count = |sentence: &str| {
            let events = journal.history().events;
            events.iter().filter(|event| event.message == sentence).count()
        };
        let failed = || Err("no socket".to_owned());
        let mut round = |answers: [Result<bool, String>; 2]| {
            running.witnesses_asked(&[one, other].into_iter().zip(answers).collect());
            running.witness.clone()
        };
        assert_eq!(round([Ok(true), Ok(false)]), [Some(true), Some(false)]);
        assert_eq!(count("witness does not answer"), 1);
        round([Ok(true), Ok(false)]);
        assert_eq!(count("witness does not answer"), 1);
        assert_eq!(round([failed(), Ok(true)]), [None, Some(true)]);
        round([failed(), Ok(true)]);
        assert_eq!((count("cannot ask a witness"), count("witness answers again")), (1, 1));
        round([Ok(true), Ok(true)]);
        round([failed(), Ok(true)]);
        assert_eq!(count("cannot ask a witness"), 2, "it was over in between");
        running.witnesses_asked(&vec![(one, Ok(true))]);
        assert_eq!(running.witness, [None, Some(true)], "a round of an earlier configuration");
        let page = crate::metrics::of(&crate::status::of(&running), &running);
        assert!(page.contains("caribe_witness_reachable{witness=\"192.0.2.2\"} 1\n"), "{page}");
        assert!(!page.contains("witness=\"192.0.2.1\""), "{page}");
        std::fs::remove_dir_all(&folder).unwrap();
        Ok(())
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

/// Nothing goes before its addresses any more: the partner may be taking them.
#[test]
fn what_is_being_let_go_goes_at_once_when_the_partner_is_lost() {
    let log = LogOptions { log_level: "info".to_owned(), ..LogOptions::default() };
    let code = runtime::run("pulse", log.panic_ends_the_task(), async |context| {
        let folder = std::env::temp_dir().join(format!("caribe-hurry-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let thread = Thread::start().unwrap();
        let pair = pair(1, Vec::new(), None);
        let (mut running, _notices) = driver(&pair, &thread, &context.journal, &folder);
        let id = *running.groups.keys().next().unwrap();
        let ordered = |running: &Driver| running.groups[&id].mover.ordered();
        let lost = || Event::PartnerLost { silent: Duration::from_secs(1) };
        running.change_role(GroupId(id), true, Reason::Operator);
        running.report(lost());
        assert_eq!(ordered(&running), (true, Hurry::Calm), "what is held stays");
        for event in [lost(), Event::Paused { lasted: Duration::from_secs(1) }] {
            running.change_role(GroupId(id), false, Reason::Operator);
            assert_eq!(ordered(&running), (false, Hurry::Calm));
            running.report(event);
            assert_eq!(ordered(&running), (false, Hurry::Urgent));
        }
        running.change_role(GroupId(id), false, Reason::Operator);
        let order = running.groups[&id].order;
        running.moved(Moved { group: GroupId(id), active: false, order, problems: Vec::new() });
        running.report(lost());
        assert_eq!(running.groups[&id].order, order, "it is gone already");
        std::fs::remove_dir_all(&folder).unwrap();
        Ok(())
    });
    assert_eq!(code, ExitCode::SUCCESS);
}
