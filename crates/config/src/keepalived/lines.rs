//! From files to the lines that count: comments, includes, conditions, parameters and loops are
//! worked out, in the order in which keepalived does it.

use std::path::{Path, PathBuf};

use super::include::{Include, Store};
use super::macros::{Definition, Macros, name_of_definition};
use super::report::Report;
use super::sequence;
use super::text::{At, Text};

/// How deep includes, and how deep parameters within parameters, may go.
const DEEPEST: usize = 24;
/// The most that all lines together may hold, in bytes.
const LARGEST: usize = 4 << 20;
/// The most that may be read on the way, in bytes: lines that come to nothing count, too.
const MOST_WORK: usize = 16 << 20;
/// What the reading of one file counts beside its lines, in bytes: files that include several
/// others, each time under a new name, multiply with each level.
const WORK_OF_A_FILE: usize = 4 << 10;
/// Longest line, in bytes, with its parameters replaced.
const LONGEST: usize = 64 << 10;
/// How often one line may have parameters replaced.
const MOST_REPLACED: usize = 200;

/// Reads one router's view of a file and of all that it includes.
pub(super) struct Lines<'a, 's, 'r> {
    store: &'a mut Store<'s, 'r>,
    report: &'a mut Report,
    /// The name that `@NAME` lines are compared with; none keeps every such line out.
    id: Option<&'a str>,
    /// Every name that such a line has, in the order of the file.
    pub(super) ids: Vec<(String, At)>,
    macros: Macros,
    /// The lines that count.
    pub(super) found: Vec<Text>,
    size: usize,
    work: usize,
    folder: PathBuf,
    /// The files that are being read, the innermost last.
    open: Vec<usize>,
    /// A limit was passed; that was reported.
    full: bool,
}

impl<'a, 's, 'r> Lines<'a, 's, 'r> {
    pub(super) fn new(
        store: &'a mut Store<'s, 'r>,
        report: &'a mut Report,
        id: Option<&'a str>,
    ) -> Self {
        Self {
            store,
            report,
            id,
            ids: Vec::new(),
            macros: Macros::default(),
            found: Vec::new(),
            size: 0,
            work: 0,
            folder: PathBuf::new(),
            open: Vec::new(),
            full: false,
        }
    }

    /// Reads a file that is known to the report.
    pub(super) fn file(&mut self, path: &Path, source: usize, depth: usize) {
        let Some(known) = self.report.sources.get(source).cloned() else { return };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let before = std::mem::replace(&mut self.folder, folder);
        self.open.push(source);
        let mut pending: Option<Text> = None;
        let mut definition: Option<Definition> = None;
        for (start, bytes) in known.lines() {
            if self.full {
                break;
            }
            self.work += bytes.len() + 1;
            if self.work > MOST_WORK {
                self.too_much(&Text::line(source, start, bytes));
                break;
            }
            let (text, goes_on) = without_comment(&Text::line(source, start, bytes));
            if let Some(open) = &mut definition {
                open.lines.push(text);
                if !goes_on {
                    self.macros.extend(definition.take());
                }
                continue;
            }
            if pending.is_none()
                && goes_on
                && let Some(begun) = self.begins(&text)
            {
                definition = begun;
                continue;
            }
            let mut whole = pending.take().unwrap_or_default();
            whole.push(&text);
            if goes_on {
                whole.push(&Text::made(" ", &text.at()));
                pending = Some(whole);
            } else {
                self.line(whole, depth);
            }
        }
        self.macros.extend(definition);
        if let Some(rest) = pending {
            self.line(rest, depth);
        }
        self.folder = before;
        self.open.pop();
    }

    /// Whether a line that goes on begins a parameter of several lines; one that is for another
    /// router is read over.
    fn begins(&mut self, text: &Text) -> Option<Option<Definition>> {
        let (text, holds) = self.condition(text);
        let (name, value) = name_of_definition(&text)?;
        value
            .as_str()
            .trim()
            .is_empty()
            .then(|| Some(Definition { name, lines: Vec::new(), several: true, used: holds }))
    }

    fn include(&mut self, include: &Include, depth: usize) {
        self.work += WORK_OF_A_FILE;
        if self.work > MOST_WORK {
            return self.too_much_at(&include.at);
        }
        for (path, source) in self.store.matching(include, &self.folder, self.report) {
            if depth >= DEEPEST || self.open.contains(&source) {
                let help = "remove the `include` of a file that is being read";
                self.report.error(&include.at, "includes go round in a circle", help);
                return;
            }
            self.file(&path, source, depth + 1);
            if self.full {
                return;
            }
        }
    }

    /// Without the condition before it, and whether that holds.
    fn condition(&mut self, text: &Text) -> (Text, bool) {
        let mut text = text.trimmed();
        let mut holds = true;
        while let Some(rest) = text.as_str().strip_prefix('@') {
            let word = rest.split_whitespace().next().unwrap_or_default();
            let (name, not) = match word.strip_prefix('^') {
                Some(name) => (name, true),
                None => (word, false),
            };
            if !name.is_empty() && !self.ids.iter().any(|(known, _)| known == name) {
                self.ids.push((name.to_string(), text.at_range(0..1 + word.len())));
            }
            holds &= self.id.is_some_and(|id| (id == name) != not);
            text = text.part(1 + word.len()..text.as_str().len()).trimmed();
        }
        (text, holds)
    }

    /// One line: conditions, a definition, a loop, an include, or something that counts.
    fn line(&mut self, text: Text, depth: usize) {
        let mut text = text;
        for _ in 0..MOST_REPLACED {
            self.work += text.as_str().len() + 1;
            if self.work > MOST_WORK {
                return self.too_much(&text);
            }
            if text.as_str().len() > LONGEST {
                break;
            }
            let (rest, holds) = self.condition(&text);
            if !holds || rest.as_str().is_empty() || self.full {
                return;
            }
            if let Some((name, value)) = name_of_definition(&rest) {
                let lines = vec![value.trimmed()];
                self.macros.extend(Some(Definition { name, lines, several: false, used: true }));
                return;
            }
            if let Some(repeated) = sequence::of(&rest, &self.macros, self.report) {
                self.repeat(&repeated, depth);
                return;
            }
            match self.macros.next_use(&rest, &self.folder, self.report) {
                None => {
                    return match Include::of(&rest) {
                        Some(include) => self.include(&include, depth),
                        None => self.keep(rest),
                    };
                }
                Some(used) if used.lines.len() == 1 => {
                    let line = used.lines.into_iter().next().unwrap_or_default();
                    text = rest.with(used.range, &line);
                }
                Some(used) => return self.several(&rest, &used.range, &used.lines, depth),
            }
        }
        let help = "remove the use of a parameter within its own value";
        self.report.error(&text.at_range(0..1), "parameters go round in a circle", help);
    }

    fn repeat(&mut self, repeated: &sequence::Repeated, depth: usize) {
        if depth >= DEEPEST {
            return self.too_deep(&repeated.at);
        }
        for round in &repeated.rounds {
            for (name, value) in round {
                let lines = vec![Text::made(value, &repeated.at)];
                let name = name.clone();
                self.macros.extend(Some(Definition { name, lines, several: false, used: true }));
            }
            self.line(repeated.rest.clone(), depth + 1);
            if self.full {
                return;
            }
        }
    }

    /// The lines of a parameter, with what stands around it on the first and on the last.
    fn several(
        &mut self,
        line: &Text,
        range: &std::ops::Range<usize>,
        lines: &[Text],
        depth: usize,
    ) {
        if depth >= DEEPEST {
            return self.too_deep(&line.at_range(range.clone()));
        }
        let last = lines.len().saturating_sub(1);
        for (index, inner) in lines.iter().enumerate() {
            let mut whole = if index == 0 { line.part(0..range.start) } else { Text::default() };
            whole.push(inner);
            if index == last {
                whole.push(&line.part(range.end..line.as_str().len()));
            }
            self.line(whole, depth + 1);
            if self.full {
                return;
            }
        }
    }

    fn keep(&mut self, line: Text) {
        self.size += line.as_str().len() + 1;
        if self.size > LARGEST {
            return self.too_much(&line);
        }
        self.found.push(line);
    }

    fn too_much(&mut self, line: &Text) {
        self.too_much_at(&line.at_range(0..1));
    }

    fn too_much_at(&mut self, at: &At) {
        // What is cut off anywhere would only be misread.
        self.found.clear();
        if !std::mem::replace(&mut self.full, true) {
            let help = "write less: all lines together may hold 4 MiB";
            let message = "includes, parameters and loops make too much of this file";
            self.report.error(at, message, help);
        }
    }

    fn too_deep(&mut self, at: &At) {
        if !std::mem::replace(&mut self.full, true) {
            let help = "remove the use of a parameter within its own value";
            self.report.error(at, "parameters go round in a circle", help);
        }
    }
}

/// A line without its comment, and whether a backslash at its end says that it goes on.
fn without_comment(line: &Text) -> (Text, bool) {
    let text = line.as_str();
    let (mut quoted, mut end) = (false, None);
    let mut kept = Text::default();
    let mut from = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if end.is_none() => quoted = !quoted,
            '\\' => match characters.next() {
                None => {
                    let before = end.unwrap_or(at);
                    kept.push(&line.part(from..before.max(from)));
                    return (kept.trimmed(), true);
                }
                Some((_, '#' | '!')) if !quoted && end.is_none() => {
                    kept.push(&line.part(from..at));
                    from = at + 1;
                }
                Some(_) => {}
            },
            '#' | '!' if !quoted => end = end.or(Some(at)),
            _ => {}
        }
    }
    kept.push(&line.part(from..end.unwrap_or(text.len()).max(from)));
    (kept.trimmed(), false)
}
