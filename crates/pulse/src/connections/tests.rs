use std::fmt::Write;

use super::*;

/// Lists open connections of so many clients, each with three that have ended.
fn list(clients: std::ops::Range<u8>) -> String {
    let mut list = String::new();
    for client in clients {
        for (port, state) in [(1, "TIME_WAIT"), (2, "ESTABLISHED"), (3, "FIN_WAIT"), (4, "CLOSE")] {
            let ends = format!("C0A801{client:02X} {port:04X} C0A80101 0050 C0A80104 0050");
            writeln!(list, "TCP {ends} {state:<11} {:7}", 60).unwrap();
        }
    }
    list
}

fn sync() -> ConnectionSync {
    ConnectionSync {
        interface: "eth1".to_owned(),
        id: 7,
        group: None,
        port: None,
        ttl: None,
        max_length: None,
    }
}

fn teller() -> Teller {
    Teller::new(sync(), vec!["192.168.1.1".parse().unwrap()]).unwrap()
}

/// What a reading sends, and whether it read everything.
fn sent(teller: &mut Teller, list: &str, lines: usize) -> (Vec<u8>, bool) {
    let read = std::cell::Cell::new(0);
    let goes_on = || read.replace(read.get() + 1) < lines;
    let mut counts = Vec::new();
    let count = |message: &[u8]| {
        counts.push(message[4]);
        Ok(())
    };
    let whole = teller.tell(list.as_bytes(), goes_on, count).unwrap();
    (counts, whole)
}

#[test]
fn what_was_told_before_is_not_told_again() {
    let mut teller = teller();
    assert_eq!(sent(&mut teller, &list(0..20), usize::MAX), (vec![18, 2], true));
    assert_eq!(sent(&mut teller, &list(0..20), usize::MAX), (vec![], true));
    assert_eq!(sent(&mut teller, &list(10..23), usize::MAX), (vec![3], true));
    assert_eq!(teller.told, 23);
}

#[test]
fn a_reading_that_is_cut_off_tells_what_it_has_found() {
    let mut teller = teller();
    assert_eq!(sent(&mut teller, &list(0..20), 9), (vec![2], false));
    assert_eq!(sent(&mut teller, &list(0..20), usize::MAX), (vec![18], true));
}

#[test]
fn connections_to_other_addresses_are_not_of_the_group() {
    let mut teller = teller();
    let others = list(0..20).replace("C0A80101", "C0A80102");
    assert_eq!(sent(&mut teller, &others, usize::MAX), (vec![], true));
}

#[test]
fn one_whose_state_changed_is_told_again() {
    let mut teller = teller();
    let opening = list(0..1).replace("ESTABLISHED", "SYN_RECV   ");
    assert_eq!(sent(&mut teller, &opening, usize::MAX), (vec![1], true));
    assert_eq!(sent(&mut teller, &list(0..1), usize::MAX), (vec![1], true));
}

#[test]
fn a_group_without_addresses_reads_nothing() {
    assert!(Teller::new(sync(), Vec::new()).is_none());
}
