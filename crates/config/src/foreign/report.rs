//! Where the problems of one file are reported while it is read.

use std::ops::Range;

use crate::diagnostic::{Diagnostics, Help};
use crate::source::Source;

/// Something that problems of one file can be reported to.
pub(crate) trait Reporter {
    /// The file, and where its problems are collected.
    fn at(&mut self) -> (&Source, &mut Diagnostics);

    /// An error at a place.
    fn error(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<Help>) {
        let (source, out) = self.at();
        out.error(source, span.clone(), message, help);
    }

    /// A warning at a place.
    fn warning(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<Help>) {
        let (source, out) = self.at();
        out.warning(source, span.clone(), message, help);
    }

    /// A note at a place: what is not needed, and why.
    fn note(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<Help>) {
        let (source, out) = self.at();
        out.note(source, span.clone(), message, help);
    }

    /// Names a setting that is not needed here, and says why.
    fn not_needed(&mut self, name: &str, span: &Range<usize>, why: &str) {
        self.note(span, format!("`{name}` is not needed here"), why);
    }
}
