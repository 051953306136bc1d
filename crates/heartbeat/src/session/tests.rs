use super::*;
use crate::packet::Claim;
use crate::packet::{GroupId, Role};

mod letters;
mod versions;

const NOW: Moment = Moment(Duration::ZERO);

fn secret(id: u8) -> SharedKey {
    SharedKey { id, secret: vec![id; 32] }
}

fn session(index: usize, boot: u64) -> Session {
    with_keys(index, boot, &[secret(1)])
}

fn with_keys(index: usize, boot: u64, keys: &[SharedKey]) -> Session {
    let names = ["master", "backup"];
    let seed = [u8::try_from(boot % 251).unwrap(); 32];
    Session::new(names[index], names[1 - index], keys, boot, seed).unwrap()
}

fn beat(active: bool) -> Beat {
    let role = if active { Role::Active } else { Role::Standby };
    let claim = Claim { role, ..Claim::default() };
    Beat { groups: vec![(GroupId(1), claim)], ..Beat::default() }
}

/// Both speak in turn until both have proven themselves.
fn meet(a: &mut Session, b: &mut Session) {
    for _ in 0..3 {
        let _ = b.open(&a.seal(&beat(true), NOW), NOW);
        let _ = a.open(&b.seal(&beat(false), NOW), NOW);
    }
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_ok());
    assert!(a.open(&b.seal(&beat(false), NOW), NOW).is_ok());
}

#[test]
fn a_boot_is_believed_with_its_second_packet_and_not_before() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    let hello = a.seal(&beat(true), NOW);
    assert_eq!(b.open(&hello, NOW), Err(Rejected::Unproven));
    let answer = b.seal(&beat(false), NOW);
    let accepted = a.open(&answer, NOW).unwrap();
    assert!(accepted.new_session && accepted.newest, "it echoes what we drew");
    let proof = b.open(&a.seal(&beat(true), NOW), NOW).unwrap();
    assert!(proof.new_session);
    assert!(!b.open(&a.seal(&beat(true), NOW), NOW).unwrap().new_session);
}

#[test]
fn a_packet_counts_once() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let packet = a.seal(&beat(true), NOW);
    assert!(b.open(&packet, NOW).is_ok());
    assert_eq!(b.open(&packet, NOW), Err(Rejected::Replay));
    assert_eq!(b.counters().replay, 1);
}

#[test]
fn a_packet_that_came_before_its_boot_was_believed_does_not_count_later() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_err());
    assert!(a.open(&b.seal(&beat(false), NOW), NOW).is_ok());
    let proof = a.seal(&beat(true), NOW);
    // It overtakes the proof, and echoes nothing.
    let mut mute = session(0, 10);
    mute.sequence = a.sequence + 1;
    let early = mute.seal(&beat(true), NOW);
    assert_eq!(b.open(&early, NOW), Err(Rejected::Unproven));
    assert!(b.open(&proof, NOW).unwrap().new_session);
    assert_eq!(b.open(&early, NOW), Err(Rejected::Replay));
}

#[test]
fn a_recording_from_before_a_new_key_keeps_nobody_from_being_read() {
    let mut old = with_keys(1, 20, &[secret(1)]);
    let recorded = old.seal(&beat(false), NOW);
    // The partner holds the new key alone; this router was restarted while the old one was leaving.
    let (mut a, mut b) =
        (with_keys(0, 10, &[secret(2), secret(1)]), with_keys(1, 21, &[secret(2)]));
    let mut read = 0;
    for round in 0..8 {
        let now = Moment(Duration::from_millis(200 * round));
        let _ = a.open(&recorded, now);
        read += u32::from(b.open(&a.seal(&beat(true), now), now) == Err(Rejected::Unproven));
    }
    assert_eq!(read, 4, "every other one");
}

#[test]
fn packets_that_overtake_each_other_count_for_their_path_only() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let packets: Vec<_> = (0..200).map(|_| a.seal(&beat(true), NOW)).collect();
    assert!(b.open(&packets[150], NOW).unwrap().newest);
    assert!(!b.open(&packets[149], NOW).unwrap().newest);
    assert!(!b.open(&packets[87], NOW).unwrap().newest, "63 behind is in the window");
    assert_eq!(b.open(&packets[86], NOW), Err(Rejected::Replay), "64 behind is not");
    assert_eq!(b.open(&packets[149], NOW), Err(Rejected::Replay));
    assert!(b.open(&packets[199], NOW).unwrap().newest);
}

#[test]
fn what_we_sent_ourselves_is_known_and_refused() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let own = a.seal(&beat(true), NOW);
    assert_eq!(a.open(&own, NOW), Err(Rejected::Own));
    assert_eq!(a.counters().own, 1);
}

#[test]
fn an_old_boot_never_comes_back() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    let mut recorded = Vec::new();
    for _ in 0..50 {
        let (x, y) = (a.seal(&beat(true), NOW), b.seal(&beat(false), NOW));
        let _ = b.open(&x, NOW);
        let _ = a.open(&y, NOW);
        recorded.push(x);
    }
    // Packets that the boot sent but that were held back on the way.
    let held: Vec<_> = (0..20).map(|_| a.seal(&beat(true), NOW)).collect();
    let mut a = session(0, 11);
    meet(&mut a, &mut b);
    for packet in recorded.iter().chain(&held) {
        assert_eq!(b.open(packet, NOW), Err(Rejected::Unproven));
    }
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_ok(), "the true one is still heard");
}

#[test]
fn recordings_do_not_keep_a_restarted_partner_from_being_answered() {
    let mut b = session(1, 20);
    let mut old = Vec::new();
    for boot in 1..=8 {
        let mut a = session(0, boot);
        meet(&mut a, &mut b);
        let packet = a.seal(&beat(true), NOW);
        assert!(b.open(&packet, NOW).is_ok());
        old.push(packet);
    }
    let mut a = session(0, 99);
    let mut rounds = 0;
    loop {
        for packet in &old {
            assert!(b.open(packet, NOW).is_err());
        }
        let proven = b.open(&a.seal(&beat(true), NOW), NOW).is_ok();
        for packet in &old {
            assert!(b.open(packet, NOW).is_err());
        }
        let _ = a.open(&b.seal(&beat(false), NOW), NOW);
        if proven {
            break;
        }
        rounds += 1;
        assert!(rounds < 20, "the true partner was never answered");
    }
}

#[test]
fn a_router_that_is_not_the_partner_is_refused() {
    let mut b = session(1, 20);
    let mut stranger = Session::new("other", "backup", &[secret(1)], 5, [5; 32]).unwrap();
    assert_eq!(
        b.open(&stranger.seal(&beat(true), NOW), NOW),
        Err(Rejected::Decode(DecodeError::Tag))
    );
    let mut other_key = with_keys(0, 10, &[SharedKey { id: 1, secret: vec![9; 32] }]);
    assert_eq!(
        b.open(&other_key.seal(&beat(true), NOW), NOW),
        Err(Rejected::Decode(DecodeError::Tag))
    );
    assert_eq!(b.counters().tag, 2);
}

#[test]
fn keys_are_rotated_one_router_after_the_other_without_a_lost_heartbeat() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    // The new key comes to a first, and is preferred there: b does not hold it yet.
    a.replace_keys(&[secret(2), secret(1)]).unwrap();
    let round = |a: &mut Session, b: &mut Session, key: u8| {
        let packet = a.seal(&beat(true), NOW);
        assert_eq!(packet[3], key);
        assert!(b.open(&packet, NOW).is_ok());
        assert!(a.open(&b.seal(&beat(false), NOW), NOW).is_ok());
    };
    round(&mut a, &mut b, 1);
    b.replace_keys(&[secret(2), secret(1)]).unwrap();
    round(&mut a, &mut b, 1);
    round(&mut a, &mut b, 2);
    // The old key goes.
    a.replace_keys(&[secret(2)]).unwrap();
    round(&mut a, &mut b, 2);
    b.replace_keys(&[secret(2)]).unwrap();
    round(&mut a, &mut b, 2);
}

#[test]
fn a_router_restarted_with_a_new_key_falls_back_to_one_that_both_hold() {
    let (mut a, mut b) = (with_keys(0, 10, &[secret(2), secret(1)]), session(1, 20));
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_err());
    meet(&mut a, &mut b);
}

#[test]
fn keys_that_make_no_sense_are_refused_and_the_old_ones_stay() {
    let mut a = session(0, 10);
    let short = SharedKey { id: 1, secret: b"abc".to_vec() };
    let cases: [(Vec<SharedKey>, KeyError); 5] = [
        (vec![], KeyError::None),
        ((1..=5).map(secret).collect(), KeyError::TooMany(5)),
        (vec![secret(0)], KeyError::Number(0)),
        (vec![secret(3), secret(3)], KeyError::Number(3)),
        (vec![short], KeyError::TooShort(1)),
    ];
    for (keys, wanted) in cases {
        assert_eq!(a.replace_keys(&keys), Err(wanted));
    }
    let mut b = session(1, 20);
    meet(&mut a, &mut b);
    let same = Session::new("x", "x", &[secret(1)], 1, [1; 32]);
    assert_eq!(same.err(), Some(KeyError::SameNames));
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let text = format!("{:?} {:?}", session(0, 10), SharedKey { id: 1, secret: b"hush".to_vec() });
    assert!(!text.contains("hush") && !text.contains("104, 117"), "{text}");
}

#[test]
fn each_packet_tells_a_time_after_which_it_was_made() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    let at = Moment::from_millis;
    let mut late = Vec::new();
    for now in (0..10_000).step_by(200).map(at) {
        let x = a.seal(&beat(true), now);
        let _ = b.open(&x, now);
        let y = b.seal(&beat(false), now);
        if let Ok(received) = a.open(&y, now) {
            assert!(now.since(received.made_after) <= Duration::from_millis(600), "{now:?}");
        }
        late.push((now, b.seal(&beat(false), now)));
    }
    // What was held back is as old as it was, whenever it comes.
    let received = a.open(&late.last().unwrap().1, at(50_000)).unwrap();
    assert!(at(50_000).since(received.made_after) >= Duration::from_secs(40));
}

#[test]
fn a_flood_of_old_boots_leaves_half_of_the_answers_to_the_proven_one() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let old: Vec<Vec<u8>> = (30..36).map(|boot| session(1, boot).seal(&beat(true), NOW)).collect();
    for paths in 1..=5 {
        let mut unanswered = vec![0; paths];
        for round in 0..200 {
            for packet in &old {
                assert_eq!(a.open(packet, NOW), Err(Rejected::Unproven));
            }
            for (path, rounds) in unanswered.iter_mut().enumerate() {
                let packet = a.seal(&beat(true), Moment::from_millis(round * 200));
                let echoed = u64::from_be_bytes(packet[36..44].try_into().unwrap());
                *rounds = if echoed == 20 { 0 } else { *rounds + 1 };
                assert!(*rounds <= 1, "path {path} of {paths}");
            }
        }
    }
}

fn offer() -> Exchange {
    let step = crate::exchange::Step::Offer;
    Exchange { step, number: 9, key_id: 2, public: [3; 32], proof: [0; 32] }
}

#[test]
fn an_offer_of_keys_that_a_later_one_has_overtaken_is_of_the_past() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let held_back = a.seal_exchange(&offer(), NOW);
    let next = Exchange { public: [4; 32], ..offer() };
    let packet = a.seal_exchange(&next, NOW);
    assert_eq!(b.open(&packet, NOW), Err(Rejected::AboutKeys));
    assert_eq!(b.open(&held_back, NOW), Err(Rejected::AboutKeys));
    assert_eq!(b.take_exchange(), Some(next));
    let later = a.seal_exchange(&offer(), NOW);
    assert_eq!(b.open(&later, NOW), Err(Rejected::AboutKeys));
    assert_eq!(b.take_exchange(), Some(offer()));
}

#[test]
fn a_packet_about_keys_is_heard_once_and_is_no_heartbeat() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let packet = a.seal_exchange(&offer(), NOW);
    assert_eq!(b.open(&packet, NOW), Err(Rejected::AboutKeys));
    assert_eq!(b.take_exchange(), Some(offer()));
    assert_eq!(b.open(&packet, NOW), Err(Rejected::Replay));
    assert_eq!(b.take_exchange(), None);
    assert!(b.open(&a.seal(&beat(true), NOW), NOW).is_ok());
    for place in 0..packet.len() {
        for bit in 0..8 {
            let mut altered = packet.clone();
            altered[place] ^= 1 << bit;
            assert!(b.open(&altered, NOW).is_err());
            assert_eq!(b.take_exchange(), None, "byte {place} bit {bit}");
        }
    }
}

#[test]
fn a_recording_about_keys_is_nothing_to_a_router_that_was_restarted() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let packet = a.seal_exchange(&offer(), NOW);
    let mut again = session(1, 21);
    assert!(again.open(&packet, NOW).is_err());
    assert_eq!(again.take_exchange(), None);
}

#[test]
fn a_new_key_comes_in_three_steps_and_every_packet_verifies() {
    let (mut a, mut b) = (session(0, 10), session(1, 20));
    meet(&mut a, &mut b);
    let both_hear = |a: &mut Session, b: &mut Session| {
        for _ in 0..3 {
            let (to_b, to_a) = (a.seal(&beat(true), NOW), b.seal(&beat(false), NOW));
            assert!(b.open(&to_b, NOW).is_ok() && a.open(&to_a, NOW).is_ok());
        }
    };
    // The partner believes it, then this router signs with it, then the old one leaves.
    b.replace_keys(&[secret(1), secret(2)]).unwrap();
    both_hear(&mut a, &mut b);
    assert_eq!((a.partner_signs(), b.partner_signs()), (Some(1), Some(1)));
    a.replace_keys(&[secret(2), secret(1)]).unwrap();
    both_hear(&mut a, &mut b);
    assert_eq!((a.partner_signs(), b.partner_signs()), (Some(1), Some(2)));
    b.replace_keys(&[secret(2), secret(1)]).unwrap();
    both_hear(&mut a, &mut b);
    assert_eq!((a.partner_signs(), b.partner_signs()), (Some(2), Some(2)));
    a.replace_keys(&[secret(2)]).unwrap();
    b.replace_keys(&[secret(2)]).unwrap();
    both_hear(&mut a, &mut b);
    for session in [&a, &b] {
        let counters = session.counters();
        assert_eq!((counters.tag, counters.unknown_key), (0, 0));
        assert!(counters.other_key > 0 && counters.first_key > counters.other_key);
    }
}
