//! The JSON Schema of the native file, made of the table of keys: what an editor checks while
//! somebody types. Rules between keys are the parser's alone.

mod range;

use serde::{Serialize, Serializer};

use super::form::ADDRESS;
use super::key::{Default, Key, Kind, children, keys, kind_text};

/// The dialect that is spoken.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The whole schema, as a value that serde writes as JSON.
pub fn schema() -> impl Serialize {
    let defined = keys().iter().filter(|key| is_shared(key)).map(|key| {
        let name = definition(key.path).to_owned();
        (name, of_kind(key.kind, key.path))
    });
    Schema {
        schema: Some(DIALECT),
        title: Some("The configuration of a Caribe router pair"),
        defs: defined.collect(),
        ..map("")
    }
}

/// One schema, with its parts in the order of reading.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(
        rename = "type",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "one_or_list"
    )]
    types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    /// What some editors say instead of showing the pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern_error_message: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    words: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    properties: Vec<(String, Schema)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Additional>,
    #[serde(rename = "default", skip_serializing_if = "Option::is_none")]
    fallback: Option<Literal>,
    #[serde(rename = "$defs", skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    defs: Vec<(String, Schema)>,
}

/// What keys that are not listed may hold.
#[derive(Serialize)]
#[serde(untagged)]
enum Additional {
    None(bool),
    Some(Box<Schema>),
}

/// A default, in the type that its key takes.
#[derive(Serialize)]
#[serde(untagged)]
enum Literal {
    Boolean(bool),
    Integer(u64),
    Text(&'static str),
}

fn in_order<S: Serializer>(entries: &[(String, Schema)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(entries.iter().map(|(name, schema)| (name, schema)))
}

fn one_or_list<S: Serializer>(types: &[&'static str], to: S) -> Result<S::Ok, S::Error> {
    match types {
        [one] => one.serialize(to),
        several => several.serialize(to),
    }
}

/// Whether other keys take what this one takes: then it is defined once.
fn is_shared(key: &Key) -> bool {
    keys().iter().any(|other| matches!(other.kind, Kind::As(path) if path == key.path))
}

/// The name of a definition: the last word of its key's path.
fn definition(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn reference(path: &str) -> Schema {
    Schema { reference: Some(format!("#/$defs/{}", definition(path))), ..Schema::default() }
}

fn of_key(key: &Key) -> Schema {
    let schema = if is_shared(key) { reference(key.path) } else { of_kind(key.kind, key.path) };
    let description = match key.default {
        Default::Otherwise(text) => format!("{} Default: {text}.", key.doc),
        Default::Required | Default::Value(_) => key.doc.to_owned(),
    };
    Schema { description: Some(description), fallback: fallback(key), ..schema }
}

fn fallback(key: &Key) -> Option<Literal> {
    let Default::Value(text) = key.default else { return None };
    Some(match key.kind {
        Kind::Boolean => Literal::Boolean(text == "true"),
        Kind::Integer { .. } => text.parse().map_or(Literal::Text(text), Literal::Integer),
        _ => Literal::Text(text),
    })
}

fn of_kind(kind: Kind, path: &str) -> Schema {
    match kind {
        Kind::Map => map(path),
        Kind::MapOrNothing => Schema { types: vec!["object", "null"], ..map(path) },
        Kind::OrMap(short) => {
            Schema { any_of: vec![of_kind(*short, path), map(path)], ..Schema::default() }
        }
        Kind::Several(one) => one_or_more(|| of_kind(*one, path)),
        Kind::As(other) => reference(other),
        Kind::Boolean => Schema { types: vec!["boolean"], ..Schema::default() },
        Kind::Integer { min, max, .. } => Schema {
            types: vec!["integer"],
            minimum: Some(min),
            maximum: Some(max),
            ..Schema::default()
        },
        Kind::Duration { min, max } => text(range::durations(min, max), kind_text(kind, path)),
        Kind::Choice(words) => Schema { words: words.to_vec(), ..Schema::default() },
        // What the parser takes as text may look like a number to an editor.
        Kind::Text(_) => Schema { types: vec!["string", "number"], ..Schema::default() },
        Kind::Form(form) => match form.number {
            None => text(form.pattern.to_owned(), form.what.to_owned()),
            Some((min, max)) => Schema {
                types: vec!["string", "number"],
                minimum: (min > 0).then_some(min),
                maximum: (max < u64::MAX).then_some(max),
                ..text(form.pattern.to_owned(), form.what.to_owned())
            },
        },
        Kind::Address => text(ADDRESS.to_owned(), kind_text(kind, path)),
        Kind::List(member) => one_or_more(|| of_kind(*member, &format!("{path}[]"))),
    }
}

/// A value alone, or a list of such.
fn one_or_more(member: impl Fn() -> Schema) -> Schema {
    let list =
        Schema { types: vec!["array"], items: Some(Box::new(member())), ..Schema::default() };
    Schema { any_of: vec![member(), list], ..Schema::default() }
}

fn text(pattern: String, what: String) -> Schema {
    Schema {
        types: vec!["string"],
        pattern: Some(pattern),
        pattern_error_message: Some(format!("write {what}")),
        ..Schema::default()
    }
}

/// The map whose keys are in the table under a path.
fn map(path: &str) -> Schema {
    let (named, listed): (Vec<&Key>, Vec<&Key>) =
        children(path).iter().copied().partition(|key| key.name() == "*");
    let additional = named
        .first()
        .map_or(Additional::None(false), |key| Additional::Some(Box::new(of_key(key))));
    let required = listed.iter().filter(|key| key.default == Default::Required);
    Schema {
        types: vec!["object"],
        required: required.map(|key| key.name()).collect(),
        properties: listed.iter().map(|key| (key.name().to_owned(), of_key(key))).collect(),
        additional_properties: Some(additional),
        ..Schema::default()
    }
}
