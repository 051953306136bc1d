//! Where problems of one file of the folder are reported.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::diagnostic::{Diagnostics, Severity};
use crate::foreign::report::Reporter;
use crate::source::Source;

/// One file, and the problems of all.
pub(super) struct Report<'a> {
    /// The file.
    pub(super) source: Source,
    /// The problems of all files.
    pub(super) out: &'a mut Diagnostics,
    /// What was named once already.
    named: BTreeSet<String>,
}

impl Reporter for Report<'_> {
    fn at(&mut self) -> (&Source, &mut Diagnostics) {
        (&self.source, self.out)
    }
}

impl<'a> Report<'a> {
    /// Nothing reported yet of this file.
    pub(super) fn new(source: Source, out: &'a mut Diagnostics) -> Self {
        Self { source, out, named: BTreeSet::new() }
    }

    /// A problem of the file as a whole: it is shown where the file begins.
    pub(super) fn whole_file(&mut self, severity: Severity, message: &str, help: &str) {
        match severity {
            Severity::Error => self.error(&(0..0), message, help),
            Severity::Warning => self.warning(&(0..0), message, help),
            Severity::Note => self.note(&(0..0), message, help),
        }
    }

    /// Names something that is not carried; the second time nothing is said.
    pub(super) fn not_carried(&mut self, name: &str, span: &Range<usize>, instead: &str) {
        if self.named.insert(name.to_string()) {
            self.warning(span, format!("`{name}` has no effect here"), instead);
        }
    }

    /// Says why a directive is not needed; the second time nothing is said.
    pub(super) fn needless(&mut self, name: &str, span: &Range<usize>, why: &str) {
        if self.named.insert(name.to_string()) {
            self.not_needed(name, span, why);
        }
    }
}
