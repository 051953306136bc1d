//! Which line belongs to which virtual server.

use super::*;

#[test]
fn indentation_is_columns() {
    assert_eq!(web(&["  real=10.0.0.1 gate"]).servers.len(), 1);
    assert_eq!(clean("virtual=1.1.1.1:80\n  \treal=10.0.0.1 gate\n").services[0].servers.len(), 1);
    let (cluster, problems) = read("virtual=1.1.1.1:80\n   real=10.0.0.1 gate\n");
    assert_eq!(cluster.unwrap().services[0].servers.len(), 1);
    assert!(problems[0].contains("l.cf:2:4: warning: `real` is indented by less than four blanks"));
}

#[test]
fn a_blank_line_does_not_end_a_virtual_server_but_is_named() {
    let (cluster, problems) =
        read("virtual=1.1.1.1:80\n\treal=10.0.0.1 gate\n\n\treal=10.0.0.2 gate\n\tscheduler=rr\n");
    assert_eq!(cluster.unwrap().services[0].servers.len(), 2);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("l.cf:4:2: warning: line 3 ends the virtual server of line 1"));
}

#[test]
fn comments_do_not_end_a_virtual_server() {
    let service = clean(
        "# c\nvirtual=1.1.1.1:80\n\treal=10.0.0.1 gate # one\n# two\n\treal=10.0.0.2 gate 3\n     \n",
    );
    assert_eq!(service.services[0].servers.len(), 2);
}

#[test]
fn lines_at_the_margin_below_a_virtual_server_are_one_error() {
    let (cluster, problems) = read(
        "virtual=1.1.1.1:80\nreal=10.0.0.1 gate\nscheduler=rr\n\nfailurecount=2\nprotocol=tcp\n",
    );
    assert!(cluster.is_none());
    assert_eq!(
        problems,
        [
            "l.cf:2:1: error: `real` stands at the margin, but belongs to the virtual server of line 1 \
          (indent lines 2 to 3 and 6 by four blanks or a tab)"
        ]
    );
}

#[test]
fn a_value_that_is_not_utf_8_is_refused_and_a_comment_is_free() {
    let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let web = |line: &str| {
        read_bytes(&latin1(&file("1.1.1.1:80", &["# caf\u{e9}", line, "checkinterval=5 # \u{e9}"])))
    };
    assert!(web("receive=\"cafe\"").0.is_some());
    let (cluster, problems) = web("receive=\"caf\u{e9}\"");
    assert!(cluster.is_none());
    assert!(problems[0].starts_with("l.cf:3:14: error: this byte is not UTF-8"), "{problems:#?}");
}
