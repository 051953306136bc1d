//! Lines of ldirectord.cf: `name = value`, told apart by their indentation.

use crate::diagnostic::Diagnostics;
use crate::foreign::quotes;
use crate::foreign::word::{Line, Word, carriage_return, demand_utf8, lines};
use crate::source::Source;

/// A line that says something.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    /// Line, from 1.
    pub(super) line: usize,
    /// Columns before the name; a tab counts four.
    pub(super) indent: usize,
    /// What is set.
    pub(super) name: Word,
    /// What it is set to, with plain quotes, without blanks around it and without a comment.
    pub(super) value: Word,
    /// Blanks or a comment behind the value, which ldirectord takes for a part of it.
    pub(super) trailing: Option<Word>,
}

/// A line of the file.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Nothing but blanks; `.0` is its number.
    Blank(usize),
    /// `name = value`.
    Directive(Directive),
}

/// Cuts the file into lines, and reports what is no directive.
pub(super) fn lex(source: &Source, out: &mut Diagnostics) -> Vec<Item> {
    if let Some(at) = carriage_return(source) {
        let help = "ldirectord itself would refuse yes and no here; `sed -i 's/\\r$//'` mends it";
        out.warning(source, at, "the lines end with a carriage return, as on DOS", help);
    }
    let mut items = Vec::new();
    for line in lines(source) {
        let trimmed = line.trimmed();
        if trimmed.text.is_empty() {
            items.push(Item::Blank(line.number));
        } else if !trimmed.text.starts_with('#') {
            items.extend(directive(source, &line, &trimmed, out).map(Item::Directive));
        }
    }
    items
}

fn directive(
    source: &Source,
    line: &Line,
    trimmed: &Word,
    out: &mut Diagnostics,
) -> Option<Directive> {
    let whole = typographic(source, trimmed, out);
    let end =
        whole.text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(whole.text.len());
    let name = whole.part(0..end);
    let rest = whole.part(end..whole.text.len()).trimmed();
    let indent = line.text.chars().take_while(|c| c.is_whitespace());
    let indent = indent.map(|c| if c == '\t' { 4 } else { 1 }).sum();
    let Some(value) = rest.text.strip_prefix('=') else {
        // The manual once allowed this one without a value.
        if name.text == "supervised" && rest.text.is_empty() {
            return None;
        }
        let (message, help) = if name.text.is_empty() {
            (format!("`{}` is no directive", whole.text), "a line reads `name = value`".to_string())
        } else {
            let help = format!("write `{} = {}`", name.text, rest.text);
            (format!("`=` is missing after `{}`", name.text), help.trim_end().to_string())
        };
        out.error(source, whole.span, message, help);
        return None;
    };
    let from = rest.text.len() - value.len();
    let value = rest.part(from..rest.text.len());
    let cut = comment(&value.text).unwrap_or(value.text.len());
    let said = value.part(0..cut).trimmed();
    demand_utf8(source, &said.span, out);
    let behind = value.part(cut..value.text.len());
    let blanks = line.word(line.text.trim_end().len()..line.text.len());
    let trailing = if behind.text.is_empty() { blanks } else { behind };
    let trailing = Some(trailing).filter(|word| !word.text.is_empty());
    Some(Directive { line: line.number, indent, name, value: said, trailing })
}

/// Where a comment begins: at a `#` that is not between quotes.
fn comment(value: &str) -> Option<usize> {
    let last_quote = value.rfind('"').unwrap_or(0);
    let mut quoted = false;
    for (at, character) in value.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted || at > last_quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Reports typographic quotes that stand for plain ones, and reads on as if they were.
fn typographic(source: &Source, line: &Word, out: &mut Diagnostics) -> Word {
    let Some(at) = quotes::typographic(&line.text) else { return line.clone() };
    let before = line.text.get(..at.start).unwrap_or_default();
    // Between plain quotes they are text, in a comment they are nothing.
    let text = before.matches('"').count() % 2 == 1 || comment(before).is_some();
    if text {
        return line.clone();
    }
    let plain = quotes::straightened(&line.text);
    let help = format!("write it with plain ones: `{plain}`");
    out.error(source, line.part(at).span, "typographic quotes are not quotes", help);
    Word { text: plain, span: line.span.clone() }
}
