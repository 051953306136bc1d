//! A small tree that prints itself as YAML the way a person would write it: short things on one
//! line, long ones below each other.

/// Lines are kept within this many columns where they can be.
pub(super) const WIDTH: usize = 96;
/// Blanks of each level.
pub(super) const INDENT: usize = 2;

/// Something to print.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    /// One value, as text; quotes are added where YAML would read it otherwise.
    Scalar(String),
    /// `true` or `false`.
    Boolean(bool),
    /// Members; on one line if they fit.
    List(Vec<Yaml>),
    /// Keys and values; on one line if they fit.
    Map(Vec<(String, Yaml)>),
    /// Keys and values, always below each other.
    Block(Vec<(String, Yaml)>),
    /// Members, always below each other.
    Lines(Vec<Yaml>),
}

impl Yaml {
    /// A value.
    pub(super) fn scalar(text: impl Into<String>) -> Self {
        Self::Scalar(text.into())
    }

    /// The whole file.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        if let Self::Block(entries) | Self::Map(entries) = self {
            self.entries(entries, 0, &mut text);
        }
        text
    }

    fn entries(&self, entries: &[(String, Self)], indent: usize, text: &mut String) {
        for (key, value) in entries {
            text.push_str(&" ".repeat(indent));
            text.push_str(&quoted(key));
            text.push(':');
            value.after_key(indent, text);
        }
    }

    fn after_key(&self, indent: usize, text: &mut String) {
        let column = text.len() - text.rfind('\n').map_or(0, |end| end + 1);
        if let Some(line) = self.one_line()
            && (matches!(self, Self::Scalar(_)) || column + 1 + line.chars().count() <= WIDTH)
        {
            text.push(' ');
            text.push_str(&line);
            text.push('\n');
            return;
        }
        text.push('\n');
        match self {
            Self::Scalar(_) | Self::Boolean(_) => {}
            Self::Map(entries) | Self::Block(entries) => {
                self.entries(entries, indent + INDENT, text);
            }
            Self::List(members) | Self::Lines(members) => {
                for member in members {
                    text.push_str(&" ".repeat(indent + INDENT));
                    text.push('-');
                    member.after_dash(indent + INDENT, text);
                }
            }
        }
    }

    fn after_dash(&self, indent: usize, text: &mut String) {
        match self {
            Self::Map(entries) | Self::Block(entries) if !entries.is_empty() => {
                let line = self.one_line().unwrap_or_default();
                if !line.is_empty() && indent + INDENT + line.chars().count() <= WIDTH {
                    text.push(' ');
                    text.push_str(&line);
                    text.push('\n');
                    return;
                }
                // The first key stands behind the dash, the others below it.
                let mut below = String::new();
                self.entries(entries, indent + INDENT, &mut below);
                text.push(' ');
                text.push_str(below.trim_start());
            }
            _ => {
                text.push(' ');
                text.push_str(&self.flow());
                text.push('\n');
            }
        }
    }

    fn one_line(&self) -> Option<String> {
        match self {
            Self::Block(entries) if !entries.is_empty() => None,
            Self::Lines(members) if !members.is_empty() => None,
            other => Some(other.flow()),
        }
    }

    fn flow(&self) -> String {
        match self {
            Self::Scalar(text) => quoted(text),
            Self::Boolean(value) => value.to_string(),
            Self::List(members) | Self::Lines(members) => {
                let members: Vec<String> = members.iter().map(Self::flow).collect();
                format!("[{}]", members.join(", "))
            }
            Self::Map(entries) | Self::Block(entries) if entries.is_empty() => "{}".into(),
            Self::Map(entries) | Self::Block(entries) => {
                let entry =
                    |(key, value): &(String, Self)| format!("{}: {}", quoted(key), value.flow());
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// The text as a YAML scalar that is read back as the same text.
fn quoted(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    // What must be written as an escape: controls, and what some readers take for a line's end.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if !text.contains(hidden) && text.contains(['\\', '"']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if hidden(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Words, paths, times, addresses with ports: what YAML reads as that text without quotes, within
/// `[ ]` and `{ }` too. A number is plain as well: its characters are what is read.
fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_');
    let later = |c: char| c.is_ascii_alphanumeric() || "/_.-+=: ()".contains(c);
    let reserved = ["true", "false", "null"];
    // A number that is too large is no number, and no text either.
    let is_odd_number = text.parse::<f64>().is_ok() && text.parse::<u64>().is_err()
        || ["0x", "0o", "0b"].iter().any(|begin| text.starts_with(begin));
    text.starts_with(first)
        && text.chars().all(later)
        && !text.contains(": ")
        && !text.contains("::")
        && !text.contains("  ")
        && !text.ends_with([':', ' '])
        && !is_odd_number
        && !reserved.contains(&text.to_lowercase().as_str())
}
