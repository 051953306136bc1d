use super::*;
use proptest::prelude::*;

/// Feeds the pieces and the end, as a check does.
fn outcome(expect: &Expect, ask: Ask, pieces: &[&[u8]]) -> Result<(), Mismatch> {
    let pattern = Pattern::new(expect).unwrap();
    let mut matcher = pattern.matcher(1000, ask);
    for piece in pieces {
        match matcher.push(piece) {
            Progress::More => {}
            Progress::Matched => return Ok(()),
            Progress::Failed(mismatch) => return Err(mismatch),
        }
    }
    matcher.end()
}

fn reason(expect: &Expect, pieces: &[&[u8]]) -> String {
    outcome(expect, Ask::EachPiece, pieces).unwrap_err().to_string()
}

#[test]
fn a_prefix_matches_across_pieces() {
    let expect = Expect::Prefix(b"HTTP".to_vec());
    assert_eq!(outcome(&expect, Ask::EachPiece, &[b"HT", b"", b"TP/1.1 200"]), Ok(()));
}

#[test]
fn a_wrong_prefix_fails_before_the_end() {
    let pattern = Pattern::new(&Expect::Prefix(b"220 ".to_vec())).unwrap();
    let mut matcher = pattern.matcher(1000, Ask::EachPiece);
    let Progress::Failed(mismatch) = matcher.push(b"5") else { panic!("not decided") };
    assert_eq!(mismatch.to_string(), r#"begins with "5", wanted "220 ""#);
}

#[test]
fn a_short_answer_is_not_a_prefix_match() {
    assert_eq!(
        reason(&Expect::Prefix(b"HTTP".to_vec()), &[b"HT"]),
        r#"begins with "HT", wanted "HTTP""#
    );
}

#[test]
fn reasons_are_what_a_person_wants_to_read() {
    assert_eq!(reason(&Expect::Anything, &[]), "is empty");
    assert_eq!(
        reason(&Expect::Contains(b"test page".to_vec()), &[b"oops"]),
        r#"does not hold "test page""#
    );
    assert_eq!(reason(&Expect::Regex("^ok$".into()), &[b"no"]), "does not match ^ok$");
}

#[test]
fn any_byte_is_enough_for_anything() {
    assert_eq!(outcome(&Expect::Anything, Ask::EachPiece, &[b"\0"]), Ok(()));
}

#[test]
fn a_regex_may_match_bytes_that_are_not_text() {
    let expect = Expect::Regex(r"^\x00(?-u:\xff)".into());
    assert_eq!(outcome(&expect, Ask::EachPiece, &[b"\x00", b"\xff"]), Ok(()));
}

#[test]
fn the_end_of_a_body_is_its_end_and_not_that_of_a_piece() {
    let expect = Expect::Regex("ok$".into());
    assert!(outcome(&expect, Ask::AtEnd, &[b"ok", b"ay"]).is_err());
    assert_eq!(outcome(&expect, Ask::AtEnd, &[b"it is o", b"k"]), Ok(()));
}

#[test]
fn a_regex_sees_no_more_than_the_limit_and_then_decides() {
    for (text, kept) in [("needle", 0), (r"x\Bneedle", 100)] {
        let pattern = Pattern::new(&Expect::Regex(text.into())).unwrap();
        let mut matcher = pattern.matcher(100, Ask::EachPiece);
        assert_eq!(matcher.push(&[b'x'; 99]), Progress::More);
        assert!(matches!(matcher.push(b"needle"), Progress::Failed(Mismatch::NoMatch { .. })));
        assert_eq!(matcher.kept.len(), kept);
    }
}

/// What is kept is looked through with each piece, so it has to stay short.
#[test]
fn what_is_asked_with_each_piece_keeps_little_without_an_automaton_and_nothing_with_one() {
    for (text, is_found) in [("ne+dle$", true), (r"\bne+dle", false)] {
        let pattern = Pattern::new(&Expect::Regex(text.into())).unwrap();
        let mut matcher = pattern.matcher(64 << 10, Ask::EachPiece);
        let mut progress = Progress::More;
        for _ in 0..40 {
            if progress == Progress::More {
                progress = matcher.push(&[b' '; 1 << 10]);
            }
        }
        assert!(matcher.kept.len() <= 8 << 10);
        assert_eq!(
            progress == Progress::More && matcher.push(b"needle") == Progress::Matched,
            is_found
        );
    }
}

#[test]
fn looking_for_a_text_keeps_only_what_a_match_across_pieces_needs() {
    let pattern = Pattern::new(&Expect::Contains(b"needle".to_vec())).unwrap();
    let mut matcher = pattern.matcher(1000, Ask::EachPiece);
    for _ in 0..1000 {
        assert_eq!(matcher.push(&[b'n'; 100]), Progress::More);
        assert!(matcher.kept.len() < 6);
    }
    assert_eq!(matcher.push(b"eedle"), Progress::Matched);
}

#[test]
fn an_empty_answer_matches_what_wants_nothing() {
    assert_eq!(outcome(&Expect::Regex("^$".into()), Ask::AtEnd, &[]), Ok(()));
    assert_eq!(outcome(&Expect::Contains(Vec::new()), Ask::AtEnd, &[]), Ok(()));
}

#[test]
fn a_wrong_regex_is_refused_in_one_line() {
    let error = Pattern::new(&Expect::Regex("a(b".into())).unwrap_err();
    assert_eq!(error.to_string(), "the regular expression a(b cannot be used: unclosed group");
    let error = Pattern::new(&Expect::Regex("(\n\x1b[2J".into())).unwrap_err().to_string();
    assert!(!error.chars().any(char::is_control), "{error:?}");
    assert!(Pattern::new(&Expect::Regex("(?:a{1000}){1000}".into())).is_err());
}

proptest! {
    #[test]
    fn the_cut_into_pieces_does_not_matter(
        answer in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b')], 0..40),
        wanted in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b')], 1..5),
        cuts in proptest::collection::vec(1_usize..7, 0..40),
    ) {
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut rest: &[u8] = &answer;
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let text = String::from_utf8(wanted.clone()).unwrap();
        for expect in [
            Expect::Prefix(wanted.clone()),
            Expect::Contains(wanted.clone()),
            Expect::Regex(text),
        ] {
            prop_assert_eq!(
                outcome(&expect, Ask::EachPiece, &pieces).is_ok(),
                outcome(&expect, Ask::AtEnd, &[answer.as_slice()]).is_ok()
            );
        }
    }
}

#[test]
fn an_automaton_keeps_nothing_and_ends_with_its_limit() {
    let pattern = Pattern::new(&Expect::Regex("ne+dle".into())).unwrap();
    let mut matcher = pattern.matcher(1000, Ask::AtEnd);
    assert_eq!(matcher.push(&[b'e'; 999]), Progress::More);
    assert!(matcher.kept.is_empty());
    assert!(matches!(matcher.push(b"needle"), Progress::Failed(Mismatch::NoMatch { .. })));
    let mut matcher = pattern.matcher(1000, Ask::AtEnd);
    assert_eq!(matcher.push(b"a needle"), Progress::More);
    assert_eq!(matcher.push(b"."), Progress::Matched);
}

#[test]
fn an_expression_without_an_automaton_is_looked_for_in_what_is_kept() {
    for (text, answer) in [(r"\bok\b", "it is ok."), (r"é\w\w\wx", "éééé")] {
        let pattern = Pattern::new(&Expect::Regex(text.into())).unwrap();
        assert!(matches!(&pattern, Pattern::Regex(_, None)), "{text}");
        let mut matcher = pattern.matcher(1000, Ask::AtEnd);
        assert_eq!(matcher.push(answer.as_bytes()), Progress::More);
        assert_eq!(matcher.push(b"x "), Progress::More);
        assert_eq!(matcher.end(), Ok(()));
    }
}

proptest! {
    /// The automaton and the regular expression are two ways to the same end.
    #[test]
    fn an_automaton_finds_what_the_regular_expression_finds(
        text in r"(\^|\(\?m\)\^|\(\?i\))?(a|b|\.|\n|é|\[\^a\]|\\w|\(ab\)\?|a\*|b\+|a\|b){1,4}(\$|\\z|\(\?m:\$\))?",
        pieces in proptest::collection::vec("[abAé\n]{0,4}", 0..6),
    ) {
        let pattern = Pattern::new(&Expect::Regex(text.clone()));
        let Ok(Pattern::Regex(regex, _)) = &pattern else { return Ok(()) };
        let whole: String = pieces.concat();
        let pieces: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
        let found = outcome(&Expect::Regex(text.clone()), Ask::AtEnd, &pieces).is_ok();
        prop_assert_eq!(found, regex.is_match(whole.as_bytes()), "{} in {:?}", text, whole);
        // Asked with each piece, it finds what ends with one of them, too.
        let parts = (1..=pieces.len()).map(|end| pieces[..end].concat());
        let parts = parts.filter(|part| !part.is_empty()).chain([whole.into_bytes()]);
        let one_matches = parts.into_iter().any(|part| regex.is_match(&part));
        let found = outcome(&Expect::Regex(text.clone()), Ask::EachPiece, &pieces).is_ok();
        prop_assert_eq!(found, one_matches, "{} in {:?}", text, pieces);
    }
}

/// What the readers of old files make of theirs: bytes are looked at, and a page may be Latin-1.
#[test]
fn a_page_that_is_not_utf_8_is_looked_into_byte_by_byte() {
    let page: &[u8] = b"<title>Caf\xe9</title>\n<p>d\xe9j\xe0 vu: \xc9t\xe9</p>\nOK\n";
    let found = [
        "(?-u)<title>[^<]+</title>",
        r"(?-u)^<title>.*</p>",
        r"(?s-u)^<title>.*</p>",
        r"(?-u)caf\W|Caf\W",
        r"(?-u)Caf\b",
        r"(?i-u)ok(?:\n?\z)",
        r"(?-u)vu: \S+</p>",
        "(?m)^OK$",
        r"OK(?:\n?\z)",
        r"(?-u)</p>.OK(?:\n?\z)",
    ];
    for text in found {
        let expect = Expect::Regex(text.into());
        let pattern = Pattern::new(&expect).unwrap();
        let Pattern::Regex(regex, Some(_)) = &pattern else { panic!("no automaton: {text}") };
        for piece in [1, 3, 7, page.len()] {
            let pieces: Vec<&[u8]> = page.chunks(piece).collect();
            let ended = outcome(&expect, Ask::AtEnd, &pieces).is_ok();
            assert_eq!(ended, regex.is_match(page), "{text} in pieces of {piece}");
        }
    }
    let ended = |text: &str| outcome(&Expect::Regex(text.into()), Ask::AtEnd, &[page]).is_ok();
    assert!(ended("(?-u)<title>[^<]+</title>") && !ended("<title>[^<]+</title>"));
    assert!(ended(r"(?s-u)^<title>.*</p>") && !ended(r"(?-u)^<title>.*</p>"));
    assert!(ended(r"OK(?:\n?\z)") && !ended("OK$"));
}
