//! A line, and pieces of it that know their place in the file.

use std::ops::Range;

use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// One line of a file, as text.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Line, from 1.
    pub(crate) number: usize,
    /// Offset of its first byte in the file.
    pub(crate) start: usize,
    /// Its text without the end; bytes that are not UTF-8 become `?`, so that offsets hold.
    pub(crate) text: String,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its text.
    pub(crate) text: String,
    /// Its first byte in the file, and the one after its last.
    pub(crate) span: Range<usize>,
}

/// The lines of a file.
pub(crate) fn lines(source: &Source) -> impl Iterator<Item = Line> {
    source.lines().enumerate().map(|(index, (start, bytes))| Line {
        number: index + 1,
        start,
        text: readable(bytes),
    })
}

/// Bytes as text, with a `?` for each that is not UTF-8.
fn readable(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks();
    chunks
        .flat_map(|chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(|_| '?')))
        .collect()
}

/// Reports a value with bytes that are not UTF-8: it would be another one than was written.
pub(crate) fn demand_utf8(source: &Source, value: &Range<usize>, out: &mut Diagnostics) {
    let bytes = source.bytes().get(value.clone()).unwrap_or_default();
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = value.start + error.valid_up_to();
        out.error(source, at..at + 1, NOT_UTF8.0, NOT_UTF8.1);
    }
}

/// What is said of a byte that is not UTF-8, and what to do.
pub(crate) const NOT_UTF8: (&str, &str) =
    ("this byte is not UTF-8", "save the file as UTF-8: `iconv -f latin1 -t utf8` does it");

/// The first line that ends the way DOS files do, if any.
pub(crate) fn carriage_return(source: &Source) -> Option<Range<usize>> {
    let at = source.bytes().windows(2).position(|pair| pair == b"\r\n")?;
    Some(at..at + 1)
}

impl Line {
    /// A piece of the line, by its bytes within it.
    pub(crate) fn word(&self, range: Range<usize>) -> Word {
        let text = self.text.get(range.clone()).unwrap_or_default().to_string();
        Word { text, span: self.start + range.start..self.start + range.end }
    }

    /// The line as a word, without blanks around it.
    pub(crate) fn trimmed(&self) -> Word {
        self.word(0..self.text.len()).trimmed()
    }
}

impl Word {
    /// A piece of the word, by its bytes within it.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default().to_string();
        let (start, end) = (self.span.start + range.start, self.span.start + range.end);
        Self { text, span: start..end.min(self.span.end).max(start) }
    }

    /// The word without blanks around it.
    pub(crate) fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        let end = self.text.trim_end().len().max(start);
        self.part(start..end)
    }

    /// The words between blanks, and between characters for which `also` holds.
    pub(crate) fn split(&self, also: impl Fn(char) -> bool) -> Vec<Self> {
        let mut words = Vec::new();
        let mut start = None;
        for (at, character) in self.text.char_indices() {
            if character.is_whitespace() || also(character) {
                if let Some(start) = start.take() {
                    words.push(self.part(start..at));
                }
            } else if start.is_none() {
                start = Some(at);
            }
        }
        if let Some(start) = start {
            words.push(self.part(start..self.text.len()));
        }
        words
    }
}
