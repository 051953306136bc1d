//! Weights that the programs of checks ask for.

use super::*;

/// Two real servers whose weights a program may set, both with a configured weight of 3.
fn weighed() -> Cluster {
    let mut web = service("www", 80, &[A, B]);
    let argv = vec!["/usr/local/bin/check".into(), "%h".into()];
    web.check.kind = CheckKind::External { argv, expect: None, sets_weight: true };
    web.servers.iter_mut().for_each(|server| server.weight = 3);
    of(vec![web])
}

impl Bench {
    fn asks(&mut self, id: WatchId, weight: Option<u32>) {
        self.core.weighed(id, weight);
        self.core.judged(id, Verdict::Up, "because", 1, self.now);
        self.settle();
    }
}

fn weights(a: u32, b: u32) -> [String; 1] {
    [format!("80: {A}={a} {B}={b}")]
}

#[test]
fn a_program_sets_the_weight_and_takes_it_back() {
    let mut bench = Bench::running(weighed());
    let id = bench.id(A);
    bench.asks(id, Some(10));
    assert_eq!(bench.table(), weights(10, 3));
    assert_eq!(bench.kernel.done, 1, "an edit, and the other one is left alone");
    bench.asks(id, Some(10));
    assert_eq!(bench.kernel.done, 1);
    bench.asks(id, Some(0));
    assert_eq!(bench.table(), weights(0, 3));
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {B}=3")]);
    bench.asks(id, None);
    assert_eq!(bench.table(), weights(3, 3));
}

#[test]
fn an_operators_weight_goes_before_that_of_a_program() {
    let mut bench = Bench::running(weighed());
    let id = bench.id(A);
    bench.act(A, Decision::Weight { weight: Some(7) });
    bench.asks(id, Some(10));
    assert_eq!(bench.table(), weights(7, 3));
    let status = bench.core.status(&Surroundings::default(), bench.now);
    let because = &status.services[0].servers[0].weight_because;
    assert!(because.contains(&"weight 10 asked for by its check".to_owned()), "{because:?}");
    bench.act(A, Decision::Weight { weight: None });
    assert_eq!(bench.table(), weights(10, 3));
}

#[test]
fn a_restart_and_an_edit_of_the_check_leave_the_weight() {
    let mut bench = Bench::running(weighed());
    for (address, weight) in [(A, 10), (B, 0)] {
        let id = bench.id(address);
        bench.asks(id, Some(weight));
    }
    let mut bench = bench.restart();
    assert_eq!((bench.table(), bench.kernel.done), (weights(10, 0).to_vec(), 0));
    let mut edited = weighed();
    edited.services[0].check.interval = Duration::from_secs(7);
    bench.configure(edited);
    assert_eq!((bench.table(), bench.kernel.done), (weights(10, 0).to_vec(), 0));
}

#[test]
fn what_several_programs_ask_for_adds_up_also_over_an_edit() {
    let mut cluster = weighed();
    let mut other = cluster.services[0].check.clone();
    other.port = Some(8080);
    cluster.services[0].also = vec![other];
    let mut bench = Bench::running(cluster.clone());
    let checks = bench.core.checks();
    let id = |port| {
        let mut checks = checks.values().filter(|watch| watch.server == at(A));
        checks.find(|watch| watch.check.port == port).unwrap().id
    };
    bench.asks(id(None), Some(10));
    bench.asks(id(Some(8080)), Some(5));
    assert_eq!(bench.table(), weights(3 + 7 + 2, 3));
    cluster.services[0].check.interval = Duration::from_secs(7);
    bench.configure(cluster);
    let weight = bench.kernel.table.values().next().unwrap().destinations[&at(A)].weight;
    assert_eq!(weight, 5, "the edited one has not answered yet, the other one has");
}
