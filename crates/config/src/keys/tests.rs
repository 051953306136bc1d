use super::*;

fn ids(keys: &[KeyMaterial]) -> Vec<u8> {
    keys.iter().map(|key| key.id).collect()
}

/// The squares of numbers, from `start` on: nothing that anybody types.
fn good(start: u8) -> String {
    (0..32u8).map(|n| format!("{:02x}", start ^ n.wrapping_mul(n))).collect()
}

#[test]
fn a_key_that_people_type_is_refused_and_one_of_chance_is_not() {
    let counting: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
    let word: String =
        b"correcthorsebatterystaplecorrect".iter().map(|b| format!("{b:02x}")).collect();
    for weak in ["00".repeat(32), "abcd".repeat(16), counting, word, "0123456789abcdef".repeat(4)] {
        let problems = parse_key_file("k", format!("1 {weak}\n").as_bytes()).unwrap_err();
        assert!(problems[0].message.contains("guessed"), "{weak}");
        assert!(!format!("{problems:?}").contains(&weak[..16]), "a secret is shown");
    }
    for start in 0..=255 {
        assert!(parse_key_file("k", format!("1 {}\n", good(start)).as_bytes()).is_ok());
    }
    assert_eq!(weakness(b"secret"), Some("it is short"));
    assert_eq!(weakness(b"5f2b9d61c3a84e70"), None);
}

#[test]
fn a_key_file_gives_its_keys_in_order() {
    let text = format!("# ours\n2 {}\n\n1 {} old\n", good(0xab), good(0xcd).to_uppercase());
    let keys = parse_key_file("k", text.as_bytes()).unwrap();
    assert_eq!(ids(&keys), [2, 1]);
    assert_eq!(keys[0].secret.expose()[..2], [0xab, 0xab ^ 1]);
    assert_eq!(keys[1].origin, "k:4");
    assert_eq!(keys.iter().map(|key| key.stage).collect::<Vec<_>>(), [Stage::InUse, Stage::Old]);
    let again = parse_key_file("k", write_key_file(&keys).as_bytes()).unwrap();
    assert_eq!(again[1].secret, keys[1].secret);
    assert_eq!((again[0].stage, again[1].stage), (Stage::InUse, Stage::Old));
}

#[test]
fn authkeys_gives_the_signing_key_first() {
    let text = b"auth 2\n1 md5 old one\n";
    assert!(parse_authkeys("a", text).is_err());
    let keys = parse_authkeys("a", b"#\nauth 2\n1 md5 old\n2 sha1 secret\n").unwrap();
    assert_eq!(ids(&keys), [2, 1]);
    assert_eq!(keys[0].secret.expose(), b"secret");
}

#[test]
fn authkeys_numbers_are_those_of_heartbeat() {
    let keys = parse_authkeys("a", b"auth 0\n15 sha1 old\n0 sha1 secret\n").unwrap();
    assert_eq!(ids(&keys), [16, 15]);
    assert_eq!(keys[0].secret.expose(), b"secret");
    let problems = parse_authkeys("a", b"auth 1\n1 sha1 x\n16 sha1 y\n").unwrap_err();
    assert_eq!((problems[0].line, problems.len()), (3, 1));
    assert!(parse_authkeys("a", b"auth 16\n0 sha1 x\n").is_err());
}

#[test]
fn every_problem_has_its_line_and_never_the_secret() {
    let bad = ["0 11", "1 zz", "1", "", "256 00", "\u{1}"];
    for text in bad {
        assert!(parse_key_file("k", text.as_bytes()).is_err(), "{text:?}");
    }
    let twice = format!("1 {}\n", good(0xab));
    let problems = parse_key_file("k", twice.repeat(2).as_bytes()).unwrap_err();
    assert_eq!(problems[0].line, 2);
    assert!(!format!("{problems:?}").contains(&good(0xab)[..8]));
    let unknown = format!("1 {} newer\n", good(0xab));
    assert!(parse_key_file("k", unknown.as_bytes()).is_err());
    for text in ["auth 1\n1 crc\n", "auth 3\n1 sha1 x\n", "1 sha1 x\n", "auth x\n"] {
        assert!(parse_authkeys("a", text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_file_without_a_key_is_told_what_its_own_form_wants() {
    for text in ["", "# nothing\n", "\n\n"] {
        let told = |problems: Vec<Diagnostic>| {
            let [only] = problems.as_slice() else { panic!("{problems:?}") };
            only.one_line()
        };
        let ours = told(parse_key_file("k", text.as_bytes()).unwrap_err());
        assert_eq!(
            ours,
            "k:1:1: error: there is no key in this file (make one with: lvsctl keygen)"
        );
        let heartbeats = told(parse_authkeys("a", text.as_bytes()).unwrap_err());
        assert!(
            heartbeats.starts_with(
                "a:1:1: error: there is no key in this file (write two lines, `auth 1`"
            ),
            "{heartbeats}"
        );
    }
    let unsigned = parse_authkeys("a", b"1 sha1 x\n").unwrap_err();
    assert!(unsigned[0].one_line().starts_with("a:1:1: error: no line says which key signs"));
    let odd = parse_authkeys("a", b"auth 1\n1 sha256 x\n").unwrap_err();
    assert!(odd[0].one_line().contains("(write two lines, `auth 1` and `1 sha1 SECRET`"));
}

#[test]
fn the_debug_form_of_a_key_holds_no_secret() {
    let keys = parse_authkeys("a", b"auth 1\n1 sha1 hushhush\n").unwrap();
    assert!(!format!("{keys:?}").contains("hushhush"));
}
