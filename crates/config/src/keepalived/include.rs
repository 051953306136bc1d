//! `include` and its stricter sisters: the files that a pattern names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::report::Report;
use super::text::{At, Text};
use super::words::{Token, tokens};
use crate::files::Files;
use crate::glob::{self, MOST_FILES, plain};
use crate::source::Source;

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
    /// Their numbers in the report; none of one that cannot be read, which was told.
    known: HashMap<PathBuf, Option<usize>>,
}

impl<'s, 'r> Store<'s, 'r> {
    /// Nothing read yet but the first file.
    pub(super) fn new(files: &'s mut Files<'r>, path: &Path) -> Self {
        Self { files, known: HashMap::from([(plain(path), Some(0))]) }
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
            for path in glob::paths(self.files, &folder.join(pattern)) {
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
            return known.map(|number| (path, number));
        }
        if self.known.len() >= MOST_FILES {
            report.error(&include.at, "too many files are included", "write fewer, larger files");
            return None;
        }
        match self.files.read(&path) {
            Ok(bytes) => {
                report.sources.push(Source::new(path.display().to_string(), &bytes));
                let number = report.sources.len() - 1;
                self.known.insert(path.clone(), Some(number));
                Some((path, number))
            }
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                let help = "let the user who converts it read the file, or remove the `include`";
                match include.strict {
                    true => report.error(&include.at, message, help),
                    false => report.warning(&include.at, message, help),
                }
                self.known.insert(path, None);
                None
            }
        }
    }
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
