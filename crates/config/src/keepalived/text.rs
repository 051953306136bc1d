//! Text that remembers where each of its bytes came from, through includes and replaced parameters.

use std::ops::Range;

/// A place in one of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct At {
    /// Which file.
    pub(super) source: usize,
    /// The bytes.
    pub(super) span: Range<usize>,
}

/// What stands for a byte that is not UTF-8.
const NOT_TEXT: char = char::REPLACEMENT_CHARACTER;

/// A line or a piece of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    text: String,
    /// File and offset of each byte.
    from: Vec<(usize, usize)>,
}

impl Text {
    /// A line as it stands in a file; each byte that is not UTF-8 becomes a `�`.
    pub(super) fn line(source: usize, start: usize, bytes: &[u8]) -> Self {
        let mut line = Self::default();
        let mut offset = start;
        for chunk in bytes.utf8_chunks() {
            line.text.push_str(chunk.valid());
            let after = offset + chunk.valid().len();
            line.from.extend((offset..after).map(|offset| (source, offset)));
            offset = after;
            for _ in chunk.invalid() {
                line.text.push(NOT_TEXT);
                line.from.extend([(source, offset); NOT_TEXT.len_utf8()]);
                offset += 1;
            }
        }
        line
    }

    /// The first byte that is not UTF-8. Of a `�` that the file itself has, each byte has its own
    /// place.
    pub(super) fn not_utf8(&self) -> Option<At> {
        let places = self.text.match_indices(NOT_TEXT);
        let mut places = places.map(|(at, found)| self.at_range(at..at + found.len()));
        places.find(|at| at.span.len() == 1)
    }

    /// Text that a place stands for.
    pub(super) fn made(text: &str, at: &At) -> Self {
        Self { text: text.to_string(), from: vec![(at.source, at.span.start); text.len()] }
    }

    /// The text itself.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// A piece, by its bytes.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default().to_string();
        let from = self.from.get(range).unwrap_or_default().to_vec();
        Self { text, from }
    }

    /// Without blanks around it.
    pub(super) fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start..self.text.trim_end().len().max(start))
    }

    /// Adds text behind it.
    pub(super) fn push(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.from.extend_from_slice(&other.from);
    }

    /// With other text in the place of some bytes.
    pub(super) fn with(&self, range: Range<usize>, other: &Self) -> Self {
        let mut whole = self.part(0..range.start);
        whole.push(other);
        whole.push(&self.part(range.end..self.text.len()));
        whole
    }

    /// Where it stands: all of it when that is in one piece, else its beginning.
    pub(super) fn at(&self) -> At {
        self.at_range(0..self.text.len())
    }

    /// Where some bytes of it stand.
    pub(super) fn at_range(&self, range: Range<usize>) -> At {
        let bytes = self.from.get(range).unwrap_or_default();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            let (source, end) = self.from.last().copied().unwrap_or_default();
            return At { source, span: end..end + 1 };
        };
        let whole = first.0 == last.0 && last.1 >= first.1;
        let end = if whole { last.1 + 1 } else { first.1 + 1 };
        At { source: first.0, span: first.1..end }
    }
}
