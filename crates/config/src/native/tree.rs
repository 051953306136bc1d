//! YAML text as a tree whose every node knows its place.
//!
//! The meaning is read from the tree, not by serde's derive, because serde stops at the first
//! problem and a person wants all of them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::DuplicateKeyPolicy;
use serde_yaml::{Location, Options, Spanned};

/// A range of bytes of the text.
pub(super) type Span = Range<usize>;

/// Nodes of one file: 10,000 real servers with every key are about 300,000.
const MAX_NODES: usize = 3_000_000;
/// Events are at most two a node.
const MAX_EVENTS: usize = 2 * MAX_NODES;
/// Nodes that come from `*name`: 10,000 real servers that share one check are about 200,000.
const MAX_FROM_ALIASES: usize = 500_000;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// Where; of a list or map the beginning.
    pub(super) span: Span,
    /// What.
    pub(super) value: Value<'a>,
}

/// What YAML can say.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`; `on` and `yes` are text.
    Boolean(bool),
    /// A number; its characters say which.
    Number,
    /// Text.
    Text(Cow<'a, str>),
    /// `[a, b]`
    List(Vec<Node<'a>>),
    /// `{a: b}`, with the keys in the order of the file.
    Map(Vec<(Node<'a>, Node<'a>)>),
}

impl Value<'_> {
    /// What it is, for "… wants X, not Y".
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl<'a> Node<'a> {
    /// The characters of a scalar as the person wrote them, without quotes; `raw` is what stands
    /// at its place.
    pub(super) fn text(&self, raw: &'a [u8]) -> Option<Cow<'a, str>> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
            Value::Boolean(value) => Some(value.to_string().into()),
            Value::Number => std::str::from_utf8(raw).ok().map(str::trim).map(Cow::Borrowed),
        }
    }
}

/// Why the text is no YAML.
pub(super) struct SyntaxError {
    /// Line and column, from 1, when they are known.
    pub(super) at: Option<(usize, usize)>,
    /// One sentence.
    pub(super) message: String,
}

/// Reads the whole text. Duplicate keys stay in the maps, for the reader to report with both places.
pub(super) fn parse(text: &str) -> Result<Node<'_>, SyntaxError> {
    match serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::LastWins)) {
        Ok(node) => Ok(node),
        Err(error) => Err(syntax_error(&error)),
    }
}

/// A duplicate key that [`parse`] does not keep: the library merges keys that are numbers.
pub(super) fn duplicate_key(text: &str) -> Option<SyntaxError> {
    let strict = options(DuplicateKeyPolicy::Error);
    let parsed: Result<Node<'_>, _> = serde_yaml::from_str_with_options(text, strict);
    parsed.err().map(|error| syntax_error(&error))
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! { max_nodes: MAX_NODES, max_events: MAX_EVENTS },
        duplicate_keys: duplicate_keys,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_FROM_ALIASES },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn syntax_error(error: &serde_yaml::Error) -> SyntaxError {
    let number = |value: u64| usize::try_from(value).unwrap_or(1);
    let at = error.location().map(|at| (number(at.line()), number(at.column())));
    if let serde_yaml::Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
        let key = key.as_deref().unwrap_or("this key");
        return SyntaxError { at, message: format!("{key} is given twice") };
    }
    let formatter = serde_yaml::UserMessageFormatter;
    let text = error.without_snippet().render_with_formatter(&formatter);
    // The place is shown by the diagnostic, so the library's own mention of it goes.
    let message = text.split(" at line ").next().unwrap_or(&text);
    let message = message.lines().next().unwrap_or(message).trim_end_matches('.').to_string();
    SyntaxError { at, message }
}

fn span_of(location: Location) -> Span {
    let span = location.span();
    let index = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let start = index(span.byte_offset()).unwrap_or(0);
    start..start + index(span.byte_len()).unwrap_or(0)
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned: Spanned<Value<'a>> = Spanned::deserialize(deserializer)?;
        Ok(Self { span: span_of(spanned.defined), value: spanned.value })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_string<E>(self, value: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
