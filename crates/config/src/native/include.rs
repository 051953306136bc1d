//! `include`: further files, whose keys count as if they stood in the main one.

use std::path::Path;

use super::tree::{Node, Span, Value};
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::glob::{self, MOST_FILES};
use crate::source::Source;

/// The key that names them.
pub(super) const KEY: &str = "include";
/// Keys that hold names: each file may add some.
const SHARED: [&str; 3] = ["routers", "groups", "services"];

/// The main file and those that it includes. A place is counted through all of them, in order.
pub(super) struct Texts {
    sources: Vec<(usize, Source)>,
}

impl Texts {
    /// The main file alone.
    pub(super) fn new(main: &Source) -> Self {
        Self { sources: vec![(0, main.clone())] }
    }

    fn push(&mut self, source: Source) {
        // One byte more, so that the end of a file is not the beginning of the next.
        let begin = self.sources.last().map_or(0, |(begin, last)| begin + last.bytes().len() + 1);
        self.sources.push((begin, source));
    }

    fn holder(&self, span: &Span) -> Option<&(usize, Source)> {
        self.sources.iter().rev().find(|(begin, _)| *begin <= span.start)
    }

    /// The file that holds a place, and the place within that file.
    pub(super) fn place(&self, span: Span) -> Option<(&Source, Span)> {
        let (begin, source) = self.holder(&span)?;
        Some((source, span.start - begin..span.end.saturating_sub(*begin)))
    }

    /// The bytes at a place.
    pub(super) fn bytes(&self, span: &Span) -> &[u8] {
        let found = self.place(span.clone());
        found.and_then(|(source, span)| source.bytes().get(span)).unwrap_or(&[])
    }

    /// The texts of all files, each with its place.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(usize, Source)> {
        self.sources.iter()
    }
}

/// Reads what the main file includes.
pub(super) fn read(
    folder: &Path,
    top: &Node<'_>,
    files: &mut Files<'_>,
    texts: &mut Texts,
    out: &mut Diagnostics,
) {
    let Some(main) = texts.sources.first().map(|(_, source)| source.clone()) else { return };
    let mut known = vec![glob::plain(Path::new(main.file()))];
    for (pattern, span) in patterns(top, &main) {
        let mut error = |message: String, help: &str| out.error(&main, span.clone(), message, help);
        for path in glob::paths(files, &folder.join(&pattern)) {
            let path = glob::plain(&path);
            if known.first() == Some(&path) {
                let help = "put the others into a folder of their own, as conf.d/*.yaml";
                error(format!("{pattern} names this file itself"), help);
            } else if known.len() > MOST_FILES {
                error("more than 1000 files are included".into(), "write fewer, larger files");
                return;
            } else if !known.contains(&path) {
                match files.read(&path) {
                    Ok(bytes) => texts.push(Source::new(path.display().to_string(), &bytes)),
                    Err(why) => error(
                        format!("{} cannot be read: {why}", path.display()),
                        "correct the path, which is relative to this file, or remove it; a pattern as conf.d/*.yaml may name nothing",
                    ),
                }
                known.push(path);
            }
        }
    }
}

/// The texts that stand under the key. What is none is reported when the file is read.
fn patterns(top: &Node<'_>, main: &Source) -> Vec<(String, Span)> {
    let Value::Map(entries) = &top.value else { return Vec::new() };
    let is_key = |key: &Node<'_>| matches!(&key.value, Value::Text(text) if text == KEY);
    let Some((_, value)) = entries.iter().find(|(key, _)| is_key(key)) else { return Vec::new() };
    let one = std::slice::from_ref(value);
    let members = if let Value::List(members) = &value.value { members.as_slice() } else { one };
    let bytes = main.bytes();
    let named = members.iter().filter_map(|node| {
        let text = node.text(bytes.get(node.span.clone()).unwrap_or(&[]))?;
        (!text.trim().is_empty()).then(|| (text.into_owned(), node.span.clone()))
    });
    named.collect()
}

/// Adds the top of an included file to that of the main one. What both have stays there twice,
/// and is reported as any key that is given twice.
pub(super) fn merge<'n>(top: &mut Node<'n>, included: Node<'n>) {
    let (Value::Map(ours), Value::Map(theirs)) = (&mut top.value, included.value) else { return };
    for (key, node) in theirs {
        let shared = matches!(&key.value, Value::Text(text) if SHARED.contains(&text.as_ref()));
        let same = |known: &Node<'_>| matches!((&known.value, &key.value), (Value::Text(a), Value::Text(b)) if a == b);
        let held = ours.iter_mut().find(|(known, _)| shared && same(known));
        match (held, node) {
            (
                Some((_, Node { value: Value::Map(entries), .. })),
                Node { value: Value::Map(more), .. },
            ) => entries.extend(more),
            (_, node) => ours.push((key, node)),
        }
    }
}

/// What an included file cannot be, with the place of that.
pub(super) fn refusal(node: &Node<'_>) -> Option<(Span, &'static str, &'static str)> {
    match &node.value {
        Value::Null => None,
        Value::Map(entries) => {
            let is_key = |key: &Node<'_>| matches!(&key.value, Value::Text(text) if text == KEY);
            let (key, _) = entries.iter().find(|(key, _)| is_key(key))?;
            let help = "name all files in the main one";
            Some((key.span.clone(), "an included file includes no other", help))
        }
        _ => {
            let help = "begin with routers, groups, services or another key of the top";
            Some((node.span.clone(), "an included file holds keys, as the main one", help))
        }
    }
}

impl Node<'_> {
    /// Counts its places, and those of all that is in it, from further on.
    pub(super) fn shift(&mut self, by: usize) {
        self.span = self.span.start + by..self.span.end + by;
        match &mut self.value {
            Value::List(members) => members.iter_mut().for_each(|member| member.shift(by)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, node)| {
                key.shift(by);
                node.shift(by);
            }),
            Value::Null | Value::Boolean(_) | Value::Number | Value::Text(_) => {}
        }
    }
}
