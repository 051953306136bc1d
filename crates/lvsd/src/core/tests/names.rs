//! Real servers that are named, and what name servers say.

use super::*;

fn asked<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(String::from).into()
}

fn answer<const N: usize>(names: [(&str, &str); N]) -> Names {
    names.map(|(name, address)| (name.to_owned(), vec![at(address).ip()])).into()
}

/// A virtual server with real servers of these names.
fn named(names: &[&str]) -> Cluster {
    let mut www = service("www", 80, &[]);
    www.servers = names
        .iter()
        .map(|name| RealServer { host: Host::Name((*name).into()), ..server(A) })
        .collect();
    of(vec![www])
}

fn all_up(bench: &mut Bench) {
    for (id, _) in bench.core.checks() {
        bench.core.judged(id, Verdict::Up, "connected", 1, bench.now);
    }
    bench.settle();
}

#[test]
fn a_name_without_an_address_leaves_its_server_out_and_is_told_once() {
    let mut cluster = www();
    cluster.services[0].servers[0].host = Host::Name("web1".into());
    let mut bench = Bench::fresh(cluster);
    bench.judge(B, Verdict::Up);
    for _ in 0..2 {
        bench.core.resolved(&asked(["web1"]), &answer([]), bench.now);
    }
    bench.settle();
    assert_eq!(bench.told("name does not resolve"), 1);
    bench.core.resolved(&asked(["web1"]), &answer([("web1", A)]), bench.now);
    bench.settle();
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    assert!(bench.log.contains(&"name resolves again name=web1".into()));
}

#[test]
fn an_answer_from_before_an_edit_takes_nothing_from_what_the_edit_brought() {
    let mut bench = Bench::fresh(named(&["web1"]));
    bench.core.resolved(&asked(["web1"]), &answer([("web1", A)]), bench.now);
    all_up(&mut bench);
    bench.core.know(answer([("web1", A), ("web2", B)]));
    bench.configure(named(&["web1", "web2", "web3"]));
    all_up(&mut bench);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.core.resolved(&asked(["web1"]), &answer([("web1", C)]), bench.now);
    all_up(&mut bench);
    assert_eq!(bench.table(), [format!("80: {B}=1 {C}=1")]);
    assert_eq!(bench.told("name does not resolve"), 0, "nobody was asked for web3 yet");
    bench.core.resolved(&asked(["web1", "web2", "web3"]), &answer([("web1", C)]), bench.now);
    bench.settle();
    assert_eq!(bench.table(), [format!("80: {B}=1 {C}=1")], "what is needed stays known");
    assert_eq!(bench.told("name does not resolve, its real servers are left out name=web3"), 1);
}

#[test]
fn what_was_resolved_for_an_edit_is_older_than_a_round_that_came_meanwhile() {
    let mut bench = Bench::fresh(named(&["web1"]));
    bench.core.resolved(&asked(["web1"]), &answer([("web1", C)]), bench.now);
    bench.core.know(answer([("web1", A), ("web2", B)]));
    assert_eq!(bench.core.names(), &answer([("web1", C), ("web2", B)]));
}
