use super::Dialect::{Pcre, Perl, PerlLine, Posix};
use super::*;

/// A pattern, its dialect, what it is in our words, what it matches and what not.
type Case = (&'static str, Dialect, &'static str, &'static [u8], &'static [u8]);

#[track_caller]
fn hold(cases: &[Case]) {
    for (pattern, dialect, ours, matching, other) in cases {
        let found = translated(pattern, "", *dialect).unwrap();
        assert_eq!(found, *ours, "{pattern} of {dialect:?}");
        let regex = regex::bytes::Regex::new(&found).unwrap();
        assert!(regex.is_match(matching), "{found} in {matching:?}");
        assert!(!regex.is_match(other), "{found} in {other:?}");
    }
}

#[test]
fn the_end_is_before_the_last_newline_too_in_perl_and_pcre() {
    hold(&[
        ("^OK$", Perl, r"^OK(?:\n?\z)", b"OK\n", b"OK\n\n"),
        ("^OK$", Pcre, r"^OK(?:\n?\z)", b"OK", b"OK\nx"),
        ("^(?:OK$|YES$)", Perl, r"^(?:OK(?:\n?\z)|YES(?:\n?\z))", b"YES\n", b"YES!"),
        ("^OK$", Posix, "^OK$", b"OK", b"OK\n"),
        ("(?m)^OK$", Perl, "(?m)^OK$", b"no\nOK\nno", b"OKAY"),
        ("(?m:^OK$)", Pcre, "(?m:^OK$)", b"no\nOK\nno", b"OKAY"),
        (r"^5\$", Perl, r"^5\$", b"5$", b"5"),
        ("^5[$]", Perl, "^5[$]", b"5$", b"5"),
    ]);
}

#[test]
fn a_dot_is_a_newline_too_in_posix_alone() {
    hold(&[
        ("a.b", Posix, "(?s-u)a.b", b"a\nb", b"ab"),
        ("a.b", Perl, "(?-u)a.b", b"a.b", b"a\nb"),
        ("a.b", Pcre, "(?-u)a.b", b"a.b", b"a\nb"),
        (r"a\.b", Posix, r"a\.b", b"a.b", b"a\nb"),
        ("a[.]b", Posix, "a[.]b", b"a.b", b"a\nb"),
    ]);
}

#[test]
fn bytes_are_looked_at_and_not_characters() {
    hold(&[
        ("<h1>.*</h1>", Perl, "(?-u)<h1>.*</h1>", b"<h1>Caf\xe9</h1>", b"<h1>"),
        ("<b>[^<]+</b>", Pcre, "(?-u)<b>[^<]+</b>", b"<b>\xe9</b>", b"<b></b>"),
        ("<b>[x[^<]]</b>", Pcre, "(?-u)<b>[x[^<]]</b>", b"<b>\xe9</b>", b"<b></b>"),
        ("a[[:^digit:]]", Posix, "(?-u)a[[:^digit:]]", b"a\xe9", b"a1"),
        (r"a\Wb", Perl, r"(?-u)a\Wb", b"a\xe9b", b"aab"),
        (r"a[\D]b", Perl, r"(?-u)a[\D]b", b"a\xe9b", b"a1b"),
        (r"caf\b", Perl, r"(?-u)caf\b", b"caf\xe9", b"cafe"),
        ("(?i)kilo", Perl, "(?-u)(?i)kilo", b"KILO", "\u{212a}ilo".as_bytes()),
        ("(?i:k)ilo", Perl, "(?-u)(?i:k)ilo", b"Kilo", "\u{212a}ilo".as_bytes()),
        // Where nothing looks at characters, nothing is changed.
        ("Welcome [a-z]+", Perl, "Welcome [a-z]+", b"Welcome home", b"Welcome 1"),
        ("café", Perl, "café", "café".as_bytes(), b"caf\xe9"),
        ("caf. é", Perl, "(?-u)caf. é", b"cafe \xc3\xa9", b"cafe \xe9"),
    ]);
}

#[test]
fn characters_are_kept_where_bytes_cannot_be_meant() {
    hold(&[
        ("[éè].", Perl, "[éè].", "éx".as_bytes(), b"\xe9x"),
        (r"\pL.", Pcre, r"\pL.", "éx".as_bytes(), b"1x"),
    ]);
}

#[test]
fn simpletcp_is_asked_about_each_line() {
    hold(&[
        ("^OK$", PerlLine, "(?m)^OK$", b"hello\nOK\nbye\n", b"hello\nOK.\n"),
        ("^2..", PerlLine, "(?m-u)^2..", b"x\n250\n", b"x 250"),
        ("OK", PerlLine, "OK", b"OK", b"ok"),
    ]);
}

#[test]
fn angles_are_characters_in_perl_and_pcre_and_boundaries_in_posix() {
    hold(&[
        (r"\<title\>", Perl, "<title>", b"<title>", b" title "),
        (r"\<b\>.$", Pcre, r"(?-u)<b>.(?:\n?\z)", b"<b>x\n", b" b x"),
        (r"^\<b\>$", PerlLine, "(?m)^<b>$", b"\n<b>\n", b"b"),
        (r"\<OK\>", Posix, r"(?-u)\<OK\>", b"it is OK\xe9", b"NOOK"),
        (r"\\<b", Perl, r"\\<b", br"\<b", b"<b"),
    ]);
}

#[test]
fn flags_of_the_whole_are_joined() {
    let joined = |pattern, flags| translated(pattern, flags, Pcre).unwrap();
    assert_eq!(joined("ok", ""), "ok");
    assert_eq!(joined("ok", "i"), "(?i-u)ok");
    assert_eq!(joined("^ok$", "m"), "(?m)^ok$");
    assert_eq!(joined("o . $ # the end", "xs"), r"(?xs-u)o . (?:\n?\z) # the end");
    assert_eq!(joined("o.", "u"), "(?u)o.");
}

#[test]
fn what_cannot_be_used_is_told_as_it_was_written() {
    for dialect in [Posix, Perl, PerlLine, Pcre] {
        let (message, help) = translated("a(?=b)$", "", dialect).unwrap_err();
        assert!(message.contains("look-around"), "{message}");
        assert!(help.contains("program"), "{help}");
    }
}
