//! Numbers, switches and quotes.

use super::*;

#[test]
fn yes_and_no_are_exact_but_blanks_and_comments_do_no_harm() {
    for text in ["quiescent=yes \nvirtual=1.1.1.1:80\n", "quiescent=yes # c\nvirtual=1.1.1.1:80\n"]
    {
        let (cluster, problems) = read(text);
        assert_eq!(cluster.unwrap().services[0].on_failure, OnFailure::Quiesce);
        assert!(problems[0].contains("warning: there is something behind `yes`"), "{problems:?}");
    }
    let (_, problems) = read("quiescent=Yes\nvirtual=1.1.1.1:80\n");
    assert!(problems[0].contains("error: `Yes` is neither yes nor no (write `quiescent = yes`)"));
    let (cluster, problems) = read("quiescent=yes\r\nvirtual=1.1.1.1:80\r\n");
    assert!(cluster.is_some());
    assert!(problems[0].contains("l.cf:1:14: warning: the lines end with a carriage return"));
}

#[test]
fn numbers_survive_comments_and_refuse_zero() {
    assert_eq!(
        clean("checkinterval=5 # c\nvirtual=1.1.1.1:80\n").services[0].check.interval,
        seconds(5)
    );
    let (_, problems) = read("checkinterval=0\nvirtual=1.1.1.1:80\n");
    assert!(problems[0].contains("`checkinterval` cannot be 0"));
    let (cluster, problems) = read(" checkinterval=5\nvirtual=1.1.1.1:80\n");
    assert_eq!(cluster.unwrap().services[0].check.interval, seconds(5));
    assert!(problems[0].contains("has blanks before it"));
}

#[test]
fn quoted_text_may_hold_a_hash_and_quotes() {
    assert_eq!(http(&web(&["request=\"/a#b\" # c"]).check).path, "/a#b");
    assert_eq!(http(&web(&["request=\"/a\" junk \"b\""]).check).path, "/a%22%20junk%20%22b");
    assert!(problem("1.1.1.1:80", &["request=/x"]).contains("write `request = \"/x\"`"));
    assert!(problem("1.1.1.1:80", &["receive=\"\""]).contains("`receive` is empty"));
    assert!(
        problem("1.1.1.1:80", &["receive=\"(\""]).contains("the regular expression cannot be used")
    );
    assert!(problem("1.1.1.1:80", &["receive=\"(?=x)\""]).contains("without looking around"));
}

#[test]
fn typographic_quotes_are_shown_with_the_line_rewritten() {
    assert_eq!(
        problem("1.1.1.1:80", &["request=”/.testpage”"]),
        "l.cf:2:10: error: typographic quotes are not quotes (write it with plain ones: `request=\"/.testpage\"`)"
    );
    assert_eq!(web(&["receive=\"a “b” c\""]).check.fall, 1);
}
