//! Quotes that a web page or a word processor has made pretty.

use std::ops::Range;

/// From the first typographic quote of a text to the last, by bytes.
pub(crate) fn typographic(text: &str) -> Option<Range<usize>> {
    let is_one = |character: char| straight(character) != character;
    let (last, character) = text.char_indices().rfind(|(_, character)| is_one(*character))?;
    let first = text.find(is_one).unwrap_or(last);
    Some(first..last + character.len_utf8())
}

/// The text with plain quotes.
pub(crate) fn straightened(text: &str) -> String {
    text.chars().map(straight).collect()
}

fn straight(character: char) -> char {
    match character {
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{2018}'..='\u{201b}' | '\u{2032}' => '\'',
        other => other,
    }
}
