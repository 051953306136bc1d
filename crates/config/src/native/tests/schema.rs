//! The JSON Schema and the parser agree about each key of the table.

use super::validator::Validator;
use super::*;

fn validator() -> Validator {
    Validator::new(serde_json::to_value(schema()).unwrap())
}

/// Where a key's value is in the file of [`file_with`].
fn pointer(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    path.split('.').fold(String::new(), |at, word| match word.strip_suffix("[]") {
        Some(list) => format!("{at}/{list}/0"),
        None => format!("{at}/{}", if word == "*" { "name" } else { word }),
    })
}

/// Whether the schema takes this value of a key, and whether the parser does.
fn verdicts(validator: &Validator, key: &Key, value: &str) -> (bool, bool) {
    let text = file_with(key.path, value);
    let at = pointer(key.path);
    // A part of a short form is refused with the whole.
    let refused = validator.refusals(&text).into_iter().any(|(place, _)| place.starts_with(&at));
    let complaints = [format!("{}: ", key.name()), format!("{} wants ", key.name())];
    let told = |d: &crate::Diagnostic| complaints.iter().any(|c| d.message.starts_with(c));
    (!refused, !read(&text).diagnostics.iter().any(told))
}

#[test]
fn what_is_out_of_range_is_refused_by_both_and_the_limits_by_none() {
    let validator = validator();
    let mut count = 0;
    for key in keys() {
        let (min, max, unit) = match key.kind {
            Kind::Integer { min, max, .. } => (min, max, ""),
            Kind::Duration { min, max } => (min, max, "ms"),
            _ => continue,
        };
        for limit in [min, max] {
            let value = format!("{limit}{unit}");
            assert_eq!(verdicts(&validator, key, &value), (true, true), "{}: {value}", key.path);
        }
        let below = min.checked_sub(1).map_or("-1".into(), |below| below.to_string());
        for beyond in [below, (max + 1).to_string()] {
            let value = format!("{beyond}{unit}");
            assert_eq!(verdicts(&validator, key, &value), (false, false), "{}: {value}", key.path);
        }
        count += 1;
    }
    assert!(count > 30, "only {count}");
}

#[test]
fn a_wrong_type_is_refused_by_both_and_every_default_by_none() {
    let validator = validator();
    for key in keys() {
        let wrong = match key.kind {
            Kind::Integer { .. } | Kind::Boolean => "some words",
            Kind::Duration { .. } | Kind::Choice(_) => "7",
            Kind::Form(form) if form.number.is_none() => "\"\\u00e9 /\"",
            Kind::Address => "10.0.0.256.1",
            Kind::Text(_) => "[[1]]",
            _ => continue,
        };
        assert_eq!(verdicts(&validator, key, wrong), (false, false), "{}: {wrong}", key.path);
        if let Default::Value(value) = key.default {
            assert_eq!(verdicts(&validator, key, value), (true, true), "{}: {value}", key.path);
        }
    }
}

#[test]
fn an_unknown_key_is_refused_in_every_map() {
    let validator = validator();
    for key in keys().iter().filter(|key| key.name() != "*") {
        let wrong = file_with(&format!("{}x", key.path), "1");
        let holder = pointer(key.parent());
        let found = validator.refusals(&wrong);
        let told = found
            .iter()
            .any(|(at, why)| *at == holder && why.contains(&format!("{}x", key.name())));
        assert!(told, "{}: {found:?}", key.path);
    }
}
