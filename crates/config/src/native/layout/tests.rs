use proptest::prelude::*;

use super::super::tests::models::cluster;
use super::*;

fn laid_out(text: &str) -> String {
    format("cluster.yaml", text.as_bytes()).unwrap_or_else(|told| {
        panic!("{}\n{text}", crate::render(&told, false));
    })
}

#[test]
fn blanks_and_line_breaks_become_those_of_every_file() {
    let text = "\n\n# head\n\nservices:\n\n      www:   # the shop\n          listen:   10.0.0.1:80\n\n\n\
                \x20         servers:\n          - 10.0.0.4\n          # the new one\n          -   {address: 10.0.0.5,\n\
                \x20              weight: 2}\n      # dns: soon\n\n# end\nmax_down: 20%\n\n";
    let expected = "# head\n\nservices:\n  www:       # the shop\n    listen: 10.0.0.1:80\n\n    servers:\n\
                    \x20     - 10.0.0.4\n      # the new one\n      - { address: 10.0.0.5, weight: 2 }\n\
                    \x20 # dns: soon\n\n# end\nmax_down: 20%\n";
    let once = laid_out(text);
    assert_eq!(once, expected);
    assert_eq!(laid_out(&once), once);
}

#[test]
fn a_long_line_is_unfolded_and_a_comment_within_keeps_a_map_on_several_lines() {
    let long = format!("a: [{}]\n", ["192.168.100.100:8080"; 8].join(", "));
    assert_eq!(laid_out(&long).lines().count(), 9);
    let text = "a: { b: 1, # one\n  # two\n  c: 2 }\n";
    assert_eq!(laid_out(text), "a:\n  b: 1     # one\n  # two\n  c: 2\n");
}

#[test]
fn values_stay_as_they_are_written() {
    let text = "---\na: &x { b: \"\\x41 # no comment\", c: 'it''s' }\nd: *x\ne: |\n  line one\n    two\n\n  three\n\
                f: http://x/#y\n\"g h\": ~\n80: 0x1f\n";
    assert_eq!(laid_out(text), text);
}

#[test]
fn lines_that_belong_together_are_joined() {
    assert_eq!(laid_out("a: one\n   two\n   three\nb: 'x\n  y'\n"), "a: one two three\nb: 'x y'\n");
    assert_eq!(
        laid_out("a:\n- - 1\n  - 2\n-   b: 1\n    c: 2\n"),
        "a:\n  - - 1\n    - 2\n  - b: 1\n    c: 2\n"
    );
}

#[test]
fn what_has_no_layout_is_refused_with_its_place() {
    for (text, line) in [
        ("a: 1\n? b\n: 2\n", 2),
        ("a: 1\nb: !!str x\n", 2),
        ("a: 1\nb: |2\n   x\n", 2),
        ("a: [1\n", 1),
    ] {
        let told = format("x", text.as_bytes()).unwrap_err();
        assert!(told[0].line >= line && told[0].help.is_some(), "{text}: {told:?}");
    }
}

/// A text with other indentation and a comment before each line and behind it.
fn disturbed(text: &str, wider: usize, comments: &[bool]) -> String {
    let mut comments = comments.iter().cycle();
    let mut next = || *comments.next().unwrap_or(&false);
    let mut disturbed = String::new();
    for (number, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        let indent = (line.len() - bare.len()) * wider;
        let blanks = " ".repeat(indent);
        if next() {
            disturbed.push_str(&format!("\n\n{blanks}#before {number}\n"));
        }
        let bare = bare
            .strip_prefix("- ")
            .map_or(bare.to_owned(), |rest| format!("-{}{rest}", " ".repeat(2 * wider - 1)));
        let behind = if next() { format!("   # behind {number}") } else { String::new() };
        disturbed.push_str(&format!("{blanks}{bare}{behind}\n"));
    }
    disturbed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_disturbed_file_says_the_same_with_every_comment_and_a_second_time_nothing_changes(
        cluster in cluster(),
        wider in 1..3_usize,
        comments in proptest::collection::vec(any::<bool>(), 1..40),
    ) {
        let text = disturbed(&crate::native::write(&cluster), wider, &comments);
        let once = laid_out(&text);
        prop_assert_eq!(laid_out(&once), once.clone());
        for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("#before ")) {
            let comment = format!("#before {line}\n");
            prop_assert!(once.contains(&comment), "{} is lost:\n{}", comment, once);
        }
    }

    #[test]
    fn any_text_is_laid_out_or_refused(text in "([a-c]|[-:#,\\[\\]{}'\"&*|>?! \n]|  |: |- |\n  ){0,40}") {
        if let Ok(once) = format("x", text.as_bytes()) {
            let twice = format("x", once.as_bytes());
            prop_assert!(twice.is_ok_and(|twice| twice == once), "{:?}", once);
        }
    }
}
