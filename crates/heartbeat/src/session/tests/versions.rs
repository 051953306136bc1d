//! Routers of different releases. Of a release to come nothing is known but that it reads the
//! versions of before: here, its second version has the layout of the first.

use super::*;

const NEXT: RangeInclusive<u8> = 1..=2;

/// The version of the next packet, after it was given to the other one.
fn speaks(from: &mut Session, to: &mut Session) -> u8 {
    let packet = from.seal(&beat(true), NOW);
    let version = packet[2];
    assert!(to.open(&packet, NOW).is_ok(), "version {version}");
    version
}

#[test]
fn two_of_the_next_release_begin_in_the_oldest_version_and_go_on_in_the_newest() {
    let (mut a, mut b) = (session(0, 10).of_versions(NEXT), session(1, 20).of_versions(NEXT));
    assert_eq!(a.seal(&beat(true), NOW)[2], 1, "whoever is there may be of this release");
    meet(&mut a, &mut b);
    assert_eq!([speaks(&mut a, &mut b), speaks(&mut b, &mut a)], [2, 2]);
    let letter = a.seal(&Beat::letter(b"hello".to_vec()), NOW);
    assert!(b.open(&letter, NOW).is_ok());
    assert_eq!([letter[2], speaks(&mut b, &mut a)], [2, 2], "a letter does not tell what it reads");
}

#[test]
fn the_next_release_speaks_the_version_of_this_one() {
    let (mut next, mut this) = (session(0, 10).of_versions(NEXT), session(1, 20));
    meet(&mut next, &mut this);
    for _ in 0..8 {
        assert_eq!([speaks(&mut next, &mut this), speaks(&mut this, &mut next)], [1, 1]);
    }
}

#[test]
fn a_partner_that_returns_with_the_release_of_before_is_understood_and_understands() {
    let (mut a, mut b) = (session(0, 10).of_versions(NEXT), session(1, 20).of_versions(NEXT));
    meet(&mut a, &mut b);
    assert_eq!(speaks(&mut a, &mut b), 2);
    let mut before = session(1, 30);
    let mut heard = 0;
    for number in 1..=12 {
        let now = NOW + Duration::from_millis(200) * number;
        heard += u32::from(before.open(&a.seal(&beat(true), now), now).is_ok());
        let _ = a.open(&before.seal(&beat(false), now), now);
    }
    assert!(heard >= 4, "only {heard} of 12 were understood");
    assert_eq!([speaks(&mut a, &mut before), speaks(&mut before, &mut a)], [1, 1]);
}

#[test]
fn a_version_that_is_not_read_changes_nothing() {
    let (mut next, mut this) = (session(0, 10).of_versions(2..=2), session(1, 20));
    let packet = next.seal(&beat(true), NOW);
    assert_eq!(this.open(&packet, NOW), Err(Rejected::Decode(DecodeError::Version(2))));
    assert_eq!(this.counters().malformed, 1);
}
