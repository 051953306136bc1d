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
fn between_brackets_are_characters() {
    hold(&[
        ("x[[]y", Perl, r"x[\[]y", b"x[y", b"xy"),
        ("<b>[x[^<]]</b>", Pcre, r"<b>[x\[^<]]</b>", b"<b>^]</b>", b"<b>a]</b>"),
        ("^[a&&b]$", Posix, r"^[a&\&b]$", b"&", b"c"),
        ("^[x~~]$", Posix, r"^[x~\~]$", b"~", b""),
        ("^[+--]$", Posix, r"^[+-\-]$", b",", b"."),
        ("^[--/]$", Posix, r"^[\--/]$", b".", b"+"),
        ("^[a-c-]$", Posix, "^[a-c-]$", b"-", b"d"),
        ("^[-a]$", Posix, "^[-a]$", b"-", b"b"),
        ("^[^-a]$", Posix, "(?-u)^[^-a]$", b"b", b"-"),
        ("^[a-c-e]$", Posix, r"^[a-c\-e]$", b"-", b"d"),
        ("^[]a]$", Posix, r"^[\]a]$", b"]", b"b"),
        ("^[^]a]$", Perl, r"(?-u)^[^\]a](?:\n?\z)", b"b", b"]"),
        ("[[:digit:]-z]", Perl, r"[[:digit:]\-z]", b"-", b"a"),
        ("[[:digit]", Perl, r"[\[:digit]", b"[", b"z"),
    ]);
}

#[test]
fn a_backslash_between_brackets_is_a_character_in_posix_alone() {
    hold(&[
        (r"^[\d]$", Posix, r"^[\\d]$", br"\", b"1"),
        (r"^[\]$", Posix, r"^[\\]$", br"\", b"]"),
        (r"^[\.]$", PerlLine, r"(?m)^[\.]$", b".", br"\"),
        (r"\[[\]]\]", Perl, r"\[[\]]\]", b"[]]", b"[]"),
        (r"[\d-x]", Perl, r"(?-u)[\d\-x]", b"-", b"y"),
        (r"[a-\d]", Pcre, r"(?-u)[a\-\d]", b"-", b"b"),
        (r"[\b]", Perl, r"[\x08]", b"\x08", b"b"),
        (r"[\<\>]", Perl, "[<>]", b">", br"\"),
        (r"[\x41-\x{43}]", Pcre, r"[\x41-\x{43}]", b"B", b"D"),
        (r"[\pL-]\[x", Pcre, r"[\pL-]\[x", "é[x".as_bytes(), b"1[x"),
    ]);
}

#[test]
fn single_characters_have_names_in_posix_alone() {
    hold(&[
        ("^[[.-.]a]$", Posix, "^[-a]$", b"-", b"."),
        ("^[+-[./.]]$", Posix, "^[+-/]$", b".", b"="),
        ("^[[=/=]]$", Posix, "^[/]$", b"/", b"="),
        ("[[.x]]", Perl, r"[\[.x]]", b".]", b"a]"),
    ]);
    for (pattern, dialect, help) in [
        ("[[.hyphen.]]", Posix, "write the character itself"),
        ("[[.x.]]", Perl, "write the character itself"),
        ("[[:number:]]", Posix, "names of sets of characters are alnum, "),
        ("[[:number:]]", Perl, "names of sets of characters are alnum, "),
    ] {
        let (message, told) = translated(pattern, "", dialect).unwrap_err();
        assert!(message.contains("is unknown") && told.starts_with(help), "{message}: {told}");
    }
    let (message, _) = translated("[a", "", Posix).unwrap_err();
    assert!(message.contains("unclosed"), "{message}");
}

#[test]
fn spaces_between_brackets_count_in_every_mode() {
    let ours = |pattern, flags| translated(pattern, flags, Pcre).unwrap();
    assert_eq!(ours("a [ #] b", "x"), r"(?x)a [\x{20}\#] b");
    assert_eq!(ours("a # the [ of\n[b ]", "x"), "(?x)a # the [ of\n[b\\x{20}]");
    assert_eq!(ours("(?x)a[ ]", ""), r"(?x)a[\x{20}]");
    assert_eq!(ours("(?i-x:a[ #])", ""), "(?-u)(?i-x:a[ #])");
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
