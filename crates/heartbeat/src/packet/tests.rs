use proptest::prelude::*;

use super::*;
use crate::key::SharedKey;

/// Frozen: what one version writes, every later one of the same version must read.
const VECTORS: [(&str, &str); 3] = [
    ("smallest", include_str!("vectors/smallest.hex")),
    ("two groups", include_str!("vectors/two_groups.hex")),
    ("goodbye", include_str!("vectors/goodbye.hex")),
];

fn keys(me: &str, partner: &str) -> KeyRing {
    let shared = [
        SharedKey { id: 2, secret: vec![0x42; 32] },
        SharedKey { id: 1, secret: b"an older secret".to_vec() },
    ];
    KeyRing::new(me, partner, &shared).unwrap()
}

fn header() -> Header {
    Header {
        sender: RouterId::of("master"),
        boot: 0x0102_0304_0506_0708,
        sequence: 9,
        nonce: 0xa1a2_a3a4_a5a6_a7a8,
        echo_boot: 0xb1b2_b3b4_b5b6_b7b8,
        echo_nonce: 0xc1c2_c3c4_c5c6_c7c8,
        keys: [2, 1, 0, 0],
        version: 1,
        reads: 1,
    }
}

fn beats() -> [Beat; 3] {
    let active = Claim { role: Role::Active, fit: true, ..Claim::default() };
    let offered = Claim { role: Role::Standby, yours: true, fit: true, ..Claim::default() };
    let two = Beat {
        table_in_place: true,
        checks_warm: true,
        config_hash: 0xdead_beef_0bad_cafe,
        heard_paths: 3,
        groups: vec![(GroupId::of("web"), active), (GroupId::of("mail"), offered)],
        ..Beat::default()
    };
    let goodbye = Beat { kind: Kind::Goodbye, ..Beat::default() };
    [Beat::default(), two, goodbye]
}

fn seal(beat: &Beat) -> Vec<u8> {
    let keys = keys("master", "backup");
    let (id, key) = keys.signing([0; MAX_KEYS]).unwrap();
    encode(&header(), beat, id, key)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.chunks(16).map(|line| {
        let line: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        line.join(" ") + "\n"
    });
    digits.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn the_frozen_vectors_are_written_and_read() {
    for ((name, vector), beat) in VECTORS.iter().zip(beats()) {
        assert_eq!(hex(&seal(&beat)), *vector, "{name}");
        let read = decode(&bytes(vector), &keys("backup", "master"));
        assert_eq!(read, Ok((header(), beat)), "{name}");
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let [_, beat, _] = beats();
    let good = seal(&beat);
    let keys = keys("backup", "master");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&bad, &keys).is_err(), "bit {bit}");
    }
}

#[test]
fn any_other_length_is_refused() {
    let good = seal(&Beat::default());
    let keys = keys("backup", "master");
    for length in 0..good.len() {
        assert!(decode(&good[..length], &keys).is_err(), "{length} bytes");
    }
    let mut long = good.clone();
    long.push(0);
    assert_eq!(decode(&long, &keys), Err(DecodeError::Tag));
    long.resize(MAX_PACKET + 1, 0);
    assert_eq!(decode(&long, &keys), Err(DecodeError::Length(MAX_PACKET + 1)));
}

#[test]
fn a_packet_is_for_one_direction_only() {
    let packet = seal(&Beat::default());
    assert_eq!(decode(&packet, &keys("master", "backup")), Err(DecodeError::Tag));
    assert_eq!(decode(&packet, &keys("backup", "other")), Err(DecodeError::Tag));
}

#[test]
fn other_versions_and_keys_are_told_apart() {
    let mut packet = seal(&Beat::default());
    packet[2] = 7;
    let keys = keys("backup", "master");
    assert_eq!(decode(&packet, &keys), Err(DecodeError::Version(7)));
    packet[2] = *VERSIONS.end();
    packet[3] = 99;
    assert_eq!(decode(&packet, &keys), Err(DecodeError::UnknownKey(99)));
    packet[0] = b'H';
    assert_eq!(decode(&packet, &keys), Err(DecodeError::Magic));
}

#[test]
fn a_value_out_of_range_is_refused_even_under_a_good_tag() {
    let good = seal(&beats()[1]);
    let signing = keys("master", "backup");
    let (_, key) = signing.signing([0; MAX_KEYS]).unwrap();
    // The kind, a role that does not exist, the number of groups.
    for (offset, value) in [(52, 5), (76, 0b11), (76, 0xff), (71, 1), (71, 3)] {
        let mut bad = good[..good.len() - TAG].to_vec();
        bad[offset] = value;
        bad.extend(hmac::sign(key, &bad.clone()).as_ref());
        let read = decode(&bad, &keys("backup", "master"));
        assert_eq!(read, Err(DecodeError::Value), "{value} at {offset}");
    }
}

#[test]
fn the_largest_packet_fits_the_smallest_ipv6_network() {
    let group = |number: u32| (GroupId(number), Claim::default());
    let most = u32::try_from(MAX_GROUPS).unwrap();
    let beat = Beat { groups: (0..most + 5).map(group).collect(), ..Beat::default() };
    let packet = seal(&beat);
    assert_eq!(packet.len(), MAX_PACKET);
    const { assert!(MAX_PACKET + 40 + 8 <= 1280) };
    let (_, read) = decode(&packet, &keys("backup", "master")).unwrap();
    assert_eq!(read.groups.len(), MAX_GROUPS);
}

fn any_claim() -> impl Strategy<Value = Claim> {
    let role = prop_oneof![Just(Role::Starting), Just(Role::Standby), Just(Role::Active)];
    (role, any::<[bool; 6]>()).prop_map(|(role, [leaving, fit, wants, yours, holding, pinned])| {
        Claim { role, leaving, fit, wants, yours, holding, pinned }
    })
}

fn any_beat() -> impl Strategy<Value = Beat> {
    let groups = prop::collection::vec((any::<u32>().prop_map(GroupId), any_claim()), 0..20);
    let flags = any::<[bool; 3]>();
    (flags, 0..=FEATURES, any::<u64>(), any::<u16>(), groups).prop_map(
        |([goodbye, table_in_place, checks_warm], features, config_hash, heard_paths, groups)| {
            let kind = if goodbye { Kind::Goodbye } else { Kind::Beat };
            let flags = Beat { table_in_place, checks_warm, ..Beat::default() };
            Beat { kind, features, config_hash, heard_paths, groups, ..flags }
        },
    )
}

#[test]
fn a_letter_is_written_as_it_always_was() {
    let letter = seal(&Beat::letter(b"{}".to_vec()));
    assert_eq!(letter.len(), 53 + 2 + 32);
    assert_eq!(letter.get(52..55), Some(&b"\x04{}"[..]));
    let longest = seal(&Beat::letter(vec![7; MAX_PACKET]));
    assert_eq!(longest.len(), MAX_PACKET);
    let (_, read) = decode(&longest, &keys("backup", "master")).unwrap();
    assert_eq!(read.letter.len(), MAX_LETTER);
}

proptest! {
    #[test]
    fn every_letter_reads_as_it_was_written(content in prop::collection::vec(any::<u8>(), 0..=MAX_LETTER)) {
        let letter = Beat::letter(content);
        let (read, same) = decode(&seal(&letter), &keys("backup", "master")).unwrap();
        prop_assert_eq!(same, letter);
        prop_assert_eq!(read, Header { keys: [0; MAX_KEYS], reads: 0, ..header() });
    }

    #[test]
    fn every_beat_reads_as_it_was_written(beat in any_beat(), reads in 1u8..=16) {
        let header = Header { reads, ..header() };
        let signing = keys("master", "backup");
        let (id, key) = signing.signing([0; MAX_KEYS]).unwrap();
        let read = decode(&encode(&header, &beat, id, key), &keys("backup", "master"));
        prop_assert_eq!(read, Ok((header, beat)));
    }

    #[test]
    fn random_bytes_are_refused_and_never_a_panic(junk in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(decode(&junk, &keys("backup", "master")).is_err());
        let mut dressed = vec![0xca, 0xb1, *VERSIONS.end(), 2];
        dressed.extend(&junk);
        prop_assert!(decode(&dressed, &keys("backup", "master")).is_err());
    }
}

#[test]
fn an_interval_is_told_as_the_next_longer_power_of_two() {
    let ms = Duration::from_millis;
    let told = |interval| {
        let features = Beat::tell_interval(interval) | Beat::tell_witnesses(Some(14)) | 3;
        let beat = Beat { features, ..Beat::default() };
        assert_eq!((beat.witnesses(), features & 3), (Some(14), 3));
        beat.interval().unwrap()
    };
    for (interval, heard) in [(1, 32), (32, 32), (33, 64), (200, 256), (1000, 1024), (2049, 4096)] {
        assert_eq!(told(ms(interval)), ms(heard));
    }
    assert_eq!(told(ms(524_288)), ms(524_288));
    assert_eq!(told(Duration::MAX), ms(524_288));
    assert_eq!(Beat::default().interval(), None);
}
