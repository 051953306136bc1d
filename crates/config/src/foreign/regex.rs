//! Regular expressions that were written for another program.

use std::ops::Range;

use super::report::Reporter;

/// Why a regular expression cannot be used, and what to do instead; `None` when it can.
pub(crate) fn problem(pattern: &str) -> Option<(String, String)> {
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

/// Whether a regular expression can be used; if not, that is reported.
pub(crate) fn compiles(report: &mut impl Reporter, pattern: &str, span: &Range<usize>) -> bool {
    match problem(pattern) {
        Some((message, help)) => {
            report.error(span, message, help);
            false
        }
        None => true,
    }
}
