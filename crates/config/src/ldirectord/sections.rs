//! Which directive belongs to which virtual server.

use super::known::{self, Scope};
use super::lexer::{Directive, Item};
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// A `virtual=` line and what stands below it.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The `virtual=` or `virtual6=` line.
    pub(super) head: Directive,
    /// What belongs to it.
    pub(super) body: Vec<Directive>,
    /// What belongs to it, but stands at the margin.
    unindented: Vec<Directive>,
    /// The line that ends the section for ldirectord itself.
    ended_by: Option<usize>,
    /// Somebody was told that the section goes on behind that line.
    told: bool,
}

/// The file, sorted.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What holds for the whole file.
    pub(super) globals: Vec<Directive>,
    /// The virtual servers.
    pub(super) sections: Vec<Section>,
}

/// Sorts the lines, and reports those that stand where they may not.
pub(super) fn sort(source: &Source, items: Vec<Item>, out: &mut Diagnostics) -> File {
    let mut file = File::default();
    for item in items {
        match item {
            Item::Blank(line) => file.end_section(line),
            Item::Directive(directive) => file.add(source, directive, out),
        }
    }
    for section in &file.sections {
        section.report_unindented(source, out);
    }
    file
}

impl File {
    fn end_section(&mut self, line: usize) {
        if let Some(section) = self.sections.last_mut() {
            section.ended_by.get_or_insert(line);
        }
    }

    fn add(&mut self, source: &Source, directive: Directive, out: &mut Diagnostics) {
        let Some(known) = known::find(&directive.name.text) else {
            let message = format!("`{}` is no directive of ldirectord", directive.name.text);
            out.error(source, directive.name.span, message, known::unknown(&directive.name.text));
            return;
        };
        if matches!(known.name, "virtual" | "virtual6") {
            if directive.indent > 0 {
                blanks_before(source, &directive, out);
            }
            self.sections.push(Section::new(directive));
        } else if directive.indent == 0 {
            self.add_at_margin(source, known.scope, directive, out);
        } else {
            self.add_indented(source, known.scope, directive, out);
        }
    }

    /// Above the first virtual server.
    fn add_above_all(
        &mut self,
        source: &Source,
        scope: Scope,
        directive: Directive,
        out: &mut Diagnostics,
    ) {
        if scope == Scope::Virtual {
            needs_virtual(source, &directive, out);
            return;
        }
        if directive.indent > 0 {
            blanks_before(source, &directive, out);
        }
        self.globals.push(directive);
    }

    /// A name that only a virtual server can have belongs to the one above, wherever it stands.
    fn add_at_margin(
        &mut self,
        source: &Source,
        scope: Scope,
        directive: Directive,
        out: &mut Diagnostics,
    ) {
        let Some(section) = self.sections.last_mut() else {
            self.add_above_all(source, scope, directive, out);
            return;
        };
        if scope == Scope::Virtual {
            section.unindented.push(directive.clone());
            section.body.push(directive);
            return;
        }
        let lost = !section.unindented.is_empty() && section.ended_by.is_none();
        if scope == Scope::Both && lost {
            section.unindented.push(directive.clone());
            section.body.push(directive);
        } else {
            section.ended_by.get_or_insert(directive.line);
            self.globals.push(directive);
        }
    }

    fn add_indented(
        &mut self,
        source: &Source,
        scope: Scope,
        directive: Directive,
        out: &mut Diagnostics,
    ) {
        let Some(section) = self.sections.last_mut() else {
            self.add_above_all(source, scope, directive, out);
            return;
        };
        if scope == Scope::Global {
            let message = format!("`{}` holds for the whole file", directive.name.text);
            let help = "write it at the margin, above the first `virtual=`";
            out.error(source, directive.name.span.clone(), message, help);
            self.globals.push(directive);
            return;
        }
        section.go_on(source, &directive, out);
        if directive.indent < MIN_INDENT {
            let message = format!("`{}` is indented by less than four blanks", directive.name.text);
            let help = "taken as a part of the virtual server above; ldirectord itself wants four blanks or a tab";
            out.warning(source, directive.name.span.clone(), message, help);
        }
        section.body.push(directive);
    }
}

/// Columns that ldirectord wants before a directive of a virtual server.
const MIN_INDENT: usize = 4;

impl Section {
    fn new(head: Directive) -> Self {
        Self { head, body: Vec::new(), unindented: Vec::new(), ended_by: None, told: false }
    }

    fn go_on(&mut self, source: &Source, directive: &Directive, out: &mut Diagnostics) {
        let Some(line) = self.ended_by.filter(|_| !self.told) else { return };
        self.told = true;
        let message = format!("line {line} ends the virtual server of line {}", self.head.line);
        let help = format!(
            "taken as a part of it all the same; ldirectord itself wants no blank line or other directive in between: remove or move line {line}"
        );
        out.warning(source, directive.name.span.clone(), message, help);
    }

    fn report_unindented(&self, source: &Source, out: &mut Diagnostics) {
        let Some(first) = self.unindented.first() else { return };
        let message = format!(
            "`{}` stands at the margin, but belongs to the virtual server of line {}",
            first.name.text, self.head.line
        );
        let numbers: Vec<usize> = self.unindented.iter().map(|d| d.line).collect();
        let help = format!("indent {} by four blanks or a tab", line_list(&numbers));
        out.error(source, first.name.span.clone(), message, help);
    }
}

/// `line 9`, `lines 9 to 14 and 17`.
fn line_list(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from} to {to}") })
        .collect();
    let lines = if numbers.len() == 1 { "line" } else { "lines" };
    match words.split_last() {
        Some((last, [])) => format!("{lines} {last}"),
        Some((last, rest)) => format!("{lines} {} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn needs_virtual(source: &Source, directive: &Directive, out: &mut Diagnostics) {
    let message = format!("`{}` stands above the first virtual server", directive.name.text);
    let help = "write `virtual=ADDRESS:PORT` first, and this below it, indented by four blanks";
    out.error(source, directive.name.span.clone(), message, help);
}

fn blanks_before(source: &Source, directive: &Directive, out: &mut Diagnostics) {
    let message = format!("`{}` has blanks before it", directive.name.text);
    let help = "taken as if it stood at the margin, where ldirectord itself wants it";
    out.warning(source, directive.name.span.clone(), message, help);
}
