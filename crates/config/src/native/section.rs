//! Reading the tree against the table of keys: types, ranges, defaults and unknown keys in one
//! place, so that the modules that build the model hold no such rule.

mod value;

use std::borrow::Cow;

use super::include::Texts;
use super::key::{Default, Key, Kind, children, keys, one_of};
use super::scalar::{self, Parsed, Problem};
use super::tree::{Node, Span, Value};
use super::words::foreign_word;
use crate::diagnostic::Diagnostics;
use crate::places::{Part, Places};
use crate::{Percent, nearest};

/// What every reading function needs.
pub(super) struct Reading<'a> {
    pub(super) texts: &'a Texts,
    pub(super) out: &'a mut Diagnostics,
    pub(super) places: &'a mut Places,
    /// Whether a key is a number: the library keeps one of two equal ones, and says nothing.
    pub(super) has_number_key: bool,
}

/// A map whose keys are in the table.
pub(super) struct Section<'n> {
    /// Its path in the table.
    path: &'static str,
    /// What it is called in a message.
    what: String,
    /// Where its own key stands.
    pub(super) at: Span,
    entries: Vec<Entry<'n>>,
}

struct Entry<'n> {
    key: Cow<'n, str>,
    span: Span,
    node: Option<Node<'n>>,
}

/// A member of a map whose keys are names that the person chose.
pub(super) struct Named<'n> {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) node: Node<'n>,
}

/// A value and its place.
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

impl<'n> Section<'n> {
    /// Removes and returns the value of a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Node<'n>> {
        self.entries.iter_mut().find(|entry| entry.key == key).and_then(|entry| entry.node.take())
    }

    /// Where a key stands, if it is given.
    pub(super) fn span_of(&self, key: &str) -> Option<Span> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.span.clone())
    }

    /// Where the value of a key stands, if it is given and was not taken yet.
    pub(super) fn value_span(&self, key: &str) -> Option<Span> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        entry.node.as_ref().map(|node| node.span.clone())
    }

    /// Whether a key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        children(self.path).iter().copied().find(|key| key.name() == name)
    }
}

impl<'n, 'a: 'n> Reading<'a> {
    /// Reports an error.
    pub(super) fn error(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some((source, span)) = self.texts.place(span) {
            self.out.error(source, span, message, help.into());
        }
    }

    /// Reports a warning.
    pub(super) fn warning(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some((source, span)) = self.texts.place(span) {
            self.out.warning(source, span, message, help.into());
        }
    }

    /// The characters of a scalar as the person wrote them.
    fn text_of(&self, node: &Node<'n>) -> Option<Cow<'n, str>> {
        node.text(self.texts.bytes(&node.span))
    }

    /// Notes where a part of the model stands.
    pub(super) fn record(&mut self, part: Part, span: Span) {
        if let Some((source, span)) = self.texts.place(span) {
            self.places.record(part, source, span);
        }
    }

    /// Opens a map whose keys are in the table under `path`.
    pub(super) fn section(
        &mut self,
        path: &'static str,
        node: Node<'n>,
        at: Span,
    ) -> Option<Section<'n>> {
        let what = match path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]") {
            "" => "the file",
            "*" => self.text_at(&at),
            name => name,
        };
        let what = what.to_owned();
        let entries = self.entries(&what, node, &at)?;
        Some(Section { path, what, at, entries })
    }

    /// The word that stands at a place, to name it in a message.
    fn text_at(&self, at: &Span) -> &str {
        std::str::from_utf8(self.texts.bytes(at)).unwrap_or("this")
    }

    /// Where a place is for somebody who looks at another one: `on line 3`, `in www.yaml:3`.
    fn where_is(&self, span: Span, from: &Span) -> String {
        let Some((source, span)) = self.texts.place(span) else { return "somewhere".into() };
        let line = source.place(span).line;
        let here =
            self.texts.place(from.clone()).is_some_and(|(here, _)| here.file() == source.file());
        if here { format!("on line {line}") } else { format!("in {}:{line}", source.file()) }
    }

    /// Opens a map whose keys are names.
    pub(super) fn named(&mut self, what: &str, node: Node<'n>, at: &Span) -> Vec<Named<'n>> {
        let entries = self.entries(what, node, at).unwrap_or_default();
        let named = entries.into_iter().filter_map(|entry| {
            let node = entry.node?;
            Some(Named { name: entry.key.into_owned(), span: entry.span, node })
        });
        named.collect()
    }

    fn entries(&mut self, what: &str, node: Node<'n>, at: &Span) -> Option<Vec<Entry<'n>>> {
        let Value::Map(map) = node.value else {
            let span = if matches!(node.value, Value::Null) { at.clone() } else { node.span };
            let message = format!("{what} wants keys of its own, not {}", node.value.noun());
            self.error(span, message, "write them below it, indented: `key: value`");
            return None;
        };
        let mut entries: Vec<Entry<'n>> = Vec::with_capacity(map.len());
        let mut seen = std::collections::HashSet::with_capacity(map.len());
        for (key, node) in map {
            let Some(text) = self.text_of(&key) else {
                self.error(
                    key.span,
                    format!("a key cannot be {}", key.value.noun()),
                    "write a word",
                );
                continue;
            };
            self.has_number_key |= matches!(key.value, Value::Number);
            if seen.insert(text.clone()) {
                entries.push(Entry { key: text, span: key.span, node: Some(node) });
            } else {
                let first = entries.iter().find(|entry| entry.key == text);
                let first = first.map_or(0..0, |entry| entry.span.clone());
                let help = format!(
                    "it stands {} already: remove one of the two",
                    self.where_is(first, &key.span)
                );
                self.error(key.span, format!("{text} is given twice"), help);
            }
        }
        Some(entries)
    }

    /// Closes a section: what was not taken is unknown. True when there was no such key.
    pub(super) fn finish(&mut self, section: Section<'n>) -> bool {
        let unknown: Vec<_> = section.entries.into_iter().filter(|e| e.node.is_some()).collect();
        let is_known = unknown.is_empty();
        for entry in unknown {
            let known: Vec<&str> = children(section.path).iter().map(|key| key.name()).collect();
            let message = match section.path {
                "" => format!("unknown key {} at the top of the file", entry.key),
                _ => format!("unknown key {} in {}", entry.key, section.what),
            };
            let help = match (foreign_word(&entry.key), nearest(&entry.key, known.iter().copied()))
            {
                (_, Some(near)) => format!("did you mean {near}?"),
                (Some(ours), None) if known.contains(&ours) => format!("here it is called {ours}"),
                _ => match keys().iter().find(|key| key.name() == entry.key) {
                    Some(key) => format!("it belongs elsewhere: lvsctl explain-key '{}'", key.path),
                    None => format!("known here: {}", known.join(", ")),
                },
            };
            self.error(entry.span, message, help);
        }
        is_known
    }

    /// Members of a list; a value alone is a list of one.
    pub(super) fn list(&mut self, section: &mut Section<'n>, name: &str) -> Vec<Node<'n>> {
        match self.given(section, name) {
            None => Vec::new(),
            Some(Node { value: Value::List(list), .. }) => list,
            Some(node) => vec![node],
        }
    }

    /// The value of a key, if it is given and is not empty.
    pub(super) fn given(&mut self, section: &mut Section<'n>, name: &str) -> Option<Node<'n>> {
        let span = section.span_of(name)?;
        let node = section.take(name)?;
        if matches!(node.value, Value::Null) {
            let help =
                section.key(name).map_or_else(String::new, |key| match (key.kind, key.default) {
                    (Kind::Map, _) => {
                        "indent what belongs to it by two blanks, or remove the line".into()
                    }
                    (_, Default::Value(value)) => {
                        format!("the default is {value}: remove the line, or give a value")
                    }
                    _ => format!("give it {}, or remove the line", key.kind_text()),
                });
            self.error(span, format!("{name} has no value"), help);
            return None;
        }
        Some(node)
    }

    /// Text read by `parse`; nothing when it is not given or wrong.
    pub(super) fn parsed<T>(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Given<T>> {
        let node = self.given(section, name)?;
        let value = self.parse_node(name, &node, parse)?;
        Some(Given { value, span: node.span })
    }

    /// A share.
    pub(super) fn percent(&mut self, section: &mut Section<'n>, name: &str) -> Option<Percent> {
        self.parsed(section, name, scalar::percent).map(|given| given.value)
    }

    /// One scalar read by `parse`.
    pub(super) fn parse_node<T>(
        &mut self,
        name: &str,
        node: &Node<'n>,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let Some(text) = self.text_of(node) else {
            let message = format!("{name} wants one value, not {}", node.value.noun());
            let key = keys().iter().find(|key| key.name() == name);
            let help = key.map_or_else(String::new, |key| format!("give it {}", key.kind_text()));
            self.error(node.span.clone(), message, help);
            return None;
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(Problem { message, help }) => {
                self.error(node.span.clone(), format!("{name}: {message}"), help);
                None
            }
        }
    }

    /// Says that a key is missing, if it was not even tried.
    pub(super) fn require<T>(
        &mut self,
        section: &Section<'n>,
        name: &str,
        value: Option<T>,
    ) -> Option<T> {
        if value.is_none() && !section.has(name) {
            let help = section
                .key(name)
                .map_or_else(String::new, |key| format!("add `{name}`: {}", key.kind_text()));
            self.error(section.at.clone(), format!("{name} is missing"), help);
        }
        value
    }

    fn or_default<T>(
        &mut self,
        section: &mut Section<'n>,
        key: &'static Key,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let given = self.parsed(section, key.name(), &parse).map(|given| given.value);
        given.or_else(|| match key.default {
            Default::Value(text) => parse(text).ok(),
            _ => None,
        })
    }
}

/// Text that is not empty.
pub(super) fn not_empty(text: &str) -> Parsed<String> {
    if text.trim().is_empty() {
        return Err(Problem::new("is empty", "give it a value or remove the line"));
    }
    Ok(text.to_owned())
}

/// A word of a choice.
pub(super) fn word<T>(text: &str, kind: Kind, meaning: impl Fn(&str) -> Option<T>) -> Parsed<T> {
    let words = if let Kind::Choice(words) = kind { words } else { &[] };
    meaning(text).ok_or_else(|| {
        let near = nearest(text, words.iter().copied());
        let help = match near.or_else(|| foreign_word(text).filter(|ours| words.contains(ours))) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("write {}", one_of(words)),
        };
        Problem::new(format!("{text} is not known"), help)
    })
}
