//! `cargo xtask man`: the keys of the native configuration, put into their manual page.
//!
//! The words come from the table that the parser and `lvsctl explain-key` use.

use crate::process::root;
use crate::trouble::{Context, Result, Trouble};
use config::native::{Default, Key, keys};
use lab::console;
use std::fmt::Write;
use std::fs;

/// The page, from the workspace's folder.
const PAGE: &str = "man/caribe-cluster.yaml.5";
/// The lines that the keys stand between.
const BEGIN: &str = ".\\\" begin of the keys: written by `cargo xtask man`\n";
const END: &str = ".\\\" end of the keys\n";

/// The chore itself.
pub(crate) fn run() -> Result<bool> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).trying(PAGE)?;
    let fresh = with_keys(&page)?;
    let same = fresh == page;
    if !same {
        fs::write(&path, fresh).trying(PAGE)?;
    }
    let what = if same { "holds every key already" } else { "is written anew" };
    console::line(&format!("{PAGE} {what}"));
    Ok(true)
}

/// The page with the keys as they are now.
fn with_keys(page: &str) -> Result<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| Trouble::new(format!("{PAGE} has no place for the keys: {BEGIN}")))?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", section()))
}

/// Every key in mdoc: those with keys of their own as subsections, then the others.
fn section() -> String {
    let top = |key: &&Key| key.parent().is_empty();
    let belongs = |key: &Key, to: &Key| key.path.split('.').next() == Some(to.path);
    let holds = |key: &&Key| keys().iter().filter(|member| belongs(member, key)).count() > 1;
    // Without hyphens, so that a value can be found and copied whole.
    let mut text = ".nh\n".to_owned();
    for head in keys().iter().filter(top).filter(holds) {
        let members: Vec<&Key> = keys().iter().filter(|key| belongs(key, head)).collect();
        list(head.path, &members, &mut text);
    }
    let others: Vec<&Key> = keys().iter().filter(top).filter(|key| !holds(key)).collect();
    list("The daemons themselves", &others, &mut text);
    text
}

fn list(title: &str, keys: &[&Key], text: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, ".Ss {title}\n.Bl -tag -width Ds");
    for key in keys {
        let (doc, kind) = (escape(key.doc), escape(&key.kind_text()));
        let _ = writeln!(text, ".It Va {}\n{doc}\nTakes {kind}.", key.path);
        let _ = match key.default {
            Default::Required => writeln!(text, "It has to be given."),
            _ => writeln!(text, "Default: {}.", escape(key.default_text())),
        };
    }
    text.push_str(".El\n");
}

/// Text that mdoc takes as it is: no macro, no escape, and quotes that can be copied.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('`', "\\(ga").replace('\'', "\\(aq");
    // A full stop within a line ends a sentence only at its end.
    let control = text.starts_with(['.', '\\']);
    if control { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_every_key_as_it_is_now() {
        let page = fs::read_to_string(root().join(PAGE)).unwrap();
        assert!(with_keys(&page).unwrap() == page, "{PAGE} is stale: run `cargo xtask man`");
    }

    #[test]
    fn each_key_stands_in_the_section_once() {
        let section = section();
        for key in keys() {
            let item = format!(".It Va {}\n", key.path);
            assert_eq!(section.matches(&item).count(), 1, "{}", key.path);
        }
    }

    #[test]
    fn what_is_put_between_the_marks_replaces_what_was_there() {
        let page = format!("before\n{BEGIN}what was there\n{END}after\n");
        let fresh = with_keys(&page).unwrap();
        assert!(fresh.starts_with("before\n") && fresh.ends_with("after\n"), "{fresh}");
        assert!(!fresh.contains("what was there"));
        assert!(with_keys("no marks\n").is_err());
    }

    #[test]
    fn text_that_looks_like_a_macro_stays_text() {
        assert_eq!(escape(".Sh \\r `x`"), "\\&.Sh \\er \\(gax\\(ga");
    }
}
