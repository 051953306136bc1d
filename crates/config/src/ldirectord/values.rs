//! Values of ldirectord.cf: numbers, yes and no, quoted text, words.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

use ipvs::Family;

use super::lexer::Directive;
use crate::diagnostic::{Diagnostics, nearest};
use crate::foreign::hosts::{self, Lookup};
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::source::Source;

/// Where problems are reported while the file is read.
pub(super) struct Report<'a> {
    /// The file.
    pub(super) source: &'a Source,
    out: &'a mut Diagnostics,
    /// What was named once already.
    named: BTreeSet<&'static str>,
    lookup: &'a mut Lookup<'a>,
}

impl Reporter for Report<'_> {
    fn at(&mut self) -> (&Source, &mut Diagnostics) {
        (self.source, self.out)
    }
}

impl<'a> Report<'a> {
    /// Nothing reported yet.
    pub(super) fn new(
        source: &'a Source,
        out: &'a mut Diagnostics,
        lookup: &'a mut Lookup<'a>,
    ) -> Self {
        Self { source, out, named: BTreeSet::new(), lookup }
    }

    /// The address of a name whose address has to be known.
    pub(super) fn looked_up(&mut self, name: &Word, family: Family) -> Option<IpAddr> {
        let found = (self.lookup)(&name.text);
        let address = found.into_iter().find(|address| Family::of(*address) == family);
        if address.is_none() {
            let what = if family == Family::Inet { "IPv4" } else { "IPv6" };
            let message = format!("`{}` has no {what} address in /etc/hosts", name.text);
            self.error(&name.span, message, hosts::HELP);
        }
        address
    }

    /// Names something that is not carried; the second time nothing is said.
    pub(super) fn not_carried(&mut self, name: &'static str, span: &Range<usize>, instead: &str) {
        self.once(name, span, &format!("`{name}` has no effect here"), instead);
    }

    /// A warning about a directive; the second time nothing is said.
    pub(super) fn once(
        &mut self,
        name: &'static str,
        span: &Range<usize>,
        message: &str,
        help: &str,
    ) {
        if self.named.insert(name) {
            self.warning(span, message, help);
        }
    }

    /// A whole number: the first run of digits, as ldirectord reads it.
    pub(super) fn number(&mut self, directive: &Directive, least: u32) -> Option<u32> {
        let (name, value) = (&directive.name.text, &directive.value);
        let range = digits(&value.text);
        let Some(number) = range.clone().and_then(|range| value.text.get(range)) else {
            let help = format!("write a whole number: `{name} = 5`");
            self.error(&value.span, format!("`{}` is no number", value.text), help);
            return None;
        };
        let Ok(parsed) = number.parse::<u32>() else {
            self.error(
                &value.span,
                format!("{number} is too large"),
                "numbers go up to 4294967295",
            );
            return None;
        };
        if parsed < least {
            let help = format!("write {least} or more");
            self.error(&value.span, format!("`{name}` cannot be {parsed}"), help);
            return None;
        }
        if number != value.text {
            let message = format!("only the number of `{}` counts", value.text);
            self.warning(&value.span, message, format!("write `{name} = {number}`"));
        }
        Some(parsed)
    }

    /// `yes` or `no`.
    pub(super) fn yes_no(&mut self, directive: &Directive) -> Option<bool> {
        let (name, value) = (&directive.name.text, &directive.value);
        let answer = match value.text.as_str() {
            "yes" => true,
            "no" => false,
            other => {
                let help = match other.to_lowercase().trim_matches('"') {
                    "yes" | "true" | "on" | "1" => format!("write `{name} = yes`"),
                    "no" | "false" | "off" | "0" => format!("write `{name} = no`"),
                    _ => format!("write `{name} = yes` or `{name} = no`"),
                };
                self.error(&value.span, format!("`{other}` is neither yes nor no"), help);
                return None;
            }
        };
        if let Some(trailing) = &directive.trailing {
            let message = format!("there is something behind `{}`", value.text);
            let help = "ignored; ldirectord itself would refuse the line";
            self.warning(&trailing.span, message, help);
        }
        Some(answer)
    }

    /// A full path, with quotes or without; `what` and `example` are for the message.
    pub(super) fn full_path(
        &mut self,
        directive: &Directive,
        what: &str,
        example: &str,
    ) -> Option<String> {
        let (name, path) = (&directive.name.text, unquoted(&directive.value.text).trim());
        if path.starts_with('/') {
            return Some(path.to_owned());
        }
        let message = format!("`{path}` is no {what} that could be found from everywhere");
        let help = format!("write the full path of a {what}: `{name} = {example}`");
        self.error(&directive.value.span, message, help);
        None
    }

    /// Text between plain quotes, from the first to the last.
    pub(super) fn quoted(&mut self, directive: &Directive) -> Option<String> {
        let (name, value) = (&directive.name.text, &directive.value);
        let first = value.text.find('"');
        let last = value.text.rfind('"');
        let inner = match (first, last) {
            (Some(first), Some(last)) if first < last => value.text.get(first + 1..last),
            _ => None,
        };
        match inner {
            Some("") => {
                let help =
                    format!("write what is wanted between the quotes, or leave out `{name}`");
                self.error(&value.span, format!("`{name}` is empty"), help);
                None
            }
            Some(text) => Some(text.to_string()),
            None => {
                let message = format!("the value of `{name}` is not between quotes");
                let plain = value.text.trim_matches('"');
                self.error(&value.span, message, format!("write `{name} = \"{plain}\"`"));
                None
            }
        }
    }

    /// One of some words: the first run of lower-case letters, `-` and `_`, as ldirectord searches.
    pub(super) fn choice<'w>(
        &mut self,
        value: &Word,
        what: &str,
        words: &'w [&'w str],
    ) -> Option<&'w str> {
        let found = first_word(&value.text);
        if let Some(known) = words.iter().find(|known| **known == found) {
            return Some(*known);
        }
        let help = match nearest(value.text.trim_matches('"'), words.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("one of {}", words.join(", ")),
        };
        self.error(&value.span, format!("`{}` is no {what}", value.text), help);
        None
    }
}

/// The value without quotes around it, where ldirectord lets one leave them out.
pub(super) fn unquoted(value: &str) -> &str {
    let Some(inner) = value.strip_prefix('"') else { return value };
    inner.split('"').next().unwrap_or(inner)
}

/// The first run of digits.
pub(super) fn digits(text: &str) -> Option<Range<usize>> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = text.get(start..)?;
    let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some(start..start + length)
}

/// The first run of lower-case letters, `-` and `_`.
pub(super) fn first_word(text: &str) -> &str {
    let legal = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
    let start = text.find(|c: char| c.is_ascii_lowercase()).unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    rest.get(..rest.find(|c| !legal(c)).unwrap_or(rest.len())).unwrap_or_default()
}
