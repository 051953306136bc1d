use super::*;

fn one(text: &[u8], span: Range<usize>) -> Diagnostic {
    let mut out = Diagnostics::new();
    let source = Source::new("cluster.yaml", text);
    out.error(&source, span, "unknown key schedular", "did you mean scheduler?");
    out.into_vec().remove(0)
}

#[test]
fn a_problem_is_one_line_for_the_log() {
    let problem = one(b"a: 1\n  schedular: rr\n", 7..16);
    assert_eq!(
        problem.one_line(),
        "cluster.yaml:2:3: error: unknown key schedular (did you mean scheduler?)"
    );
}

#[test]
fn a_problem_is_shown_with_its_line_and_a_caret() {
    let problem = one(b"a: 1\r\n  schedular: rr\r\n", 8..17);
    let shown = "\
error: unknown key schedular
 --> cluster.yaml:2:3
  |
2 |   schedular: rr
  |   ^^^^^^^^^
  |
  = help: did you mean scheduler?

";
    assert_eq!(render(&[problem], false), shown);
}

#[test]
fn a_file_that_cannot_be_read_has_no_line() {
    let mut out = Diagnostics::new();
    out.whole_file(Severity::Error, "/etc/x", "cannot be read: no such file", None);
    assert_eq!(
        render(out.as_slice(), false),
        "error: cannot be read: no such file\n--> /etc/x\n\n"
    );
    assert_eq!(out.into_vec()[0].one_line(), "/etc/x: error: cannot be read: no such file");
}

#[test]
fn columns_count_characters_not_bytes() {
    let problem = one("ä: “x”\n".as_bytes(), 4..11);
    assert_eq!((problem.line, problem.column, problem.length), (1, 4, 3));
}

#[test]
fn bytes_that_are_no_text_and_spans_past_the_end_are_shown_anyway() {
    let problem = one(b"\xff\xfe=1", 2..900);
    assert_eq!((problem.column, problem.length), (3, 2));
    let problem = one(b"", 10..20);
    assert_eq!((problem.line, problem.column, problem.length), (1, 1, 1));
    assert!(render(&[problem], true).contains("unknown key"));
}

#[test]
fn problems_come_file_by_file_from_the_top_down() {
    let mut out = Diagnostics::new();
    let (first, second) = (Source::new("b", b"x\ny\n"), Source::new("a", b"x\n"));
    out.warning(&first, 2..3, "two", None);
    out.error(&second, 0..1, "three", None);
    out.error(&first, 0..1, "one", None);
    let messages: Vec<_> = out.into_vec().into_iter().map(|d| d.message).collect();
    assert_eq!(messages, ["one", "two", "three"]);
}

#[test]
fn the_nearest_word_forgives_one_slip_in_three_letters() {
    let keys = ["scheduler", "servers", "sorry", "check", "on"];
    assert_eq!(nearest("schedular", keys), Some("scheduler"));
    assert_eq!(nearest("hceck", keys), Some("check"));
    assert_eq!(nearest("SERVERS", keys), Some("servers"));
    assert_eq!(nearest("no", keys), Some("on"));
    assert_eq!(nearest("shedular", keys), Some("scheduler"));
    assert_eq!(nearest("shadular", keys), None);
    assert_eq!(nearest("persistent", keys), None);
}
