//! Lines of lvs.cf: `key = value`, `virtual NAME {`, `}`.
//!
//! Stricter than its own parser in nothing, kinder where no harm can come of it: blanks around `=`
//! may be missing, a comment may stand behind a value, lines may end as on DOS.

use std::ops::Range;

use crate::diagnostic::Diagnostics;
use crate::foreign::quotes;
use crate::foreign::word::{Word, carriage_return, demand_utf8, lines};
use crate::source::Source;

/// A value, or the name of a block.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Without the quotes around it.
    pub(super) text: String,
    /// With them.
    pub(super) span: Range<usize>,
    /// The quote around it.
    pub(super) quote: Option<char>,
}

/// What a line says.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// `key = value`, with one value or more.
    Set(Setting),
    /// `virtual NAME {`; `brace` is false when the `{` is still to come.
    Open { kind: Word, name: Option<Value>, brace: bool },
    /// A `{` alone.
    Brace(Word),
    /// `}`.
    Close(Word),
}

/// `key = value`.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// What is set.
    pub(super) key: Word,
    /// What it is set to: most keys have one, an address has a device behind it.
    pub(super) values: Vec<Value>,
}

/// The kinds of blocks.
pub(super) const BLOCKS: [&str; 3] = ["virtual", "server", "failover"];

/// Cuts the file into statements, and reports what is none.
pub(super) fn lex(source: &Source, out: &mut Diagnostics) -> Vec<Statement> {
    if let Some(at) = carriage_return(source) {
        let help =
            "Piranha itself reads only the first line of such a file; `sed -i 's/\\r$//'` mends it";
        out.warning(source, at, "the lines end with a carriage return, as on DOS", help);
    }
    let mut statements = Vec::new();
    for line in lines(source) {
        let trimmed = line.trimmed();
        if trimmed.text.is_empty() || trimmed.text.starts_with('#') {
            continue;
        }
        let trimmed = typographic(source, &trimmed, out);
        let mut line = Lexer { source, out, rest: trimmed };
        statements.extend(line.statement());
    }
    statements
}

struct Lexer<'a> {
    source: &'a Source,
    out: &'a mut Diagnostics,
    rest: Word,
}

impl Lexer<'_> {
    fn statement(&mut self) -> Option<Statement> {
        let key = self.first();
        match key.text.as_str() {
            "}" => return Some(Statement::Close(key)),
            "{" => return Some(Statement::Brace(key)),
            kind if BLOCKS.contains(&kind) && !self.rest.text.starts_with('=') => {
                return self.open(key);
            }
            _ => {}
        }
        let Some(value) = self.rest.text.strip_prefix('=') else {
            let value = if self.rest.text.is_empty() { "VALUE" } else { &self.rest.text };
            let help = format!("write `{} = {value}`", key.text);
            let message = format!("`=` is missing after `{}`", key.text);
            self.out.error(self.source, key.span, message, help);
            return None;
        };
        let tight = !value.starts_with(char::is_whitespace) && !value.is_empty();
        let glued = self.rest.span.start == key.span.end;
        let assign = self.rest.part(0..1);
        self.rest = self.rest.part(1..self.rest.text.len()).trimmed();
        let values = self.values()?;
        if values.is_empty() {
            let help =
                format!("write a value behind it, or remove the line: `{} = VALUE`", key.text);
            self.out.error(self.source, key.span, format!("`{}` has no value", key.text), help);
            return None;
        }
        if tight || glued {
            let help = format!(
                "write `{} = {}`; Piranha itself wants blanks there",
                key.text,
                values.first()?.shown()
            );
            self.out.warning(self.source, assign.span, "blanks are missing around `=`", help);
        }
        Some(Statement::Set(Setting { key, values }))
    }

    /// The key, up to a blank, `=` or a brace.
    fn first(&mut self) -> Word {
        let text = &self.rest.text;
        let end = match text.chars().next() {
            Some('{' | '}') => 1,
            _ => {
                text.find(|c: char| c.is_whitespace() || c == '=' || c == '{').unwrap_or(text.len())
            }
        };
        let key = self.rest.part(0..end);
        self.rest = self.rest.part(end..self.rest.text.len()).trimmed();
        key
    }

    /// `NAME {` behind `virtual`, `server` or `failover`.
    fn open(&mut self, kind: Word) -> Option<Statement> {
        let mut values = self.values()?;
        let mut brace = values.last().is_some_and(|last| last.text == "{" && last.quote.is_none());
        if brace {
            values.pop();
        } else if let Some(last) = values.last_mut()
            && last.quote.is_none()
            && last.text.len() > 1
            && let Some(name) = last.text.strip_suffix('{')
        {
            last.text = name.to_string();
            last.span.end -= 1;
            brace = true;
            let help = format!("write `{} {} {{`", kind.text, last.text);
            let at = last.span.end..last.span.end + 1;
            self.out.warning(self.source, at, "a blank is missing before `{`", help);
        }
        let mut values = values.into_iter();
        let name = values.next();
        if name.is_none() {
            let help = format!("write `{} NAME {{`", kind.text);
            let message = format!("this {} has no name", kind.text);
            self.out.error(self.source, kind.span.clone(), message, help);
        }
        if let Some(extra) = values.next() {
            let help = "a block begins with its kind, one name and `{`; what it holds, and its `}`, stand on lines of their own";
            let message = format!("`{}` does not belong here", extra.text);
            self.out.error(self.source, extra.span, message, help);
            if values.any(|value| value.text == "}") {
                return None;
            }
            brace = true;
        }
        Some(Statement::Open { kind, name, brace })
    }

    /// The words up to the end of the line or a comment.
    fn values(&mut self) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        while let Some(first) = self.rest.text.chars().next() {
            if first == '#' {
                let help =
                    "ignored; Piranha itself would refuse the line: a comment is a line of its own";
                let span = self.rest.span.clone();
                self.out.warning(self.source, span, "there is a comment behind a value", help);
                break;
            }
            let (end, inner, quote) = if first == '"' || first == '\'' {
                let Some(close) = self.rest.text.get(1..).and_then(|text| text.find(first)) else {
                    let help = format!("write `{first}` where the text ends");
                    let span = self.rest.span.clone();
                    self.out.error(self.source, span, "a closing quote is missing", help);
                    return None;
                };
                (close + 2, 1..close + 1, Some(first))
            } else {
                let end = self.rest.text.find(char::is_whitespace).unwrap_or(self.rest.text.len());
                (end, 0..end, None)
            };
            let text = self.rest.part(inner).text;
            let span = self.rest.part(0..end).span;
            demand_utf8(self.source, &span, self.out);
            values.push(Value { text, span, quote });
            self.rest = self.rest.part(end..self.rest.text.len()).trimmed();
        }
        Some(values)
    }
}

impl Value {
    /// The value as the file has it.
    pub(super) fn shown(&self) -> String {
        let quote = self.quote.map(String::from).unwrap_or_default();
        format!("{quote}{}{quote}", self.text)
    }
}

/// Reports typographic quotes that stand for plain ones, and reads on as if they were.
fn typographic(source: &Source, line: &Word, out: &mut Diagnostics) -> Word {
    let Some(at) = quotes::typographic(&line.text) else { return line.clone() };
    let before = line.text.get(..at.start).unwrap_or_default();
    if before.contains(['"', '\'']) {
        return line.clone();
    }
    let plain = quotes::straightened(&line.text);
    let help = format!("write it with plain ones: `{plain}`");
    out.error(source, line.part(at).span, "typographic quotes are not quotes", help);
    Word { text: plain, span: line.span.clone() }
}
