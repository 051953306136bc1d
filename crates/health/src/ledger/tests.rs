use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NOW: Duration = Duration::from_secs(100_000);

fn subject(server: &str, aspect: Aspect) -> Subject {
    Subject { service: "www".into(), server: server.into(), aspect }
}

fn drain(server: &str) -> Subject {
    subject(server, Aspect::Drain)
}

fn drained() -> Option<Ruling> {
    drain_that(false)
}

fn drain_that(done: bool) -> Option<Ruling> {
    Some(Ruling::Drain(Drain { note: Note::default(), deadline: None, done }))
}

/// Everything that one has goes to the other.
fn send(from: &Ledger, to: &mut Ledger) {
    for (subject, item) in from.iter() {
        to.merge(subject.clone(), item.clone());
    }
}

/// The two exchange letters, and forget, as they do all the time.
fn talk(a: &mut Ledger, b: &mut Ledger, now: Duration) {
    if a.digest(now) != b.digest(now) {
        send(a, b);
        send(b, a);
    }
    assert_eq!(a.digest(now), b.digest(now));
    assert_eq!(a.decisions(), b.decisions());
    a.forget_old(now);
    b.forget_old(now);
}

#[test]
fn a_decision_comes_over_and_so_does_its_end() {
    let (mut a, mut b) = (Ledger::default(), Ledger::default());
    a.decide(drain("web1"), drained(), "a", NOW, 50);
    talk(&mut a, &mut b, NOW);
    assert!(b.decided("www", "web1").drain.is_some());
    b.decide(drain("web1"), None, "b", NOW, 7);
    talk(&mut a, &mut b, NOW);
    assert!(a.decisions().is_empty(), "though the clock of b is behind");
}

#[test]
fn the_end_of_a_drain_is_no_word_of_its_own() {
    let (mut a, mut b) = (Ledger::default(), Ledger::default());
    a.decide(drain("web1"), drained(), "a", NOW, 1);
    a.decide(drain("web2"), drained(), "a", NOW, 1);
    talk(&mut a, &mut b, NOW);
    // They are cut off from each other: one takes it back, on the other one its connections end.
    b.decide(drain("web1"), None, "b", NOW, 2);
    let later = NOW + Duration::from_secs(60);
    assert!(a.end_drain(&drain("web1")) && a.end_drain(&drain("web2")));
    assert!(!a.end_drain(&drain("web2")), "it has ended");
    assert!(!a.end_drain(&drain("web9")));
    talk(&mut a, &mut b, later);
    assert_eq!(a.decided("www", "web1").drain, None, "the operator's word holds");
    assert!(b.decided("www", "web2").drain.is_some_and(|drain| drain.done));
}

#[test]
fn what_is_decided_apart_about_other_things_holds_side_by_side() {
    let (mut a, mut b) = (Ledger::default(), Ledger::default());
    a.decide(drain("web1"), drained(), "a", NOW, 1);
    let weight = Some(Ruling::Weight(7, Note::default()));
    b.decide(subject("web1", Aspect::Weight), weight, "b", NOW, 1);
    talk(&mut a, &mut b, NOW);
    let decided = a.decided("www", "web1");
    assert!(decided.drain.is_some() && decided.weight.is_some());
}

#[test]
fn a_partner_that_was_off_for_days_brings_nothing_back() {
    let (mut a, mut b) = (Ledger::default(), Ledger::default());
    a.decide(drain("web1"), drained(), "a", NOW, 1);
    talk(&mut a, &mut b, NOW);
    a.decide(drain("web1"), None, "a", NOW, 2);
    let days_later = NOW + 72 * REMEMBERED;
    talk(&mut a, &mut b, days_later);
    assert!(b.decisions().is_empty());
    assert!(a.is_empty() && b.is_empty(), "now it may be forgotten");
}

#[test]
fn a_router_that_lost_its_memory_gets_it_back() {
    let mut a = Ledger::default();
    a.decide(drain("web1"), drained(), "a", NOW, 1);
    let mut b = Ledger::default();
    talk(&mut b, &mut a, NOW);
    assert_eq!(a, b);
}

#[test]
fn stamps_that_nothing_could_follow_and_rulings_about_something_else_are_refused() {
    let mut ledger = Ledger::default();
    let stamp = Stamp { at: u64::MAX, router: "a".into() };
    assert!(!ledger.merge(drain("web1"), Item { stamp, since: NOW, ruling: None }));
    let stamp = Stamp { at: 1, router: "a".into() };
    let wrong = Item { stamp, since: NOW, ruling: drained() };
    assert!(!ledger.merge(subject("web1", Aspect::Weight), wrong));
    assert!(ledger.is_empty());
}

#[test]
fn decisions_of_an_older_version_are_taken_over() {
    let mut decisions = Decisions::default();
    decisions.change("www", "web1", |known| {
        known.disabled = Some(Note { since_unix_ms: 5, ..Note::default() });
        known.weight = Some((3, Note::default()));
    });
    assert_eq!(Ledger::from(decisions.clone()).decisions(), decisions);
}

/// Two routers that decide, talk, are cut off from each other, and lose their memory.
#[derive(Clone, Copy, Debug)]
enum Act {
    Decide { router: usize, server: usize, on: bool, clock: u64 },
    Send { from: usize },
    Talk,
    Hours(u32),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..2_usize, 0..3_usize, any::<bool>(), 0..50_u64)
            .prop_map(|(router, server, on, clock)| Act::Decide { router, server, on, clock }),
        2 => (0..2_usize).prop_map(|from| Act::Send { from }),
        2 => Just(Act::Talk),
        1 => (0..5_u32).prop_map(Act::Hours),
    ]
}

fn item() -> impl Strategy<Value = (Subject, Item)> {
    (select(vec!["web1", "web2"]), 0..4_u64, select(vec!["a", "b"]), any::<bool>()).prop_map(
        |(server, at, router, ended)| {
            // One stamp is one decision, and the end of a drain has the drain's.
            let ruling = if at % 2 == 0 { drain_that(ended) } else { None };
            let stamp = Stamp { at, router: router.into() };
            (drain(server), Item { stamp, since: NOW, ruling })
        },
    )
}

fn of(items: &[(Subject, Item)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (subject, item) in items {
        ledger.merge(subject.clone(), item.clone());
    }
    ledger
}

proptest! {
    #[test]
    fn the_order_and_number_of_letters_do_not_matter(
        a in vec(item(), 0..8), b in vec(item(), 0..8), c in vec(item(), 0..8)
    ) {
        let all = of(&[a.clone(), b.clone(), c.clone()].concat());
        prop_assert_eq!(&of(&[c.clone(), b.clone(), a.clone()].concat()), &all);
        prop_assert_eq!(&of(&[b.clone(), a.clone(), c.clone(), a, b].concat()), &all);
        let mut again = all.clone();
        send(&all, &mut again);
        prop_assert_eq!(again, all);
    }

    #[test]
    fn whatever_happens_the_two_agree_once_they_talk_and_the_newest_word_holds(
        acts in vec(act(), 0..40)
    ) {
        let mut routers = [Ledger::default(), Ledger::default()];
        let mut now = NOW;
        for act in acts {
            match act {
                Act::Decide { router, server, on, clock } => {
                    let name = ["a", "b"][router];
                    let server = drain(["web1", "web2", "web3"][server]);
                    let ruling = if on { drained() } else { None };
                    routers[router].decide(server.clone(), ruling.clone(), name, now, clock);
                    prop_assert_eq!(&routers[router].get(&server).unwrap().ruling, &ruling);
                }
                Act::Send { from } => {
                    let sender = routers[from].clone();
                    send(&sender, &mut routers[1 - from]);
                }
                Act::Talk => {
                    let [a, b] = &mut routers;
                    talk(a, b, now);
                }
                Act::Hours(hours) => now += hours * Duration::from_secs(1800),
            }
        }
        let [a, b] = &mut routers;
        let newest = |subject: &Subject| {
            let of = |ledger: &Ledger| ledger.get(subject).cloned();
            [of(a), of(b)].into_iter().flatten().max_by_key(|item| item.stamp.clone())
        };
        let subjects = ["web1", "web2", "web3"].map(drain);
        let expected = subjects.each_ref().map(newest);
        talk(a, b, now);
        for (subject, expected) in subjects.iter().zip(expected) {
            let ruling = expected.and_then(|item| item.ruling);
            prop_assert_eq!(a.get(subject).and_then(|item| item.ruling.clone()), ruling);
        }
    }
}
