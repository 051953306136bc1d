//! Parameters: `$NAME=value`, and where they are used.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::report::Report;
use super::text::Text;

/// The value of a parameter.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) lines: Vec<Text>,
    /// It was written over several lines.
    pub(super) several: bool,
    /// It is for this router.
    pub(super) used: bool,
}

/// All parameters so far.
#[derive(Debug, Default)]
pub(super) struct Macros(HashMap<String, Vec<Text>>);

/// A parameter in a line.
pub(super) struct Use {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// What it stands for; at least one line.
    pub(super) lines: Vec<Text>,
}

/// `$NAME=`, and what stands behind it.
pub(super) fn name_of_definition(text: &Text) -> Option<(String, Text)> {
    let rest = text.as_str().strip_prefix('$')?;
    let name = leading_name(rest);
    let value = rest.get(name.len()..)?.strip_prefix('=')?;
    let start = text.as_str().len() - value.len();
    (!name.is_empty()).then(|| (name.to_string(), text.part(start..text.as_str().len())))
}

/// The name that a text begins with; empty when there is none.
fn leading_name(text: &str) -> &str {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !legal(c)).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

impl Macros {
    /// Adds a parameter, or gives it a new value.
    pub(super) fn extend(&mut self, definition: Option<Definition>) {
        let Some(Definition { name, mut lines, several, used }) = definition else { return };
        if !used {
            return;
        }
        if several {
            lines.retain(|line| !line.as_str().is_empty());
        }
        if lines.is_empty() {
            lines.push(Text::default());
        }
        self.0.insert(name, lines);
    }

    /// The first parameter that a line uses. What is not defined stays as it is.
    pub(super) fn next_use(&self, line: &Text, folder: &Path, report: &mut Report) -> Option<Use> {
        let text = line.as_str();
        for (start, _) in text.match_indices('$') {
            let rest = text.get(start + 1..).unwrap_or_default();
            let (inner, length) = match rest.strip_prefix('{') {
                Some(braced) => {
                    let Some(end) = braced.find('}') else { continue };
                    (braced.get(..end).unwrap_or_default(), end + 3)
                }
                None => {
                    let name = leading_name(rest);
                    let after = rest.get(name.len()..).and_then(|rest| rest.chars().next());
                    if after.is_some_and(|after| !after.is_whitespace()) {
                        continue;
                    }
                    (name, name.len() + 1)
                }
            };
            let range = start..start + length;
            if let Some(lines) = self.value(line, inner, &range, folder, report) {
                return Some(Use { range, lines });
            }
        }
        None
    }

    fn value(
        &self,
        line: &Text,
        inner: &str,
        range: &Range<usize>,
        folder: &Path,
        report: &mut Report,
    ) -> Option<Vec<Text>> {
        let at = line.at_range(range.clone());
        let made = |text: &str| Some(vec![Text::made(text, &at)]);
        if let Some(lines) = self.0.get(inner) {
            return Some(lines.clone());
        }
        match inner.split_whitespace().next().unwrap_or_default() {
            "_PWD" => made(&folder.display().to_string()),
            "_HASH" => made("#"),
            "_BANG" => made("!"),
            word @ ("_INSTANCE" | "_RANDOM" | "_ENV") => {
                let help = "write the value itself: both routers have to read the same";
                report.error(&at, format!("`${{{word}}}` is different each time"), help);
                made("")
            }
            _ => None,
        }
    }

    /// A text in which every parameter of one line is replaced, as within the brackets of a loop.
    pub(super) fn filled(&self, text: &Text, report: &mut Report) -> Text {
        let mut text = text.clone();
        for _ in 0..64 {
            match self.next_use(&text, Path::new(""), report) {
                Some(used) => {
                    let line = used.lines.into_iter().next().unwrap_or_default();
                    text = text.with(used.range, &line);
                }
                None => break,
            }
        }
        text
    }
}
