//! What a regular expression holds of all that has another meaning elsewhere.

use std::ops::Range;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{AssertionKind, Ast, ClassSetItem, Flag, Flags, GroupKind, Visitor, visit};

use super::Dialect;

/// What one holds.
#[derive(Debug, Default)]
pub(super) struct Features {
    /// Places of `\<` and `\>`, with the character.
    angles: Vec<(Range<usize>, char)>,
    /// Places of `$`.
    ends: Vec<Range<usize>>,
    /// There is a `^`.
    starts: bool,
    dot: bool,
    /// The flag `m` is set for some of it.
    multi_line: bool,
    /// Something in it matches bytes in another way than characters.
    bytes_matter: bool,
}

impl Features {
    /// None where it cannot be parsed.
    pub(super) fn of(pattern: &str, flags: &str) -> Option<Self> {
        let is_extended = flags.contains('x');
        let parsed = ParserBuilder::new().ignore_whitespace(is_extended).build().parse(pattern);
        let mut found = visit(&parsed.ok()?, Self::default()).ok()?;
        found.multi_line |= flags.contains('m');
        found.bytes_matter |= flags.contains('i');
        Some(found)
    }

    /// Whether it makes a difference if bytes or characters are looked at.
    pub(super) fn bytes_matter(&self, dialect: Dialect) -> bool {
        self.bytes_matter || dialect == Dialect::Posix && !self.angles.is_empty()
    }

    /// The pattern with what is written in another way here.
    pub(super) fn rewritten(&self, pattern: &str, dialect: Dialect) -> String {
        let mut changes: Vec<(&Range<usize>, &str)> = Vec::new();
        if dialect != Dialect::Posix {
            let angles = self.angles.iter();
            changes.extend(angles.map(|(at, c)| (at, if *c == '<' { "<" } else { ">" })));
        }
        // There it matches before the end of the last line as well.
        if matches!(dialect, Dialect::Perl | Dialect::Pcre) && !self.multi_line {
            changes.extend(self.ends.iter().map(|at| (at, r"(?:\n?\z)")));
        }
        changes.sort_by_key(|(at, _)| at.start);
        let mut text = String::new();
        let mut from = 0;
        for (at, instead) in changes {
            text.push_str(pattern.get(from..at.start).unwrap_or_default());
            text.push_str(instead);
            from = at.end;
        }
        text.push_str(pattern.get(from..).unwrap_or_default());
        text
    }

    /// The flag that says what goes without saying there.
    pub(super) fn missing_flag(&self, dialect: Dialect) -> Option<char> {
        match dialect {
            Dialect::Posix => self.dot.then_some('s'),
            Dialect::PerlLine => (self.starts || !self.ends.is_empty()).then_some('m'),
            Dialect::Perl | Dialect::Pcre => None,
        }
    }

    fn flags(&mut self, flags: &Flags) {
        self.multi_line |= flags.flag_state(Flag::MultiLine) == Some(true);
        // K is the sign of the kelvin, too, as far as characters go.
        self.bytes_matter |= flags.flag_state(Flag::CaseInsensitive) == Some(true);
    }

    fn assertion(&mut self, kind: &AssertionKind, at: Range<usize>) {
        match kind {
            AssertionKind::StartLine => self.starts = true,
            AssertionKind::EndLine => self.ends.push(at),
            AssertionKind::StartText | AssertionKind::EndText => {}
            AssertionKind::WordBoundaryStartAngle => self.angles.push((at, '<')),
            AssertionKind::WordBoundaryEndAngle => self.angles.push((at, '>')),
            AssertionKind::WordBoundary
            | AssertionKind::NotWordBoundary
            | AssertionKind::WordBoundaryStart
            | AssertionKind::WordBoundaryEnd
            | AssertionKind::WordBoundaryStartHalf
            | AssertionKind::WordBoundaryEndHalf => self.bytes_matter = true,
        }
    }
}

impl Visitor for Features {
    type Output = Self;
    type Err = ();

    fn finish(self) -> Result<Self, ()> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        match ast {
            Ast::Dot(_) => (self.dot, self.bytes_matter) = (true, true),
            Ast::Assertion(one) => {
                self.assertion(&one.kind, one.span.start.offset..one.span.end.offset);
            }
            Ast::ClassPerl(_) => self.bytes_matter = true,
            Ast::ClassBracketed(class) => self.bytes_matter |= class.negated,
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.flags(flags);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
        match item {
            ClassSetItem::Perl(_) => self.bytes_matter = true,
            ClassSetItem::Ascii(class) => self.bytes_matter |= class.negated,
            _ => {}
        }
        Ok(())
    }
}
