//! Failed real servers that somebody removes from the table.

use super::*;

fn quiescent(put_back: bool) -> Cluster {
    let mut web = service("www", 80, &[A, B]);
    web.on_failure = OnFailure::Quiesce;
    web.put_back = put_back;
    of(vec![web])
}

impl Bench {
    fn delete(&mut self, address: &str) {
        let pool = self.kernel.table.values_mut().next().unwrap();
        pool.destinations.remove(&at(address)).unwrap();
        self.core.look();
        self.settle();
    }
}

const TOLD: &str =
    "failed real server was removed from the table, it stays out until it is up again";

#[test]
fn a_failed_server_that_somebody_removes_is_put_back_where_nothing_else_is_said() {
    let mut bench = Bench::running(quiescent(true));
    bench.judge(A, Verdict::Down);
    bench.delete(A);
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
    assert_eq!(bench.told(TOLD), 0);
}

#[test]
fn it_stays_out_until_it_is_up_where_the_configuration_says_so() {
    let mut bench = Bench::running(quiescent(false));
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")], "it stays while nobody removes it");
    let changes = bench.kernel.done;
    bench.delete(A);
    bench.pass(Duration::from_secs(5));
    assert_eq!((bench.table(), bench.told(TOLD)), (vec![format!("80: {B}=1")], 1));
    assert_eq!(bench.kernel.done, changes, "nothing was repaired");
    assert!(bench.core.readiness(0).table_in_place);
    let status = bench.core.status(&Surroundings::default(), bench.now);
    let because = status.services[0].servers[0].weight_because.last().unwrap();
    assert_eq!(because, "out of the table: somebody removed it, and it is not put back");

    let mut bench = bench.restart();
    assert_eq!((bench.table(), bench.kernel.done), (vec![format!("80: {B}=1")], 0));
    bench.judge(A, Verdict::Up);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.judge(A, Verdict::Down);
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")], "it is as any other again");
}

#[test]
fn one_that_serves_is_put_back_and_so_is_a_table_that_is_gone() {
    let mut bench = Bench::running(quiescent(false));
    bench.delete(B);
    assert_eq!(bench.table(), [format!("80: {A}=1 {B}=1")]);
    bench.judge(A, Verdict::Down);
    bench.kernel.table.clear();
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
}

#[test]
fn an_edit_puts_it_back() {
    let mut bench = Bench::running(quiescent(false));
    bench.judge(A, Verdict::Down);
    bench.delete(A);
    bench.configure(quiescent(true));
    assert_eq!(bench.table(), [format!("80: {A}=0 {B}=1")]);
}
