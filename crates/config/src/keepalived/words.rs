//! A line as words: quotes, escapes and braces.

use super::text::{At, Text};

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its text, without quotes.
    pub(super) text: String,
    /// Where it stands.
    pub(super) at: At,
}

/// What a line consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// `{`.
    Open(At),
    /// `}`.
    Close(At),
}

/// The tokens of a line. The place of a quote that is never closed is the second answer.
pub(super) fn tokens(line: &Text) -> (Vec<Token>, Option<At>) {
    let mut found = Vec::new();
    let mut open = None;
    let mut rest = line.as_str().char_indices().peekable();
    while let Some((start, first)) = rest.peek().copied() {
        if first.is_whitespace() {
            rest.next();
            continue;
        }
        let (mut text, mut quote, mut quoted) = (String::new(), None, false);
        let mut end = start;
        while let Some((at, character)) = rest.peek().copied() {
            if quote.is_none() && character.is_whitespace() {
                break;
            }
            rest.next();
            end = at + character.len_utf8();
            match (quote, character) {
                (None, '"' | '\'') => (quote, quoted) = (Some((character, at)), true),
                (Some((open, _)), _) if open == character => quote = None,
                (Some(_), '\\') => text.extend(escaped(&mut rest, &mut end)),
                _ => text.push(character),
            }
        }
        if let Some((_, at)) = quote {
            open = Some(line.at_range(at..at + 1));
        }
        split(line, start, end, text, quoted, &mut found);
    }
    (found, open)
}

/// Braces stand by themselves, also where no blank is around them.
fn split(
    line: &Text,
    start: usize,
    end: usize,
    text: String,
    quoted: bool,
    found: &mut Vec<Token>,
) {
    let brace = |at: usize, character: char| {
        let at = line.at_range(at..at + 1);
        if character == '{' { Token::Open(at) } else { Token::Close(at) }
    };
    if !quoted && text.chars().all(|c| c == '{' || c == '}') {
        found.extend(text.char_indices().map(|(at, character)| brace(start + at, character)));
        return;
    }
    let glued = text.strip_suffix('{').filter(|name| !quoted && !name.ends_with('$'));
    match glued {
        Some(name) => {
            let at = line.at_range(start..end - 1);
            found.push(Token::Word(Word { text: name.to_string(), at }));
            found.push(brace(end - 1, '{'));
        }
        None => found.push(Token::Word(Word { text, at: line.at_range(start..end) })),
    }
}

type Rest<'t> = std::iter::Peekable<std::str::CharIndices<'t>>;

/// The character behind a backslash within quotes; `end` is where the word ends so far.
fn escaped(rest: &mut Rest<'_>, end: &mut usize) -> Option<char> {
    let mut next = |rest: &mut Rest<'_>| {
        let (at, character) = rest.next()?;
        *end = at + character.len_utf8();
        Some(character)
    };
    Some(match next(rest)? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'E' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'c' => char::from(u8::try_from(next(rest)?).ok()? & 0x1f),
        kind @ ('x' | '0'..='7') => {
            let (radix, most) = if kind == 'x' { (16, 8) } else { (8, 2) };
            let mut value = kind.to_digit(8).unwrap_or(0);
            for _ in 0..most {
                let digit = rest.peek().and_then(|(_, character)| character.to_digit(radix));
                let Some(digit) = digit else { break };
                next(rest);
                value = (value << radix.ilog2() | digit) & 0xff;
            }
            char::from(u8::try_from(value).unwrap_or_default())
        }
        other => other,
    })
}

/// The words of a command in quotes: single quotes keep blanks within one.
pub(super) fn command(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
