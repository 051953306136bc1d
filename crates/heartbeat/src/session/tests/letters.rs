//! Letters: what they show of their age, and what they change.

use super::*;

#[test]
fn a_letter_that_overtakes_a_heartbeat_takes_nothing_from_it() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let [first, second] = [true, false].map(|active| a.seal(&beat(active), NOW));
    let letter = a.seal(&Beat::letter(b"hello".to_vec()), NOW);
    assert!(b.open(&letter, NOW).is_ok());
    assert!(b.open(&second, NOW).unwrap().newest, "no heartbeat after it was heard");
    assert!(!b.open(&first, NOW).unwrap().newest);
    assert_eq!(b.open(&second, NOW), Err(Rejected::Replay));
}

#[test]
fn a_heartbeat_that_a_letter_has_overtaken_shows_its_own_age() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let late = Moment(Duration::from_secs(10));
    let old = a.seal(&beat(true), NOW);
    // Each is asked for something new, and answers.
    for _ in 0..4 {
        let _ = a.open(&b.seal(&beat(false), late), late);
        let _ = b.open(&a.seal(&Beat::letter(Vec::new()), late), late);
    }
    let young = a.seal(&beat(true), late);
    let letter = a.seal(&Beat::letter(Vec::new()), late);
    assert!(b.open(&letter, late).unwrap().made_after >= late);
    let opened = b.open(&old, late).unwrap();
    assert!(opened.newest && opened.made_after < late, "{opened:?}");
    assert!(b.open(&young, late).unwrap().made_after >= late, "it echoes what was asked then");
}

#[test]
fn a_letter_that_was_overtaken_shows_its_own_age() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let late = Moment(Duration::from_secs(10));
    let held_back = a.seal(&Beat::letter(Vec::new()), NOW);
    for _ in 0..4 {
        let _ = a.open(&b.seal(&beat(false), late), late);
        let _ = b.open(&a.seal(&beat(true), late), late);
    }
    let young = a.seal(&Beat::letter(Vec::new()), late);
    let newest = a.seal(&beat(true), late);
    assert!(b.open(&newest, late).unwrap().made_after >= late);
    assert!(b.open(&held_back, late).unwrap().made_after < late, "however young later ones are");
    assert!(b.open(&young, late).unwrap().made_after >= late, "overtaken, but not old");
}

#[test]
fn a_letter_counts_once_and_opens_no_session() {
    let letter = Beat::letter(b"hello".to_vec());
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_err());
    assert!(a.open(&b.seal(&beat(false), NOW), NOW).is_ok());
    assert_eq!(b.open(&a.seal(&letter, NOW), NOW), Err(Rejected::Unproven), "though it echoes");
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).unwrap().new_session);
    let sealed = a.seal(&letter, NOW);
    assert_eq!(b.open(&sealed, NOW).unwrap().beat, letter);
    assert_eq!(b.open(&sealed, NOW), Err(Rejected::Replay));
    assert_ne!(b.partner_keys(), [0; MAX_KEYS], "a letter says nothing about keys");
}
