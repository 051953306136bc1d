use std::net::SocketAddr;

use config::model::{
    Check, CheckKind, Endpoint, Host, Listen, LoadMonitor, Notify, OnFailure, Quorum, RealServer,
    ServerNotify, SorryServer, VirtualServer,
};
use control::action::{Decision, ServerAction};
use control::nanny::Follow;
use control::plan::PlanRequest;
use health::Verdict;
use ipvs::fake_kernel::FakeKernel;
use ipvs::{Counters, Forwarding, Protocol, Scheduler, SchedulerFlags, Tunnel, ipvsadm_lines};

use super::*;

mod asked;
mod bench;
mod left_out;
mod letters;
mod lingering;
mod names;
mod notices;
mod operator;
mod quorum;
mod results;
mod rising;
mod several;
mod unread;

use bench::*;

#[test]
fn a_fresh_director_serves_the_sorry_page_until_the_first_check_passes() {
    let mut bench = Bench::fresh(www());
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    assert!(!bench.core.readiness(7).checks_warm);
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
    bench.judge(B, Verdict::Down);
    let readiness = Readiness { table_in_place: true, checks_warm: true, config_hash: 7 };
    assert_eq!(bench.core.readiness(7), readiness);
    assert!(bench.log.contains(&"every real server has been checked up=1 down=1".into()));
}

#[test]
fn the_pool_is_never_empty_while_all_servers_die_and_return() {
    let mut bench = Bench::running(www());
    bench.judge(A, Verdict::Down);
    bench.judge(B, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    bench.judge(B, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    assert!(bench.serves_all_the_time());
    let lines = [
        format!("real server down service=www server={A} check=connect reason=because after=3"),
        "sorry server takes the traffic service=www".into(),
        "sorry server is no longer needed service=www".into(),
    ];
    assert!(lines.iter().all(|line| bench.log.contains(line)), "{:#?}", bench.log);
}

#[test]
fn one_verdict_is_one_step_and_needs_no_look_at_the_kernel() {
    let mut bench = Bench::running(www());
    let dumps = bench.dumps;
    bench.judge(A, Verdict::Down);
    assert_eq!((bench.kernel.done, bench.dumps), (1, dumps));
}

#[test]
fn beyond_half_the_latest_to_fail_stay_in_with_one_alarm_and_one_end_of_it() {
    let mut service = service("www", 80, &[A, B, C]);
    service.sorry = None;
    let mut bench = Bench::running(of(vec![service]));
    for dead in [B, A, C] {
        bench.judge(dead, Verdict::Down);
    }
    assert_eq!(bench.told("too many real servers are down"), 1, "{:#?}", bench.log);
    assert_eq!(bench.table(), [format!("80: {A}=1 {C}=1")]);
    let status = bench.core.status(&Surroundings::default(), bench.now);
    assert!(status.services[0].failing_open);
    assert!(status.services[0].servers[0].weight_because.iter().any(|why| why.contains("kept")));

    let mut bench = bench.restart();
    assert_eq!(bench.kernel.done, 0, "who stays, and who left, is remembered");
    bench.judge(C, Verdict::Up);
    bench.judge(B, Verdict::Up);
    assert_eq!(bench.told("no real server stays in although it is down"), 1, "{:#?}", bench.log);
    assert_eq!(bench.table(), [format!("80: {B}=1 {C}=1")]);
}

#[test]
fn a_check_that_an_edit_breaks_takes_out_half_at_most() {
    let servers = &[A, B, C, "192.168.1.7:80"];
    let mut edited = service("www", 80, servers);
    edited.sorry = None;
    let mut bench = Bench::running(of(vec![edited.clone()]));
    edited.check.kind = CheckKind::Ping;
    bench.configure(of(vec![edited]));
    for (id, _) in bench.core.checks() {
        bench.core.judged(id, Verdict::Down, "no answer", 1, bench.now);
        bench.settle();
    }
    assert_eq!(bench.kernel.table.values().next().unwrap().destinations.len(), 2);
}

#[test]
fn a_restart_makes_no_change_and_forgets_nothing() {
    let mut cluster = www();
    let quiet = VirtualServer {
        on_failure: OnFailure::Quiesce,
        ..service("quiet", 81, &["192.168.1.4:81", "192.168.1.5:81"])
    };
    cluster.services.push(quiet);
    cluster.services.push(service("dead", 82, &["192.168.1.4:82"]));
    let mut bench = Bench::running(cluster);
    bench.judge(A, Verdict::Down);
    bench.judge("192.168.1.4:81", Verdict::Down);
    bench.judge("192.168.1.4:82", Verdict::Down);
    bench.act("192.168.1.5:81", Decision::Drain { deadline_seconds: None });
    let before = bench.table();
    let bench = bench.restart();
    assert_eq!(bench.table(), before);
    assert_eq!(bench.kernel.done, 0);
    let verdicts = bench.core.checks();
    let verdict =
        |address| verdicts.values().find(|one| one.server == at(address)).unwrap().verdict;
    assert_eq!(verdict(A), Verdict::Down, "so that its return takes as long as before");
    assert_eq!(verdict(B), Verdict::Up);
}

#[test]
fn a_server_that_died_just_before_the_crash_is_not_adopted() {
    let mut bench = Bench::running(www());
    let id = bench.id(A);
    bench.core.judged(id, Verdict::Down, "refused", 3, bench.now);
    let bench = bench.restart();
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}

#[test]
fn adopted_servers_stay_until_their_check_says_otherwise() {
    let table = Bench::running(www()).kernel.table;
    let mut bench = Bench::start(www(), table, Memory::default());
    assert_eq!(bench.kernel.done, 0);
    assert!(!bench.core.readiness(0).checks_warm, "adopted is not checked");
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.kernel.done, 0);
    bench.judge(B, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
}

#[test]
fn an_edit_touches_only_what_it_is_about() {
    let mut bench = Bench::running(of(vec![service("www", 80, &[A, B]), service("x", 81, &[A])]));
    let mut edited = of(vec![service("www", 80, &[A, B]), service("x", 81, &[A])]);
    edited.services[0].servers[1].weight = 5;
    let change = bench.configure(edited.clone());
    assert_eq!(change, Change { added: 0, removed: 0, changed: 1 });
    assert_eq!(bench.kernel.done, 1);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=5"), format!("81: {A}=1")]);

    edited.services.remove(1);
    edited.services.push(service("y", 82, &[B]));
    let change = bench.configure(edited);
    assert_eq!(change, Change { added: 1, removed: 1, changed: 0 });
    let table = [format!("80: {A}=1 {B}=5"), format!("82: {B}=1")];
    assert_eq!(bench.table(), table, "the check of B is known already");
}

#[test]
fn a_service_that_moves_in_the_file_is_not_touched() {
    let (www, x) = (service("www", 80, &[A]), service("x", 81, &[B]));
    let mut bench = Bench::running(of(vec![www.clone(), x.clone()]));
    bench.configure(of(vec![x, www]));
    assert_eq!(bench.kernel.done, 0);
    bench.judge(B, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {A}=1"), format!("81: {SORRY}=1")]);
}

#[test]
fn a_verdict_and_an_edit_in_one_breath_both_count() {
    let mut bench = Bench::running(of(vec![service("x", 81, &[A]), service("www", 80, &[A, B])]));
    let id = bench.id(B);
    bench.core.judged(id, Verdict::Down, "refused", 3, bench.now);
    bench.configure(of(vec![service("www", 80, &[A, B])]));
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
}

#[test]
fn a_server_keeps_its_place_while_its_new_check_has_not_answered() {
    let mut bench = Bench::running(www());
    let mut edited = www();
    edited.services[0].check = check(1);
    bench.configure(edited);
    assert_eq!(bench.kernel.done, 0);
    let checks = bench.core.checks();
    assert_eq!(checks.len(), 2, "the old checks have ended");
    assert!(checks.values().all(|watch| watch.verdict == Verdict::Up));
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
    bench.configure(www());
    let checks = bench.core.checks();
    let down = checks.values().find(|watch| watch.server == at(A)).unwrap();
    assert_eq!(down.verdict, Verdict::Down, "so that its return takes as long as before");
}

#[test]
fn the_next_of_two_virtual_servers_inherits_a_contested_kernel_service() {
    let mut bench = Bench::running(of(vec![service("www", 80, &[A]), service("x", 80, &[B])]));
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
    bench.configure(of(vec![service("x", 80, &[B])]));
    assert_eq!(bench.table(), [format!("80: {B}=1")]);
}

#[test]
fn a_new_server_joins_when_its_check_passes() {
    let mut bench = Bench::running(www());
    bench.configure(of(vec![service("www", 80, &[A, B, C])]));
    assert_eq!(bench.kernel.done, 0);
    bench.judge(C, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1 {C}=1")]);
}

#[test]
fn services_share_a_check_and_its_verdict_has_one_line() {
    let mut bench = Bench::running(of(vec![
        service("www", 80, &[A]),
        service("alt", 81, &[A]),
        service("more", 82, &[A]),
        service("most", 83, &[A]),
    ]));
    assert_eq!(bench.core.checks().len(), 1);
    bench.judge(A, Verdict::Down);
    let down: Vec<_> = bench.log.iter().filter(|line| line.contains("server down")).collect();
    assert_eq!(down.len(), 1);
    assert!(down[0].contains("service=www,alt,more and 1 more"), "{down:?}");
    assert!(bench.table().iter().all(|row| row.ends_with(&format!(" {SORRY}=1"))));
}

#[test]
fn a_verdict_of_a_check_that_has_ended_changes_nothing() {
    let mut bench = Bench::running(www());
    let old = bench.id(B);
    bench.configure(of(vec![service("www", 80, &[A])]));
    bench.core.judged(old, Verdict::Down, "refused", 3, bench.now);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.table(), [format!("80: {A}=1")]);
}

#[test]
fn foreign_services_are_seen_and_left_alone() {
    let foreign = Bench::running(of(vec![service("x", 443, &[A])])).kernel.table;
    let mut bench = Bench::start(www(), foreign, Memory::default());
    bench.judge(A, Verdict::Up);
    bench.configure(of(vec![]));
    assert_eq!(bench.table(), [format!("443: {A}=1")]);
    let status = bench.core.status(&Surroundings::default(), bench.now);
    assert_eq!(status.foreign, ["192.168.1.1:443/tcp"]);
}

#[test]
fn drift_is_found_by_the_audit_and_has_one_line() {
    let mut bench = Bench::running(www());
    for pool in bench.kernel.table.values_mut() {
        pool.destinations.remove(&at(B));
    }
    bench.pass(LONGEST_AUDIT_INTERVAL);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.pass(LONGEST_AUDIT_INTERVAL);
    let drift = "kernel's table was changed by somebody else, it is mended";
    assert_eq!(bench.log.iter().filter(|line| line.starts_with(drift)).count(), 1);
    assert_eq!(bench.core.status(&Surroundings::default(), bench.now).drift_repairs, 1);
}

#[test]
fn a_small_table_is_audited_each_second_and_a_large_one_more_rarely() {
    let mut bench = Bench::running(www());
    let pause = |bench: &Bench| bench.core.next_deadline(bench.now) - bench.now.instant;
    bench.core.look();
    bench.settle();
    assert_eq!(pause(&bench), Duration::from_secs(1));
    // One that takes long tells more of the machine than of the table.
    for (took, next) in [(50, 1000), (50, 2000), (500, 2000), (500, 5000), (10, 1000)] {
        bench.core.look();
        assert!(matches!(bench.core.kernel_work(bench.now), Some(KernelWork::Dump)));
        bench.now.instant += Duration::from_millis(took);
        let (table, statistics) = (bench.kernel.table.clone(), bench.statistics.clone());
        bench.core.dumped(table, statistics, bench.now);
        assert_eq!(pause(&bench), Duration::from_millis(next));
    }
}

#[test]
fn a_plan_tells_changes_and_connections_and_makes_none() {
    let mut bench = Bench::running(www());
    bench.connections(B, 7);
    bench.pass(LONGEST_AUDIT_INTERVAL);
    let before = ipvsadm_lines(&bench.kernel.table);
    let planned = of(vec![service("www", 80, &[A, C])]);
    let request = PlanRequest { cluster: Some(Box::new(planned)) };
    let plan = bench.core.foresee_changes(&request);
    let changes: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.line.as_str(), change.connections, change.ends_connections))
        .collect();
    assert_eq!(changes, [("-d -t 192.168.1.1:80 -r 192.168.1.5:80", 7, true)]);
    assert_eq!(plan.unchecked, ["www 192.168.1.6:80"]);
    assert_eq!(ipvsadm_lines(&bench.kernel.table), before);
    assert_eq!(bench.core.foresee_changes(&PlanRequest::default()).changes, []);
}

#[test]
fn every_weight_is_explained() {
    let mut bench = Bench::running(www());
    bench.now.unix_ms = 77;
    bench.judge(A, Verdict::Down);
    bench.now.unix_ms = 88;
    bench.judge(A, Verdict::Down);
    let explained = bench.core.explain("192.168.1.4", bench.now);
    let [(service, server, Some(watch))] = explained.as_slice() else { panic!("{explained:?}") };
    assert_eq!((service.as_str(), *watch), ("www", bench.id(A)));
    assert_eq!((server.kernel_weight, server.since_unix_ms), (None, 77));
    let because = ["weight 1 in the configuration", "check: down: because", "out of the table"];
    assert_eq!(server.weight_because, because);
}

#[test]
fn a_refusal_is_a_line_and_the_service_has_a_problem() {
    let mut cluster = www();
    cluster.services[0].scheduler = "mh".parse().unwrap();
    let mut bench = Bench::fresh(of(vec![]));
    bench.kernel.missing_schedulers.insert("mh".parse().unwrap());
    bench.configure(cluster);
    let refused = "kernel refuses a change, it is tried again change=-A -t 192.168.1.1:80 -s mh";
    assert!(bench.log.iter().any(|line| line.starts_with(refused)), "{:#?}", bench.log);
    let status = bench.core.status(&Surroundings::default(), bench.now);
    assert!(status.services[0].problem.is_some());
    assert!(!status.readiness.table_in_place);
    bench.kernel.missing_schedulers.clear();
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.table(), [format!("80: {SORRY}=1")]);
    assert!(bench.core.readiness(0).table_in_place);
}

#[test]
fn weights_follow_the_load_and_are_as_configured_while_it_is_not_known() {
    let mut web = service("www", 80, &[A, B]);
    web.servers[0].weight = 100;
    let run = vec!["rup".into(), "%h".into()];
    let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
    web.load = Some(LoadMonitor { run, interval, timeout });
    let mut bench = Bench::running(of(vec![web]));
    let checks = bench.core.checks();
    let programs: Vec<_> = checks.values().filter(|w| w.follow == Follow::Output).collect();
    assert_eq!(programs.len(), 2, "one for each real server");
    let id = programs.iter().find(|watch| watch.server == at(A)).unwrap().id;
    let says = |bench: &mut Bench, passed, text: &str| {
        bench.core.checked(id, passed, text, bench.now);
        bench.pass(interval);
        bench.table()
    };
    let [usual, busy] = [100, 35].map(|weight| vec![format!("80: {A}={weight} {B}=1")]);
    assert_eq!(says(&mut bench, true, "up, load average: 3.20, 1.0, 1.0"), busy);
    assert_eq!(says(&mut bench, true, "I am fine"), busy);
    assert_eq!(says(&mut bench, false, "program ended with status 1"), busy);
    assert_eq!(says(&mut bench, false, "program ended with status 1"), busy);
    let told = "load is not known, the configured weight counts";
    assert_eq!((bench.told(told), says(&mut bench, false, "rup: no")), (1, usual.clone()));
    assert_eq!(says(&mut bench, true, "load average: 1.0"), usual);
    assert_eq!(bench.told("load is known again"), 1);
    // It changes no weight, and a person who asks is told of it all the same.
    let status = bench.core.status(&Surroundings::default(), bench.now);
    let because = &status.services[0].servers[0].weight_because;
    assert_eq!(because[1], "load 1.0: weight 100 of 100", "{because:?}");
    let without = of(vec![service("www", 80, &[A, B])]);
    bench.configure(without);
    assert!(bench.core.checks().values().all(|watch| watch.follow == Follow::No));
}

#[test]
fn what_is_ours_is_removed_at_the_end_and_nothing_else() {
    let foreign = Bench::running(of(vec![service("x", 443, &[A])])).kernel.table;
    let gone = Cluster { on_stop: OnStop::Remove, ..www() };
    let bench = Bench::start(gone, foreign, Memory::default());
    let lines: Vec<_> = bench.core.removal().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["-D -t 192.168.1.1:80"]);
}

#[test]
fn a_service_that_is_being_made_is_removed_at_the_end_once_it_is_there() {
    let mut bench = Bench::running(Cluster { on_stop: OnStop::Remove, ..www() });
    let more = of(vec![service("www", 80, &[A, B]), service("tls", 443, &[A])]);
    bench.core.configure(Arc::new(Cluster { on_stop: OnStop::Remove, ..more }), bench.now);
    let Some(KernelWork::Apply(steps)) = bench.core.kernel_work(bench.now) else { panic!() };
    assert!(bench.core.is_busy());
    let results: Vec<_> = steps.iter().map(|step| bench.apply(step)).collect();
    bench.core.applied(&steps, &results, bench.now);
    assert!(!bench.core.is_busy());
    let last = bench.core.leave();
    assert!(bench.core.is_busy());
    let refusal = Refusal { errno: 16, text: "busy".into() };
    let refused: Vec<_> = last.iter().map(|_| Err(refusal.clone())).collect();
    bench.core.applied(&last, &refused, bench.now);
    assert_eq!(bench.core.removal(), last, "what is still there is known");
    let last = bench.core.leave();
    let results: Vec<_> = last.iter().map(|step| bench.apply(step)).collect();
    bench.core.applied(&last, &results, bench.now);
    assert!(!bench.core.is_busy());
    assert!(bench.kernel.table.is_empty());
    assert!(bench.core.owned().is_empty());
}

#[test]
fn a_virtual_server_may_stay_or_go_by_itself_when_lvsd_stops() {
    let removal = |whole, own: [Option<OnStop>; 2]| {
        let mut services = vec![service("a", 80, &[A]), service("b", 443, &[A])];
        for (service, own) in services.iter_mut().zip(own) {
            service.on_stop = own;
        }
        let bench = Bench::running(Cluster { on_stop: whole, ..of(services) });
        bench.core.removal().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let keep = Some(OnStop::Keep);
    assert_eq!(removal(OnStop::Remove, [keep, None]), ["-D -t 192.168.1.1:443"]);
    assert_eq!(removal(OnStop::Keep, [Some(OnStop::Remove), None]), ["-D -t 192.168.1.1:80"]);
    assert_eq!(removal(OnStop::Keep, [None, keep]), Vec::<String>::new());
}
