//! Loops: `~SEQ(name, first, step, last) …`, `~SEQx(…)` and `~LST(name, one, two) …`.

use super::macros::Macros;
use super::report::Report;
use super::text::{At, Text};

/// Most rounds of one loop.
const MOST: usize = 65_536;

/// A line that is read once a round.
pub(super) struct Repeated {
    /// The loop itself.
    pub(super) at: At,
    /// The rest of the line.
    pub(super) rest: Text,
    /// What each round sets.
    pub(super) rounds: Vec<Vec<(String, String)>>,
}

/// The loop that a line begins with. A broken one is reported, and has no round.
pub(super) fn of(line: &Text, macros: &Macros, report: &mut Report) -> Option<Repeated> {
    let text = line.as_str();
    let word = ["~SEQx(", "~SEQ(", "~LST("].into_iter().find(|word| text.starts_with(*word))?;
    let Some(close) = text.find(')') else {
        report.error(
            &line.at(),
            "this loop has no `)`",
            "write `~SEQ(NUMBER, 1, 3) …` on one line",
        );
        return Some(Repeated { at: line.at(), rest: Text::default(), rounds: Vec::new() });
    };
    let at = line.at_range(0..close + 1);
    let inside = macros.filled(&line.part(word.len()..close), report);
    let rounds = match word {
        "~LST(" => list(inside.as_str()),
        _ => numbers(inside.as_str(), word == "~SEQx("),
    };
    let rounds = rounds.unwrap_or_else(|| {
        let help = "write `~SEQ(NAME, FIRST, STEP, LAST)` with whole numbers, or `~LST(NAME, ONE, TWO)`; at most 65536 rounds";
        report.error(&at, "this loop cannot be read", help);
        Vec::new()
    });
    Some(Repeated { at, rest: line.part(close + 1..text.len()).trimmed(), rounds })
}

fn numbers(inside: &str, hexadecimal: bool) -> Option<Vec<Vec<(String, String)>>> {
    let mut parts = inside.split(',').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let given: Vec<i64> = parts.map(number).collect::<Option<_>>()?;
    let toward = |first: i64, last: i64| if last < first { -1 } else { 1 };
    let (first, step, last) = match given.as_slice() {
        [last] => {
            let first = if *last > 0 { 1 } else { -1 };
            (first, toward(first, *last), *last)
        }
        [first, last] => (*first, toward(*first, *last), *last),
        [first, step, last] => (*first, *step, *last),
        _ => return None,
    };
    if step == 0 {
        return None;
    }
    let mut rounds = Vec::new();
    let mut value = first;
    while (step > 0 && value <= last) || (step < 0 && value >= last) {
        if rounds.len() == MOST {
            return None;
        }
        let shown = if hexadecimal { format!("{value:x}") } else { value.to_string() };
        rounds.push(vec![(name.to_string(), shown)]);
        value = value.checked_add(step)?;
    }
    Some(rounds)
}

fn number(text: &str) -> Option<i64> {
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |text| (text, -1));
    let value = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some(value * sign)
}

/// The members of a list; those in braces are one member with several values.
fn list(inside: &str) -> Option<Vec<Vec<(String, String)>>> {
    let mut members = Vec::new();
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let (member, after) = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        members.push(member.split(',').map(|one| one.trim().to_string()).collect::<Vec<_>>());
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if after.is_empty() {
            break;
        }
    }
    let (names, values) = members.split_first()?;
    let fits = values.len() <= MOST && values.iter().all(|round| round.len() == names.len());
    (fits && names.iter().all(|name| !name.is_empty())).then(|| {
        let pair = |round: &Vec<String>| names.iter().cloned().zip(round.iter().cloned()).collect();
        values.iter().map(pair).collect()
    })
}
