//! What is written is read as the same model, and every key is written.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::models::cluster;
use super::validator::Validator;
use crate::files::Files;
use crate::native::key::{Kind, children, keys};
use crate::native::tree::{self, Node, Value};
use crate::places::Places;
use crate::source::Source;
use crate::{Cluster, Diagnostics};

/// Models of each test below; there are four, so that they share the processors.
const MODELS: u32 = 2500;
/// Of so many models one goes through the JSON Schema, too.
const TO_VALIDATE: usize = 10;
/// The keys that no model has.
const NOT_WRITTEN: [&str; 1] = ["include"];

/// The keys that a text gives, by their paths in the table.
fn given(node: &Node<'_>, path: &str, seen: &mut BTreeSet<&'static str>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let name = if let Value::Text(text) = &key.value { text.as_ref() } else { "" };
                let fits = |name: &str| children(path).iter().find(|key| key.name() == name);
                let key = fits(name).or_else(|| fits("*")).expect("a key of the table");
                seen.insert(key.path);
                given(value, if let Kind::As(other) = key.kind { other } else { key.path }, seen);
            }
        }
        Value::List(members) => {
            let member = format!("{path}[]");
            let path = if children(&member).is_empty() { path } else { &member };
            members.iter().for_each(|member| given(member, path, seen));
        }
        Value::Null | Value::Boolean(_) | Value::Number | Value::Text(_) => {}
    }
}

/// Whether the text of a model is read as that model.
fn is_read_again(cluster: &Cluster, text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("written.yaml", text.as_bytes());
    let (mut out, mut places) = (Diagnostics::new(), Places::default());
    let nothing_more = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let mut files = Files::new(&nothing_more);
    let path = Path::new("written.yaml");
    let again = crate::native::parse(path, &source, &mut files, &mut out, &mut places);
    let nothing = *cluster == (Cluster { autoreload: true, ..Cluster::default() });
    if nothing || !out.has_errors() && again.as_ref() == Some(cluster) {
        return Ok(());
    }
    let told = crate::render(out.as_slice(), false);
    Err(TestCaseError::fail(format!("{told}\n{text}\nis read as {again:?}")))
}

fn round_trips() {
    let validator = Validator::new(serde_json::to_value(crate::native::schema()).unwrap());
    let (mut seen, mut count) = (BTreeSet::new(), 0_usize);
    let seen_and_count = std::cell::RefCell::new((&mut seen, &mut count));
    let mut runner =
        TestRunner::new(Config { cases: MODELS, failure_persistence: None, ..Config::default() });
    let done = runner.run(&cluster(), |cluster| {
        let text = crate::native::write(&cluster);
        is_read_again(&cluster, &text)?;
        let (seen, count) = &mut *seen_and_count.borrow_mut();
        if let Ok(node) = tree::parse(&text) {
            given(&node, "", seen);
        }
        **count += 1;
        if count.is_multiple_of(TO_VALIDATE) {
            let refusals = validator.refusals(&text);
            proptest::prop_assert!(refusals.is_empty(), "{refusals:?}\n{text}");
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
    let missing = keys().iter().map(|key| key.path).filter(|path| !seen.contains(path));
    assert_eq!(missing.collect::<Vec<_>>(), NOT_WRITTEN, "no model has these keys");
}

#[test]
fn what_is_written_is_read_as_the_same_model_and_every_key_is_written() {
    round_trips();
}

#[test]
fn so_are_2500_other_models() {
    round_trips();
}

#[test]
fn so_are_5000_other_models() {
    round_trips();
}

#[test]
fn so_are_7500_other_models() {
    round_trips();
}
