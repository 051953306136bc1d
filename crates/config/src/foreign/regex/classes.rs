//! Sets of characters in brackets. What stands between the brackets is read by other rules there: a
//! `[` is a character, `&&`, `--` and `~~` take nothing away, and in POSIX a `\` is a character, too.

use super::{Dialect, Problem};

/// Names of POSIX, and `word` of Perl.
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The pattern with its sets of characters as they are written here.
///
/// # Errors
/// A set has a name that nobody knows.
pub(super) fn rewritten(pattern: &str, flags: &str, dialect: Dialect) -> Result<String, Problem> {
    let is_extended = flags.contains('x') && dialect != Dialect::Posix;
    let mut scanner = Scanner { rest: pattern, text: String::new(), is_extended, dialect };
    while let Some(character) = scanner.next() {
        scanner.outside(character)?;
    }
    Ok(scanner.text)
}

/// One thing between brackets.
enum Item<'a> {
    Character(char),
    /// One character that is written in the same way here.
    Escape(&'a str),
    /// More than one character, written in the same way here.
    Set(&'a str),
}

struct Scanner<'a> {
    rest: &'a str,
    text: String,
    /// Spaces and comments do not count, but between brackets.
    is_extended: bool,
    dialect: Dialect,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = self.rest.get(character.len_utf8()..)?;
        Some(character)
    }

    fn skip(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// So many bytes from here on.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn outside(&mut self, character: char) -> Result<(), Problem> {
        if character == '[' {
            return self.class();
        }
        self.text.push(character);
        match character {
            '\\' => {
                let escaped = self.next();
                self.text.extend(escaped);
            }
            '#' if self.is_extended => {
                let comment = self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                self.text.push_str(comment);
            }
            '(' if self.dialect != Dialect::Posix => {
                let flags = self.rest.strip_prefix('?').unwrap_or_default();
                let mut on = flags.chars().take_while(char::is_ascii_lowercase);
                self.is_extended |= on.any(|flag| flag == 'x');
            }
            _ => {}
        }
        Ok(())
    }

    /// From behind the `[` on. One that is not closed stays so, and is refused for it.
    fn class(&mut self) -> Result<(), Problem> {
        self.text.push('[');
        if self.skip('^') {
            self.text.push('^');
        }
        let mut is_first = true;
        while is_first || !self.skip(']') {
            let Some(item) = self.item()? else {
                return Ok(());
            };
            match self.end_of_range(&item)? {
                None => self.push(&item, is_first),
                Some(end @ Item::Set(_)) => {
                    self.push(&item, is_first);
                    self.text.push_str(r"\-");
                    self.push(&end, false);
                }
                Some(end) => {
                    self.push_end(&item);
                    self.text.push('-');
                    self.push_end(&end);
                }
            }
            is_first = false;
        }
        self.text.push(']');
        Ok(())
    }

    /// What follows a `-` behind an item, if that is no `]`.
    fn end_of_range(&mut self, item: &Item<'_>) -> Result<Option<Item<'a>>, Problem> {
        let behind = self.rest.strip_prefix('-').filter(|behind| !behind.starts_with(']'));
        match behind {
            Some(behind) if !matches!(item, Item::Set(_)) => {
                self.rest = behind;
                self.item()
            }
            _ => Ok(None),
        }
    }

    fn item(&mut self) -> Result<Option<Item<'a>>, Problem> {
        let start = self.rest;
        let Some(character) = self.next() else {
            return Ok(None);
        };
        match character {
            '[' => self.named(start).map(Some),
            '\\' if self.dialect != Dialect::Posix => Ok(Some(self.escape(start))),
            other => Ok(Some(Item::Character(other))),
        }
    }

    /// `[:digit:]`, and in POSIX `[.x.]` and `[=x=]`, which Perl and PCRE refuse.
    fn named(&mut self, start: &'a str) -> Result<Item<'a>, Problem> {
        let mark = self.rest.chars().next().unwrap_or_default();
        let is_mark = matches!(mark, ':' | '.' | '=');
        let close = format!("{mark}]");
        let found = self.rest.get(1..).filter(|_| is_mark).and_then(|rest| rest.split_once(&close));
        let Some((name, rest)) = found else {
            return Ok(Item::Character('['));
        };
        let mut characters = name.chars();
        let is_name = name.chars().all(|c| c.is_ascii_alphabetic() || c == '^');
        match (mark, characters.next(), characters.next()) {
            (':', ..) if NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) => {
                self.rest = rest;
                Ok(Item::Set(start.get(..name.len() + 4).unwrap_or_default()))
            }
            (':', ..) if !is_name => Ok(Item::Character('[')),
            ('.' | '=', Some(one), None) if self.dialect == Dialect::Posix => {
                self.rest = rest;
                Ok(Item::Character(one))
            }
            _ => Err(unknown(mark, name)),
        }
    }

    /// Behind a `\`.
    fn escape(&mut self, start: &'a str) -> Item<'a> {
        let escaped = self.next().unwrap_or('\\');
        let mut length = 1 + escaped.len_utf8();
        match escaped {
            'b' => return Item::Escape(r"\x08"),
            'x' | 'p' | 'P' if self.rest.starts_with('{') => {
                length += self.take(self.rest.find('}').map_or(0, |at| at + 1)).len();
            }
            'x' => {
                let digits = self.rest.chars().take(2).take_while(char::is_ascii_hexdigit).count();
                length += self.take(digits).len();
            }
            'p' | 'P' => length += self.next().map_or(0, char::len_utf8),
            ' ' | '<' | '>' => return Item::Character(escaped),
            _ => {}
        }
        let text = start.get(..length).unwrap_or(start);
        let is_set = "dDwWsShHvVpPNR".contains(escaped);
        if is_set { Item::Set(text) } else { Item::Escape(text) }
    }

    fn push(&mut self, item: &Item<'_>, may_be_plain: bool) {
        let is_plain = may_be_plain && !self.rest.starts_with('-') || self.rest.starts_with(']');
        match item {
            Item::Character('-') if is_plain => self.text.push('-'),
            other => self.push_end(other),
        }
    }

    /// An item that must not be taken for anything but itself.
    fn push_end(&mut self, item: &Item<'_>) {
        let character = match item {
            Item::Character(character) => *character,
            Item::Escape(text) | Item::Set(text) => return self.text.push_str(text),
        };
        match character {
            space if self.is_extended && space.is_whitespace() => {
                self.text.push_str(&format!(r"\x{{{:x}}}", u32::from(space)));
                return;
            }
            '#' if self.is_extended => self.text.push('\\'),
            '[' | ']' | '\\' | '-' => self.text.push('\\'),
            '&' | '~' if self.text.ends_with(character) => self.text.push('\\'),
            _ => {}
        }
        self.text.push(character);
    }
}

fn unknown(mark: char, name: &str) -> Problem {
    let problem = format!("the regular expression cannot be used: [{mark}{name}{mark}] is unknown");
    let help = match mark {
        ':' => format!("names of sets of characters are {}", NAMES.join(", ")),
        _ => "write the character itself".to_owned(),
    };
    (problem, help)
}
