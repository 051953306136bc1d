//! Times of ha.cf: a number with `ms`, `us`, or nothing for seconds.

use std::ops::Range;
use std::time::Duration;

use super::report::Report;
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;

/// The last of some times, which is the one that counts, with its place.
pub(super) fn last(report: &mut Report<'_>, values: &[Word]) -> Option<(Duration, Range<usize>)> {
    let value = values.last()?;
    match time(&value.text) {
        Some(time) if !time.is_zero() => Some((time, value.span.clone())),
        Some(_) => {
            report.error(&value.span, "this time cannot be 0", "write seconds, or `200ms`");
            None
        }
        None => {
            let digits = |c: &char| c.is_ascii_digit() || *c == '.';
            let number: String = value.text.chars().take_while(digits).collect();
            let help = match value.text.get(number.len()..).unwrap_or_default() {
                "s" | "sec" if !number.is_empty() => format!("write `{number}` for seconds"),
                _ => "write `2` for two seconds, `200ms` or `200000us`".to_string(),
            };
            report.error(&value.span, format!("`{}` is no time", value.text), help);
            None
        }
    }
}

fn time(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let micros_of_unit: u64 = match unit {
        "" => 1_000_000,
        "ms" => 1_000,
        "us" | "usec" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut micros = whole.parse::<u64>().ok()?.checked_mul(micros_of_unit)?;
    let mut place = micros_of_unit;
    for digit in fraction.chars() {
        place /= 10;
        micros = micros.checked_add(u64::from(digit.to_digit(10)?) * place)?;
    }
    Some(Duration::from_micros(micros))
}
