//! Bytes as people write them.

use thiserror::Error;

/// Longest piece of an answer or a pattern that is shown, in bytes.
const SHOWN: usize = 120;

/// A backslash that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EscapeError {
    /// The text ends with a backslash.
    #[error("a backslash ends the text; write \\\\ for a backslash")]
    AtEnd,
    /// Not an escape that is known.
    #[error("\\{0} is not known; known are \\r \\n \\t \\0 \\' \\\" \\\\ and \\xNN")]
    Unknown(char),
    /// `\x` wants two hexadecimal digits.
    #[error("\\x wants two hexadecimal digits")]
    Hexadecimal,
}

/// Reads `\r \n \t \0 \' \" \\ \xNN`; everything else stands for itself.
///
/// # Errors
/// A backslash that begins none of these.
pub fn unescape(text: &str) -> Result<Vec<u8>, EscapeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        bytes.push(match rest.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\'') => b'\'',
            Some('"') => b'"',
            Some('\\') => b'\\',
            Some('x') => hexadecimal(rest.next(), rest.next()).ok_or(EscapeError::Hexadecimal)?,
            Some(other) => return Err(EscapeError::Unknown(other)),
            None => return Err(EscapeError::AtEnd),
        });
    }
    Ok(bytes)
}

fn hexadecimal(high: Option<char>, low: Option<char>) -> Option<u8> {
    let value = high?.to_digit(16)? * 16 + low?.to_digit(16)?;
    u8::try_from(value).ok()
}

/// Shows bytes between quotes on one line of bounded length: nothing that a server sends can
/// break a log line or move a terminal's cursor.
pub fn show(bytes: &[u8]) -> String {
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let dots = if shown.len() < bytes.len() { "…" } else { "" };
    // A single quote ends nothing here, and servers use them a lot.
    let text = shown.escape_ascii().to_string().replace("\\'", "'");
    format!("\"{text}\"{dots}")
}

/// Text as it was written, but on one line: control characters as escapes, and no others, so that
/// a regular expression is still to be recognised.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_alone_are_escaped_on_one_line() {
        assert_eq!(one_line("^a\\d\n\u{1b}[2J \"é\"$"), "^a\\d\\n\\u{1b}[2J \"é\"$");
    }

    #[test]
    fn the_known_escapes_become_bytes() {
        assert_eq!(
            unescape(r#"GET / HTTP/1.0\r\n\r\n\t\0\'\"\\\x7F\xff é"#).unwrap(),
            b"GET / HTTP/1.0\r\n\r\n\t\0'\"\\\x7f\xff \xc3\xa9"
        );
    }

    #[test]
    fn blanks_at_both_ends_stay() {
        assert_eq!(unescape(" a \n").unwrap(), b" a \n");
    }

    #[test]
    fn a_wrong_escape_is_refused() {
        assert_eq!(unescape(r"a\"), Err(EscapeError::AtEnd));
        assert_eq!(unescape(r"\q"), Err(EscapeError::Unknown('q')));
        assert_eq!(unescape(r"\x4"), Err(EscapeError::Hexadecimal));
        assert_eq!(unescape(r"\x+4"), Err(EscapeError::Hexadecimal));
    }

    #[test]
    fn shown_bytes_are_one_short_line() {
        assert_eq!(show(b"a\"b'c\\'\r\n\x1b[2J"), r#""a\"b'c\\'\r\n\x1b[2J""#);
        let long = show(&[b'x'; 500]);
        assert!(long.len() < 130 && long.ends_with('…'), "{long}");
    }
}
