use std::net::IpAddr;

use super::*;

fn rule(ip: &str, protocol: Protocol, first: u16, last: u16) -> MarkRule {
    let ip: IpAddr = ip.parse().unwrap();
    MarkRule { ports: Ports { ip, protocol, first, last }, mark: 0x4c12_3456 }
}

fn rules() -> Vec<MarkRule> {
    vec![
        rule("192.168.1.1", Protocol::Tcp, 21, 21),
        rule("192.168.1.1", Protocol::Tcp, 10_000, 10_100),
        rule("2001:db8::1", Protocol::Udp, 0, 0),
        rule("2001:db8::1", Protocol::Sctp, 7, 9),
    ]
}

/// What the kernel would answer to [`list`] after this batch: each thing as it was made.
fn answers(batch: &[MarkRequest]) -> Answers {
    let after = batch.iter().rposition(|one| one.kind == kind::DELETE_TABLE).unwrap() + 1;
    let of = |kind| {
        let made = batch[after..].iter().filter(|one| one.kind == kind);
        made.map(|one| one.payload.clone()).collect()
    };
    [of(kind::NEW_TABLE), of(kind::NEW_CHAIN), of(kind::NEW_RULE)]
}

#[test]
fn what_is_written_is_read_back() {
    let answers = answers(&replace(&rules()));
    assert_eq!(MarkTable::decode(&answers), Ok(MarkTable::Ours(Some(rules()))));
    assert!(MarkTable::decode(&answers).unwrap().is(&rules()));
}

#[test]
fn a_batch_begins_and_ends_and_asks_of_our_table_alone() {
    let batch = replace(&rules());
    assert_eq!((batch[0].kind, batch[0].payload.as_slice()), (kind::BEGIN, &[0, 0, 0, 10][..]));
    assert_eq!(batch.last().map(|one| one.kind), Some(kind::END));
    for one in &batch[1..batch.len() - 1] {
        let attributes = attributes(&one.payload).unwrap();
        assert_eq!(attributes.find_kind(1).unwrap().unwrap().text(), TABLE, "{one:?}");
    }
}

#[test]
fn without_rules_there_is_no_table() {
    let kinds: Vec<u16> = replace(&[]).iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [kind::BEGIN, kind::NEW_TABLE, kind::DELETE_TABLE, kind::END]);
    assert!(MarkTable::decode(&[vec![], vec![], vec![]]).unwrap().is(&[]));
}

#[test]
fn a_table_of_our_name_without_our_comment_is_foreign() {
    let mut answers = answers(&replace(&rules()));
    answers[0] = vec![with_header(INET, 0, |payload| payload.text(table::NAME, TABLE))];
    let found = MarkTable::decode(&answers).unwrap();
    assert_eq!(found, MarkTable::Foreign);
    assert!(found.is(&[]) && !found.is(&rules()));
}

#[test]
fn whatever_somebody_else_changes_is_seen() {
    let whole = answers(&replace(&rules()));
    let differs = |what: &str, change: &dyn Fn(&mut Answers)| {
        let mut answers = whole.clone();
        change(&mut answers);
        assert!(!MarkTable::decode(&answers).unwrap().is(&rules()), "{what}");
    };
    differs("a rule is gone", &|all| drop(all[2].remove(1)));
    differs("a chain is gone", &|all| drop(all[1].remove(1)));
    differs("a rule is there twice", &|all| {
        let first = all[2][0].clone();
        all[2].insert(0, first);
    });
    differs("a chain is somewhere else", &|all| {
        all[1][0] = new_chain("prerouting", 1).payload;
    });
    differs("a chain more", &|all| all[1].push(new_chain("input", 1).payload));
    differs("the table sleeps", &|all| {
        all[0][0] = with_header(INET, 0, |payload| {
            payload.text(table::NAME, TABLE);
            payload.u32_be(table::FLAGS, 1);
            payload.bytes(table::USER_DATA, &comment());
        });
    });
    differs("a rule that counts, too", &|all| {
        all[2][0] = with_header(INET, 0, |payload| {
            payload.text(rules::TABLE, TABLE);
            payload.text(rules::CHAIN, "prerouting");
            payload.nested(rules::EXPRESSIONS, |inner| {
                inner.nested(1, |element| {
                    element.text(1, "counter");
                    element.nested(2, |_| {});
                });
                rule::put(inner, &rules()[0]);
            });
        });
    });
    differs("a rule that spares", &|all| {
        // `!=` instead of `==` in the first comparison.
        let bytes = &mut all[2][0];
        let at = bytes.windows(4).position(|four| four == b"cmp\0").unwrap();
        let operator = at + 4 + 4 + 8 + 4 + 3;
        assert_eq!(bytes[operator], 0);
        bytes[operator] = 1;
    });
}

#[test]
fn rules_of_other_tables_are_not_ours() {
    let mut answers = answers(&replace(&rules()));
    for (list, name, other) in [(0, 1, 5), (1, 1, 3), (2, 1, 2)] {
        answers[list].push(with_header(INET, 0, |payload| {
            payload.text(name, "filter");
            payload.text(other, "prerouting");
        }));
    }
    assert!(MarkTable::decode(&answers).unwrap().is(&rules()));
}

#[test]
fn an_answer_that_breaks_off_is_an_error() {
    let whole = answers(&replace(&rules()));
    for place in 0..3 {
        let mut answers = whole.clone();
        let length = answers[place][0].len();
        answers[place][0].truncate(length - 6);
        assert!(MarkTable::decode(&answers).is_err(), "{place}");
    }
}
