//! The table of keys: what the parser takes, `lvsctl explain-key` says and the manual page lists.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::form::Form;
use super::table::KEYS;

/// One key of the native format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where it stands; `*` is a name that the person chooses, `[]` a member of a list.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds when it is not given.
    pub default: Default,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Keys of its own.
    Map,
    /// Keys of its own; with none of them it may stand alone.
    MapOrNothing,
    /// The short form of a map, or the map.
    OrMap(&'static Kind),
    /// This, or a list of such; what stands in the list has the same keys.
    Several(&'static Kind),
    /// What another key takes, with the keys of that one.
    As(&'static str),
    /// `true` or `false`.
    Boolean,
    /// A whole number within a range.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// What it counts; may be empty.
        unit: &'static str,
    },
    /// A time with its unit, within a range in milliseconds.
    Duration {
        /// Shortest, in milliseconds.
        min: u64,
        /// Longest, in milliseconds.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text of any kind; the words say which.
    Text(&'static str),
    /// Text of one form.
    Form(&'static Form),
    /// An IPv4 or IPv6 address.
    Address,
    /// One value or a list of them. Maps that stand in it have the path with `[]`.
    List(&'static Kind),
}

/// What holds when a key is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// It has to be given.
    Required,
    /// This value, as it would be written.
    Value(&'static str),
    /// What these words say.
    Otherwise(&'static str),
}

impl Key {
    /// Its last word.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path of the map that holds it; empty at the top.
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// Type, unit and range for a person.
    pub fn kind_text(&self) -> String {
        kind_text(self.kind, self.path)
    }

    /// The default for a person.
    pub fn default_text(&self) -> &'static str {
        match self.default {
            Default::Required => "none: it has to be given",
            Default::Value(text) | Default::Otherwise(text) => text,
        }
    }
}

/// Every key, in the order of the manual.
pub fn keys() -> &'static [Key] {
    KEYS
}

/// The key at a path, where any name may stand for `*` and `[0]` for `[]`. A key whose keys are
/// those of another one has them too.
pub fn key(path: &str) -> Option<&'static Key> {
    let mut ends = path.rmatch_indices('.').map(|(end, _)| path.split_at(end));
    exactly(path).or_else(|| {
        ends.find_map(|(holder, rest)| match exactly(holder)?.kind {
            Kind::As(other) => key(&format!("{other}{rest}")),
            _ => None,
        })
    })
}

fn exactly(path: &str) -> Option<&'static Key> {
    let same = |ours: &str, theirs: &str| {
        let (ours_name, ours_list) = ours.split_once("[]").map_or((ours, false), |p| (p.0, true));
        let theirs_name = if ours_list { theirs.split('[').next().unwrap_or("") } else { theirs };
        ours_name == "*" || ours_name == theirs_name
    };
    KEYS.iter().find(|key| {
        let (mut ours, mut theirs) = (key.path.split('.'), path.split('.'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs)) if same(ours, theirs) => {}
                _ => return false,
            }
        }
    })
}

/// A short form's map is described by its keys when they are few.
const FEW: usize = 4;

pub(super) fn kind_text(kind: Kind, path: &str) -> String {
    match kind {
        Kind::Map => "keys of its own".into(),
        Kind::MapOrNothing => "keys of its own, or nothing".into(),
        Kind::OrMap(short) => {
            let names: Vec<&str> = children(path).iter().map(|key| key.name()).collect();
            let with = if names.len() > FEW { String::new() } else { listed(&names, "and") };
            let with = if with.is_empty() { with } else { format!(" with {with}") };
            format!("{}, or a map{with}", kind_text(*short, path))
        }
        Kind::Several(one) => format!("{}; or a list of such", kind_text(*one, path)),
        Kind::As(other) => format!("the same as {other}"),
        Kind::Boolean => "true or false".into(),
        Kind::Integer { min, max, unit: "" } => format!("a whole number, {min} to {max}"),
        Kind::Integer { min, max, unit } => format!("a whole number of {unit}, {min} to {max}"),
        Kind::Duration { min, max } => {
            format!("a time, {} to {}", milliseconds(min), milliseconds(max))
        }
        Kind::Choice(words) => one_of(words),
        Kind::Text(what) => what.into(),
        Kind::Form(form) => form.what.into(),
        Kind::Address => "an IPv4 or IPv6 address".into(),
        Kind::List(member) => {
            let path = format!("{path}[]");
            let names: Vec<&str> = children(&path).iter().map(|key| key.name()).collect();
            match member {
                Kind::Map => format!("one or a list of: maps with {}", listed(&names, "and")),
                member => format!("one or a list of: {}", kind_text(*member, &path)),
            }
        }
    }
}

/// The keys directly within the map at `path`.
pub(super) fn children(path: &str) -> &'static [&'static Key] {
    static BY_PARENT: OnceLock<HashMap<&str, Vec<&Key>>> = OnceLock::new();
    let by_parent = BY_PARENT.get_or_init(|| {
        let mut map: HashMap<&str, Vec<&Key>> = HashMap::new();
        for key in KEYS {
            map.entry(key.parent()).or_default().push(key);
        }
        map
    });
    by_parent.get(path).map_or(&[], Vec::as_slice)
}

/// `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    listed(words, "or")
}

fn listed(words: &[&str], last_joined_by: &str) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, others)) => format!("{} {last_joined_by} {last}", others.join(", ")),
        None => String::new(),
    }
}

fn milliseconds(count: u64) -> String {
    super::scalar::render_duration(std::time::Duration::from_millis(count))
}
