//! Values in a log line. A hostile server's text must not forge a line or a field.

use std::fmt::Write;

/// Longest value that is written, in bytes; what follows is cut off.
const MAX_VALUE: usize = 4096;

/// A value as it stands after `key=`: bare when it is plain, else quoted and escaped.
pub fn value(text: &str) -> String {
    let text = cut(text);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other => push_visible(&mut quoted, other),
        }
    }
    quoted.push('"');
    quoted
}

/// A sentence that may hold foreign text: on one line, every invisible character escaped.
pub fn sentence(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in cut(text).chars() {
        push_visible(&mut visible, character);
    }
    visible
}

fn is_plain(character: char) -> bool {
    match character {
        '"' | '\\' | '\'' | ' ' => false,
        ascii if ascii.is_ascii() => ascii.is_ascii_graphic(),
        other => is_visible(other) && !other.is_whitespace(),
    }
}

/// Control characters, line separators and the marks that turn the direction of text are not.
fn is_visible(character: char) -> bool {
    character == '\'' || character == '"' || character.escape_debug().len() == 1
}

fn push_visible(text: &mut String, character: char) {
    if character == '\\' || is_visible(character) {
        text.push(character);
    } else {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", character.escape_debug());
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_VALUE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_stay_bare() {
        for plain in ["www", "192.168.1.4:80", "[2001:db8::1]:80", "a=b", "größe", "3"] {
            assert_eq!(value(plain), plain);
        }
    }

    #[test]
    fn blanks_quotes_and_nothing_are_quoted() {
        assert_eq!(value("connection refused"), r#""connection refused""#);
        assert_eq!(value("say \"no\""), r#""say \"no\"""#);
        assert_eq!(value("a\\b"), r#""a\\b""#);
        assert_eq!(value(""), r#""""#);
        assert_eq!(value("it's"), r#""it's""#);
    }

    #[test]
    fn no_text_of_a_server_makes_a_second_line_or_colours_the_terminal() {
        let hostile = "x\n2026-11-20T23:59:01.123Z ERROR lvsd: forged\r\u{1b}[31m\u{85}\u{2028}\
                       \u{202e}\u{9b}\u{7f}\0";
        for text in [value(hostile), sentence(hostile)] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(!text.contains(['\u{2028}', '\u{202e}', '\u{85}']), "{text:?}");
            assert!(text.contains(r"\n2026"), "{text:?}");
        }
    }

    #[test]
    fn a_quoted_value_ends_at_its_own_quote() {
        assert_eq!(value("a\" role=active \""), r#""a\" role=active \"""#);
        assert_eq!(value("a\\\" b"), r#""a\\\" b""#);
    }

    #[test]
    fn an_endless_value_is_cut_at_a_character() {
        let long = "ä".repeat(MAX_VALUE);
        assert_eq!(value(&long).len(), MAX_VALUE);
    }
}
