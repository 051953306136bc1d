//! Every input that is kept is given to its target in every test run, without a fuzzer.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_kept_input_holds() {
    for (name, body) in fuzzing::TARGETS {
        let folder = corpus().join(name);
        let inputs = names(&folder);
        assert!(inputs.len() > 1, "{name} has no corpus");
        for input in inputs {
            // The test's output names the input that broke.
            println!("{name}/{input}");
            body(&fs::read(folder.join(input)).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_fuzzer_and_there_is_no_other() {
    let targets: BTreeSet<String> =
        fuzzing::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&corpus()), targets);
    let fuzzers = names(&corpus().join("../fuzz_targets"));
    assert_eq!(fuzzers, targets.iter().map(|name| format!("{name}.rs")).collect());
}

#[test]
fn nothing_and_every_single_byte_hold() {
    for (_, body) in fuzzing::TARGETS {
        body(&[]);
        (0..=u8::MAX).for_each(|byte| body(&[byte]));
    }
}
