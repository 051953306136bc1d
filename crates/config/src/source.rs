//! The text of a file, and where a byte of it is for a person.

use std::ops::Range;
use std::sync::Arc;

/// A file's name and bytes, with an index of its lines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: String,
    bytes: Vec<u8>,
    /// Offset of the first byte of each line; the first is 0.
    line_starts: Vec<usize>,
    /// The byte that ends a line.
    end: u8,
}

/// Where a range of bytes begins, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters of the range within that line; at least 1.
    pub length: usize,
    /// The line without its end; bytes that are not UTF-8 are shown as `�`.
    pub text: String,
}

impl Source {
    /// A file as the person named it, and its content.
    pub fn new(file: impl Into<String>, bytes: &[u8]) -> Self {
        // Old Macs ended their lines with a carriage return alone, and Piranha reads that.
        let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == end);
        let line_starts = std::iter::once(0).chain(ends.map(|(offset, _)| offset + 1)).collect();
        Self(Arc::new(Inner { file: file.into(), bytes: bytes.to_vec(), line_starts, end }))
    }

    /// The file as the person named it.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The lines, each with the offset of its first byte and without its end (`\n` or `\r\n`). The
    /// empty rest after the last `\n` is no line.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let all = self.0.line_starts.iter().map(|start| (*start, self.line_at(*start)));
        all.filter(|(start, _)| *start < self.0.bytes.len())
    }

    /// The bytes of line `number`, from 1, without its end; empty when there is none.
    pub fn line(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).and_then(|index| self.0.line_starts.get(index));
        start.map_or(&[], |start| self.line_at(*start))
    }

    /// The range of bytes that `length` characters at a line and column (both from 1) take.
    pub fn span(&self, line: usize, column: usize, length: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|index| self.0.line_starts.get(index));
        let start = start.copied().unwrap_or(self.0.bytes.len());
        let text = String::from_utf8_lossy(self.line(line));
        let offset = |characters: usize| {
            text.char_indices().nth(characters).map_or(text.len(), |(offset, _)| offset)
        };
        let first = column.saturating_sub(1);
        start + offset(first)..start + offset(first.saturating_add(length))
    }

    /// Where a range of bytes is. One that goes over a line's end is cut there.
    pub fn place(&self, span: Range<usize>) -> Place {
        let start = span.start.min(self.0.bytes.len());
        let index = self.0.line_starts.partition_point(|first| *first <= start).saturating_sub(1);
        let first = self.0.line_starts.get(index).copied().unwrap_or(0);
        let line = self.line_at(first);
        let from = (start - first).min(line.len());
        let to = span.end.saturating_sub(first).clamp(from, line.len());
        Place {
            line: index + 1,
            column: characters(line.get(..from)) + 1,
            length: characters(line.get(from..to)).max(1),
            text: String::from_utf8_lossy(line).into_owned(),
        }
    }

    fn line_at(&self, start: usize) -> &[u8] {
        let rest = self.0.bytes.get(start..).unwrap_or(&[]);
        let line = rest.split(|byte| *byte == self.0.end).next().unwrap_or(&[]);
        line.strip_suffix(b"\r").unwrap_or(line)
    }
}

fn characters(bytes: Option<&[u8]>) -> usize {
    String::from_utf8_lossy(bytes.unwrap_or(&[])).chars().count()
}
