//! Regular expressions for what lies in a range: an editor has nothing else for times.

use super::super::scalar::UNITS;

/// Digits behind the point that are read.
const FRACTION: &str = "\\.[0-9]{1,6}";

/// Times from `min` to `max` milliseconds. Of a time with a fraction the whole part is looked at:
/// at the short end the parser is stricter.
pub(super) fn durations(min: u64, max: u64) -> String {
    let (min, max) = (u128::from(min) * MILLISECOND, u128::from(max) * MILLISECOND);
    let units: Vec<String> = UNITS
        .iter()
        .filter_map(|(name, unit)| of_unit(name, u128::from(*unit), min, max))
        .collect();
    format!("^ *({}) *$", units.join("|"))
}

const MILLISECOND: u128 = 1_000_000;

fn of_unit(name: &str, unit: u128, min: u128, max: u128) -> Option<String> {
    let (first, last) = (min.div_ceil(unit), max / unit);
    let mut ways = Vec::new();
    if first <= last {
        ways.push(numbers(first, last));
    }
    // The largest whole part that leaves room for a fraction. Nobody writes one of a microsecond.
    if unit >= MILLISECOND
        && let Some(below) = last.checked_sub(u128::from(max.is_multiple_of(unit)))
    {
        let from = min / unit;
        if from <= below {
            let whole = numbers(from, below);
            let whole = if whole.contains('|') { format!("({whole})") } else { whole };
            ways.push(format!("{whole}{FRACTION}"));
        }
    }
    (!ways.is_empty()).then(|| format!("0*({}) *{name}", ways.join("|")))
}

/// Whole numbers from `low` to `high`, without leading zeros.
fn numbers(low: u128, high: u128) -> String {
    let (low, high) = (low.to_string(), high.to_string());
    let mut ways = Vec::new();
    if low.len() == high.len() {
        between(&low, &high, "", &mut ways);
        return ways.join("|");
    }
    between(&low, &"9".repeat(low.len()), "", &mut ways);
    // Every number of the lengths in between.
    match (low.len(), high.len().saturating_sub(2)) {
        (first, last) if first < last => ways.push(format!("[1-9][0-9]{{{first},{last}}}")),
        (first, last) if first == last => ways.push(format!("[1-9]{}", any(first))),
        _ => {}
    }
    between(&format!("1{}", "0".repeat(high.len() - 1)), &high, "", &mut ways);
    ways.join("|")
}

/// Numbers between two of the same length, behind `head`.
fn between(from: &str, to: &str, head: &str, ways: &mut Vec<String>) {
    let all = |digit: char, text: &str| text.chars().all(|c| c == digit);
    if all('0', from) && all('9', to) {
        ways.push(format!("{head}{}", any(from.len())));
        return;
    }
    let (Some((first, from_rest)), Some((last, to_rest))) = (split(from), split(to)) else {
        ways.push(head.to_owned());
        return;
    };
    let (zeros, nines) = ("0".repeat(from_rest.len()), "9".repeat(from_rest.len()));
    if first == last {
        between(from_rest, to_rest, &format!("{head}{first}"), ways);
        return;
    }
    let (mut low, mut high) = (first, last);
    if from_rest != zeros {
        between(from_rest, &nines, &format!("{head}{first}"), ways);
        low += 1;
    }
    if to_rest != nines {
        between(&zeros, to_rest, &format!("{head}{last}"), ways);
        high -= 1;
    }
    match low.cmp(&high) {
        std::cmp::Ordering::Less => {
            ways.push(format!("{head}[{low}-{high}]{}", any(from_rest.len())));
        }
        std::cmp::Ordering::Equal => ways.push(format!("{head}{low}{}", any(from_rest.len()))),
        std::cmp::Ordering::Greater => {}
    }
}

/// The first digit, and the others.
fn split(number: &str) -> Option<(u32, &str)> {
    let first = number.chars().next()?;
    Some((first.to_digit(10)?, number.get(first.len_utf8()..)?))
}

fn any(digits: usize) -> String {
    match digits {
        0 => String::new(),
        1 => "[0-9]".into(),
        several => format!("[0-9]{{{several}}}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;
    use crate::native::parse_duration;

    #[test]
    fn a_small_range_is_a_small_expression() {
        assert_eq!(numbers(1, 255), "[1-9]|[1-9][0-9]|25[0-5]|2[0-4][0-9]|1[0-9]{2}");
        assert_eq!(numbers(0, 9), "[0-9]");
        assert_eq!(numbers(7, 7), "7");
    }

    proptest! {
        #[test]
        fn exactly_the_numbers_of_the_range_match(a in 0..3000_u128, b in 0..3000_u128, n in 0..4000_u128) {
            let (low, high) = (a.min(b), a.max(b));
            let expression = Regex::new(&format!("^({})$", numbers(low, high))).unwrap();
            for number in [n, low, high, low.saturating_sub(1), high + 1] {
                let fits = (low..=high).contains(&number);
                prop_assert_eq!(expression.is_match(&number.to_string()), fits, "{} {}", number, expression);
            }
        }

        #[test]
        fn exactly_the_times_of_the_range_match(min in 0..100_000_u64, more in 0..100_000_000_u64, n in 0..200_000_u64, unit in 0..7_usize) {
            let expression = Regex::new(&durations(min, min + more)).unwrap();
            let near = [n, min, min.saturating_sub(1), min + more, min + more + 1];
            for (number, unit) in near.map(|n| (n, "ms")).into_iter().chain([(n, UNITS[unit].0)]) {
                let text = format!("{number}{unit}");
                let time = parse_duration(&text).unwrap().as_nanos();
                let milliseconds = |count: u64| u128::from(count) * MILLISECOND;
                let fits = (milliseconds(min)..=milliseconds(min + more)).contains(&time);
                prop_assert_eq!(expression.is_match(&text), fits, "{} in {} to {}", text, min, min + more);
            }
        }
    }
}
