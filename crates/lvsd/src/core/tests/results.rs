//! Each result of a check in a file.

use super::*;

fn follows(bench: &Bench) -> Vec<(String, Follow)> {
    let checks = bench.core.checks();
    checks.values().map(|watch| (watch.server.to_string(), watch.follow)).collect()
}

#[test]
fn each_result_is_a_line_for_those_who_want_it_and_no_others() {
    let mut both = of(vec![service("www", 80, &[A, B]), service("shop two", 81, &[B])]);
    both.services[1].check.port = Some(80);
    let mut bench = Bench::running(both.clone());
    assert!(follows(&bench).iter().all(|(_, follow)| *follow == Follow::No));
    bench.core.checks_to_tell();
    both.services[1].notify.results = Some("/var/log/shop.log".into());
    bench.configure(both.clone());
    let told = bench.core.checks_to_tell().expect("nanny is told to follow");
    let of = |server| told.iter().find(|(_, watch)| watch.server == at(server)).unwrap();
    assert_eq!(of(A).1.follow, Follow::No);
    assert_eq!(of(B).1.follow, Follow::Results);
    let id = *of(B).0;
    bench.core.checked(id, true, "status 200", bench.now);
    bench.core.checked(id, false, "a\nb", bench.now);
    let lines = bench.core.results();
    let time = runtime::timestamp::utc(bench.now.unix_ms);
    let told: Vec<_> = lines.iter().map(|one| (one.path.as_str(), one.line.clone())).collect();
    let wanted = [("passed", "\"status 200\""), ("failed", "\"a\\nb\"")].map(|(state, reason)| {
        let line = format!(
            "{time} check {state} service=\"shop two\" server={} check=connect reason={reason}\n",
            at(B)
        );
        ("/var/log/shop.log", line)
    });
    assert_eq!(told, wanted);
    assert_eq!(bench.core.results(), []);
    both.services[1].notify.results = None;
    bench.configure(both);
    assert!(bench.core.checks_to_tell().is_some(), "nobody follows any more");
    bench.core.checked(id, true, "status 200", bench.now);
    assert_eq!(bench.core.results(), []);
}
