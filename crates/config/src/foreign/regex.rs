//! Regular expressions that were written for another program.
//!
//! The same text means something else there: what `.` and `$` match, what stands between brackets,
//! and whether bytes or characters are looked at. So each is put into our words, and only where it makes a difference.

mod classes;
mod features;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::report::Reporter;
use crate::model::Expect;
use features::Features;

/// Whose regular expressions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Extended ones of POSIX, as the C library has them: lvs.cf.
    Posix,
    /// Those of Perl: ldirectord.
    Perl,
    /// Those of Perl, asked about each line: ldirectord's simpletcp.
    PerlLine,
    /// Those of PCRE: keepalived.
    Pcre,
}

/// What is wrong with a regular expression, and what to do instead.
pub(crate) type Problem = (String, String);

/// Why a regular expression of ours cannot be used; `None` when it can.
pub(crate) fn problem(pattern: &str) -> Option<Problem> {
    let error = regex::bytes::Regex::new(pattern).err()?;
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    let reason = last.strip_prefix("error: ").unwrap_or(last).to_string();
    let help = if reason.contains("look-around") || reason.contains("backreference") {
        "write it without looking around or back; or check with a program of your own".to_string()
    } else {
        "a `\\` before a character takes away its special meaning".to_string()
    };
    Some((format!("the regular expression cannot be used: {reason}"), help))
}

/// A regular expression of another program in our words. `flags` are those that hold for the
/// whole of it.
///
/// # Errors
/// It cannot be used.
pub(crate) fn translated(pattern: &str, flags: &str, dialect: Dialect) -> Result<String, Problem> {
    let pattern = classes::rewritten(pattern, flags, dialect)?;
    if let Some(problem) = problem(&with_flags(flags, "", &pattern)) {
        return Err(problem);
    }
    // What compiles can be parsed, too.
    let Some(features) = Features::of(&pattern, flags) else {
        return Ok(with_flags(flags, "", &pattern));
    };
    let body = features.rewritten(&pattern, dialect);
    let mut flags = flags.to_owned();
    flags.extend(features.missing_flag(dialect).filter(|flag| !flags.contains(*flag)));
    if features.bytes_matter(dialect) && !flags.contains('u') {
        let of_bytes = with_flags(&flags, "u", &body);
        // A set of characters that are more than one byte is one of characters only.
        if problem(&of_bytes).is_none() {
            return Ok(of_bytes);
        }
    }
    Ok(with_flags(&flags, "", &body))
}

/// The same as what is expected, or an error where it stands.
pub(crate) fn expected(
    report: &mut impl Reporter,
    pattern: &str,
    dialect: Dialect,
    span: &Range<usize>,
) -> Option<Expect> {
    match translated(pattern, "", dialect) {
        Ok(ours) => Some(Expect::Regex(ours)),
        Err((message, help)) => {
            report.error(span, message, help);
            None
        }
    }
}

fn with_flags(on: &str, off: &str, pattern: &str) -> String {
    match (on, off) {
        ("", "") => pattern.to_owned(),
        (on, "") => format!("(?{on}){pattern}"),
        (on, off) => format!("(?{on}-{off}){pattern}"),
    }
}
