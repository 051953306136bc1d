//! The layout of a native file: indentation, blanks and line breaks as in every other one. The
//! order of the keys, how each value is written, and every comment stay as they are.
//!
//! [`scan`] turns text into parts that know their comments, [`print`] writes them. What comes out is
//! read again and compared: a text that would lose something is refused, not changed.

mod flow;
mod print;
mod scan;

use super::tree::{self, Node, Value};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Source;

/// A comment or an empty line that stands alone.
#[derive(Clone, Debug, PartialEq)]
enum Trivia {
    Blank,
    /// The text from `#` on, and the column that it began in.
    Comment(String, usize),
}

/// A value with what stands before it (`&name`) and behind it on its line.
#[derive(Clone, Debug, Default, PartialEq)]
struct Part {
    /// `&name`, if it has one.
    anchor: String,
    shape: Shape,
    /// The comment behind it, and its column.
    comment: Option<(String, usize)>,
}

/// How a value is written.
#[derive(Clone, Debug, Default, PartialEq)]
enum Shape {
    /// Not at all.
    #[default]
    Nothing,
    /// On one line, as the person wrote it.
    Scalar(String),
    /// `|` or `>` with its lines, without their indentation.
    Lines(String, Vec<String>),
    /// `[a, b]` or `{ a: b }`
    Flow(Members),
    /// Below each other.
    Block(Members),
}

/// Members of a list or map.
#[derive(Clone, Debug, Default, PartialEq)]
struct Members {
    is_map: bool,
    list: Vec<Member>,
    /// What stands behind the last one.
    foot: Vec<Trivia>,
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    before: Vec<Trivia>,
    /// Its key in a map, as the person wrote it.
    key: String,
    part: Part,
}

/// Where and why a text has no layout.
struct Refusal {
    at: usize,
    message: &'static str,
}

/// The text in its layout.
///
/// # Errors
/// Why it cannot be laid out: it is no YAML, or it uses a part of YAML whose layout is not known.
pub fn format(file: &str, bytes: &[u8]) -> Result<String, Vec<Diagnostic>> {
    let source = Source::new(file, bytes);
    let mut out = Diagnostics::new();
    let Some(before) = super::read_tree(&source, &mut out) else { return Err(out.into_vec()) };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let help = "write it in another way, or lay it out by hand: nothing is changed";
    match scan::scan(text).map(|top| (print::print(&top), top)) {
        Ok((text, top)) if is_same(&before, bytes, &text) && comments_stay(&top, &text) => Ok(text),
        Ok(_) => {
            let message = "the layout of this file would change what it says";
            out.error(&source, 0..0, message, help);
            Err(out.into_vec())
        }
        Err(Refusal { at, message }) => {
            out.error(&source, at..at + 1, message, help);
            Err(out.into_vec())
        }
    }
}

fn is_same(before: &Node<'_>, bytes: &[u8], formatted: &str) -> bool {
    tree::parse(formatted).is_ok_and(|after| equal(before, bytes, &after, formatted.as_bytes()))
}

/// Whether two nodes say the same, wherever they stand.
fn equal(a: &Node<'_>, a_bytes: &[u8], b: &Node<'_>, b_bytes: &[u8]) -> bool {
    let same = |a: &Node<'_>, b: &Node<'_>| equal(a, a_bytes, b, b_bytes);
    match (&a.value, &b.value) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let mut pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.all(|((k, v), (l, w))| same(k, l) && same(v, w))
        }
        (Value::Null, Value::Null) => true,
        _ => {
            let raw = |bytes: &[u8], node: &Node<'_>| {
                let bytes = bytes.get(node.span.clone()).unwrap_or(&[]).to_vec();
                String::from_utf8(bytes).unwrap_or_default()
            };
            let (a_raw, b_raw) = (raw(a_bytes, a), raw(b_bytes, b));
            std::mem::discriminant(&a.value) == std::mem::discriminant(&b.value)
                && a.text(a_raw.as_bytes()) == b.text(b_raw.as_bytes())
        }
    }
}

/// Every comment, sorted.
fn comments(part: &Part, found: &mut Vec<String>) {
    let alone = |trivia: &[Trivia], found: &mut Vec<String>| {
        found.extend(trivia.iter().filter_map(|trivia| match trivia {
            Trivia::Comment(text, _) => Some(text.clone()),
            Trivia::Blank => None,
        }));
    };
    found.extend(part.comment.iter().map(|(text, _)| text.clone()));
    if let Shape::Flow(members) | Shape::Block(members) = &part.shape {
        for member in &members.list {
            alone(&member.before, found);
            comments(&member.part, found);
        }
        alone(&members.foot, found);
    }
}

/// Whether the text that was printed holds the same comments.
fn comments_stay(before: &Part, after: &str) -> bool {
    let sorted = |part: &Part| {
        let mut found = Vec::new();
        comments(part, &mut found);
        found.sort();
        found
    };
    scan::scan(after).is_ok_and(|after| sorted(before) == sorted(&after))
}

#[cfg(test)]
mod tests;
