//! `include` and its stricter sisters: the files that a pattern names.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::report::Report;
use super::text::{At, Text};
use super::words::{Token, tokens};
use crate::files::Files;
use crate::source::Source;

/// Most files of one configuration.
const MOST_FILES: usize = 1000;

/// A line that includes files.
pub(super) struct Include {
    /// Where the pattern stands.
    pub(super) at: At,
    pattern: String,
    /// A file that is not there is told as an error.
    strict: bool,
}

impl Include {
    /// The include of a line, if it is one.
    pub(super) fn of(line: &Text) -> Option<Self> {
        let word = line.as_str().split_whitespace().next()?;
        let strict = match word {
            "include" => false,
            "includer" | "includem" | "includew" | "includeb" | "includea" => true,
            _ => return None,
        };
        let length = line.as_str().find(word)? + word.len();
        let rest = line.part(length..line.as_str().len()).trimmed();
        // Braces are part of the pattern here.
        let words = tokens(&rest).0;
        let quoted = match words.as_slice() {
            [Token::Word(word)] => Some(word.text.clone()),
            _ => None,
        };
        let pattern = quoted.unwrap_or_else(|| rest.as_str().to_string());
        let at = if pattern.is_empty() { line.at() } else { rest.at() };
        Some(Self { at, pattern, strict })
    }
}

/// The files, each read once.
pub(super) struct Store<'s, 'r> {
    files: &'s mut Files<'r>,
    known: HashMap<PathBuf, usize>,
}

impl<'s, 'r> Store<'s, 'r> {
    /// Nothing read yet but the first file.
    pub(super) fn new(files: &'s mut Files<'r>, path: &Path) -> Self {
        Self { files, known: HashMap::from([(plain(path), 0)]) }
    }

    /// The files of an include in the order of their names, each with its number in the report.
    pub(super) fn matching(
        &mut self,
        include: &Include,
        folder: &Path,
        report: &mut Report,
    ) -> Vec<(PathBuf, usize)> {
        let mut found = Vec::new();
        for pattern in braces(&include.pattern) {
            for path in self.paths(&folder.join(pattern)) {
                found.extend(self.read(plain(&path), include, report));
            }
        }
        if found.is_empty() {
            let message = format!("no file is included by `{}`", include.pattern);
            let help = format!("it is looked for in {}", folder.join(&include.pattern).display());
            match include.strict {
                true => report.error(&include.at, message, help),
                false => report.warning(&include.at, message, help),
            }
        }
        found
    }

    fn read(
        &mut self,
        path: PathBuf,
        include: &Include,
        report: &mut Report,
    ) -> Option<(PathBuf, usize)> {
        if let Some(known) = self.known.get(&path) {
            return Some((path, *known));
        }
        if self.known.len() >= MOST_FILES {
            report.error(&include.at, "too many files are included", "write fewer, larger files");
            return None;
        }
        match self.files.read(&path) {
            Ok(bytes) => {
                report.sources.push(Source::new(path.display().to_string(), &bytes));
                let number = report.sources.len() - 1;
                self.known.insert(path.clone(), number);
                Some((path, number))
            }
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                let help = "let the user who converts it read the file, or remove the `include`";
                match include.strict {
                    true => report.error(&include.at, message, help),
                    false => report.warning(&include.at, message, help),
                }
                None
            }
        }
    }

    /// The paths that a pattern stands for, sorted; without a wildcard, itself.
    fn paths(&self, pattern: &Path) -> Vec<PathBuf> {
        let mut found = vec![PathBuf::new()];
        for component in pattern.components() {
            let text = component.as_os_str().to_string_lossy();
            let wild = matches!(component, Component::Normal(_)) && text.contains(['*', '?', '[']);
            found = found
                .into_iter()
                .flat_map(|path| match wild {
                    false => vec![path.join(component)],
                    true => {
                        let names = self.files.list(&path).into_iter();
                        let fits = names.filter(|name| matches(text.as_bytes(), name.as_bytes()));
                        fits.map(|name| path.join(name)).collect()
                    }
                })
                .take(MOST_FILES)
                .collect();
        }
        found
    }
}

/// The path without `name/..`, so that a file has one name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        let last = plain.components().next_back();
        match component {
            Component::ParentDir if matches!(last, Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// `a{b,c}d` as `abd` and `acd`, from the first pair of braces inward.
fn braces(pattern: &str) -> Vec<String> {
    let Some((start, end)) = pattern.find('{').and_then(|start| {
        let mut depth = 0_u32;
        let mut places = pattern.char_indices().skip_while(move |(at, _)| *at < start);
        let end = places.find(|(_, character)| {
            depth += u32::from(*character == '{');
            depth -= u32::from(*character == '}');
            depth == 0
        })?;
        Some((start, end.0))
    }) else {
        return vec![pattern.to_string()];
    };
    let piece = |range: std::ops::Range<usize>| pattern.get(range).unwrap_or_default();
    let (before, inside, after) =
        (piece(0..start), piece(start + 1..end), piece(end + 1..pattern.len()));
    let mut found = Vec::new();
    for choice in choices(inside) {
        found.extend(braces(&format!("{before}{choice}{after}")));
        found.truncate(MOST_FILES);
    }
    found
}

/// The choices between braces, at their own depth.
fn choices(inside: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0_u32, 0);
    let mut found = Vec::new();
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.extend(inside.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(inside.get(start..));
    found
}

/// Whether a name fits a pattern of `*`, `?` and `[…]`. A `.` at its beginning is only met by one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    fits(pattern, name)
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(_) => one(pattern.get(p..).unwrap_or_default(), name.get(n).copied()),
            None => None,
        };
        match (step, star) {
            (Some(length), _) => (p, n) = (p + length, n + 1),
            (None, Some((at, from))) => {
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How much of a pattern one byte takes, if it fits.
fn one(pattern: &[u8], byte: Option<u8>) -> Option<usize> {
    let byte = byte?;
    let (first, rest) = pattern.split_first()?;
    let close = rest.iter().skip(1).position(|c| *c == b']').map(|at| at + 1);
    match (first, close) {
        (b'?', _) => Some(1),
        (b'[', Some(close)) => {
            let set = rest.get(..close).unwrap_or_default();
            let (set, not) = match set.split_first() {
                Some((b'!' | b'^', set)) => (set, true),
                _ => (set, false),
            };
            let range = |w: &[u8]| matches!(w, [a, b'-', z] if (*a..=*z).contains(&byte));
            let inside = set.contains(&byte) || set.windows(3).any(range);
            (inside != not).then_some(close + 2)
        }
        (literal, _) => (*literal == byte).then_some(1),
    }
}
