//! The table of keys: what the parser takes, `lvsctl explain-key` says and the manual page lists.

use std::collections::HashMap;
use std::sync::OnceLock;

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
    /// An IPv4 or IPv6 address.
    Address,
    /// One value or a list of them; the words say of what.
    List(&'static str),
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
        match self.kind {
            Kind::Map => "keys of its own".into(),
            Kind::Boolean => "true or false".into(),
            Kind::Integer { min, max, unit: "" } => format!("a whole number, {min} to {max}"),
            Kind::Integer { min, max, unit } => {
                format!("a whole number of {unit}, {min} to {max}")
            }
            Kind::Duration { min, max } => {
                format!("a time, {} to {}", milliseconds(min), milliseconds(max))
            }
            Kind::Choice(words) => one_of(words),
            Kind::Text(what) => what.into(),
            Kind::Address => "an IPv4 or IPv6 address".into(),
            Kind::List(what) => format!("one or a list of: {what}"),
        }
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

/// The key at a path, where any name may stand for `*` and `[0]` for `[]`.
pub fn key(path: &str) -> Option<&'static Key> {
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
    match words.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn milliseconds(count: u64) -> String {
    super::scalar::render_duration(std::time::Duration::from_millis(count))
}
